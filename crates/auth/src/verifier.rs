//! ScramVerifier: what we keep so that a client can prove a password by SCRAM-SHA-256 (RFC 5802 §3, RFC 7677).
//!
//! With it nobody can log in, but passwords can be tried at the cost of its iterations, which is far below that of an
//! Argon2id hash: whoever does not want it kept says `auth.scram = false`.

mod decoys;

use std::fmt;
use std::num::NonZeroU32;

use base64ct::{Base64, Encoding};
use ring::{digest, hmac, pbkdf2};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

pub use decoys::{DECOY_KEY_LENGTH, Decoys};

use crate::password::PASSWORD_LENGTH_LIMIT;
use crate::prepared;
use crate::secret::Secret;

/// Octets of the salt of a verifier made here.
pub const SCRAM_SALT_LENGTH: usize = 16;
/// Iterations, at least. RFC 7677 §4
pub const ITERATIONS_MINIMUM: u32 = 4096;
/// Iterations, at most: what a slow telephone still does within a second or two.
pub const ITERATIONS_LIMIT: u32 = 1_000_000;

/// Octets of the output of SHA-256, of which everything here is made.
pub(crate) const KEY_LENGTH: usize = 32;
/// A key, wiped when it is dropped.
type Key = Zeroizing<[u8; KEY_LENGTH]>;
/// The name in front of the text form.
const SCHEME: &str = "SCRAM-SHA-256";
/// Octets of a salt that is read; others make longer ones than we.
const SALT_LENGTH_MINIMUM: usize = 8;
const SALT_LENGTH_LIMIT: usize = 64;
/// Characters of the text form, at most: the longest within the other bounds has about 210.
const TEXT_LENGTH_LIMIT: usize = 256;

/// Salt, iterations, StoredKey and ServerKey. Serialises as its text form; not printed by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScramVerifier {
    iterations: NonZeroU32,
    salt: Box<[u8]>,
    stored_key: Key,
    server_key: Key,
}

impl ScramVerifier {
    /// Makes the verifier of a password. `salt` must be fresh randomness.
    ///
    /// # Errors
    /// [`VerifierError::Password`] for a password that SASLprep forbids, [`VerifierError::Iterations`] for a number
    /// out of bounds.
    pub fn create(
        password: &Secret,
        salt: [u8; SCRAM_SALT_LENGTH],
        iterations: u32,
    ) -> Result<Self, VerifierError> {
        Self::derive(password, &salt, iterations).map(|(_, verifier)| verifier)
    }

    /// ClientKey, which only a client has, and the verifier. RFC 5802 §3
    pub(crate) fn derive(
        password: &Secret,
        salt: &[u8],
        iterations: u32,
    ) -> Result<(Key, Self), VerifierError> {
        let iterations = bounded(iterations)?;
        let prepared = prepared::for_scram(password).ok_or(VerifierError::Password)?;
        if prepared.len() > PASSWORD_LENGTH_LIMIT {
            return Err(VerifierError::Password);
        }
        let salted = salted_password(&prepared, salt, iterations);
        let client_key = Zeroizing::new(hmac(&*salted, b"Client Key"));
        let verifier = Self {
            iterations,
            salt: salt.into(),
            stored_key: Zeroizing::new(hash(&*client_key)),
            server_key: Zeroizing::new(hmac(&*salted, b"Server Key")),
        };
        Ok((client_key, verifier))
    }

