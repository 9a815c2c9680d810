//! Answer: what a verb says. The same value is read by people, as tables, and by programs, as JSON.

use message::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cell::Cell;

/// The version of answers and frames. It grows when what was there means something else; more is no new version.
pub const VERSION: u32 = 1;

/// How a call ended, as the exit code of the program says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Exit(pub u8);

impl Exit {
    /// It is done.
    pub const DONE: Self = Self(0);
    /// It failed or was refused, or a check has findings.
    pub const FAILED: Self = Self(1);
    /// The line or the configuration is wrong.
    pub const USAGE: Self = Self(2);
    /// No server runs, or it does not answer any more.
    pub const NO_SERVER: Self = Self(3);
    /// Who asked may not.
    pub const NOT_ALLOWED: Self = Self(4);
}

/// What a verb says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// [`VERSION`].
    pub version: u32,
    /// The words of the verb.
    pub verb: String,
    /// What it has to say, in order.
    pub blocks: Vec<Block>,
    /// The proof of a change.
    pub receipt: Option<Receipt>,
    /// How it ended.
    pub exit: Exit,
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// Rows of one kind.
    Table(Table),
    /// Values with names.
    Fields(Vec<(String, Cell)>),
    /// Prose or a line.
    Text(String),
    /// How far long work has come. The next one replaces it on a terminal.
    Progress {
        /// What is done.
        what: String,
        /// How much of it is.
        done: u64,
        /// How much there is, if that is known.
        total: Option<u64>,
    },
}

/// Rows of one kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What each column is called: small letters, words with `_` between them; they are the keys of JSON.
    pub columns: Vec<String>,
    /// A cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// The proof of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// By which the audit knows it.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// What was done, in a sentence.
    pub what: String,
    /// How many things it touched.
    pub touches: u64,
    /// The line that undoes it; none when nothing does.
    pub inverse: Option<String>,
    /// Whether it was only tried out, and nothing is changed.
    pub dry_run: bool,
}

impl Answer {
    /// An answer that says nothing yet: it is done.
    #[must_use]
    pub fn new(verb: &str) -> Self {
        Self {
            version: VERSION,
            verb: verb.to_owned(),
            blocks: Vec::new(),
            receipt: None,
            exit: Exit::DONE,
        }
    }

    /// Says more. Rows of the same columns join the table before them.
    #[must_use]
    pub fn with(mut self, block: impl Into<Block>) -> Self {
        self.push(block.into());
        self
    }

    /// The same, in place.
    pub fn push(&mut self, block: Block) {
        match (self.blocks.last_mut(), block) {
            (Some(Block::Table(last)), Block::Table(more)) if last.columns == more.columns => {
                last.rows.extend(more.rows);
            }
            (_, block) => self.blocks.push(block),
        }
    }

    /// Ends otherwise.
    #[must_use]
    pub fn exiting(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: &[&str]) -> Self {
        Self {
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(cells.into());
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Block {
    /// Values with names, in order.
    #[must_use]
    pub fn fields<const N: usize>(fields: [(&str, Cell); N]) -> Self {
        let named = fields.into_iter().map(|(name, cell)| (name.to_owned(), cell));
        Self::Fields(named.collect())
    }

    /// A line.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl From<Table> for Block {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}
