use std::sync::LazyLock;

use base64ct::{Base64, Encoding};
use proptest::prelude::*;
use ring::{hmac, pbkdf2};

use super::*;

const EXPORTER: [u8; 32] = [5; 32];

fn terms() -> Terms {
    Terms {
        default_domain: Some(Domain::parse(b"example.org").unwrap()),
        bindings: Bindings {
            exporter: Some(Secret::new(EXPORTER)),
            end_point: None,
        },
        plus_offered: true,
    }
}

fn begin(mechanism: Mechanism, initial: &[u8]) -> Step {
    Exchange::new(mechanism, terms()).begin(Some(initial))
}

fn refused(step: &Step) -> Refusal {
    match step {
        Step::Refused(_, why) => *why,
        other => panic!("{other:?}"),
    }
}

fn challenge(step: Step) -> String {
    match step {
        Step::Challenge(octets) => String::from_utf8(octets).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn mechanisms_have_names() {
    for mechanism in Mechanism::ALL {
        assert_eq!(Mechanism::of_name(mechanism.name()), Some(mechanism));
    }
    assert_eq!(Mechanism::of_name("plain"), Some(Mechanism::Plain));
    assert_eq!(Mechanism::of_name("CRAM-MD5"), None);
    assert_eq!(Mechanism::of_name(""), None);
}

#[test]
fn plain_has_two_nulls_and_acts_for_nobody_else() {
    let check = |message: &[u8], expected: Result<(&str, &str), Option<Refusal>>| {
        let step = begin(Mechanism::Plain, message);
        match (&step, expected) {
            (Step::Password(claimant, password), Ok((name, secret))) => {
                assert_eq!(claimant.login().map(crate::Login::as_str), Some(name));
                assert_eq!(password.expose(), secret.as_bytes());
            }
            (Step::Refused(_, Refusal::Malformed(_)), Err(None)) => {}
            (Step::Refused(_, why), Err(Some(expected))) => assert_eq!(*why, expected),
            _ => panic!("{message:?}: {step:?}"),
        }
    };
    let ada = "ada@example.org";
    check(b"\0ada\0secret", Ok((ada, "secret")));
    check(b"ada@example.org\0Ada+x\0secret", Ok((ada, "secret")));
    check(b"bob@example.org\0ada\0secret", Err(Some(Refusal::OtherAccount)));
    check(
        b"ada@other.example\0ada\0secret",
        Err(Some(Refusal::OtherAccount)),
    );
    for malformed in [
        &b""[..],
        b"ada secret",
        b"ada\0secret",
        b"\0ada\0secret\0",
        b"\0ada\0sec\0ret",
        b"\0\0secret",
        b"\0ada\0",
        b"\0\xc0\x80ada\0secret",
        b"\0ada\0\xff",
        b"\xed\xa0\x80\0ada\0secret",
    ] {
        check(malformed, Err(None));
    }
    check(&[b'a'; 64 * 1024], Err(None));
    let long = [b"\0ada\0".as_slice(), &[b'a'; 1025]].concat();
    check(&long, Err(None));
}

#[test]
fn names_that_only_look_alike_are_others() {
    // SASLprep would make one of all; a name is compared in NFC and lower case and no further.
    for name in ["ａda", "a\u{ad}da", "ad\u{430}", "ada\u{200b}"] {
        let message = format!("\0{name}\0secret");
        let Step::Password(claimant, _) = begin(Mechanism::Plain, message.as_bytes()) else {
            panic!("{name}");
        };
        assert_ne!(claimant.key(), "ada@example.org", "{name}");
    }
}

#[test]
fn login_asks_for_name_and_password() {
    let mut exchange = Exchange::new(Mechanism::Login, terms());
    assert_eq!(challenge(exchange.begin(None)), "Username:");
    assert_eq!(challenge(exchange.receive(b"ada")), "Password:");
    let step = exchange.receive(b"secret");
    assert!(
        matches!(&step, Step::Password(name, password) if name.key() == "ada@example.org" && password.expose() == b"secret"),
        "{step:?}"
    );
    // It is over.
    assert!(matches!(
        refused(&exchange.receive(b"secret")),
        Refusal::Malformed(_)
    ));

    let mut exchange = Exchange::new(Mechanism::Login, terms());
    assert_eq!(challenge(exchange.begin(Some(b"ada"))), "Password:");
    assert!(matches!(refused(&exchange.receive(b"")), Refusal::Malformed(_)));
    assert!(matches!(
        refused(&begin(Mechanism::Login, b"a\0b")),
        Refusal::Malformed(_)
    ));
}

#[test]
fn external_names_an_account_or_none() {
    assert!(matches!(begin(Mechanism::External, b""), Step::Certificate(None)));
    let step = begin(Mechanism::External, b"ada");
    assert!(matches!(&step, Step::Certificate(Some(name)) if name.key() == "ada@example.org"));
    assert!(matches!(
        refused(&begin(Mechanism::External, b"\xff")),
        Refusal::Malformed(_)
    ));
    let mut late = Exchange::new(Mechanism::External, terms());
    assert_eq!(challenge(late.begin(None)), "");
    assert!(matches!(late.receive(b""), Step::Certificate(None)));
}

/// A client of SCRAM-SHA-256 that says what a test wants it to say.
struct Client {
    header: String,
    bare: String,
    bound: Vec<u8>,
}

impl Client {
    fn new(header: &str, bound: &[u8]) -> Self {
        Self {
            header: header.to_owned(),
            bare: "n=ada,r=clientnonce".to_owned(),
            bound: bound.to_vec(),
        }
    }

    fn first(&self) -> Vec<u8> {
        format!("{}{}", self.header, self.bare).into_bytes()
    }

    fn last(&self, challenge: &str, password: &str) -> Vec<u8> {
        let field = |prefix: &str| {
            challenge
                .split(',')
                .find_map(|part| part.strip_prefix(prefix))
                .unwrap()
                .to_owned()
        };
        let salt = Base64::decode_vec(&field("s=")).unwrap();
        let mut salted = [0; 32];
        let iterations = field("i=").parse().unwrap();
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            iterations,
            &salt,
            password.as_bytes(),
            &mut salted,
        );
        let sign = |key: &[u8], octets: &[u8]| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), octets)
                .as_ref()
                .to_vec()
        };
        let client_key = sign(&salted, b"Client Key");
        let stored_key = ring::digest::digest(&ring::digest::SHA256, &client_key);
        let binding = Base64::encode_string(&[self.header.as_bytes(), &self.bound].concat());
        let unproven = format!("c={binding},r={}", field("r="));
        let signature = sign(
            stored_key.as_ref(),
            format!("{},{challenge},{unproven}", self.bare).as_bytes(),
        );
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        format!("{unproven},p={}", Base64::encode_string(&proof)).into_bytes()
    }
}

