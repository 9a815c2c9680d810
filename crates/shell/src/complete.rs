//! Complete: what may stand at the end of a line that is being typed.

use crate::{
    line::find,
    table,
    verb::{Flag, Kind, Verb},
    words::{self, Word, quoted},
};

/// What may stand where the line ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// The octet of the line from which a candidate replaces what is there.
    pub start: usize,
    /// What may stand there, in order, as it is written in a line.
    pub candidates: Vec<String>,
    /// What the server must be asked for: the word of the kind, and how it begins.
    pub live: Option<(&'static str, String)>,
}

/// Completes the end of what stands before the cursor.
#[must_use]
pub fn complete(before: &str) -> Completion {
    let Ok(mut words) = words::cut(before) else {
        return Completion::default();
    };
    let is_new = words
        .last()
        .is_none_or(|word| word.open.is_none() && before.ends_with(char::is_whitespace));
    let last = match words.pop() {
        Some(word) if !is_new => word,
        other => {
            words.extend(other);
            Word {
                text: String::new(),
                start: before.len(),
                open: None,
            }
        }
    };
    let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let mut found = Completion {
        start: last.start,
        ..Completion::default()
    };
    found.candidates = names(&words, &last.text);
    if let Ok((verb, rest)) = find(&words) {
        behind(verb, rest, &last.text, &mut found);
    }
    found.candidates.sort();
    found.candidates.dedup();
    found
}

/// The next words of verbs.
fn names(words: &[&str], begun: &str) -> Vec<String> {
    let matches = |verb: &&'static Verb| {
        verb.name.len() > words.len()
            && !verb.hidden
            && verb
                .name
                .iter()
                .zip(words)
                .all(|(name, word)| name.starts_with(word))
    };
    let verbs = table::verbs().filter(matches);
    let next = verbs.filter_map(|verb| verb.name.get(words.len()).copied());
    next.filter(|name| name.starts_with(begun))
        .map(str::to_owned)
        .collect()
}

/// What may stand behind a verb.
fn behind(verb: &'static Verb, rest: &[&str], begun: &str, found: &mut Completion) {
    let mut values = 0;
    let mut awaiting: Option<&'static Flag> = None;
    for word in rest {
        if awaiting.take().is_some() {
            continue;
        }
        match word.strip_prefix("--") {
            Some(name) => {
                awaiting = verb
                    .all_flags()
                    .find(|flag| flag.name == name && flag.value.is_some());
            }
            None => values += 1,
        }
    }
    if let Some((_, kind)) = awaiting.and_then(|flag| flag.value) {
        return of_kind(kind, begun, found);
    }
    if begun.starts_with('-') {
        let flags = verb.all_flags().map(|flag| format!("--{}", flag.name));
        let taken = |flag: &String| !rest.contains(&flag.as_str());
        found
            .candidates
            .extend(flags.filter(|flag| flag.starts_with(begun)).filter(taken));
        return;
    }
    if let Some(argument) = verb.argument(values) {
        of_kind(argument.kind, begun, found);
    }
}

fn of_kind(kind: Kind, begun: &str, found: &mut Completion) {
    match kind {
        Kind::Word(words) => {
            let fitting = words.iter().filter(|word| word.starts_with(begun));
            found.candidates.extend(fitting.map(|word| (*word).to_owned()));
        }
        Kind::Verb => found.candidates.extend(names(&[], begun)),
        kind => found.live = kind.live().map(|word| (word, begun.to_owned())),
    }
}

/// The line that asks the server what is alive.
#[must_use]
pub fn question(kind: &str, begun: &str) -> String {
    match begun {
        "" => format!("complete {kind}"),
        begun => format!("complete {kind} -- {}", quoted(begun)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_flags_and_what_is_alive() {
        let candidates = |line: &str| complete(line).candidates;
        assert!(candidates("").contains(&"tree".to_owned()));
        assert!(!candidates("").contains(&"complete".to_owned()), "it is hidden");
        assert_eq!(candidates("tre"), ["tree"]);
        assert_eq!(candidates("tree --d"), ["--depth"]);
        assert_eq!(candidates("tree --depth 2 --d"), [""; 0]);
        assert_eq!(complete("tree /st").live, Some(("path", "/st".to_owned())));
        assert_eq!(complete("tree /st").start, 5);
        assert_eq!(complete("tree ").live, Some(("path", String::new())));
        assert_eq!(complete("tree /a /b").live, None, "it takes one");
        assert_eq!(complete("tree --depth ").live, None);
        assert_eq!(candidates("nothing here"), [""; 0]);
        assert!(candidates("help tre").contains(&"tree".to_owned()));
        assert_eq!(complete("tree \"/a b").start, 5);
        assert_eq!(question("path", "/a b"), "complete path -- \"/a b\"");
    }
}