    /// Reads the text form: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, as RFC 5803 §3 and others
    /// write it.
    ///
    /// # Errors
    /// [`VerifierError::Format`] for anything else, [`VerifierError::Iterations`] for a number out of bounds.
    pub fn from_text(text: &str) -> Result<Self, VerifierError> {
        if text.len() > TEXT_LENGTH_LIMIT {
            return Err(VerifierError::Format);
        }
        let mut parts = text.split('$');
        let (Some(SCHEME), Some(cost), Some(keys), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(VerifierError::Format);
        };
        let (iterations, salt) = cost.split_once(':').ok_or(VerifierError::Format)?;
        let (stored_key, server_key) = keys.split_once(':').ok_or(VerifierError::Format)?;
        if !iterations.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(VerifierError::Format);
        }
        let iterations = bounded(iterations.parse().map_err(|_| VerifierError::Format)?)?;
        let salt = Base64::decode_vec(salt).map_err(|_| VerifierError::Format)?;
        if !(SALT_LENGTH_MINIMUM..=SALT_LENGTH_LIMIT).contains(&salt.len()) {
            return Err(VerifierError::Format);
        }
        Ok(Self {
            iterations,
            salt: salt.into(),
            stored_key: key(stored_key)?,
            server_key: key(server_key)?,
        })
    }

    /// The text form, as [`ScramVerifier::from_text`] reads it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let [salt, stored_key, server_key] =
            [&*self.salt, &*self.stored_key, &*self.server_key].map(Base64::encode_string);
        format!("{SCHEME}${}:{salt}${stored_key}:{server_key}", self.iterations)
    }

    /// How many times the client hashes.
    #[must_use]
    pub const fn iterations(&self) -> u32 {
        self.iterations.get()
    }

    /// What the client hashes with the password.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// A verifier that a client cannot tell from this one and that fits nothing, not even its password: it has the keys
    /// of a decoy. For an account that is known and lets nobody in.
    #[must_use]
    pub fn barred(&self, decoy: &Self) -> Self {
        Self {
            iterations: self.iterations,
            salt: self.salt.clone(),
            stored_key: decoy.stored_key.clone(),
            server_key: decoy.server_key.clone(),
        }
    }

    /// Whether the client's proof is right, that is, whether it knows ClientKey. RFC 5802 §3
    pub(crate) fn accepts(&self, auth_message: &[u8], proof: &[u8; KEY_LENGTH]) -> bool {
        let signature = self.client_signature(auth_message);
        let mut client_key = Zeroizing::new([0; KEY_LENGTH]);
        for ((key, proven), signed) in client_key.iter_mut().zip(proof).zip(signature) {
            *key = proven ^ signed;
        }
        bool::from(hash(&*client_key).ct_eq(&*self.stored_key))
    }

    /// What hides ClientKey in a proof. RFC 5802 §3
    pub(crate) fn client_signature(&self, auth_message: &[u8]) -> [u8; KEY_LENGTH] {
        hmac(&*self.stored_key, auth_message)
    }

    /// What proves to the client that we know it. RFC 5802 §3
    pub(crate) fn server_signature(&self, auth_message: &[u8]) -> [u8; KEY_LENGTH] {
        hmac(&*self.server_key, auth_message)
    }
}

impl fmt::Debug for ScramVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramVerifier")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

impl From<ScramVerifier> for String {
    fn from(verifier: ScramVerifier) -> Self {
        verifier.to_text()
    }
}

impl TryFrom<String> for ScramVerifier {
    type Error = VerifierError;

    fn try_from(text: String) -> Result<Self, VerifierError> {
        Self::from_text(&text)
    }
}

/// Why a verifier cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum VerifierError {
    /// SASLprep forbids the password, or it is empty or too long.
    #[error("the password has characters that SASLprep forbids (RFC 4013)")]
    Password,
    /// Iterations out of bounds.
    #[error("the iterations are not from {ITERATIONS_MINIMUM} to {ITERATIONS_LIMIT}")]
    Iterations,
    /// Not the text form.
    #[error("not a SCRAM-SHA-256 verifier")]
    Format,
}

pub(crate) fn hmac(key: &[u8], octets: &[u8]) -> [u8; KEY_LENGTH] {
    copied(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), octets).as_ref())
}

fn hash(octets: &[u8]) -> [u8; KEY_LENGTH] {
    copied(digest::digest(&digest::SHA256, octets).as_ref())
}

/// Both algorithms above give just as many octets.
fn copied(octets: &[u8]) -> [u8; KEY_LENGTH] {
    octets.first_chunk().copied().unwrap_or_default()
}

fn salted_password(password: &Secret, salt: &[u8], iterations: NonZeroU32) -> Key {
    let mut salted = Zeroizing::new([0; KEY_LENGTH]);
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        iterations,
        salt,
        password.expose(),
        &mut *salted,
    );
    salted
}

fn bounded(iterations: u32) -> Result<NonZeroU32, VerifierError> {
    NonZeroU32::new(iterations)
        .filter(|iterations| (ITERATIONS_MINIMUM..=ITERATIONS_LIMIT).contains(&iterations.get()))
        .ok_or(VerifierError::Iterations)
}

fn key(text: &str) -> Result<Key, VerifierError> {
    let octets = Zeroizing::new(Base64::decode_vec(text).map_err(|_| VerifierError::Format)?);
    <[u8; KEY_LENGTH]>::try_from(octets.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| VerifierError::Format)
}

#[cfg(test)]
mod tests;
