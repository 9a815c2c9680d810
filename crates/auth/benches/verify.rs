//! What a login costs: the hash, the decoy, and a password that is remembered.

use std::time::Duration;

use auth::{Cost, Decoy, PasswordError, PasswordHash, RememberedPasswords, Secret};
use divan::{Bencher, bench};
use message::{AccountId, Tick};

fn main() {
    divan::main();
}

fn stored(password: &Secret) -> Result<PasswordHash, PasswordError> {
    PasswordHash::create(password, [7; 16], Cost::default())
}

/// A login at the default cost.
#[bench]
fn hash(bencher: Bencher<'_, '_>) {
    let password = Secret::new("correct horse battery staple");
    let Ok(stored) = stored(&password) else { return };
    bencher.bench_local(|| stored.verify(&password));
}

/// A login of nobody: must cost the same.
#[bench]
fn decoy(bencher: Bencher<'_, '_>) {
    let password = Secret::new("correct horse battery staple");
    let decoy = Decoy::new([7; 16], Cost::default());
    bencher.bench_local(|| decoy.verify(&password));
}

/// A login of a moment ago, among 100,000 of them.
#[bench]
fn remembered(bencher: Bencher<'_, '_>) {
    let password = Secret::new("correct horse battery staple");
    let Ok(stored) = stored(&password) else { return };
    let mut remembered = RememberedPasswords::new([9; 32], 100_000);
    for number in 0..100_000_u128 {
        let account = AccountId::from_bytes(number.to_be_bytes());
        remembered.remember(Tick::ZERO, Duration::from_secs(60), account, &stored, &password);
    }
    let account = AccountId::from_bytes(77_777_u128.to_be_bytes());
    bencher.bench_local(|| remembered.verify(Tick::ZERO, account, &stored, &password));
}
