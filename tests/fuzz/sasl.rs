//! Responses of SASL, one a line: whatever they hold, an exchange is over after a few, nobody gets in without a proof, and
//! the password that is looked at is the one that was sent.

use auth::sasl::{Bindings, Exchange, Mechanism, NONCE_LENGTH, Step, Terms};
use auth::{ScramVerifier, Secret};
use message::Domain;

use crate::corpus::{Octets, fuzz};

/// Whose keys nobody knows the password of.
const VERIFIER: &str = "SCRAM-SHA-256$4096:QUFBQUFBQUFBQUFBQUFBQQ==\
    $QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=:QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=";

/// Messages of the longest exchange, which is that of SCRAM.
const MAX_MESSAGES: usize = 3;

#[test]
fn sasl() {
    let verifier = ScramVerifier::from_text(VERIFIER).expect("a verifier");
    fuzz("sasl", |octets, _| {
        let responses: Vec<&[u8]> = octets.split(|octet| *octet == b'\n').collect();
        for mechanism in Mechanism::ALL {
            for has_initial in [true, false] {
                exchange(mechanism, &responses, has_initial, &verifier);
            }
        }
    });
}

fn exchange(mechanism: Mechanism, responses: &[&[u8]], has_initial: bool, verifier: &ScramVerifier) {
    let mut exchange = Exchange::new(
        mechanism,
        Terms {
            default_domain: Domain::parse(b"example.org").ok(),
            bindings: Bindings {
                exporter: Some(Secret::new([5; 32])),
                end_point: None,
            },
            plus_offered: true,
        },
    );
    let mut rest = responses.iter();
    let initial = if has_initial { rest.next().copied() } else { None };
    let mut step = exchange.begin(initial);
    for _ in 0..=MAX_MESSAGES {
        step = match step {
            Step::Challenge(challenge) => {
                // It goes out in base64, in one line of a reply.
                assert!(challenge.len() <= 370, "{:?}", Octets(challenge));
                match rest.next() {
                    Some(response) => exchange.receive(response),
                    None => return,
                }
            }
            Step::Verifier(_) => exchange.verifier(verifier.clone(), [7; NONCE_LENGTH]),
            Step::Password(_, password) => {
                return check_password(mechanism, responses, has_initial, &password);
            }
            Step::Certificate(_) => return assert_eq!(mechanism, Mechanism::External),
            Step::Proven(claimant) => panic!("{claimant:?} is let in by {mechanism:?}"),
            Step::Refused(..) => return,
        };
    }
    panic!("{mechanism:?} does not end");
}

/// The password is what a naive reading finds in the response that has it.
fn check_password(mechanism: Mechanism, responses: &[&[u8]], has_initial: bool, password: &Secret) {
    let expected = match mechanism {
        Mechanism::Plain => responses[0].rsplit(|octet| *octet == 0).next(),
        // Behind an initial response that has the name, or behind that of the second question.
        Mechanism::Login => responses.get(1).copied(),
        other => panic!("{other:?} wants a password"),
    };
    assert_eq!(
        Some(password.expose()),
        expected,
        "with an initial response: {has_initial}"
    );
}
