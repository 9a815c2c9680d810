use super::*;

fn table() -> Table {
    let mut table = Table::new(&["path", "depth", "last_failure"]);
    table.row([Cell::from("/store/gate"), Cell::from(12_u64), Cell::Nothing]);
    table.row([
        Cell::from("/queue"),
        Cell::from(3_u64),
        Cell::from("panic: \u{1b}[2Ja very long text about it"),
    ]);
    table
}

#[test]
fn tables_are_plain_for_programs() {
    assert_eq!(
        block(&table().into(), Style::Plain),
        "/store/gate\t12\t-\n/queue\t3\tpanic: \u{fffd}[2Ja very long text about it\n"
    );
}

#[test]
fn tables_fit_their_terminal() {
    let style = |width| Style::Terminal { width, colour: false };
    let wide = block(&table().into(), style(100));
    assert_eq!(
        wide.lines().collect::<Vec<_>>(),
        [
            "path         depth  last failure",
            "/store/gate     12  -",
            "/queue           3  panic: \u{fffd}[2Ja very long text about it",
        ]
    );
    for width in 24..80 {
        for line in block(&table().into(), style(width)).lines() {
            assert!(line.width() <= width, "{width}: {line}");
        }
    }
    let mut times = Table::new(&["path", "text", "at"]);
    times.row([
        Cell::from("/a/long/path"),
        Cell::from("a long text about it"),
        Cell::Time(Timestamp::from_millis(0)),
    ]);
    let narrow = block(&times.into(), style(43));
    assert!(
        narrow.contains("/a/long/path  a long text abo\u{2026}  01-01"),
        "{narrow}"
    );
    // Too narrow for anything: it is still there.
    assert_eq!(block(&table().into(), style(1)).lines().count(), 4);
    let empty = block(&Table::new(&["a"]).into(), style(80));
    assert_eq!(empty, "a\nnothing\n");
}

#[test]
fn colour_is_only_for_terminals_that_show_it() {
    let mut table = Table::new(&["path", "phase"]);
    table.row([Cell::from("/a"), Cell::from("parked")]);
    let coloured = block(
        &table.clone().into(),
        Style::Terminal {
            width: 80,
            colour: true,
        },
    );
    assert!(coloured.contains(RED) && coloured.contains(BOLD));
    let bare = block(
        &table.into(),
        Style::Terminal {
            width: 80,
            colour: false,
        },
    );
    assert!(!bare.contains('\u{1b}'));
}

#[test]
fn what_comes_row_by_row_has_one_head_and_is_not_cut() {
    let narrow = Style::Terminal {
        width: 20,
        colour: false,
    };
    let whole = block(
        &table().into(),
        Style::Terminal {
            width: 200,
            colour: false,
        },
    );
    assert_eq!(stream(&table(), narrow, true), whole);
    let (_, rows) = whole.split_once('\n').unwrap();
    assert_eq!(stream(&table(), narrow, false), rows);
    assert_eq!(
        stream(&table(), Style::Plain, false),
        block(&table().into(), Style::Plain)
    );
}

#[test]
fn units_are_short() {
    for (us, expected) in [
        (0, "0us"),
        (999, "999us"),
        (1_250, "1.2ms"),
        (12_000, "12ms"),
        (1_500_000, "1.5s"),
        (59_000_000, "59s"),
        (125_000_000, "2m05s"),
        (7_500_000_000, "2h05m"),
        (864_000_000_000, "10d00h"),
    ] {
        assert_eq!(duration(Duration::from_micros(us)), expected);
    }
    for (octets, expected) in [
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1.0KiB"),
        (1_500_000, "1.4MiB"),
        (u64::MAX, "1638PiB"),
    ] {
        assert_eq!(size(octets), expected, "{octets}");
    }
    assert_eq!(
        cell(&Cell::Time(Timestamp::from_millis(0))),
        "1970-01-01 00:00:00Z"
    );
}

#[test]
fn receipts_say_what_undoes_them() {
    let mut receipt = Receipt {
        id: "abc".to_owned(),
        at: Timestamp::from_millis(0),
        what: "ban 192.0.2.1".to_owned(),
        touches: 1,
        inverse: Some("ban remove 192.0.2.1".to_owned()),
        dry_run: false,
    };
    assert_eq!(
        self::receipt(&receipt),
        "ban 192.0.2.1 (1 thing)\nreceipt abc; undo: ban remove 192.0.2.1\n"
    );
    receipt.dry_run = true;
    assert_eq!(
        self::receipt(&receipt),
        "would: ban 192.0.2.1 (1 thing); nothing is done\n"
    );
}
