//! Identities: 16 bytes, minted by actors, ordered by the time of their minting.
//!
//! An id is 48 bits of milliseconds, 16 of node and 64 of counter and randomness, all big-endian, so that byte
//! order, textual order and [`Ord`] are time order. Its one textual form is Crockford's base32 in lower case, 26
//! characters. Nothing here draws a random number: whoever mints gives the parts to [`Id::compose`].

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use crate::time::Timestamp;

/// Octets of an id.
pub const ID_LENGTH: usize = 16;
/// Characters of an id's text: 128 bits in base32, rounded up.
pub const ID_TEXT_LENGTH: usize = 26;

/// Crockford's base32: no `i`, `l`, `o`, `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// The milliseconds that 48 bits can say: until the year 10889.
const MAX_MILLIS: u64 = (1 << 48) - 1;

/// An identity of 128 bits; see the head of this module for its layout.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; ID_LENGTH]);

impl Id {
    /// The lowest id.
    pub const MIN: Self = Self([0; ID_LENGTH]);
    /// The highest id.
    pub const MAX: Self = Self([0xff; ID_LENGTH]);

    /// Makes an id of its parts. `tail` is 64 bits of counter and randomness, as the minter mixes them.
    ///
    /// A time beyond 48 bits of milliseconds is taken as the largest that fits.
    #[must_use]
    pub fn compose(at: Timestamp, node: NodeId, tail: u64) -> Self {
        let millis = u128::from(at.as_millis().min(MAX_MILLIS));
        let value = (millis << 80) | (u128::from(node.get()) << 64) | u128::from(tail);
        Self(value.to_be_bytes())
    }

    /// The id with these bytes, as [`Id::to_bytes`] gave them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; ID_LENGTH]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes, big-endian: as keys they sort by time.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; ID_LENGTH] {
        self.0
    }

    /// The 16 bytes, borrowed.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; ID_LENGTH] {
        &self.0
    }

    /// When it was minted, by the clock of the minter.
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        Timestamp::from_millis((self.value() >> 80) as u64)
    }

    /// Which node minted it.
    #[must_use]
    pub const fn node(self) -> NodeId {
        NodeId::new((self.value() >> 64) as u16)
    }

    /// The 64 bits of counter and randomness.
    #[must_use]
    pub const fn tail(self) -> u64 {
        self.value() as u64
    }

    const fn value(self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    fn text(self) -> [u8; ID_TEXT_LENGTH] {
        let value = self.value();
        let mut text = [b'0'; ID_TEXT_LENGTH];
        for (position, digit) in text.iter_mut().rev().enumerate() {
            let index = ((value >> (5 * position)) & 31) as usize;
            *digit = ALPHABET.get(index).copied().unwrap_or(b'0');
        }
        text
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}

impl FromStr for Id {
    type Err = IdError;

    /// Strict: exactly the 26 characters that [`Display`](fmt::Display) writes; no upper case, no look-alikes.
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() != ID_TEXT_LENGTH {
            return Err(IdError);
        }
        // 26 digits hold 130 bits: the first may only be 0 to 7.
        if !text.starts_with(|first: char| matches!(first, '0'..='7')) {
            return Err(IdError);
        }
        let value = text
            .bytes()
            .try_fold(0_u128, |value, digit| Some((value << 5) | digit_value(digit)?));
        value.map(|value| Self(value.to_be_bytes())).ok_or(IdError)
    }
}

impl Serialize for Id {
    /// 16 bytes without a length in binary formats, the textual form in human-readable ones.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(IdText)
        } else {
            <[u8; ID_LENGTH]>::deserialize(deserializer).map(Self)
        }
    }
}

/// A text is not an id: it is not exactly 26 characters of lower-case Crockford base32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an id: expected 26 characters of lower-case base32")]
pub struct IdError;

struct IdText;

impl Visitor<'_> for IdText {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id of 26 characters of lower-case base32")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
        text.parse().map_err(E::custom)
    }
}

/// The value of one base32 digit: the inverse of [`ALPHABET`], without a table because ids are rarely parsed.
fn digit_value(digit: u8) -> Option<u128> {
    ALPHABET
        .iter()
        .zip(0..)
        .find_map(|(&known, value)| (known == digit).then_some(value))
}

macro_rules! id_newtypes {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Id);

        impl $name {
            /// The same identity, with its meaning.
            #[must_use]
            pub const fn new(id: Id) -> Self {
                Self(id)
            }

            /// The bare identity.
            #[must_use]
            pub const fn id(self) -> Id {
                self.0
            }

            /// The identity with these 16 bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; ID_LENGTH]) -> Self {
                Self(Id::from_bytes(bytes))
            }

            /// The 16 bytes; as keys they sort by time.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; ID_LENGTH] {
                self.0.to_bytes()
            }

            /// The 16 bytes, borrowed.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; ID_LENGTH] {
                self.0.as_bytes()
            }
        }

        impl From<Id> for $name {
            fn from(id: Id) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Id {
            fn from(named: $name) -> Self {
                named.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse().map(Self)
            }
        }
    )+};
}

macro_rules! number_newtypes {
    ($($(#[$doc:meta])* $name:ident($number:ty);)+) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name($number);

        impl $name {
            /// The number, with its meaning.
            #[must_use]
            pub const fn new(number: $number) -> Self {
                Self(number)
            }

            /// The bare number.
            #[must_use]
            pub const fn get(self) -> $number {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

id_newtypes! {
    /// A message that we accepted or that was appended; one, however many recipients and mailboxes it has.
    MessageId;
    /// Immutable message bytes in the store.
    BlobId;
    /// One durable change; proposed again with the same id it is applied once.
    CommandId;
    /// An owner of mailboxes; a login.
    AccountId;
    /// A mailbox, whatever its name is now.
    MailboxId;
    /// A change that an operator asked for, and what is kept of it.
    ReceiptId;
    /// A connection of a peer to one of our listeners, or of ours to a peer.
    ConnectionId;
}

number_newtypes! {
    /// An organisation: owner of domains, accounts and limits.
    TenantId(u32);
    /// A node of the cluster; alone, a server is node 0.
    NodeId(u16);
}

#[cfg(test)]
mod tests;
