//! RememberedPasswords: which passwords were verified a moment ago, so that a client that logs in every minute does not
//! cost an Argon2 each time.
//!
//! It keeps no password: only a keyed BLAKE3 of account, stored hash and password, and when to forget it. The key is
//! fresh for each process, so that what is kept is of no use elsewhere. When the stored hash changes, what was remembered
//! of the old one no longer matches; a caller decides before asking whether the account may log in at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use message::{AccountId, Tick};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::password::{PASSWORD_LENGTH_LIMIT, PasswordHash};
use crate::secret::Secret;

/// Octets of the key.
pub const KEY_LENGTH: usize = 32;

/// Half of a mark: where it is found.
type Place = [u8; 16];
/// The other half: what proves it.
type Proof = [u8; 16];

/// Passwords verified a moment ago. Loses nothing when it dies but a little time.
pub struct RememberedPasswords {
    key: Zeroizing<[u8; KEY_LENGTH]>,
    capacity: usize,
    marks: BTreeMap<Place, Mark>,
    /// The same marks by the moment when they are forgotten.
    expiries: BTreeSet<(Tick, Place)>,
}

impl RememberedPasswords {
    /// Remembers nothing yet, and never more than `capacity` passwords, at about 120 octets each. `key` must be fresh
    /// randomness.
    #[must_use]
    pub fn new(key: [u8; KEY_LENGTH], capacity: usize) -> Self {
        Self {
            key: Zeroizing::new(key),
            capacity,
            marks: BTreeMap::new(),
            expiries: BTreeSet::new(),
        }
    }

    /// Whether this password was remembered for this account and this stored hash, and is not forgotten yet.
    ///
    /// `false` says nothing about the password: verify it against the hash.
    #[must_use]
    pub fn verify(&self, now: Tick, account: AccountId, stored: &PasswordHash, password: &Secret) -> bool {
        if password.len() > PASSWORD_LENGTH_LIMIT {
            return false;
        }
        // The place is the output of a keyed hash: the time of the look-up tells nothing without the key.
        let (place, proof) = self.mark(account, stored, password);
        self.marks
            .get(&place)
            .is_some_and(|mark| bool::from(mark.proof.ct_eq(&proof)) && now < mark.expiry)
    }

    /// Remembers a password that [`PasswordHash::verify`] has just accepted, for `lifetime`. When there is no room, the
    /// password that would be forgotten first makes way.
    pub fn remember(
        &mut self,
        now: Tick,
        lifetime: Duration,
        account: AccountId,
        stored: &PasswordHash,
        password: &Secret,
    ) {
        self.forget_expired(now);
        let (place, proof) = self.mark(account, stored, password);
        if let Some(old) = self.marks.remove(&place) {
            self.expiries.remove(&(old.expiry, place));
        }
        if lifetime.is_zero() || self.capacity == 0 {
            return;
        }
        if self.marks.len() >= self.capacity {
            self.forget_first();
        }
        let expiry = now + lifetime;
        self.marks.insert(place, Mark { proof, expiry });
        self.expiries.insert((expiry, place));
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.marks.clear();
        self.expiries.clear();
    }

    /// How many passwords are kept, those included whose time is over but that no one has asked for since.
    #[must_use]
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether no password is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    fn mark(&self, account: AccountId, stored: &PasswordHash, password: &Secret) -> (Place, Proof) {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(account.as_bytes());
        for part in stored.identity() {
            // With its length before each part, no two triples give the same octets.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.update(password.expose());
        let [mut place, mut proof] = [[0; 16]; 2];
        let mut output = hasher.finalize_xof();
        output.fill(&mut place);
        output.fill(&mut proof);
        (place, proof)
    }

    fn forget_expired(&mut self, now: Tick) {
        while self.expiries.first().is_some_and(|(expiry, _)| *expiry <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, place)) = self.expiries.pop_first() {
            self.marks.remove(&place);
        }
    }
}

impl fmt::Debug for RememberedPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RememberedPasswords")
            .field("capacity", &self.capacity)
            .field("len", &self.marks.len())
            .finish_non_exhaustive()
    }
}

struct Mark {
    proof: Proof,
    expiry: Tick,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::password::{Cost, SALT_LENGTH};

    const MINUTE: Duration = Duration::from_secs(60);

