use proptest::prelude::*;

use super::*;

fn pencil() -> ScramVerifier {
    ScramVerifier::create(&Secret::new("pencil"), [7; SCRAM_SALT_LENGTH], 4096).unwrap()
}

#[test]
fn the_text_form_reads_back_and_shows_no_password() {
    let verifier = pencil();
    let text = verifier.to_text();
    assert!(
        text.starts_with("SCRAM-SHA-256$4096:BwcHBwcHBwcHBwcHBwcHBw==$"),
        "{text}"
    );
    assert_eq!(ScramVerifier::from_text(&text), Ok(verifier.clone()));
    let bytes = postcard::to_stdvec(&verifier).unwrap();
    assert_eq!(postcard::from_bytes::<ScramVerifier>(&bytes).unwrap(), verifier);
    assert_eq!(format!("{verifier:?}"), "ScramVerifier { iterations: 4096, .. }");
}

#[test]
fn a_barred_verifier_looks_the_same_and_fits_nothing() {
    let (verifier, decoys) = (pencil(), Decoys::new([7; 32], [], 8192));
    let barred = verifier.barred(&decoys.verifier("alice@example.org"));
    assert_eq!(
        (barred.salt(), barred.iterations()),
        (verifier.salt(), verifier.iterations())
    );
    let (client_key, _) = ScramVerifier::derive(&Secret::new("pencil"), verifier.salt(), 4096).unwrap();
    let prove = |verifier: &ScramVerifier| {
        let signature = verifier.client_signature(b"message");
        std::array::from_fn(|at| client_key[at] ^ signature[at])
    };
    assert!(verifier.accepts(b"message", &prove(&verifier)));
    // Also of a client that knew the stored key.
    for proof in [prove(&verifier), prove(&barred)] {
        assert!(!barred.accepts(b"message", &proof));
    }
}

#[test]
fn the_text_form_of_others_is_read() {
    // PostgreSQL writes the same; this is RFC 7677's example.
    let text = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==\
                $WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    let verifier = ScramVerifier::from_text(text).unwrap();
    assert_eq!(verifier.iterations(), 4096);
    assert_eq!(verifier.to_text(), text);
}

#[test]
fn what_is_no_verifier_is_refused() {
    let text = pencil().to_text();
    let check = |text: &str, why: VerifierError| {
        assert_eq!(ScramVerifier::from_text(text), Err(why), "{text}");
    };
    check("", VerifierError::Format);
    check(&text.replace("256", "1"), VerifierError::Format);
    check(&text.replace("4096", "4095"), VerifierError::Iterations);
    check(&text.replace("4096", "1"), VerifierError::Iterations);
    check(&text.replace("4096", "2147483648"), VerifierError::Iterations);
    check(&text.replace("4096", "99999999999"), VerifierError::Format);
    check(&text.replace("4096", "+4096"), VerifierError::Format);
    check(&text.replace("4096", ""), VerifierError::Format);
    check(&text.replace("BwcH", ""), VerifierError::Format);
    check(
        "SCRAM-SHA-256$4096:BwcHBwcHBwcHBwcHBwcHBw==$AAAA:AAAA",
        VerifierError::Format,
    );
    check(&format!("{text}$"), VerifierError::Format);
    check(&format!("{text} "), VerifierError::Format);
    check(&"A".repeat(10_000), VerifierError::Format);
}

#[test]
fn what_has_no_verifier_is_refused() {
    let check = |password: &str, iterations: u32, why: VerifierError| {
        let made = ScramVerifier::create(&Secret::new(password), [7; SCRAM_SALT_LENGTH], iterations);
        assert_eq!(made.err(), Some(why), "{password:?} {iterations}");
    };
    check("", 4096, VerifierError::Password);
    check("\u{7}", 4096, VerifierError::Password);
    check(&"a".repeat(1025), 4096, VerifierError::Password);
    check("pencil", 0, VerifierError::Iterations);
    check("pencil", 4095, VerifierError::Iterations);
    check("pencil", 1_000_001, VerifierError::Iterations);
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "(SCRAM-SHA-256\\$)?[0-9:$A-Za-z+/=]{0,80}|\\PC{0,40}") {
        let _ = ScramVerifier::from_text(&text);
    }
}
