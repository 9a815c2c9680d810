//! Secret: octets that are wiped when dropped and never printed.
//!
//! It is not encrypted memory: a core dump of the living process still holds it.

use std::fmt;

use zeroize::Zeroizing;

/// A password or key as it came from a client: any octets.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the octets over; they are wiped when the secret is dropped.
    ///
    /// Copies that the caller still has are the caller's to wipe.
    #[must_use]
    pub fn new(octets: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(octets.into()))
    }

    /// The octets in clear text, for the computation that needs them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Number of octets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no octets at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_octets_nor_length() {
        assert_eq!(
            format!("{:?}", Secret::new("swordfish")),
            format!("{:?}", Secret::new(""))
        );
        assert!(!format!("{:?}", Secret::new("swordfish")).contains("swordfish"));
    }
}
