//! Fit: a table that is no wider than its terminal. What finds no room is left out and named; no value is ever cut to another.

use message::time::Timestamp;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{BOLD, DIM, PLAIN, RED, cell, short_time, time};
use crate::{answer::Table, cell::Cell};

/// No column of text is narrowed below this while there are numbers and times that can go, and below that at all.
const NARROW: usize = 16;
const NARROWEST: usize = 12;

/// The first is not narrowed below this: it says what a row is about, and an id is of use only when it is whole.
const NARROWEST_FIRST: usize = 26;

/// Between two columns.
const GAP: usize = 2;

/// What a column holds, in all of its rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Empty,
    Number,
    Time,
    Text,
}

/// A column with everything that is shown in it.
struct Column {
    /// Where it stands in the table.
    at: usize,
    head: String,
    sort: Sort,
    cells: Vec<String>,
    width: usize,
}

/// A table on a terminal.
pub(super) fn table(table: &Table, limit: usize, colour: bool) -> String {
    let (columns, left_out) = fitted(table, limit);
    let paint = |text: String, code: &str| match colour {
        true => format!("{code}{text}{PLAIN}"),
        false => text,
    };
    let mut text = paint(laid_out(&columns, |column| Some(&column.head)), BOLD);
    text.push('\n');
    for (number, cells) in table.rows.iter().enumerate() {
        let line = laid_out(&columns, |column| column.cells.get(number));
        text += &match mood(cells) {
            Some(code) => paint(line, code),
            None => line,
        };
        text.push('\n');
    }
    if table.rows.is_empty() {
        text += "nothing\n";
    }
    if !left_out.is_empty() {
        let note = cut(&format!("no room for {}", left_out.join(", ")), limit);
        text += &paint(note, DIM);
        text.push('\n');
    }
    text
}

/// The columns for which there is room, and the names of the others.
fn fitted(table: &Table, limit: usize) -> (Vec<Column>, Vec<String>) {
    let mut columns = columns(table, time);
    if total(&columns) <= limit {
        return (columns, Vec::new());
    }
    columns = self::columns(table, short_time);
    let mut gone = Vec::new();
    // First what says nothing, then numbers and times, then texts; always the last of them, and never the first of all.
    while total(&columns) > limit && leave_out(&mut columns, &[Sort::Empty], &mut gone) {}
    for (sorts, floor) in [
        (&[Sort::Number, Sort::Time][..], NARROW),
        (&[Sort::Text], NARROWEST),
    ] {
        while !narrow(&mut columns, limit, floor) && leave_out(&mut columns, sorts, &mut gone) {}
    }
    gone.sort_by_key(|column| column.at);
    let left_out = gone.into_iter().filter(|column| column.sort != Sort::Empty);
    let left_out = left_out.map(|column| column.head).collect();
    if let [only] = &mut *columns {
        only.width = only.width.min(limit);
    }
    (columns, left_out)
}

/// Leaves out the last column of these sorts, if there is one behind the first of all.
fn leave_out(columns: &mut Vec<Column>, sorts: &[Sort], gone: &mut Vec<Column>) -> bool {
    let mut others = columns.iter().enumerate().skip(1).rev();
    let last = others.find(|(_, column)| sorts.contains(&column.sort));
    let Some((last, _)) = last else {
        return false;
    };
    gone.push(columns.remove(last));
    true
}

fn columns(table: &Table, times: fn(Timestamp) -> String) -> Vec<Column> {
    let shown = |cell: &Cell| match cell {
        Cell::Time(time) => times(*time),
        other => self::cell(other),
    };
    let column = |(at, name): (usize, &String)| {
        let cells = table.rows.iter().filter_map(|row| row.get(at));
        let head = name.replace('_', " ");
        let sort = sort(cells.clone());
        let cells: Vec<String> = cells.map(shown).collect();
        let width = cells
            .iter()
            .map(|cell| cell.width())
            .fold(head.width(), usize::max);
        Column {
            at,
            head,
            sort,
            cells,
            width,
        }
    };
    table.columns.iter().enumerate().map(column).collect()
}

fn sort<'c>(cells: impl Iterator<Item = &'c Cell> + Clone) -> Sort {
    let all = |is: fn(&Cell) -> bool| cells.clone().all(|cell| *cell == Cell::Nothing || is(cell));
    if cells.clone().next().is_none() {
        Sort::Text
    } else if all(|_| false) {
        Sort::Empty
    } else if all(|cell| matches!(cell, Cell::Number(_) | Cell::Octets(_) | Cell::Duration(_))) {
        Sort::Number
    } else if all(|cell| matches!(cell, Cell::Time(_))) {
        Sort::Time
    } else {
        Sort::Text
    }
}

