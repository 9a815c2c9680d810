//! PasswordHash: what we keep instead of a password, Argon2id in the PHC string format.
//!
//! A stored hash names its own cost, so whoever can write a hash could order any amount of work and memory: the cost
//! is bounded where a hash is parsed, and nothing outside the bounds is ever run.

use std::fmt;

use argon2::password_hash::{Output, ParamsString, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::secret::Secret;

/// Octets of a password, at most: Argon2 reads all of them, so a longer one would be work for nothing.
pub const PASSWORD_LENGTH_LIMIT: usize = 1024;
/// Octets of the salt of a hash made here (RFC 9106 §3.1 recommends 16).
pub const SALT_LENGTH: usize = 16;
/// Octets of the output of a hash made here (RFC 9106 §4).
pub const OUTPUT_LENGTH: usize = 32;

/// Characters of a hash's text, at most: the longest within the other bounds has about 190.
const TEXT_LENGTH_LIMIT: usize = 256;
/// Argon2 itself wants 8 octets of salt (RFC 9106 §3.1).
const SALT_LENGTH_MINIMUM: usize = 8;
/// A PHC string has at most 64 characters of salt, which are 48 octets.
const SALT_LENGTH_LIMIT: usize = 48;
/// Shorter outputs could be hit by chance.
const OUTPUT_LENGTH_MINIMUM: usize = 16;
const OUTPUT_LENGTH_LIMIT: usize = 64;
/// Blocks of 1 KiB asked for at least; those that no hash fills are never touched. From 32 MiB on (its largest
/// M_MMAP_THRESHOLD) glibc gives memory back to the system when it is freed. Below that, because blocks are aligned to
/// 64 octets, it seldom finds again what it freed, and every hash would grow the process: mallopt(3).
const BLOCKS_OF_THEIR_OWN: usize = 33 * 1024;
/// 0x13, the only version of RFC 9106.
const VERSION: u32 = 19;

/// What one computation of a hash costs. The default is OWASP's recommendation for Argon2id: 19 MiB, two passes,
/// one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// KiB of memory, at most: 256 MiB.
    pub const MEMORY_KIB_LIMIT: u32 = 256 * 1024;
    /// Passes over the memory, at most.
    pub const PASSES_LIMIT: u32 = 16;
    /// Lanes, at most. They are computed one after the other.
    pub const LANES_LIMIT: u32 = 16;
    /// Memory times passes, at most, in KiB: about a second of one core.
    pub const WORK_KIB_LIMIT: u32 = 1024 * 1024;
    /// Argon2 wants eight blocks of 1 KiB a lane (RFC 9106 §3.1).
    const MEMORY_KIB_PER_LANE: u32 = 8;

    /// A cost within the limits of this type.
    ///
    /// # Errors
    /// [`PasswordError::Cost`] when a parameter, or memory times passes, is outside its limits.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, PasswordError> {
        let lanes_fit = lanes >= 1 && lanes <= Self::LANES_LIMIT;
        let passes_fit = passes >= 1 && passes <= Self::PASSES_LIMIT;
        if !lanes_fit || !passes_fit || memory_kib > Self::MEMORY_KIB_LIMIT {
            return Err(PasswordError::Cost);
        }
        if memory_kib < Self::MEMORY_KIB_PER_LANE * lanes || memory_kib * passes > Self::WORK_KIB_LIMIT {
            return Err(PasswordError::Cost);
        }
        Ok(Self {
            memory_kib,
            passes,
            lanes,
        })
    }

    /// Memory, in KiB.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes.
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
        }
    }
}

/// The hash of a password. Serialises as its PHC string; not printed by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PasswordHash {
    cost: Cost,
    salt: Box<[u8]>,
    output: Box<[u8]>,
}

impl PasswordHash {
    /// Hashes a password. `salt` must be fresh randomness.
    ///
    /// # Errors
    /// [`PasswordError::Empty`] and [`PasswordError::TooLong`]: no such password is ever kept.
    pub fn create(password: &Secret, salt: [u8; SALT_LENGTH], cost: Cost) -> Result<Self, PasswordError> {
        if password.is_empty() {
            return Err(PasswordError::Empty);
        }
        if password.len() > PASSWORD_LENGTH_LIMIT {
            return Err(PasswordError::TooLong);
        }
        let mut output = [0; OUTPUT_LENGTH];
        derive(password, &salt, cost, &mut output)?;
        Ok(Self {
            cost,
            salt: salt.into(),
            output: output.into(),
        })
    }

