//! Verb: one thing that an operator can ask for, as data. What it does is written elsewhere, under the same name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One verb. Written with `..Verb::READS` or `..Verb::CHANGES`, so that a row names what is special about it.
#[derive(Debug, Clone, Copy)]
pub struct Verb {
    /// Its words: `["queue", "show"]`.
    pub name: &'static [&'static str],
    /// What it does, in one sentence without a full stop.
    pub summary: &'static str,
    /// What stands behind it, in order.
    pub arguments: &'static [Argument],
    /// What may be added; those that every verb has are not listed.
    pub flags: &'static [Flag],
    /// Who may.
    pub role: Role,
    /// Whether it changes anything.
    pub effect: Effect,
    /// Where it can be done.
    pub place: Place,
    /// What the client asks for without showing it, if it needs any: it travels beside the line, never in it.
    pub secret: Option<&'static str>,
    /// Whether it says things as they happen, maybe for ever: each is shown at once, as JSON an object a line.
    pub streams: bool,
    /// Whether help and completion say nothing of it.
    pub hidden: bool,
}

/// Who may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May look at everything.
    Reader,
    /// May change everything.
    Administrator,
}

/// Whether a verb changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It only reads.
    Reads,
    /// It changes something: it takes `--reason` and `--dry-run`, is audited and gives a receipt.
    Changes {
        /// What undoes it.
        inverse: Inverse,
    },
}

/// What undoes a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inverse {
    /// This verb does.
    Verb(&'static str),
    /// Nothing does, and this is why.
    Nothing(&'static str),
}

/// Where a verb can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Only by a server that runs.
    Running,
    /// By a server that runs, else on its store.
    Either,
    /// Only on the store of a server that does not run.
    Stopped,
    /// By the client alone.
    Client,
}

/// What stands behind a verb.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// What help calls it, and by which the value is asked for.
    pub name: &'static str,
    /// What it is, without a full stop.
    pub about: &'static str,
    /// What sort of thing.
    pub kind: Kind,
    /// How many there must be.
    pub presence: Presence,
}

/// How many values an argument takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Exactly one.
    Required,
    /// None or one.
    Optional,
    /// One or more; only the last argument.
    Several,
    /// Any number; only the last argument.
    Any,
}

/// What may be added to a verb: `--depth 2`.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// Its name without the dashes.
    pub name: &'static str,
    /// What it is for, without a full stop.
    pub about: &'static str,
    /// What its value is called and what sort of thing it is; a switch has none.
    pub value: Option<(&'static str, Kind)>,
    /// Whether it may be given more than once.
    pub repeated: bool,
}

/// What sort of thing a value is. What is alive is completed by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text in one line.
    Text,
    /// A whole number.
    Number,
    /// A duration: `90s`, `12h`, `7d`.
    Duration,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The words of a verb.
    Verb,
    /// An address or a network: `192.0.2.0/24`.
    Network,
    /// A file or directory of the machine where the server runs.
    File,
    /// A path of the tree.
    Path,
    /// The id of a message.
    Message,
    /// The address of an account.
    Account,
    /// A domain of this server.
    Domain,
    /// The address of an alias.
    Alias,
    /// The name of a tenant.
    Tenant,
    /// The number of a crash card.
    Crash,
    /// The id of a receipt.
    Receipt,
    /// The name of a listener.
    Listener,
    /// The id of a session.
    Session,
}

/// The longest text that a value of any kind may be, in octets.
pub const MAX_VALUE: usize = 4096;

/// The shortest beginning that is taken for a whole word: one of these words is `kill`.
const SHORTEST_WORD: usize = 3;

impl Verb {
    /// A verb that reads what a running server knows.
    pub const READS: Self = Self {
        name: &[],
        summary: "",
        arguments: &[],
        flags: &[],
        role: Role::Reader,
        effect: Effect::Reads,
        place: Place::Running,
        secret: None,
        streams: false,
        hidden: false,
    };

    /// A verb that changes something.
    pub const CHANGES: Self = Self {
        role: Role::Administrator,
        effect: Effect::Changes {
            inverse: Inverse::Nothing("what it does cannot be undone"),
        },
        ..Self::READS
    };

    /// Its words with spaces between them.
    #[must_use]
    pub fn words(&self) -> String {
        self.name.join(" ")
    }

    /// Every flag it takes, those that verbs have in common the last.
    pub fn all_flags(&self) -> impl Iterator<Item = &'static Flag> + use<> {
        let common: &[Flag] = match self.effect {
            Effect::Reads => &[],
            Effect::Changes { .. } => &CHANGING,
        };
        self.flags.iter().chain(common).chain(&COMMON)
    }

    /// The argument that takes the value of this number.
    #[must_use]
    pub fn argument(&self, number: usize) -> Option<&'static Argument> {
        let last = self.arguments.last().filter(|argument| argument.is_many());
        self.arguments.get(number).or(last)
    }
}