/// All columns with what is between them.
fn total(columns: &[Column]) -> usize {
    let widths: usize = columns.iter().map(|column| column.width).sum();
    widths + GAP * columns.len().saturating_sub(1)
}

/// Takes width from the widest columns of text, down to this, until all fit, and tells whether they do. If they do not, all are
/// as they were.
fn narrow(columns: &mut [Column], limit: usize, floor: usize) -> bool {
    let before: Vec<usize> = columns.iter().map(|column| column.width).collect();
    while let Some(excess) = total(columns).checked_sub(limit).filter(|excess| *excess > 0) {
        let texts = columns.iter_mut().enumerate();
        let can_give = texts.filter_map(|(at, column)| {
            let floor = if at == 0 { NARROWEST_FIRST } else { floor };
            let is_wide = column.sort == Sort::Text && column.width > floor;
            is_wide.then_some((&mut column.width, floor))
        });
        let Some((widest, floor)) = can_give.max_by_key(|(width, _)| **width) else {
            for (column, width) in columns.iter_mut().zip(before) {
                column.width = width;
            }
            return false;
        };
        // In steps, so that two wide columns share the loss.
        *widest = widest.saturating_sub(excess.clamp(1, 8)).max(floor);
    }
    true
}

fn laid_out<'c>(columns: &'c [Column], text: impl Fn(&'c Column) -> Option<&'c String>) -> String {
    let mut line = String::new();
    for (number, column) in columns.iter().enumerate() {
        let cell = cut(text(column).map_or("", String::as_str), column.width);
        let pad = " ".repeat(column.width.saturating_sub(cell.width()));
        if number > 0 {
            line += &" ".repeat(GAP);
        }
        if matches!(column.sort, Sort::Number | Sort::Empty) {
            line += &pad;
            line += &cell;
        } else {
            line += &cell;
            line += &pad;
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Rows of what does not run or has failed catch the eye.
fn mood(cells: &[Cell]) -> Option<&'static str> {
    cells.iter().find_map(|cell| match cell {
        Cell::Text(text) => match text.as_ref() {
            "parked" | "failed" | "damaged" | "stuck" => Some(RED),
            "idle" | "closed" | "suspended" => Some(DIM),
            _ => None,
        },
        _ => None,
    })
}

/// A text with an ellipsis for what is too much: the beginning is kept, of a path the end.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    if text.starts_with('/') && text.len() > 1 {
        let kept: String = beginning(text.chars().rev(), width).chars().rev().collect();
        return format!("\u{2026}{kept}");
    }
    format!("{}\u{2026}", beginning(text.chars(), width))
}

/// As much as leaves room for an ellipsis.
fn beginning(characters: impl Iterator<Item = char>, width: usize) -> String {
    let mut taken = 0;
    let fits = |character: &char| {
        taken += character.width().unwrap_or(0);
        taken < width
    };
    characters.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting() -> Table {
        let mut table = Table::new(&["message", "recipient", "address", "when", "size", "tls", "last"]);
        table.row([
            "01m8jact7c000000006nnf51a3".into(),
            1_u64.into(),
            "bob@example.org".into(),
            Cell::Time(Timestamp::from_millis(0)),
            Cell::Octets(5_121),
            Cell::Nothing,
            "over the quota of the account".into(),
        ]);
        table
    }

    fn check(limit: usize, expected: &[&str]) {
        let text = super::table(&waiting(), limit, false);
        assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{limit}");
    }

    #[test]
    fn what_finds_no_room_is_named_and_no_id_is_cut() {
        check(
            110,
            &[
                "message                     recipient  address          when           size  last",
                "01m8jact7c000000006nnf51a3          1  bob@example.org  01-01 00:00  5.0KiB  over the quota of the account",
            ],
        );
        check(
            80,
            &[
                "message                     recipient  address          last",
                "01m8jact7c000000006nnf51a3          1  bob@example.org  over the quota of the a\u{2026}",
                "no room for when, size",
            ],
        );
        check(
            40,
            &[
                "message                     address",
                "01m8jact7c000000006nnf51a3  bob@example\u{2026}",
                "no room for recipient, when, size, last",
            ],
        );
        check(10, &["message", "01m8jact7\u{2026}", "no room f\u{2026}"]);
    }

    #[test]
    fn of_a_path_the_end_is_kept() {
        assert_eq!(cut("/tenants/default/queues/local", 8), "\u{2026}s/local");
        assert_eq!(cut("/", 1), "/");
        assert_eq!(cut("a long text", 6), "a lon\u{2026}");
        assert_eq!(cut("\u{4e2d}\u{6587}\u{4e2d}", 5), "\u{4e2d}\u{6587}\u{2026}");
    }
}
