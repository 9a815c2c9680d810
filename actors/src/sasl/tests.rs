use std::net::SocketAddr;

use auth::sasl::ScramClient;
use supervision::alone;

use super::*;
use crate::{
    authenticator::{Args, Authenticator},
    directory::{self, DirectoryKeeper},
    fixture::{Fixture, LOGIN, PASSWORD},
    reads::Reads,
    tree::DEFAULT_TENANT,
};

const PEER: &str = "192.0.2.1:40000";

async fn door(fixture: &Fixture) -> Sasl {
    let who = Directory::new();
    let keeper = alone::<DirectoryKeeper>(
        supervision::Settings::default(),
        directory::Args {
            tenant: DEFAULT_TENANT,
            directory: who.clone(),
            store: fixture.store.clone(),
            reads: Reads::new(1),
            scope: directory::Scope::default(),
        },
    );
    while who.snapshot().accounts() == 0 {
        tokio::task::yield_now().await;
    }
    drop(keeper);
    let mut config = config::Config::clone(&fixture.config);
    config.auth.failure_delay = Duration::ZERO;
    config.auth.free_failures = 100;
    let authenticator = alone::<Authenticator>(
        supervision::Settings::default(),
        Args {
            clock: fixture.clock,
            directory: who.clone(),
            config: Arc::new(config),
        },
    );
    let origin = Origin {
        peer: PEER.parse::<SocketAddr>().unwrap(),
        connection: fixture.mint.id(),
        protocol: Protocol::Smtp,
    };
    let logins = Logins {
        authenticator,
        directory: who,
        default_domain: Some(Domain::parse(b"example.org").unwrap()),
        limits: Limits::new(&fixture.config, fixture.clock),
    };
    Sasl::new(origin, logins)
}

