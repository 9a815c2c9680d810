//! The forty attacks of `docs/attacks.md`: each names the tests that fail when the server is weak to it, and those tests exist.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// How many attacks there are.
const ATTACKS: usize = 40;

/// The document, relative to the root.
const DOCUMENT: &str = "docs/attacks.md";

#[test]
fn every_attack_has_a_test_that_exists() -> Result<()> {
    let text = fs::read_to_string(root().join(DOCUMENT)).context(DOCUMENT)?;
    let rows = rows(&text);
    let numbers: Vec<usize> = rows.iter().map(|row| row.number).collect();
    ensure!(
        numbers == (1..=ATTACKS).collect::<Vec<_>>(),
        "the rows are {numbers:?}"
    );
    let complaints: Vec<String> = rows
        .iter()
        .flat_map(|row| {
            let missing = row.proofs.is_empty().then(|| "no test is named".to_owned());
            let wrong = row.proofs.iter().filter_map(|proof| complaint(proof));
            missing
                .into_iter()
                .chain(wrong)
                .map(|why| format!("attack {}: {why}", row.number))
        })
        .collect();
    ensure!(complaints.is_empty(), "{complaints:#?}");
    Ok(())
}

#[test]
fn the_check_sees_what_is_wrong() {
    let here = "tests/attacks.rs";
    assert_eq!(complaint("tests/attacks.rs::the_check_sees_what_is_wrong"), None);
    assert_eq!(complaint(here), None);
    assert!(complaint("tests/attacks.rs::nothing_of_this_name").is_some());
    assert!(complaint("tests/no_such_file.rs::name").is_some());
    let text = "| 1 | what | answer | `a.rs::b`, `c.txt` |\nno row `x`\n| x | y | z | `q` |\n| 2 | `MAIL` | `550` | |";
    let read: Vec<_> = rows(text)
        .into_iter()
        .map(|row| (row.number, row.proofs))
        .collect();
    let proofs = vec!["a.rs::b".to_owned(), "c.txt".to_owned()];
    assert_eq!(read, [(1, proofs), (2, Vec::new())]);
}

/// A row of the table: an attack and what proves that it fails.
struct Row {
    number: usize,
    proofs: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows whose first cell is a number; the proofs are what stands in backticks in the last cell.
fn rows(text: &str) -> Vec<Row> {
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line
                .strip_prefix('|')?
                .trim_end()
                .strip_suffix('|')?
                .split(" |")
                .collect();
            let number = cells.first()?.trim().parse().ok()?;
            let last = cells.last()?;
            let proofs = last.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            Some(Row { number, proofs })
        })
        .collect()
}

/// What is wrong with a proof, `path` or `path::function`.
fn complaint(proof: &str) -> Option<String> {
    let (path, function) = match proof.split_once("::") {
        Some((path, function)) => (path, Some(function)),
        None => (proof, None),
    };
    let Ok(text) = fs::read_to_string(root().join(path)) else {
        return Some(format!("{path} does not exist"));
    };
    let function = function?;
    let declared = [format!("fn {function}("), format!("def {function}(")];
    (!declared.iter().any(|declared| text.contains(declared)))
        .then(|| format!("{path} has no test {function}"))
}
