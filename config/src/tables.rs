//! Tables with names: `[listeners.mx]`, `[routes."bench.test"]`. The map that holds them in the configuration is all
//! that there is to write: it says which names there may be and opens a table when a source names it.

use std::collections::BTreeMap;

use message::DomainName;

use crate::section::Section;

/// Longest name of a table that is a plain word: it is part of the paths of actors and of every line of the log.
const MAX_NAME: usize = 32;

/// The name of a table.
pub(crate) trait TableName: Ord + Sized {
    /// The name, if a table can have it.
    fn read(text: &str) -> Option<Self>;

    /// What a name must be, for who wrote another.
    fn expected() -> String;

    /// A name as an example, as TOML writes it.
    const EXAMPLE: &'static str;

    /// The name that a part of the name of a variable stands for, in small letters.
    fn of_variable(part: &str) -> String {
        part.to_owned()
    }

    /// The name as text, without quotes.
    fn text(&self) -> &str;
}

impl TableName for String {
    const EXAMPLE: &'static str = "name";

    fn read(text: &str) -> Option<Self> {
        let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        let is_name = !text.is_empty() && text.len() <= MAX_NAME && text.bytes().all(is_letter);
        is_name.then(|| text.to_owned())
    }

    fn expected() -> String {
        format!("a name of at most {MAX_NAME} letters a to z, digits, - and _")
    }

    fn text(&self) -> &str {
        self
    }
}

impl TableName for DomainName {
    const EXAMPLE: &'static str = "\"bench.test\"";

    fn read(text: &str) -> Option<Self> {
        Self::parse_utf8(text).ok()
    }

    fn expected() -> String {
        "a domain such as \"bench.test\"".to_owned()
    }

    /// A variable has no dots in its name, a domain no underscores.
    fn of_variable(part: &str) -> String {
        part.replace('_', ".")
    }

    fn text(&self) -> &str {
        self.as_str()
    }
}

/// All tables of one kind.
pub(crate) trait Tables {
    /// The table with this name, made if it is new; `None` if no table can have this name.
    fn open(&mut self, name: &str) -> Option<&mut dyn Section>;

    /// What a name must be.
    fn expected(&self) -> String;

    /// The name that a part of the name of a variable stands for, in small letters.
    fn name_of_variable(&self, part: &str) -> String;

    /// A name as an example, as TOML writes it.
    fn example(&self) -> &'static str;

    /// A table with the defaults alone.
    fn blank(&self) -> Box<dyn Section>;

    /// The tables with their names, in order.
    fn all(&self) -> Vec<(&str, &dyn Section)>;
}

impl<N: TableName, S: Section + Default + 'static> Tables for BTreeMap<N, S> {
    fn open(&mut self, name: &str) -> Option<&mut dyn Section> {
        Some(self.entry(N::read(name)?).or_default())
    }

    fn expected(&self) -> String {
        N::expected()
    }

    fn name_of_variable(&self, part: &str) -> String {
        N::of_variable(part)
    }

    fn example(&self) -> &'static str {
        N::EXAMPLE
    }

    fn blank(&self) -> Box<dyn Section> {
        Box::new(S::default())
    }

    fn all(&self) -> Vec<(&str, &dyn Section)> {
        self.iter()
            .map(|(name, table)| (name.text(), table as &dyn Section))
            .collect()
    }
}
