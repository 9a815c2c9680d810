//! AppPassword: a password that we make, for one program. It has 120 bits of randomness, so that nobody can try all of
//! them, and one fast hash is enough: whoever guesses costs us no Argon2id for each of an account's many.
//!
//! It is written in groups of letters and digits that nobody mistakes for one another, and read however its owner copied
//! it.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Octets of randomness of one.
pub const APP_PASSWORD_RANDOMNESS: usize = 15;
/// Octets of its hash.
pub const APP_PASSWORD_HASH_LENGTH: usize = 32;

/// Five bits a character: 24 of them.
const CHARACTERS: usize = APP_PASSWORD_RANDOMNESS * 8 / 5;
/// Characters between two dashes.
const GROUP: usize = 4;
/// Base 32 as Crockford writes it, in lower case: without i, l, o and u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters that are looked at: the password and as many dashes or spaces again.
const LENGTH_LIMIT: usize = 2 * CHARACTERS;
/// What keeps these hashes apart from others.
const CONTEXT: &str = "angarium 2026 application password";

/// A password for one program, in its one form. Not printed by `Debug`.
pub struct AppPassword(Zeroizing<[u8; CHARACTERS]>);

impl AppPassword {
    /// Makes one of fresh randomness.
    #[must_use]
    pub fn generate(randomness: [u8; APP_PASSWORD_RANDOMNESS]) -> Self {
        let mut characters = Zeroizing::new([0; CHARACTERS]);
        // Five octets are eight characters.
        for (octets, characters) in randomness.chunks(5).zip(characters.chunks_mut(8)) {
            let bits = octets
                .iter()
                .fold(0_u64, |bits, octet| (bits << 8) | u64::from(*octet));
            for (place, character) in (0..8).rev().zip(characters) {
                let digit = usize::try_from((bits >> (5 * place)) & 31).unwrap_or_default();
                *character = ALPHABET.get(digit).copied().unwrap_or_default();
            }
        }
        Self(characters)
    }

    /// Reads one, with its dashes, with spaces or without; `None` for what cannot be one.
    #[must_use]
    pub fn parse(password: &Secret) -> Option<Self> {
        if password.len() > LENGTH_LIMIT {
            return None;
        }
        let mut characters = Zeroizing::new([0; CHARACTERS]);
        let mut places = characters.iter_mut();
        for octet in password.expose() {
            let character = match octet.to_ascii_lowercase() {
                b'-' | b' ' => continue,
                b'o' => b'0',
                b'i' | b'l' => b'1',
                other => other,
            };
            if !ALPHABET.contains(&character) {
                return None;
            }
            *places.next()? = character;
        }
        places.next().is_none().then_some(Self(characters))
    }

    /// The password in its groups: for its owner, once.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH_LIMIT));
        for (number, character) in self.0.iter().enumerate() {
            if number > 0 && number % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(*character));
        }
        text
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> [u8; APP_PASSWORD_HASH_LENGTH] {
        blake3::derive_key(CONTEXT, &*self.0)
    }

    /// Whether this is what was kept of it.
    #[must_use]
    pub fn fits(&self, hash: &[u8; APP_PASSWORD_HASH_LENGTH]) -> bool {
        bool::from(self.hash().ct_eq(hash))
    }
}

impl fmt::Debug for AppPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppPassword(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_password_is_read_however_it_was_copied() {
        let made = AppPassword::generate([
            0, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf, 0x84, 0x65, 0x3a, 0x56, 0xd7,
        ]);
        assert_eq!(&**made.reveal(), "0123-4567-89ab-cdef-ghjk-mnpq");
        for text in [
            "0123-4567-89ab-cdef-ghjk-mnpq",
            "0123456789abcdefghjkmnpq",
            "O1L3 4567 89AB CDEF GHJK MNPQ",
        ] {
            let read = AppPassword::parse(&Secret::new(text.replace("L3", "23")));
            assert!(read.is_some_and(|read| read.fits(&made.hash())), "{text}");
        }
        assert!(!format!("{made:?}").contains("0123"));
    }

    #[test]
    fn what_cannot_be_one_is_none() {
        for text in [
            "",
            "secret",
            "0123-4567-89ab-cdef-ghjk-mnp",
            "0123-4567-89ab-cdef-ghjk-mnpqr",
            "0123-4567-89ab-cdef-ghjk-mnpu",
            "0123-4567-89ab-cdef-ghjk-mnp\u{e9}",
            "0-1-2-3-4-5-6-7-8-9-a-b-c-d-e-f-g-h-j-k-m-n-p-q--",
        ] {
            assert!(AppPassword::parse(&Secret::new(text)).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_revealed_is_read(randomness in any::<[u8; APP_PASSWORD_RANDOMNESS]>()) {
            let made = AppPassword::generate(randomness);
            let read = AppPassword::parse(&Secret::new(made.reveal().as_bytes()));
            prop_assert!(read.is_some_and(|read| read.fits(&made.hash())));
        }

        #[test]
        fn any_octets_are_read_without_panic(octets in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = AppPassword::parse(&Secret::new(octets));
        }
    }
}