    fn stored(password: &str, salt: u8) -> PasswordHash {
        let cost = Cost::new(8, 1, 1).unwrap();
        PasswordHash::create(&Secret::new(password), [salt; SALT_LENGTH], cost).unwrap()
    }

    fn account(number: u8) -> AccountId {
        AccountId::from_bytes([number; 16])
    }

    fn at(secs: u64) -> Tick {
        Tick::ZERO + Duration::from_secs(secs)
    }

    #[test]
    fn a_remembered_password_fits_only_its_account_its_hash_and_its_time() {
        let mut remembered = RememberedPasswords::new([9; KEY_LENGTH], 10);
        let (hash, password) = (stored("secret", 1), Secret::new("secret"));
        remembered.remember(at(0), MINUTE, account(1), &hash, &password);
        assert!(remembered.verify(at(59), account(1), &hash, &password));
        assert!(!remembered.verify(at(60), account(1), &hash, &password));
        assert!(!remembered.verify(at(1), account(2), &hash, &password));
        assert!(!remembered.verify(at(1), account(1), &hash, &Secret::new("secre")));
        assert!(!remembered.verify(at(1), account(1), &stored("secret", 2), &password));
        assert!(!remembered.verify(at(1), account(1), &stored("other", 1), &password));
    }

    #[test]
    fn remembering_again_prolongs_and_a_zero_lifetime_forgets() {
        let mut remembered = RememberedPasswords::new([9; KEY_LENGTH], 10);
        let (hash, password) = (stored("secret", 1), Secret::new("secret"));
        remembered.remember(at(0), MINUTE, account(1), &hash, &password);
        remembered.remember(at(50), MINUTE, account(1), &hash, &password);
        assert!(remembered.verify(at(100), account(1), &hash, &password));
        assert_eq!(remembered.len(), 1);
        remembered.remember(at(51), Duration::ZERO, account(1), &hash, &password);
        assert!(!remembered.verify(at(51), account(1), &hash, &password));
        assert!(remembered.is_empty());
    }

    #[test]
    fn what_would_be_forgotten_first_makes_way() {
        let mut remembered = RememberedPasswords::new([9; KEY_LENGTH], 2);
        let (hash, password) = (stored("secret", 1), Secret::new("secret"));
        remembered.remember(at(0), MINUTE * 3, account(1), &hash, &password);
        remembered.remember(at(1), MINUTE, account(2), &hash, &password);
        remembered.remember(at(2), MINUTE * 2, account(3), &hash, &password);
        assert!(remembered.verify(at(3), account(1), &hash, &password));
        assert!(!remembered.verify(at(3), account(2), &hash, &password));
        assert!(remembered.verify(at(3), account(3), &hash, &password));
        remembered.remember(at(200), MINUTE, account(4), &hash, &password);
        assert_eq!(remembered.len(), 1, "what is over goes before anything else");
    }

    #[test]
    fn nothing_is_kept_in_clear_and_another_key_knows_nothing() {
        let (hash, password) = (stored("swordfish", 1), Secret::new("swordfish"));
        let mut remembered = RememberedPasswords::new([9; KEY_LENGTH], 2);
        remembered.remember(at(0), MINUTE, account(1), &hash, &password);
        let mut other = RememberedPasswords::new([8; KEY_LENGTH], 2);
        other.marks = std::mem::take(&mut remembered.marks);
        assert!(!other.verify(at(1), account(1), &hash, &password));
        assert!(!format!("{other:?}").contains("swordfish"));
    }

    proptest! {
        #[test]
        fn both_indexes_stay_the_same_and_within_capacity(
            capacity in 0_usize..4,
            steps in prop::collection::vec((0_u8..6, 0_u64..30, 0_u64..90), 0..40),
        ) {
            let mut remembered = RememberedPasswords::new([9; KEY_LENGTH], capacity);
            let (hash, password) = (stored("secret", 1), Secret::new("secret"));
            let mut now = at(0);
            for (number, pause, lifetime) in steps {
                now += Duration::from_secs(pause);
                remembered.remember(now, Duration::from_secs(lifetime), account(number), &hash, &password);
                prop_assert!(remembered.len() <= capacity);
                let by_expiry: BTreeMap<_, _> = remembered.expiries.iter().map(|(at, place)| (*place, *at)).collect();
                let by_place: BTreeMap<_, _> = remembered.marks.iter().map(|(place, mark)| (*place, mark.expiry)).collect();
                prop_assert_eq!(by_expiry, by_place);
            }
        }
    }
}
