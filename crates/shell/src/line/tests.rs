use proptest::prelude::*;

use super::*;

fn call(line: &str) -> Call {
    Call::parse(line).unwrap()
}

fn error(line: &str) -> String {
    Call::parse(line).unwrap_err().0
}

#[test]
fn abbreviations_and_values() {
    for line in [
        "tree /store --depth 2",
        "tre --dep=2 /store",
        "tree --depth 2 -- /store",
    ] {
        let call = call(line);
        assert_eq!(call.verb().words(), "tree", "{line}");
        assert_eq!(call.value("path"), Some("/store"), "{line}");
        assert_eq!(call.number("depth"), Some(2), "{line}");
        assert!(!call.is_json() && !call.is_change());
    }
    assert!(call("tree --json").is_json());
    let watched = call("watch tree --depth 2");
    assert_eq!(
        watched.values("line").collect::<Vec<_>>(),
        ["tree", "--depth", "2"]
    );
    assert_eq!(call("tree").value("path"), None);
    assert_eq!(
        call("help tree status").values("verb").collect::<Vec<_>>(),
        ["tree", "status"]
    );
}

#[test]
fn files_are_placed_and_nothing_else_is() {
    let placed = |line: &str| call(line).placed(|path| format!("/here/{path}")).to_line();
    assert_eq!(
        placed("backup copies --keep 3 --reason copies"),
        call("backup /here/copies --keep 3 --reason copies").to_line()
    );
    assert_eq!(
        call("backup verify copies name --aside other").placed(|path| format!("/here/{path}")),
        call("backup verify /here/copies name --aside /here/other")
    );
    assert_eq!(placed("tree /store"), call("tree /store").to_line());
}

#[test]
fn paths_and_words_may_be_shortened() {
    assert_eq!(call("tree store").value("path"), Some("/store"));
    assert_eq!(call("tree /store").value("path"), Some("/store"));
    let what = |line: &str| call(line).value("what").map(str::to_owned);
    assert_eq!(what("actor /store/gate susp").as_deref(), Some("suspend"));
    assert_eq!(what("actor store/gate resta").as_deref(), Some("restart"));
    assert_eq!(
        call("actor store/gate susp").to_line(),
        "actor /store/gate suspend"
    );
    // Of several nothing is guessed, and nothing is killed for a letter.
    for line in [
        "actor /store/gate res",
        "actor /store/gate k",
        "actor /store/gate ki",
    ] {
        assert!(error(line).contains("expected one of"), "{line}");
    }
}

#[test]
fn errors_name_the_word_and_what_was_expected() {
    for (line, expected) in [
        ("", "nothing was said; help lists the verbs"),
        (
            "frobnicate",
            "there is no verb \"frobnicate\"; help lists all of them",
        ),
        (
            "tree ''",
            "path \"\": expected a path of the tree, such as /store/gate",
        ),
        ("tree /a /b", "tree: \"/b\" is one word too many"),
        ("tree --depth", "--depth needs a value: <N>"),
        ("tree --depth x", "--depth \"x\": expected a whole number"),
        ("tree --depth 1 --depth 2", "--depth is given twice"),
        (
            "tree --deep",
            "tree: there is no --deep; it takes --depth, --json",
        ),
        ("tree --json=1", "--json takes no value"),
        ("tree '/a", "a quote is not closed: '"),
        (
            "tree \"/a\u{1b}[2J\"",
            "path \"/a\\u{1b}[2J\": expected no control characters",
        ),
        ("complete", "complete: <kind> is missing: Of which kind"),
    ] {
        assert_eq!(error(line), expected, "{line}");
    }
}

#[test]
fn what_is_hidden_is_not_abbreviated() {
    assert!(error("comp path").starts_with("there is no verb"));
    assert_eq!(call("complete path").verb().words(), "complete");
}

#[test]
fn a_call_is_a_line_again() {
    for line in [
        "tree",
        "tree --depth 2 /a",
        "tree --json \"/a b\"",
        "complete path -- --x",
    ] {
        assert_eq!(call(line).to_line(), line);
        assert_eq!(call(&call(line).to_line()), call(line));
    }
}

proptest! {
    #[test]
    fn no_line_breaks_it(line in ".*") {
        drop(Call::parse(&line));
    }

    #[test]
    fn no_line_of_words_breaks_it(words in prop::collection::vec("tree|help|status|--|--depth|--json|/a|7|-|=|\"", 0..8)) {
        if let Ok(call) = Call::parse(&words.join(" ")) {
            prop_assert_eq!(&Call::parse(&call.to_line()).unwrap(), &call);
        }
    }
}