fn challenge(answer: Answer) -> String {
    match answer {
        Answer::Challenge(octets) => String::from_utf8(octets.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn entrant(answer: Answer) -> (AccountId, String, String) {
    match answer {
        Answer::In(entrant) => (
            entrant.account,
            entrant.name.to_string(),
            entrant.mechanism.to_string(),
        ),
        other => panic!("{other:?}"),
    }
}

fn denial(answer: Answer) -> Denial {
    match answer {
        Answer::Out(denial) => denial,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn names_and_passwords_come_in() {
    let fixture = Fixture::new().await;
    let mut door = door(&fixture).await;
    let plain = format!("\0alice\0{PASSWORD}");
    let answer = door
        .begin("PLAIN", Some(plain.as_bytes()), Channel::default())
        .await;
    let expected = |mechanism: &str| (fixture.account, LOGIN.to_owned(), mechanism.to_owned());
    assert_eq!(entrant(answer), expected("PLAIN"));
    let answer = door.begin("LOGIN", None, Channel::default()).await;
    assert_eq!(challenge(answer), "Username:");
    assert_eq!(challenge(door.respond(b"Alice+tag").await), "Password:");
    assert_eq!(
        entrant(door.respond(PASSWORD.as_bytes()).await),
        expected("LOGIN")
    );
    let answer = door
        .password("alice".to_owned(), Secret::new(PASSWORD), "USER")
        .await;
    assert_eq!(entrant(answer), expected("USER"));
}

/// Attack 27.
#[tokio::test]
async fn whatever_else_is_said_does_not() {
    let fixture = Fixture::new().await;
    let mut door = door(&fixture).await;
    for (message, expected) in [
        ("\0alice\0wrong", Denial::Wrong),
        ("\0nobody\0secret", Denial::Wrong),
        ("bob@example.org\0alice\0secret", Denial::Wrong),
        ("alice\0secret", Denial::Malformed),
        ("\0alice\0secret\0", Denial::Malformed),
        ("", Denial::Malformed),
    ] {
        let answer = door
            .begin("PLAIN", Some(message.as_bytes()), Channel::default())
            .await;
        assert_eq!(denial(answer), expected, "{message:?}");
    }
    let answer = door.begin("CRAM-MD5", None, Channel::default()).await;
    assert_eq!(denial(answer), Denial::Malformed);
    assert_eq!(denial(door.respond(b"out of turn").await), Denial::Later);
}

/// Who knows the password of a suspended account is told what everybody is told, and sees no other salt than before.
#[tokio::test]
async fn nobody_comes_in_to_a_suspended_account() {
    use store::command::{AddAppPassword, Command, SuspendAccount};
    let fixture = Fixture::new().await;
    let (tenant, account) = (DEFAULT_TENANT, fixture.account);
    let program = auth::AppPassword::generate([9; 15]);
    let add = AddAppPassword {
        tenant,
        account,
        app_password: store::record::directory::AppPassword {
            name: "telephone".to_owned(),
            hash: program.hash(),
            protocols: None,
            created: fixture.clock.timestamp(),
            expires: None,
        },
    };
    let commands = |command| fixture.store.propose(fixture.proposal(command));
    commands(Command::AddAppPassword(add)).await.unwrap();
    let salt = |told: &str| {
        told.split(',')
            .find(|part| part.starts_with("s="))
            .unwrap()
            .to_owned()
    };
    let ask = async |door: &mut Sasl| {
        let client = ScramClient::new("alice", "nonce", None);
        let first = client.first();
        let answer = door
            .begin("SCRAM-SHA-256", Some(first.as_bytes()), Channel::default())
            .await;
        (client, challenge(answer))
    };
    let mut before = door(&fixture).await;
    let opened = before
        .password("alice".to_owned(), Secret::new(program.reveal().as_str()), "USER")
        .await;
    assert_eq!(entrant(opened).0, account);
    let (_, told_before) = ask(&mut before).await;

    let refuses_mail = false;
    let suspend = SuspendAccount {
        tenant,
        account,
        refuses_mail,
    };
    commands(Command::SuspendAccount(suspend)).await.unwrap();
    let mut door = door(&fixture).await;
    for password in [PASSWORD, program.reveal().as_str(), "wrong"] {
        let answer = door
            .password("alice".to_owned(), Secret::new(password), "USER")
            .await;
        assert_eq!(denial(answer), Denial::Wrong, "{password}");
    }
    let (client, told) = ask(&mut door).await;
    assert_eq!(salt(&told), salt(&told_before));
    // Not even the signature that follows a right proof.
    let proof = client.prove(&told, &Secret::new(PASSWORD)).unwrap();
    let answer = door.respond(proof.message.as_bytes()).await;
    assert_eq!(denial(answer), Denial::Wrong);
    let channel = Channel {
        client: vec![LOGIN.to_owned()],
        ..Channel::default()
    };
    let answer = door.begin("EXTERNAL", Some(b""), channel).await;
    assert_eq!(denial(answer), Denial::Wrong);
}

#[tokio::test]
async fn a_proof_comes_in_and_a_decoy_never_does() {
    let fixture = Fixture::new().await;
    let mut door = door(&fixture).await;
    for (name, password, comes_in) in [
        ("alice", PASSWORD, true),
        ("alice", "wrong", false),
        ("nobody", PASSWORD, false),
    ] {
        let client = ScramClient::new(name, "nonce", None);
        let answer = door
            .begin(
                "SCRAM-SHA-256",
                Some(client.first().as_bytes()),
                Channel::default(),
            )
            .await;
        let told = challenge(answer);
        assert!(told.ends_with(",i=4096"), "{told}");
        let proof = client.prove(&told, &Secret::new(password)).unwrap();
        let answer = door.respond(proof.message.as_bytes()).await;
        if comes_in {
            assert!(proof.is_answered_by(&challenge(answer)));
            let (account, ..) = entrant(door.respond(b"").await);
            assert_eq!(account, fixture.account);
        } else {
            assert_eq!(denial(answer), Denial::Wrong, "{name} {password}");
        }
    }
}

#[tokio::test]
async fn a_certificate_speaks_for_its_mailbox() {
    let fixture = Fixture::new().await;
    let mut door = door(&fixture).await;
    let channel = |names: &[&str]| Channel {
        client: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Channel::default()
    };
    let answer = door
        .begin(
            "EXTERNAL",
            Some(b""),
            channel(&["Alice@example.org", "x@example.org"]),
        )
        .await;
    assert_eq!(entrant(answer).0, fixture.account);
    let answer = door
        .begin("EXTERNAL", Some(b"alice"), channel(&["alice@example.org"]))
        .await;
    assert_eq!(entrant(answer).1, LOGIN);
    for (name, names) in [
        ("bob", &["alice@example.org"][..]),
        ("", &["bob@example.org"]),
        ("", &[]),
        ("alice", &[]),
        // A name without a domain is not completed in a certificate.
        ("", &["alice"]),
    ] {
        let answer = door
            .begin("EXTERNAL", Some(name.as_bytes()), channel(names))
            .await;
        assert_eq!(denial(answer), Denial::Wrong, "{name} {names:?}");
    }
}

#[test]
fn what_is_offered_depends_on_the_door() {
    let mut config = config::Config::of(config::Profile::Development);
    let mut listener = config.listeners.get("pop3").unwrap().clone();
    let tls = [
        "SCRAM-SHA-256-PLUS",
        "SCRAM-SHA-256",
        "EXTERNAL",
        "PLAIN",
        "LOGIN",
    ];
    let clear = ["SCRAM-SHA-256", "PLAIN", "LOGIN"];
    for (plaintext, loopback, is_offered) in [
        (PlaintextAuth::Never, true, false),
        (PlaintextAuth::Loopback, false, false),
        (PlaintextAuth::Loopback, true, true),
        (PlaintextAuth::Always, false, true),
    ] {
        listener.plaintext_auth = plaintext;
        let offer = Offer::of(&config, &listener, loopback);
        assert_eq!(offer.tls, tls);
        assert_eq!(
            offer.clear,
            if is_offered { &clear[..] } else { &[] },
            "{plaintext} {loopback}"
        );
    }
    config.auth.scram = false;
    assert_eq!(Offer::of(&config, &listener, true).clear, ["PLAIN", "LOGIN"]);
    let mx = config.listeners.get("mx").unwrap();
    assert_eq!(Offer::of(&config, mx, true), Offer::default());
}
