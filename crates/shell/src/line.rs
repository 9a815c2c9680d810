//! Line: how words become a call of a verb. Unambiguous abbreviations of verbs and flags are taken for the whole.

use std::time::Duration;

use crate::{
    table,
    verb::{Argument, Effect, Flag, Kind, Verb},
    words::{self, quoted},
};

/// Why a line is no call: what is wrong with which word, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LineError(pub String);

/// A verb with what was said behind it; every value is of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    verb: &'static Verb,
    values: Vec<String>,
    flags: Vec<(&'static str, String)>,
}

impl Call {
    /// Reads a line.
    ///
    /// # Errors
    /// [`LineError`] names the word and what was expected.
    pub fn parse(line: &str) -> Result<Self, LineError> {
        let words = words::cut(line)?;
        if let Some(open) = words.last().and_then(|word| word.open) {
            return Err(LineError(format!("a quote is not closed: {open}")));
        }
        let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        let (verb, rest) = find(&words)?;
        Self::of(verb, rest)
    }

    /// A call of a verb from what stands behind it.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn of(verb: &'static Verb, words: &[&str]) -> Result<Self, LineError> {
        let mut call = Self {
            verb,
            values: Vec::new(),
            flags: Vec::new(),
        };
        let mut words = words.iter();
        let mut is_over = false;
        while let Some(&word) = words.next() {
            match word.strip_prefix("--") {
                Some("") if !is_over => is_over = true,
                Some(name) if !is_over => {
                    let (name, value) = match name.split_once('=') {
                        Some((name, value)) => (name, Some(value)),
                        None => (name, None),
                    };
                    let flag = find_flag(verb, name)?;
                    let value = match (flag.value, value) {
                        (None, None) => None,
                        (None, Some(_)) => return Err(LineError(format!("--{} takes no value", flag.name))),
                        (Some(_), Some(value)) => Some(value),
                        (Some(_), None) => words.next().copied(),
                    };
                    call.add_flag(flag, value)?;
                }
                _ => {
                    call.add_value(word)?;
                    // What stands behind a line within the line is its, not ours.
                    is_over |= call.takes_a_line();
                }
            }
        }
        match verb.arguments.get(call.values.len()).filter(|it| it.is_needed()) {
            Some(missing) => Err(LineError(format!(
                "{}: {missing} is missing: {}",
                verb.words(),
                missing.about
            ))),
            None => Ok(call),
        }
    }

    /// Whether its values are a line themselves, of which the first has been read.
    fn takes_a_line(&self) -> bool {
        let last = self.verb.arguments.last();
        !self.values.is_empty() && last.is_some_and(|last| last.is_many() && last.kind == Kind::Verb)
    }

    fn add_flag(&mut self, flag: &'static Flag, value: Option<&str>) -> Result<(), LineError> {
        let name = flag.name;
        if !flag.repeated && self.has(name) {
            return Err(LineError(format!("--{name} is given twice")));
        }
        let mut whole = value.unwrap_or_default().to_owned();
        if let Some((placeholder, kind)) = flag.value {
            let value = value.ok_or_else(|| LineError(format!("--{name} needs a value: <{placeholder}>")))?;
            whole = kind.whole(value);
            kind.check(&whole)
                .map_err(|expected| LineError(format!("--{name} {value:?}: expected {expected}")))?;
        }
        self.flags.push((name, whole));
        Ok(())
    }

    fn add_value(&mut self, value: &str) -> Result<(), LineError> {
        let Some(argument) = self.verb.argument(self.values.len()) else {
            return Err(LineError(format!(
                "{}: {value:?} is one word too many",
                self.verb.words()
            )));
        };
        let whole = argument.kind.whole(value);
        argument
            .kind
            .check(&whole)
            .map_err(|expected| LineError(format!("{} {value:?}: expected {expected}", argument.name)))?;
        self.values.push(whole);
        Ok(())
    }

    /// Which verb.
    #[must_use]
    pub const fn verb(&self) -> &'static Verb {
        self.verb
    }

    /// The value of an argument or a flag, if it was given; the first of several.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// The value of an argument that must be there.
    ///
    /// # Errors
    /// When the verb has no such argument: a slip between the table and what the verb does.
    pub fn required(&self, name: &str) -> Result<&str, LineError> {
        self.value(name)
            .ok_or_else(|| LineError(format!("{}: <{name}> is missing", self.verb.words())))
    }

    /// All values of an argument or a flag.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let number = |argument: &Argument| argument.name == name;
        let at = self.verb.arguments.iter().position(number);
        let count = match at.and_then(|at| self.verb.arguments.get(at)) {
            Some(argument) if argument.is_many() => usize::MAX,
            Some(_) => 1,
            None => 0,
        };
        let positional = self.values.iter().skip(at.unwrap_or(0)).take(count);
        let flags = self.flags.iter().filter(move |(flag, _)| *flag == name);
        positional
            .chain(flags.map(|(_, value)| value))
            .map(String::as_str)
    }

    /// Whether a flag was given.
    #[must_use]
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|(given, _)| *given == flag)
    }

    /// A value as a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.parse().ok()
    }

    /// A value as a duration.
    #[must_use]
    pub fn duration(&self, name: &str) -> Option<Duration> {
        config::parse_duration(self.value(name)?)
    }

    /// Why a change is made.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.value("reason")
    }

    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.has("dry-run")
    }

    /// Whether the answer is to be read by a program.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.has("json")
    }

    /// Whether what it says is shown as it comes, and not at its end.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.verb.streams || self.has("follow")
    }

    /// Whether it changes anything.
    #[must_use]
    pub fn is_change(&self) -> bool {
        matches!(self.verb.effect, Effect::Changes { .. }) && !self.is_dry_run()
    }

    /// The same call with every file that it names as `place` has it: who answers may stand elsewhere than who asks.
    #[must_use]
    pub fn placed(mut self, place: impl Fn(&str) -> String) -> Self {
        let verb = self.verb;
        for (number, value) in self.values.iter_mut().enumerate() {
            if verb
                .argument(number)
                .is_some_and(|argument| argument.kind == Kind::File)
            {
                *value = place(value);
            }
        }
        for (name, value) in &mut self.flags {
            let is_file = |flag: &'static Flag| matches!(flag.value, Some((_, Kind::File)));
            if verb.all_flags().any(|flag| flag.name == *name && is_file(flag)) {
                *value = place(value);
            }
        }
        self
    }

    /// The line that is this call. No secret is in it, because none ever is.
    #[must_use]
    pub fn to_line(&self) -> String {
        let mut line = self.verb.words();
        for (name, value) in &self.flags {
            line += &format!(" --{name}");
            let takes_value = self
                .verb
                .all_flags()
                .any(|flag| flag.name == *name && flag.value.is_some());
            if takes_value {
                line += &format!(" {}", quoted(value));
            }
        }
        let mut is_over = false;
        for (number, value) in self.values.iter().enumerate() {
            let may_be_flag = number == 0 || !self.takes_a_line();
            if !is_over && may_be_flag && value.starts_with("--") {
                line += " --";
                is_over = true;
            }
            line += &format!(" {}", quoted(value));
        }
        line
    }
}

