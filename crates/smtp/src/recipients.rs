//! Recipients: the RCPT commands of one transaction, in a list that is cloned in constant time.
//!
//! A checkpoint is taken after every command, so a transaction of a thousand recipients would otherwise copy half a
//! million of them. The list is linked from the newest to the oldest; clones share what they have in common.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use message::{ForwardPath, RecipientOptions};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::shared;

/// What RCPT named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientPath {
    /// The forward-path.
    pub path: ForwardPath,
    /// What the client wrote between the angle brackets, for reports to quote: printable, and ASCII unless the
    /// transaction said SMTPUTF8.
    pub original: Box<str>,
    /// What the client asked for with it.
    pub options: RecipientOptions,
}

/// A recipient that was accepted, with the caller's decision on where its mail goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient<R> {
    /// What RCPT named.
    #[serde(with = "shared")]
    pub named: Arc<RecipientPath>,
    /// What the caller answered.
    pub route: R,
}

/// The accepted recipients of a transaction, in the order of their RCPT commands.
pub struct Recipients<R> {
    newest: Option<Arc<Node<R>>>,
    count: usize,
}

struct Node<R> {
    recipient: Recipient<R>,
    older: Option<Arc<Self>>,
}

impl<R> Recipients<R> {
    /// No recipients.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            newest: None,
            count: 0,
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn in_order(&self) -> Vec<&Recipient<R>> {
        let mut all = Vec::with_capacity(self.count);
        let mut next = self.newest.as_deref();
        while let Some(node) = next {
            all.push(&node.recipient);
            next = node.older.as_deref();
        }
        all.reverse();
        all
    }

    pub(crate) fn push(&mut self, recipient: Recipient<R>) {
        let older = self.newest.take();
        self.newest = Some(Arc::new(Node { recipient, older }));
        self.count += 1;
    }
}

impl<R> Default for Recipients<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> Clone for Recipients<R> {
    fn clone(&self) -> Self {
        Self {
            newest: self.newest.clone(),
            count: self.count,
        }
    }
}

impl<R> Drop for Recipients<R> {
    /// Node by node: the drop that the compiler would write recurses once for every recipient.
    fn drop(&mut self) {
        let mut next = self.newest.take();
        while let Some(mut node) = next.and_then(Arc::into_inner) {
            next = node.older.take();
        }
    }
}

impl<R: fmt::Debug> fmt::Debug for Recipients<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.in_order()).finish()
    }
}

impl<R: PartialEq> PartialEq for Recipients<R> {
    fn eq(&self, other: &Self) -> bool {
        self.in_order() == other.in_order()
    }
}

impl<R: Serialize> Serialize for Recipients<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.in_order())
    }
}

impl<'de, R: Deserialize<'de>> Deserialize<'de> for Recipients<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(InOrder(PhantomData))
    }
}

struct InOrder<R>(PhantomData<R>);

impl<'de, R: Deserialize<'de>> Visitor<'de> for InOrder<R> {
    type Value = Recipients<R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("recipients")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Recipients<R>, A::Error> {
        let mut recipients = Recipients::new();
        while let Some(recipient) = sequence.next_element()? {
            recipients.push(recipient);
        }
        Ok(recipients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(count: usize) -> Recipients<usize> {
        let mut recipients = Recipients::new();
        let named = Arc::new(RecipientPath {
            path: ForwardPath::Postmaster,
            original: "postmaster".into(),
            options: RecipientOptions::default(),
        });
        for route in 0..count {
            recipients.push(Recipient {
                named: Arc::clone(&named),
                route,
            });
        }
        recipients
    }

    fn routes(recipients: &Recipients<usize>) -> Vec<usize> {
        recipients
            .in_order()
            .iter()
            .map(|recipient| recipient.route)
            .collect()
    }

    #[test]
    fn keeps_the_order_of_the_commands() {
        assert_eq!(routes(&numbered(4)), [0, 1, 2, 3]);
        assert!(numbered(0).is_empty());
    }

    #[test]
    fn a_clone_is_not_changed_by_what_follows() {
        let mut recipients = numbered(2);
        let checkpoint = recipients.clone();
        recipients.push(recipients.in_order()[0].clone());
        assert_eq!(routes(&checkpoint), [0, 1]);
        assert_eq!(routes(&recipients), [0, 1, 0]);
        drop(recipients);
        assert_eq!(routes(&checkpoint), [0, 1]);
    }

    #[test]
    fn drops_any_number_without_recursion() {
        let recipients = numbered(1_000_000);
        let shared = recipients.clone();
        drop(recipients);
        assert_eq!(shared.len(), 1_000_000);
        drop(shared);
    }

    #[test]
    fn survives_serialization() {
        let recipients = numbered(5);
        let bytes = postcard::to_stdvec(&recipients).unwrap();
        assert_eq!(
            postcard::from_bytes::<Recipients<usize>>(&bytes).unwrap(),
            recipients
        );
    }
}
