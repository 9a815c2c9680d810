//! Heads: what stands at the top of a module, and of an actor.

use anyhow::Result;

use super::{ROOMS, files, is_tests, settle};

/// The lines of an actor's head behind its name, in their order.
const HEAD: [&str; 6] = ["Owner:", "Accepts:", "Calls:", "Owns:", "On death:", "Limits:"];

#[test]
fn every_module_has_its_head() -> Result<()> {
    let files = files(&ROOMS, "rs")?;
    let headless = files
        .iter()
        .filter(|file| !is_tests(&file.path) && !file.text.starts_with("//! "));
    settle(
        &headless
            .map(|file| format!("{}: begins without `//! `", file.path))
            .collect::<Vec<_>>(),
    )
}

#[test]
fn every_actor_has_its_head() -> Result<()> {
    let mut complaints = Vec::new();
    for file in files(&["actors/src"], "rs")? {
        complaints.extend(head_complaint(&file.text).map(|complaint| format!("{}: {complaint}", file.path)));
    }
    settle(&complaints)
}

/// What is wrong with the head of a file that holds an actor, if it does.
fn head_complaint(text: &str) -> Option<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let actor = code.lines().find_map(|line| {
        line.strip_prefix("impl")?
            .split_once("Actor for ")
            .map(|(_, name)| name)
    })?;
    let actor = actor
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let mut head = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim);
    let name = head
        .next()
        .and_then(|first| first.split_once(": "))
        .map_or("", |(name, _)| name);
    // A keeper of a noun may be called by the noun: `Directory` for `DirectoryKeeper`.
    if name.is_empty() || !actor.starts_with(name) {
        return Some(format!(
            "the head begins with `//! {actor}: ` and the actor's duty"
        ));
    }
    HEAD.into_iter()
        .find(|wanted| !head.any(|line| line.starts_with(wanted)))
        .map(|wanted| {
            format!(
                "the head lacks `{wanted}`, or has it out of order ({})",
                HEAD.join(" ")
            )
        })
}

/// The rule can be broken: the check sees what it is there for.
mod the_check_sees {
    use super::*;

    fn head(lines: &[&str]) -> Option<String> {
        let head: String = lines.iter().map(|line| format!("//! {line}\n")).collect();
        head_complaint(&format!("{head}\nimpl Actor for Gate {{}}\n"))
    }

    #[test]
    fn heads() {
        let whole = [
            "Gate: one door.",
            "",
            "Owner: x",
            "Accepts: x",
            "Calls: x",
            "Owns: x",
            "On death: x",
            "  more",
            "Limits: x",
        ];
        assert_eq!(head(&whole), None);
        for line in [0, 2, 3, 4, 5, 6, 8] {
            let mut lines = whole;
            lines[line] = "";
            assert!(head(&lines).is_some(), "without {}", whole[line]);
        }
        let mut swapped = whole;
        swapped.swap(2, 3);
        assert!(head(&swapped).is_some());
        assert_eq!(head_complaint("//! Not an actor.\nstruct Gate;"), None);
        assert_eq!(
            head_complaint("//! x\n#[cfg(test)]\nmod tests { impl Actor for Probe {} }"),
            None
        );
    }
}
