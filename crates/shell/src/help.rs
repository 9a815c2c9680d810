//! Help: what the table says, for people.

use std::fmt::Write as _;

use crate::{
    table::AREAS,
    verb::{Effect, Inverse, Place, Role, Verb},
};

/// What `help` says of the verbs that begin with these words: all of one, else a list. None if there is none.
#[must_use]
pub fn help(words: &[&str]) -> Option<String> {
    let begins = |verb: &&Verb| !verb.hidden && verb.name.starts_with(words);
    let mut text = String::new();
    let mut found = Vec::new();
    for area in AREAS {
        let verbs: Vec<&'static Verb> = area.verbs.iter().filter(begins).collect();
        if verbs.is_empty() {
            continue;
        }
        let width = verbs
            .iter()
            .map(|verb| usage(verb).len())
            .max()
            .unwrap_or(0)
            .min(40);
        let _ = writeln!(text, "{}{}:", if text.is_empty() { "" } else { "\n" }, area.name);
        for verb in &verbs {
            let _ = writeln!(text, "  {:width$}  {}", usage(verb), verb.summary);
        }
        found.extend(verbs);
    }
    match found.as_slice() {
        [] => None,
        [verb] => Some(whole(verb)),
        _ => Some(text),
    }
}

/// A verb with its arguments: `tree [path]`.
#[must_use]
pub fn usage(verb: &Verb) -> String {
    let mut usage = verb.words();
    for argument in verb.arguments {
        let _ = write!(usage, " {argument}");
    }
    usage
}

/// What stands behind the summary of a verb: who, where, what undoes it.
#[must_use]
pub fn notes(verb: &Verb) -> Vec<String> {
    let mut notes = Vec::new();
    match verb.effect {
        Effect::Reads => {}
        Effect::Changes {
            inverse: Inverse::Verb(inverse),
        } => notes.push(format!("What undoes it: {inverse}.")),
        Effect::Changes {
            inverse: Inverse::Nothing(why),
        } => notes.push(format!("Nothing undoes it: {why}.")),
    }
    match verb.place {
        Place::Running | Place::Client => {}
        Place::Either => notes.push("It works on a server that runs, else on its store.".to_owned()),
        Place::Stopped => notes.push("It works on the store of a server that does not run.".to_owned()),
    }
    if verb.role == Role::Administrator {
        notes.push("It is for administrators.".to_owned());
    }
    if let Some(secret) = verb.secret {
        notes.push(format!(
            "{secret} is asked for, or is the first line of standard input."
        ));
    }
    notes
}

fn whole(verb: &Verb) -> String {
    let mut text = format!("{}\n\n  {}\n", verb.summary, usage(verb));
    let flags: Vec<_> = verb.all_flags().collect();
    let arguments = verb.arguments.iter().map(|it| (it.to_string(), it.about));
    let rows: Vec<(String, &str)> = arguments
        .chain(flags.iter().map(|flag| (flag.to_string(), flag.about)))
        .collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    text.push('\n');
    for (name, about) in rows {
        let _ = writeln!(text, "  {name:width$}  {about}");
    }
    for note in notes(verb) {
        let _ = write!(text, "\n{note}");
    }
    text
}
