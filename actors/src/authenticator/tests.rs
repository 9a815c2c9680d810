use std::net::Ipv4Addr;

use auth::AppPassword;
use message::time::Timestamp;
use store::{
    command::{AddAppPassword, Command, SetPassword},
    record::directory as records,
};
use supervision::{Address, Value, alone};

use super::*;
use crate::{
    directory::{self, DirectoryKeeper},
    fixture::{Fixture, LOGIN, PASSWORD},
    reads::Reads,
    tree::DEFAULT_TENANT,
};

const LIMIT: Duration = Duration::from_secs(60);
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));

async fn up(fixture: &Fixture, change: impl FnOnce(&mut config::Auth)) -> Address<Msg> {
    let who = Directory::new();
    let keeper = directory::Args {
        tenant: DEFAULT_TENANT,
        directory: who.clone(),
        store: fixture.store.clone(),
        reads: Reads::new(1),
        scope: directory::Scope::default(),
    };
    let keeper = alone::<DirectoryKeeper>(supervision::Settings::default(), keeper);
    // It has read the store when it is up.
    while who.snapshot().accounts() == 0 {
        tokio::task::yield_now().await;
    }
    drop(keeper);
    let mut config = config::Config::clone(&fixture.config);
    config.auth.failure_delay = Duration::ZERO;
    change(&mut config.auth);
    let args = Args {
        clock: fixture.clock,
        directory: who,
        config: Arc::new(config),
    };
    alone::<Authenticator>(supervision::Settings::default(), args)
}

fn attempt(login: &str, peer: IpAddr) -> Attempt {
    Attempt {
        claimant: Claimant::new(login, None),
        peer,
        protocol: Protocol::Pop3,
    }
}

async fn verify(authenticator: &Address<Msg>, attempt: Attempt, password: &str) -> Verdict {
    let password = Secret::new(password);
    let asked = authenticator.call(LIMIT, |reply| Msg::Verify {
        attempt,
        password,
        reply,
    });
    asked.await.unwrap()
}

async fn look(authenticator: &Address<Msg>, login: &str) -> Looked {
    let attempt = attempt(login, PEER);
    let asked = authenticator.call(LIMIT, |reply| Msg::Look { attempt, reply });
    asked.await.unwrap()
}

async fn fail(authenticator: &Address<Msg>, attempt: Attempt) {
    let asked = authenticator.call(LIMIT, |reply| Msg::Failed { attempt, reply });
    asked.await.unwrap();
}