/// The verb that a line begins with, and the words behind it.
///
/// # Errors
/// When there is none, or several.
pub fn find<'w, 'l>(words: &'w [&'l str]) -> Result<(&'static Verb, &'w [&'l str]), LineError> {
    let mut candidates: Vec<&'static Verb> = table::verbs().collect();
    let mut depth = 0;
    loop {
        let whole = candidates.iter().copied().find(|verb| verb.name.len() == depth);
        let longer: Vec<&'static Verb> = candidates
            .iter()
            .copied()
            .filter(|it| it.name.len() > depth)
            .collect();
        let Some(&word) = words.get(depth) else {
            return match whole {
                Some(verb) => Ok((verb, words.get(depth..).unwrap_or_default())),
                None => Err(incomplete(words, depth, &longer)),
            };
        };
        let next = |verb: &&'static Verb| verb.name.get(depth).copied().unwrap_or_default();
        let exact: Vec<&'static Verb> = longer.iter().copied().filter(|verb| next(verb) == word).collect();
        // Behind a verb that takes a value, what is not the whole of a longer one is that value.
        let takes_value = whole.is_some_and(|verb| !verb.arguments.is_empty());
        let found = if exact.is_empty() && !takes_value {
            abbreviated(word, longer.iter().copied().filter(|verb| !verb.hidden), depth)?
        } else {
            exact
        };
        match (found.is_empty(), whole) {
            (false, _) => candidates = found,
            (true, Some(verb)) => return Ok((verb, words.get(depth..).unwrap_or_default())),
            (true, None) => return Err(unknown(words, depth, &longer)),
        }
        depth += 1;
    }
}

/// The verbs whose word this is the beginning of, if it is that of one word only.
fn abbreviated(
    word: &str,
    verbs: impl Iterator<Item = &'static Verb>,
    depth: usize,
) -> Result<Vec<&'static Verb>, LineError> {
    let next = |verb: &&'static Verb| verb.name.get(depth).copied().unwrap_or_default();
    let found: Vec<&'static Verb> = verbs
        .filter(|verb| !word.is_empty() && next(verb).starts_with(word))
        .collect();
    let mut names: Vec<&str> = found.iter().map(next).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > 1 {
        return Err(LineError(format!("{word:?} may be {}", names.join(", "))));
    }
    Ok(found)
}

fn following(verbs: &[&'static Verb], depth: usize) -> String {
    let visible = verbs.iter().filter(|verb| !verb.hidden);
    let mut names: Vec<&str> = visible.filter_map(|verb| verb.name.get(depth).copied()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn incomplete(words: &[&str], depth: usize, verbs: &[&'static Verb]) -> LineError {
    if words.is_empty() {
        return LineError("nothing was said; help lists the verbs".to_owned());
    }
    LineError(format!(
        "{} is not all: expected one of {}",
        words.join(" "),
        following(verbs, depth)
    ))
}

fn unknown(words: &[&str], depth: usize, verbs: &[&'static Verb]) -> LineError {
    let word = words.get(depth).copied().unwrap_or_default();
    match words.get(..depth) {
        None | Some([]) => LineError(format!("there is no verb {word:?}; help lists all of them")),
        Some(before) => LineError(format!(
            "{} {word:?}: expected one of {}",
            before.join(" "),
            following(verbs, depth)
        )),
    }
}

fn find_flag(verb: &'static Verb, name: &str) -> Result<&'static Flag, LineError> {
    let flags: Vec<&'static Flag> = verb.all_flags().collect();
    if let Some(flag) = flags.iter().find(|flag| flag.name == name) {
        return Ok(flag);
    }
    let begun: Vec<&'static Flag> = flags
        .iter()
        .copied()
        .filter(|flag| flag.name.starts_with(name))
        .collect();
    match begun.as_slice() {
        [flag] => Ok(flag),
        [] => Err(LineError(format!(
            "{}: there is no --{name}; it takes {}",
            verb.words(),
            listed(&flags)
        ))),
        several => Err(LineError(format!("--{name} may be {}", listed(several)))),
    }
}

fn listed(flags: &[&'static Flag]) -> String {
    let names: Vec<String> = flags.iter().map(|flag| format!("--{}", flag.name)).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
