//! Decoys: what a client is shown of an account that does not exist, so that nobody can tell.

use std::fmt;
use std::num::NonZeroU32;

use zeroize::Zeroizing;

use super::{ITERATIONS_MINIMUM, SCRAM_SALT_LENGTH, ScramVerifier, hmac};

/// Octets of the key.
pub const DECOY_KEY_LENGTH: usize = 32;

/// Makes the same verifier for the same name, whenever it is asked: it fits no password.
///
/// The key outlives restarts, or a name whose salt changes would show itself as unknown. Iterations are those of the
/// accounts, in the proportion in which these have them: after a change of `auth.scram_iterations` both numbers are
/// seen, of known and of unknown names. A name whose iterations move with that proportion gets another salt, too, like
/// an account with a new password.
#[derive(Clone)]
pub struct Decoys {
    key: Zeroizing<[u8; DECOY_KEY_LENGTH]>,
    /// Iterations, and how many accounts have them or fewer; the last number is all of them.
    cumulated: Vec<(NonZeroU32, u64)>,
}

impl Decoys {
    /// Decoys under a key that nobody knows. `counts` says how many accounts have which iterations; without any,
    /// decoys have `usual` iterations.
    #[must_use]
    pub fn new(
        key: [u8; DECOY_KEY_LENGTH],
        counts: impl IntoIterator<Item = (u32, u64)>,
        usual: u32,
    ) -> Self {
        let mut cumulated: Vec<(NonZeroU32, u64)> = Vec::new();
        let mut add = |(iterations, accounts): (u32, u64)| {
            let before = cumulated.last().map_or(0, |(_, sum)| *sum);
            if let Some(iterations) = NonZeroU32::new(iterations)
                && accounts > 0
            {
                cumulated.push((iterations, before.saturating_add(accounts)));
            }
        };
        counts.into_iter().for_each(&mut add);
        if cumulated.is_empty() {
            cumulated.extend(NonZeroU32::new(usual.max(ITERATIONS_MINIMUM)).map(|usual| (usual, 1)));
        }
        Self {
            key: Zeroizing::new(key),
            cumulated,
        }
    }

    /// The verifier that is shown for this name. It costs the same for every name, so it can be made also for those
    /// that are known, and thrown away.
    #[must_use]
    pub fn verifier(&self, name: &str) -> ScramVerifier {
        let iterations = self.iterations(name);
        let derive = |label: &str| {
            let text = format!("{label}:{iterations}:{name}");
            hmac(&*self.key, text.as_bytes())
        };
        let salt = derive("salt");
        ScramVerifier {
            iterations,
            salt: salt.iter().copied().take(SCRAM_SALT_LENGTH).collect(),
            // Nobody knows of what this would be the hash.
            stored_key: Zeroizing::new(derive("stored key")),
            server_key: Zeroizing::new(derive("server key")),
        }
    }

    fn iterations(&self, name: &str) -> NonZeroU32 {
        let draw = hmac(&*self.key, format!("iterations:{name}").as_bytes());
        let draw = u64::from_be_bytes(draw.first_chunk().copied().unwrap_or_default());
        let all = self.cumulated.last().map_or(1, |(_, sum)| *sum);
        // The high half of the product is a number below `all`, as evenly as `draw` is.
        let at = u64::try_from((u128::from(draw) * u128::from(all)) >> 64).unwrap_or_default();
        self.cumulated
            .iter()
            .find(|(_, sum)| at < *sum)
            .map_or(NonZeroU32::MIN, |(iterations, _)| *iterations)
    }
}

impl fmt::Debug for Decoys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoys")
            .field("cumulated", &self.cumulated)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_decoy_under_one_key() {
        let decoys = Decoys::new([7; 32], [], 8192);
        let ada = decoys.verifier("ada@example.org");
        assert_eq!(ada, Decoys::new([7; 32], [], 8192).verifier("ada@example.org"));
        assert_ne!(ada.salt(), decoys.verifier("bob@example.org").salt());
        assert_ne!(
            ada.salt(),
            Decoys::new([8; 32], [], 8192).verifier("ada@example.org").salt()
        );
        assert_eq!((ada.iterations(), ada.salt().len()), (8192, SCRAM_SALT_LENGTH));
        assert_eq!(ScramVerifier::from_text(&ada.to_text()), Ok(ada));
    }

    #[test]
    fn decoys_have_the_iterations_of_accounts() {
        let decoys = Decoys::new([7; 32], [(4096, 30), (0, 5), (5000, 0), (10_000, 10)], 8192);
        let of = |decoys: &Decoys, n: u32| decoys.verifier(&format!("{n}@example.org")).iterations();
        let fewer = (0..1000).filter(|n| of(&decoys, *n) == 4096).count();
        assert!((700..800).contains(&fewer), "{fewer}");
        assert!((0..1000).all(|n| [4096, 10_000].contains(&of(&decoys, n))));
        // One more account moves few names, and what moves has another salt.
        let later = Decoys::new([7; 32], [(4096, 30), (10_000, 11)], 8192);
        for n in 0..1000 {
            let name = format!("{n}@example.org");
            let [before, after] = [&decoys, &later].map(|decoys| decoys.verifier(&name));
            assert_eq!(
                before.salt() == after.salt(),
                before.iterations() == after.iterations()
            );
        }
    }
}
