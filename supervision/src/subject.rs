//! Subject: what a message is about (which mail, which account, which connection). Not the addressee.

use std::fmt;

use serde::{Serialize, Serializer};

/// The thing a message concerns, as the sender names it: it appears in the tree while the message is handled, on a
/// crash card, and in the count of crashes by subject.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// What sort of thing: `"message"`, `"account"`, `"connection"`.
    pub kind: &'static str,
    /// Which one.
    pub id: u128,
}

impl Subject {
    /// Names a thing by its sort and number.
    #[must_use]
    pub const fn new(kind: &'static str, id: u128) -> Self {
        Self { kind, id }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:032x}", self.kind, self.id)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Subject;

    #[test]
    fn prints_kind_and_id() {
        let subject = Subject::new("message", 0x2a);
        assert_eq!(subject.to_string(), "message:0000000000000000000000000000002a");
        assert_eq!(
            serde_json::to_string(&subject).unwrap(),
            "\"message:0000000000000000000000000000002a\""
        );
    }
}