impl PartialEq for Verb {
    /// Whether both have one name.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Verb {}

/// What every verb takes that changes something.
const CHANGING: [Flag; 2] = [
    Flag::value(
        "reason",
        "TEXT",
        Kind::Text,
        "Why, for whoever reads the audit later",
    ),
    Flag::switch(
        "dry-run",
        "Says what would be done and how many it would touch, and does nothing",
    ),
];

/// What every verb takes.
const COMMON: [Flag; 1] = [Flag::switch("json", "Prints the answer as one JSON object")];

impl Argument {
    /// An argument that must be there.
    #[must_use]
    pub const fn required(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            name,
            about,
            kind,
            presence: Presence::Required,
        }
    }

    /// An argument that may be there.
    #[must_use]
    pub const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            presence: Presence::Optional,
            ..Self::required(name, kind, about)
        }
    }

    /// One or more at the end.
    #[must_use]
    pub const fn several(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            presence: Presence::Several,
            ..Self::required(name, kind, about)
        }
    }

    /// Any number at the end.
    #[must_use]
    pub const fn any(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            presence: Presence::Any,
            ..Self::required(name, kind, about)
        }
    }

    /// Whether it takes more than one value.
    #[must_use]
    pub const fn is_many(&self) -> bool {
        matches!(self.presence, Presence::Several | Presence::Any)
    }

    /// Whether there must be a value.
    #[must_use]
    pub const fn is_needed(&self) -> bool {
        matches!(self.presence, Presence::Required | Presence::Several)
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name;
        match self.presence {
            Presence::Required => write!(f, "<{name}>"),
            Presence::Optional => write!(f, "[{name}]"),
            Presence::Several => write!(f, "<{name}>..."),
            Presence::Any => write!(f, "[{name}]..."),
        }
    }
}

impl Flag {
    /// A flag without a value.
    #[must_use]
    pub const fn switch(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            value: None,
            repeated: false,
        }
    }

    /// A flag with a value.
    #[must_use]
    pub const fn value(name: &'static str, value: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            name,
            about,
            value: Some((value, kind)),
            repeated: false,
        }
    }

    /// A flag with a value that may be given more than once.
    #[must_use]
    pub const fn values(name: &'static str, value: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            repeated: true,
            ..Self::value(name, value, kind, about)
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            None => write!(f, "--{}", self.name),
            Some((value, _)) => write!(f, "--{} <{value}>", self.name),
        }
    }
}

impl Kind {
    /// The word by which the server is asked for candidates; none for what is not alive.
    #[must_use]
    pub const fn live(self) -> Option<&'static str> {
        match self {
            Self::Text
            | Self::Number
            | Self::Duration
            | Self::Word(_)
            | Self::Verb
            | Self::Network
            | Self::File => None,
            Self::Path => Some("path"),
            Self::Message => Some("message"),
            Self::Account => Some("account"),
            Self::Domain => Some("domain"),
            Self::Alias => Some("alias"),
            Self::Tenant => Some("tenant"),
            Self::Crash => Some("crash"),
            Self::Receipt => Some("receipt"),
            Self::Listener => Some("listener"),
            Self::Session => Some("session"),
        }
    }

    /// The value that is meant: a path may be named without its first slash, a word by a beginning that no other has.
    #[must_use]
    pub fn whole(self, value: &str) -> String {
        match self {
            Self::Path if !value.is_empty() && !value.starts_with('/') => format!("/{value}"),
            Self::Word(words) if value.len() >= SHORTEST_WORD && !words.contains(&value) => {
                let mut begun = words.iter().filter(|word| word.starts_with(value));
                match (begun.next(), begun.next()) {
                    (Some(word), None) => (*word).to_owned(),
                    _ => value.to_owned(),
                }
            }
            _ => value.to_owned(),
        }
    }

    /// What is wrong with a value, if anything: what was expected in its place.
    ///
    /// # Errors
    /// What was expected.
    pub fn check(self, value: &str) -> Result<(), String> {
        if value.len() > MAX_VALUE {
            return Err(format!("at most {MAX_VALUE} octets"));
        }
        // What is audited and shown is one line, and never speaks to a terminal.
        if value.contains(char::is_control) {
            return Err("no control characters".to_owned());
        }
        let wrong = |expected: &str| Err(expected.to_owned());
        match self {
            Self::Number if value.parse::<u64>().is_err() => wrong("a whole number"),
            Self::Duration if config::parse_duration(value).is_none() => {
                wrong("a duration such as 90s, 12h or 7d")
            }
            Self::Word(words) if !words.contains(&value) => Err(format!("one of {}", words.join(", "))),
            Self::Path if !value.starts_with('/') => wrong("a path of the tree, such as /store/gate"),
            Self::Text => Ok(()),
            _ if value.is_empty() => wrong("something"),
            _ => Ok(()),
        }
    }
}
