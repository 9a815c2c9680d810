//! Words: how a line is cut, and how a word is written so that it is one again.

use crate::line::LineError;

/// The longest line, in octets.
pub const MAX_LINE: usize = 64 << 10;

/// The most words of a line.
pub const MAX_WORDS: usize = 256;

/// A word with the place in the line where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What it says, without its quotes.
    pub text: String,
    /// The octet at which it begins, its quote included.
    pub start: usize,
    /// Whether a quote is open at its end.
    pub open: Option<char>,
}

/// Cuts a line at its spaces. Within `"` a backslash takes the next character as it is, within `'` everything is as it
/// is, and outside of both a backslash takes the next character, too.
///
/// # Errors
/// When the line or the number of its words exceeds the limit. An open quote is the caller's to judge.
pub fn cut(line: &str) -> Result<Vec<Word>, LineError> {
    if line.len() > MAX_LINE {
        return Err(LineError(format!("the line is longer than {MAX_LINE} octets")));
    }
    let mut words: Vec<Word> = Vec::new();
    let mut current: Option<Word> = None;
    let mut quote = None;
    let mut characters = line.char_indices();
    while let Some((at, character)) = characters.next() {
        if quote.is_none() && character.is_whitespace() {
            words.extend(current.take());
            if words.len() > MAX_WORDS {
                return Err(LineError(format!("the line has more than {MAX_WORDS} words")));
            }
            continue;
        }
        let word = current.get_or_insert_with(|| Word {
            text: String::new(),
            start: at,
            open: None,
        });
        match (quote, character) {
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None | Some('"'), '\\') => match characters.next() {
                Some((_, taken)) => word.text.push(taken),
                None => word.text.push('\\'),
            },
            _ => word.text.push(character),
        }
        word.open = quote;
    }
    words.extend(current);
    if words.len() > MAX_WORDS {
        return Err(LineError(format!("the line has more than {MAX_WORDS} words")));
    }
    Ok(words)
}

/// A word as it is written in a line, with quotes where it needs them.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| !c.is_whitespace() && !matches!(c, '"' | '\'' | '\\');
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let mut text = String::with_capacity(word.len() + 2);
    text.push('"');
    for character in word.chars() {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(line: &str) -> Vec<String> {
        cut(line).unwrap().into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn lines_are_cut_at_spaces_outside_of_quotes() {
        for (line, expected) in [
            ("", &[][..]),
            ("  tree \t /a  ", &["tree", "/a"]),
            ("a 'b \"c' \"d 'e\"", &["a", "b \"c", "d 'e"]),
            (r#"a\ b "c\"d" 'e\'"#, &["a b", "c\"d", "e\\"]),
            ("a''b \"\"", &["ab", ""]),
            ("a\\", &["a\\"]),
            ("J\u{fc}rgen\u{a0}x", &["J\u{fc}rgen", "x"]),
        ] {
            assert_eq!(texts(line), expected, "{line:?}");
        }
        let open = cut("a 'b").unwrap();
        assert_eq!((open[1].open, open[1].start), (Some('\''), 2));
    }

    #[test]
    fn limits_hold() {
        assert!(cut(&"a".repeat(MAX_LINE + 1)).is_err());
        assert!(cut(&"a ".repeat(MAX_WORDS)).is_ok());
        assert!(cut(&"a ".repeat(MAX_WORDS + 1)).is_err());
        assert!(cut(&format!("{}a", "a ".repeat(MAX_WORDS))).is_err());
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_cut_to_itself(words in prop::collection::vec("\\PC{0,12}", 0..6)) {
            let line: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            prop_assert_eq!(texts(&line.join(" ")), words);
        }

        #[test]
        fn no_line_breaks_it(line in ".*") {
            drop(cut(&line));
        }
    }
}
