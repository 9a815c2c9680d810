//! Certificates: all that a server has, found by the name that a client asks for.

use std::collections::HashMap;

use super::certificate::{Certificate, wildcard_over};

/// All certificates of a server. The first is the one for clients that name none, or one that nobody has.
#[derive(Clone, Debug)]
pub struct Certificates {
    all: Vec<Certificate>,
    /// For whom no other is: the first, and behind it those for one of its names, of which one may suit a client better.
    fallback: Vec<usize>,
    by_name: HashMap<Box<str>, Vec<usize>>,
}

/// The same certificates in the same order.
impl PartialEq for Certificates {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl Certificates {
    /// The certificate for everybody, and those for their own names. Where several are for one name, the earlier is
    /// preferred, and the later are for clients that can make nothing of its kind of key.
    #[must_use]
    pub fn new(fallback: Certificate, others: impl IntoIterator<Item = Certificate>) -> Self {
        let all: Vec<Certificate> = std::iter::once(fallback).chain(others).collect();
        let mut by_name: HashMap<Box<str>, Vec<usize>> = HashMap::new();
        for (index, certificate) in all.iter().enumerate() {
            for name in certificate.names() {
                by_name.entry(name.clone()).or_default().push(index);
            }
        }
        let first = all.first().map_or(&[][..], Certificate::names);
        let is_twin = |(index, certificate): &(usize, &Certificate)| {
            *index == 0 || first.iter().any(|name| certificate.covers(name))
        };
        let fallback = all.iter().enumerate().filter(is_twin).map(|(index, _)| index);
        Self {
            fallback: fallback.collect(),
            by_name,
            all,
        }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Certificate] {
        &self.all
    }

    /// The certificates for the name that a client asks for, best first; never none. An unknown name is no reason to
    /// end a handshake: senders of mail that do not verify ask for any name (RFC 6066 §3, RFC 7672 §8.1).
    pub(super) fn asked(&self, name: Option<&str>) -> &[usize] {
        let named = name.and_then(|name| self.named(&name.to_ascii_lowercase()));
        named.unwrap_or(&self.fallback)
    }

    /// An exact name wins over a wildcard.
    fn named(&self, name: &str) -> Option<&[usize]> {
        let exact = self.by_name.get(name);
        let found = exact.or_else(|| self.by_name.get(wildcard_over(name)?.as_str()));
        found.map(Vec::as_slice)
    }
}