async fn hashes(authenticator: &Address<Msg>) -> u64 {
    let inspection = authenticator.inspect().await.unwrap();
    match inspection.value("hashes") {
        Some(Value::Number(hashes)) => *hashes,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn only_the_password_of_the_account_fits() {
    let fixture = Fixture::new().await;
    let authenticator = up(&fixture, |auth| auth.free_failures = 100).await;
    for (login, password, fits) in [
        (LOGIN, PASSWORD, true),
        ("ALICE@Example.ORG", PASSWORD, true),
        ("alice+tag@example.org", PASSWORD, true),
        (LOGIN, "Secret", false),
        (LOGIN, "", false),
        ("bob@example.org", PASSWORD, false),
        ("alice", PASSWORD, false),
        ("", "", false),
        // Remembered now, and no less exact for that.
        (LOGIN, PASSWORD, true),
        (LOGIN, "secret ", false),
    ] {
        let expected = if fits {
            Verdict::Fits(fixture.account)
        } else {
            Verdict::Refused
        };
        assert_eq!(
            verify(&authenticator, attempt(login, PEER), password).await,
            expected,
            "{login} {password}"
        );
    }
}

/// Attacks 13 and 28: who is here is told neither by words nor by work.
#[tokio::test]
async fn every_refusal_costs_one_hash() {
    let fixture = Fixture::new().await;
    for number in 0..20 {
        add_app_password(&fixture, &format!("program {number}"), None, None).await;
    }
    let authenticator = up(&fixture, |auth| auth.free_failures = 100).await;
    for (count, (login, password)) in (0..).zip([
        (LOGIN, "wrong"),
        ("nobody@example.org", "wrong"),
        ("nobody@elsewhere.example", "wrong"),
        ("no name", "wrong"),
        // In the form of a program's password, and none.
        (LOGIN, "0123-4567-89ab-cdef-ghjk-mnpq"),
        ("nobody@example.org", "0123-4567-89ab-cdef-ghjk-mnpq"),
    ]) {
        let verdict = verify(&authenticator, attempt(login, PEER), password).await;
        assert_eq!(verdict, Verdict::Refused, "{login}");
        assert_eq!(hashes(&authenticator).await, count + 1, "{login}");
    }
}

#[tokio::test]
async fn the_password_of_a_program_opens_what_it_may_while_it_may() {
    let fixture = Fixture::new().await;
    let past = Timestamp::from_millis(1);
    let everything = add_app_password(&fixture, "everything", None, None).await;
    let pop3 = add_app_password(&fixture, "fetches", Some(Protocol::Pop3), None).await;
    let smtp = add_app_password(&fixture, "sends", Some(Protocol::Smtp), None).await;
    let over = add_app_password(&fixture, "over", None, Some(past)).await;
    let authenticator = up(&fixture, |auth| auth.free_failures = 100).await;
    let me = || attempt(LOGIN, PEER);
    let fits = Verdict::Fits(fixture.account);
    assert_eq!(verify(&authenticator, me(), &everything).await, fits);
    assert_eq!(
        verify(&authenticator, me(), &everything.to_uppercase().replace('-', " ")).await,
        fits
    );
    assert_eq!(verify(&authenticator, me(), &pop3).await, fits);
    assert_eq!(hashes(&authenticator).await, 0, "they cost no Argon2id");
    assert_eq!(verify(&authenticator, me(), &smtp).await, Verdict::Refused);
    assert_eq!(verify(&authenticator, me(), &over).await, Verdict::Refused);
    let other = attempt("bob@example.org", PEER);
    assert_eq!(verify(&authenticator, other, &everything).await, Verdict::Refused);
    assert_eq!(verify(&authenticator, me(), PASSWORD).await, fits);
}

#[tokio::test]
async fn a_verifier_is_shown_of_everybody() {
    let fixture = Fixture::new().await;
    let authenticator = up(&fixture, |_| {}).await;
    let mut salts = Vec::new();
    for login in [
        LOGIN,
        "nobody@example.org",
        "no name",
        LOGIN,
        "nobody@example.org",
    ] {
        let Looked::Verifier {
            account, verifier, ..
        } = look(&authenticator, login).await
        else {
            panic!("{login}");
        };
        assert_eq!(account.is_some(), login == LOGIN, "{login}");
        assert_eq!(
            (verifier.iterations(), verifier.salt().len()),
            (4096, 16),
            "{login}"
        );
        salts.push(verifier.salt().to_vec());
    }
    assert_eq!(salts[0], salts[3]);
    assert_eq!(salts[1], salts[4], "a decoy is stable");
    assert_ne!(salts[1], salts[2]);
}

#[tokio::test]
async fn an_account_without_password_is_as_good_as_none() {
    let fixture = Fixture::new().await;
    let nothing = Command::SetPassword(SetPassword {
        tenant: DEFAULT_TENANT,
        account: fixture.account,
        password: None,
    });
    fixture.store.propose(fixture.proposal(nothing)).await.unwrap();
    let program = add_app_password(&fixture, "program", None, None).await;
    let authenticator = up(&fixture, |_| {}).await;
    let refused = verify(&authenticator, attempt(LOGIN, PEER), PASSWORD).await;
    assert_eq!(refused, Verdict::Refused);
    assert_eq!(hashes(&authenticator).await, 1);
    assert!(matches!(
        look(&authenticator, LOGIN).await,
        Looked::Verifier { account: None, .. }
    ));
    let fits = verify(&authenticator, attempt(LOGIN, PEER), &program).await;
    assert_eq!(fits, Verdict::Fits(fixture.account));
}

/// Attack 28.
#[tokio::test]
async fn a_guesser_is_put_off_and_the_owner_is_not() {
    let fixture = Fixture::new().await;
    let authenticator = up(&fixture, |auth| auth.account_delay = Duration::ZERO).await;
    for _ in 0..15 {
        fail(&authenticator, attempt(LOGIN, PEER)).await;
    }
    // Somebody has come in from the guesser's address before.
    let bob = attempt("bob@example.org", PEER);
    authenticator.cast(Msg::Proven(bob.clone())).unwrap();
    // What was tried after the last failure has paid for it: its pause is before the next.
    look(&authenticator, "x@example.org").await;
    let put_off = verify(&authenticator, attempt(LOGIN, PEER), PASSWORD).await;
    assert_eq!(put_off, Verdict::TooSoon, "even with the right one");
    assert!(matches!(look(&authenticator, LOGIN).await, Looked::TooSoon));
    let elsewhere = verify(&authenticator, attempt(LOGIN, ELSEWHERE), PASSWORD).await;
    assert_eq!(elsewhere, Verdict::Fits(fixture.account));
    assert_eq!(
        verify(&authenticator, bob, "wrong").await,
        Verdict::Refused,
        "heard"
    );
}

#[tokio::test(start_paused = true)]
async fn strangers_at_an_account_under_attack_wait_for_no_longer_than_the_bound() {
    let fixture = Fixture::new().await;
    let authenticator = up(&fixture, |_| {}).await;
    for host in 1..=40 {
        let from = IpAddr::V4(Ipv4Addr::new(10, host, 0, 1));
        fail(&authenticator, attempt(LOGIN, from)).await;
    }
    let start = tokio::time::Instant::now();
    let verdict = verify(&authenticator, attempt(LOGIN, ELSEWHERE), PASSWORD).await;
    assert_eq!(verdict, Verdict::Fits(fixture.account));
    let waited = start.elapsed();
    assert!(waited >= Duration::from_secs(5), "{waited:?}");
    assert!(waited < Duration::from_secs(7), "{waited:?}");
    // From now on it is at home there.
    let start = tokio::time::Instant::now();
    verify(&authenticator, attempt(LOGIN, ELSEWHERE), PASSWORD).await;
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn one_guesser_does_not_fill_the_room() {
    let fixture = Fixture::new().await;
    let authenticator = up(&fixture, |auth| {
        auth.max_waiting = 8;
        auth.max_waiting_per_address = 2;
        auth.free_failures = 1000;
        auth.workers = 1;
    })
    .await;
    let mut flood = JoinSet::new();
    for _ in 0..50 {
        let authenticator = authenticator.clone();
        flood.spawn(async move { verify(&authenticator, attempt(LOGIN, PEER), "wrong").await });
    }
    let honest = verify(&authenticator, attempt(LOGIN, ELSEWHERE), PASSWORD).await;
    assert_eq!(honest, Verdict::Fits(fixture.account));
    let verdicts = flood.join_all().await;
    let busy = verdicts
        .iter()
        .filter(|verdict| **verdict == Verdict::Busy)
        .count();
    let refused = verdicts
        .iter()
        .filter(|verdict| **verdict == Verdict::Refused)
        .count();
    assert_eq!(busy + refused, 50);
    assert!(busy > 0 && refused > 0, "{busy} {refused}");
}

#[tokio::test]
async fn whoever_finds_no_place_to_wait_is_told_so() {
    let fixture = Fixture::new().await;
    let authenticator = up(&fixture, |auth| auth.max_waiting = 0).await;
    let verdict = verify(&authenticator, attempt(LOGIN, PEER), PASSWORD).await;
    assert_eq!(verdict, Verdict::Busy);
}

async fn add_app_password(
    fixture: &Fixture,
    name: &str,
    protocol: Option<Protocol>,
    expires: Option<Timestamp>,
) -> String {
    let password = AppPassword::generate(rand::random());
    let add = Command::AddAppPassword(AddAppPassword {
        tenant: DEFAULT_TENANT,
        account: fixture.account,
        app_password: records::AppPassword {
            name: name.to_owned(),
            hash: password.hash(),
            protocols: protocol.map(|protocol| vec![protocol]),
            created: fixture.clock.timestamp(),
            expires,
        },
    });
    fixture.store.propose(fixture.proposal(add)).await.unwrap();
    password.reveal().to_string()
}