    /// Reads a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<output>`.
    ///
    /// # Errors
    /// [`PasswordError::Format`] for anything else than Argon2id of version 19 with salt and output of usual length;
    /// [`PasswordError::Cost`] when the cost is outside the limits of [`Cost`].
    pub fn from_phc(text: &str) -> Result<Self, PasswordError> {
        if text.len() > TEXT_LENGTH_LIMIT {
            return Err(PasswordError::Format);
        }
        let parsed = argon2::PasswordHash::new(text).map_err(|_| PasswordError::Format)?;
        if parsed.algorithm != Algorithm::Argon2id.ident() || parsed.version != Some(VERSION) {
            return Err(PasswordError::Format);
        }
        let cost = cost_of(&parsed.params)?;
        let (Some(salt), Some(output)) = (parsed.salt, parsed.hash) else {
            return Err(PasswordError::Format);
        };
        let mut decoded = [0; SALT_LENGTH_LIMIT];
        let salt = salt.decode_b64(&mut decoded).map_err(|_| PasswordError::Format)?;
        let output = output.as_bytes();
        let output_fits = (OUTPUT_LENGTH_MINIMUM..=OUTPUT_LENGTH_LIMIT).contains(&output.len());
        if salt.len() < SALT_LENGTH_MINIMUM || !output_fits {
            return Err(PasswordError::Format);
        }
        Ok(Self {
            cost,
            salt: salt.into(),
            output: output.into(),
        })
    }

    /// The PHC string, as [`PasswordHash::from_phc`] reads it.
    #[must_use]
    pub fn to_phc(&self) -> String {
        let Cost {
            memory_kib,
            passes,
            lanes,
        } = self.cost;
        let salt = SaltString::encode_b64(&self.salt)
            .map(|salt| salt.to_string())
            .unwrap_or_default();
        let output = Output::new(&self.output)
            .map(|output| output.to_string())
            .unwrap_or_default();
        format!("$argon2id$v={VERSION}$m={memory_kib},t={passes},p={lanes}${salt}${output}")
    }

    /// What a verification costs.
    #[must_use]
    pub const fn cost(&self) -> Cost {
        self.cost
    }

    /// Whether the password is the one that was hashed. Takes the time that [`PasswordHash::cost`] says, whatever the
    /// answer; only an empty password and one longer than [`PASSWORD_LENGTH_LIMIT`] are refused at once, which tells
    /// nothing about the account.
    #[must_use]
    pub fn verify(&self, password: &Secret) -> bool {
        if password.is_empty() || password.len() > PASSWORD_LENGTH_LIMIT {
            return false;
        }
        let mut buffer = [0; OUTPUT_LENGTH_LIMIT];
        let Some(output) = buffer.get_mut(..self.output.len()) else {
            return false;
        };
        derive(password, &self.salt, self.cost, output).is_ok() && bool::from(output.ct_eq(&self.output))
    }

    /// The parts that make this hash differ from every other of the same account, for keys of caches.
    pub(crate) fn identity(&self) -> [&[u8]; 2] {
        [&self.salt, &self.output]
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHash")
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> Self {
        hash.to_phc()
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = PasswordError;

    fn try_from(text: String) -> Result<Self, PasswordError> {
        Self::from_phc(&text)
    }
}

fn cost_of(params: &ParamsString) -> Result<Cost, PasswordError> {
    // Read here and not by the library, which multiplies before it has checked a bound.
    const NAMES: usize = 3;
    let decimal = |name: &str| params.get_decimal(name).ok_or(PasswordError::Format);
    if params.iter().count() != NAMES {
        return Err(PasswordError::Format);
    }
    Cost::new(decimal("m")?, decimal("t")?, decimal("p")?)
}

fn derive(password: &Secret, salt: &[u8], cost: Cost, output: &mut [u8]) -> Result<(), PasswordError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(output.len()))
        .map_err(|_| PasswordError::Cost)?;
    let mut blocks = Vec::with_capacity(params.block_count().max(BLOCKS_OF_THEIR_OWN));
    blocks.resize(params.block_count(), Block::new());
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.expose(), salt, output, &mut blocks)
        .map_err(|_| PasswordError::Cost)
}

/// A hash that no password fits: verified in place of an account that does not exist, so that the answer costs the
/// same.
#[derive(Debug, Clone)]
pub struct Decoy(PasswordHash);

impl Decoy {
    /// A decoy of the cost that new passwords have. `salt` may be any randomness and may live as long as the process.
    #[must_use]
    pub fn new(salt: [u8; SALT_LENGTH], cost: Cost) -> Self {
        Self(PasswordHash {
            cost,
            salt: salt.into(),
            output: [0; OUTPUT_LENGTH].into(),
        })
    }

    /// Does the work of [`PasswordHash::verify`] and refuses.
    #[must_use]
    pub fn verify(&self, password: &Secret) -> bool {
        // The comparison must not be optimised away with its result, and must not let a preimage in.
        std::hint::black_box(self.0.verify(password));
        false
    }
}

/// Why a password or a stored hash is not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// A password needs at least one octet.
    #[error("the password is empty")]
    Empty,
    /// A password has at most [`PASSWORD_LENGTH_LIMIT`] octets.
    #[error("the password is longer than {PASSWORD_LENGTH_LIMIT} octets")]
    TooLong,
    /// The text is not a hash that we make or take.
    #[error("not an argon2id hash of version 19 in the PHC format")]
    Format,
    /// The cost is outside the limits of [`Cost`].
    #[error("the cost of the password hash is out of bounds")]
    Cost,
}

#[cfg(test)]
mod tests;
