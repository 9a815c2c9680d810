//! What a log-in by SCRAM costs: the server's half, a decoy, and what the client pays.

use auth::sasl::{Exchange, Mechanism, NONCE_LENGTH, ScramClient, Step, Terms};
use auth::verifier::{DECOY_KEY_LENGTH, SCRAM_SALT_LENGTH};
use auth::{Decoys, ScramVerifier, Secret};
use divan::{Bencher, bench};

const NONCE: [u8; NONCE_LENGTH] = [9; NONCE_LENGTH];

fn main() {
    divan::main();
}

fn begin(client: &ScramClient, verifier: &ScramVerifier) -> (Exchange, Step) {
    let mut exchange = Exchange::new(Mechanism::ScramSha256, Terms::default());
    exchange.begin(Some(client.first().as_bytes()));
    let challenge = exchange.verifier(verifier.clone(), NONCE);
    (exchange, challenge)
}

/// A whole log-in, as the server does it.
#[bench]
fn log_in(bencher: Bencher<'_, '_>) {
    let password = Secret::new("correct horse battery staple");
    let Ok(verifier) = ScramVerifier::create(&password, [7; SCRAM_SALT_LENGTH], 10_000) else {
        return;
    };
    let client = ScramClient::new("ada@example.org", "clientnonce", None);
    let (_, Step::Challenge(challenge)) = begin(&client, &verifier) else {
        return;
    };
    let Some(proof) = client.prove(&String::from_utf8_lossy(&challenge), &password) else {
        return;
    };
    bencher.bench_local(|| {
        let (mut exchange, _) = begin(&client, &verifier);
        exchange.receive(proof.message.as_bytes());
        assert!(matches!(exchange.receive(b""), Step::Proven(_)));
    });
}

/// What is shown of an account that is not there.
#[bench]
fn decoy(bencher: Bencher<'_, '_>) {
    let decoys = Decoys::new([7; DECOY_KEY_LENGTH], [], 10_000);
    bencher.bench_local(|| decoys.verifier("nobody@example.org"));
}

/// What the client pays, and who sets a password.
#[bench(args = [4096, 10_000, 100_000])]
fn verifier(bencher: Bencher<'_, '_>, iterations: u32) {
    let password = Secret::new("correct horse battery staple");
    bencher.bench_local(|| ScramVerifier::create(&password, [7; SCRAM_SALT_LENGTH], iterations));
}