fn stored() -> ScramVerifier {
    static STORED: LazyLock<ScramVerifier> =
        LazyLock::new(|| ScramVerifier::create(&Secret::new("secret"), [7; 16], 4096).unwrap());
    STORED.clone()
}

/// Runs a whole exchange.
fn run(mechanism: Mechanism, client: &Client, password: &str) -> Result<String, Refusal> {
    let mut exchange = Exchange::new(mechanism, terms());
    match exchange.begin(Some(&client.first())) {
        Step::Verifier(claimant) => assert_eq!(claimant.key(), "ada@example.org"),
        step => return Err(refused(&step)),
    }
    let told = challenge(exchange.verifier(stored(), [9; NONCE_LENGTH]));
    match exchange.receive(&client.last(&told, password)) {
        Step::Challenge(last) => assert!(last.starts_with(b"v=")),
        step => return Err(refused(&step)),
    }
    match exchange.receive(b"") {
        Step::Proven(claimant) => Ok(claimant.key().to_owned()),
        step => Err(refused(&step)),
    }
}

#[test]
fn scram_proves_a_password_that_is_never_sent() {
    let ada = || Ok("ada@example.org".to_owned());
    let plain = Client::new("n,,", b"");
    assert_eq!(run(Mechanism::ScramSha256, &plain, "secret"), ada());
    assert_eq!(run(Mechanism::ScramSha256, &plain, "Secret"), Err(Refusal::Proof));
    let acting = Client::new("n,a=ADA@example.org,", b"");
    assert_eq!(run(Mechanism::ScramSha256, &acting, "secret"), ada());
    let other = Client::new("n,a=bob@example.org,", b"");
    assert_eq!(
        run(Mechanism::ScramSha256, &other, "secret"),
        Err(Refusal::OtherAccount)
    );
    let bound = Client::new("p=tls-exporter,,", &EXPORTER);
    assert_eq!(run(Mechanism::ScramSha256Plus, &bound, "secret"), ada());
}

#[test]
fn scram_is_not_talked_down() {
    use Mechanism::{ScramSha256, ScramSha256Plus};
    let check = |mechanism, header: &str, bound: &[u8], expected: Refusal| {
        let ran = run(mechanism, &Client::new(header, bound), "secret");
        assert_eq!(ran, Err(expected), "{header}");
    };
    let other = Refusal::Malformed("the channel binding flag of another mechanism");
    // It could bind, and was told that we cannot.
    check(ScramSha256, "y,,", b"", Refusal::Downgrade);
    check(ScramSha256Plus, "y,,", b"", Refusal::Downgrade);
    check(ScramSha256Plus, "n,,", b"", other);
    check(ScramSha256, "p=tls-exporter,,", &EXPORTER, other);
    // Bound to another connection, to none, or in a way that we have not.
    check(ScramSha256Plus, "p=tls-exporter,,", &[6; 32], Refusal::Binding);
    check(ScramSha256Plus, "p=tls-exporter,,", b"", Refusal::Binding);
    check(
        ScramSha256Plus,
        "p=tls-server-end-point,,",
        &EXPORTER,
        Refusal::Binding,
    );
    check(ScramSha256Plus, "p=tls-unique,,", &EXPORTER, Refusal::Binding);
    // A binding where none was announced.
    check(ScramSha256, "n,,", &EXPORTER, Refusal::Binding);
}

#[test]
fn where_no_binding_was_offered_nobody_was_lied_to() {
    let terms = Terms {
        plus_offered: false,
        bindings: Bindings::default(),
        ..terms()
    };
    let mut exchange = Exchange::new(Mechanism::ScramSha256, terms);
    let step = exchange.begin(Some(&Client::new("y,,", b"").first()));
    assert!(matches!(step, Step::Verifier(_)));
}

#[test]
fn a_proof_is_good_once_and_unchanged() {
    let client = Client::new("n,,", b"");
    let answer = |change: &dyn Fn(String) -> String| {
        let mut exchange = Exchange::new(Mechanism::ScramSha256, terms());
        exchange.begin(Some(&client.first()));
        let told = challenge(exchange.verifier(stored(), [9; NONCE_LENGTH]));
        let last = change(String::from_utf8(client.last(&told, "secret")).unwrap());
        let step = exchange.receive(last.as_bytes());
        assert!(matches!(step, Step::Challenge(_) | Step::Refused(..)));
        matches!(step, Step::Challenge(_))
    };
    assert!(answer(&|last| last));
    let nonce = Base64::encode_string(&[9; NONCE_LENGTH]);
    // The nonce of another exchange, the client's alone, ours alone; a flag that differs; a part that is added.
    assert!(!answer(
        &|last| last.replace(&nonce, &Base64::encode_string(&[8; NONCE_LENGTH]))
    ));
    assert!(!answer(&|last| last.replace(&nonce, "")));
    assert!(!answer(&|last| last.replace("clientnonce", "")));
    assert!(!answer(&|last| last.replace("c=biws", "c=eSws")));
    assert!(!answer(&|last| last.replace(",p=", ",x=y,p=")));
    assert!(!answer(&|last| last.replace(",p=", ",m=y,p=")));
    assert!(!answer(&|last| last.replace("p=", "i=1,p=")));
    assert!(!answer(&|last| last.replace(",p=", ",q=")));
    assert!(!answer(&|last| format!("{last},x=y")));
    assert!(!answer(&|_| String::new()));
}

#[test]
fn nothing_is_proven_out_of_turn() {
    let client = Client::new("n,,", b"");
    let mut exchange = Exchange::new(Mechanism::ScramSha256, terms());
    assert!(matches!(
        exchange.verifier(stored(), [9; NONCE_LENGTH]),
        Step::Refused(None, _)
    ));
    let mut exchange = Exchange::new(Mechanism::ScramSha256, terms());
    assert_eq!(challenge(exchange.begin(None)), "");
    exchange.receive(&client.first());
    // A response while the verifier is looked for.
    assert!(matches!(exchange.receive(b""), Step::Refused(None, _)));
    let mut exchange = Exchange::new(Mechanism::ScramSha256, terms());
    exchange.begin(Some(&client.first()));
    let told = challenge(exchange.verifier(stored(), [9; NONCE_LENGTH]));
    exchange.receive(&client.last(&told, "secret"));
    assert!(matches!(exchange.receive(b"x"), Step::Refused(Some(_), _)));
    assert!(matches!(exchange.receive(b""), Step::Refused(None, _)));
}

proptest! {
    #[test]
    fn any_messages_are_taken_without_panic(
        mechanism in prop::sample::select(Mechanism::ALL.to_vec()),
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..4),
    ) {
        let mut exchange = Exchange::new(mechanism, terms());
        for message in messages {
            if let Step::Verifier(_) = exchange.receive(&message) {
                exchange.verifier(stored(), [9; NONCE_LENGTH]);
            }
        }
    }

    #[test]
    fn whatever_resembles_scram_is_taken_without_panic_and_proves_nothing(
        first in "(n|y|p=[a-z-]{0,20}),(a=[a-z=23CD]{0,8})?,[nmr]=[a-z=,23CD]{0,12},r=[!-~]{0,20}",
        last in "c=[A-Za-z0-9+/=]{0,16},r=[!-~]{0,30},p=[A-Za-z0-9+/=]{0,60}",
    ) {
        let mut exchange = Exchange::new(Mechanism::ScramSha256, terms());
        exchange.receive(first.as_bytes());
        exchange.verifier(stored(), [9; NONCE_LENGTH]);
        let step = exchange.receive(last.as_bytes());
        prop_assert!(matches!(step, Step::Refused(..)), "{:?}", step);
    }
}
