use proptest::prelude::*;

use super::*;

const LIMITS: PaceLimits = PaceLimits {
    free_failures: 5,
    forget: Duration::from_secs(300),
    address_pause: Duration::from_secs(60),
    account_delay: Duration::from_secs(5),
};
const NOTHING: Admission = Admission::After(Duration::ZERO);
const ATTACKER: &str = "192.0.2.66";
const ELSEWHERE: &str = "198.51.100.1";

fn peer(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn ada() -> Claimant {
    Claimant::new("ada@example.org", None)
}

fn bob() -> Claimant {
    Claimant::new("bob@example.org", None)
}

fn at(secs: u64) -> Tick {
    Tick::ZERO + Duration::from_secs(secs)
}

/// Somebody fails as often as it is admitted within a time; says how often.
fn guess(pace: &mut Pace, from: &str, who: &Claimant, start: u64, secs: u64) -> u32 {
    let mut guesses = 0;
    for second in start..start + secs {
        // Twenty connections at once.
        for _ in 0..20 {
            if pace.admit(at(second), peer(from), who) != Admission::TooSoon {
                pace.fail(at(second), peer(from), who);
                guesses += 1;
            }
        }
    }
    guesses
}

#[test]
fn a_guesser_is_slowed_more_and_more() {
    let mut pace = Pace::new(LIMITS);
    for _ in 0..5 {
        assert_eq!(pace.admit(at(0), peer(ATTACKER), &ada()), NOTHING);
        pace.fail(at(0), peer(ATTACKER), &ada());
    }
    assert_eq!(pace.admit(at(0), peer(ATTACKER), &bob()), NOTHING);
    pace.fail(at(0), peer(ATTACKER), &bob());
    // The sixth pays a second, for whichever name; the next of them waits behind it.
    let mut waits = Vec::new();
    for _ in 0..8 {
        let admission = pace.admit(at(0), peer(ATTACKER), &bob());
        if let Admission::After(wait) = admission {
            waits.push(wait.as_secs());
        }
        pace.fail(at(0), peer(ATTACKER), &bob());
    }
    assert_eq!(waits, [0, 1, 3, 7]);
}

#[test]
fn a_guesser_with_any_number_of_connections_makes_few_guesses() {
    let mut pace = Pace::new(LIMITS);
    let first = guess(&mut pace, ATTACKER, &ada(), 0, 60);
    assert!(first < 30, "{first}");
    let hour = guess(&mut pace, ATTACKER, &ada(), 60, 3600);
    assert!(hour <= 62, "one a minute: {hour}");
}

#[test]
fn the_owner_is_delayed_for_no_longer_than_the_bound() {
    let mut pace = Pace::new(LIMITS);
    pace.succeed(at(0), peer("203.0.113.5"), &ada());
    for host in 1..250 {
        guess(&mut pace, &format!("10.{host}.0.1"), &ada(), 0, 10);
    }
    let stranger = pace.admit(at(10), peer(ELSEWHERE), &ada());
    assert_eq!(stranger, Admission::After(LIMITS.account_delay));
    assert_eq!(pace.admit(at(10), peer(ELSEWHERE), &bob()), NOTHING);
    assert_eq!(pace.admit(at(10), peer("203.0.113.5"), &ada()), Admission::AtHome);
}

#[test]
fn whoever_is_at_home_behind_the_guessers_address_comes_in() {
    let mut pace = Pace::new(LIMITS);
    pace.succeed(at(0), peer(ATTACKER), &bob());
    guess(&mut pace, ATTACKER, &ada(), 0, 60);
    assert_eq!(pace.admit(at(60), peer(ATTACKER), &ada()), Admission::TooSoon);
    assert_eq!(pace.admit(at(60), peer(ATTACKER), &bob()), Admission::AtHome);
}

#[test]
fn home_is_no_place_to_guess_from() {
    let mut pace = Pace::new(LIMITS);
    let mut guesses = 0;
    // The owner comes in every minute; somebody in the same house guesses all the time.
    for minute in 0..60 {
        pace.succeed(at(60 * minute), peer(ATTACKER), &ada());
        guesses += guess(&mut pace, ATTACKER, &ada(), 60 * minute, 60);
    }
    assert!(guesses < 150, "{guesses}");
}

#[test]
fn an_account_of_ones_own_clears_nothing() {
    let mut pace = Pace::new(LIMITS);
    guess(&mut pace, ATTACKER, &ada(), 0, 60);
    pace.succeed(at(60), peer(ATTACKER), &bob());
    assert_eq!(pace.admit(at(60), peer(ATTACKER), &ada()), Admission::TooSoon);
}

#[test]
fn neighbours_are_slowed_together_but_later() {
    let mut pace = Pace::new(LIMITS);
    for host in 1..=40 {
        let from = peer(&format!("192.0.2.{host}"));
        assert_eq!(pace.admit(at(0), from, &ada()), Admission::After(delay(host)));
        pace.fail(at(0), from, &ada());
    }
    // Forty failures of forty addresses are free, and no more.
    pace.fail(at(0), peer("192.0.2.41"), &bob());
    assert_eq!(pace.admit(at(0), peer("192.0.2.99"), &bob()), NOTHING);
    let second = pace.admit(at(0), peer("192.0.2.98"), &bob());
    assert_eq!(second, Admission::After(Duration::from_secs(1)));
    assert_eq!(pace.admit(at(0), peer(ELSEWHERE), &bob()), NOTHING);
}

/// What a stranger waits at an account at which all before him have failed.
fn delay(number: u32) -> Duration {
    match number - 1 {
        0..=5 => Duration::ZERO,
        failures => Duration::from_secs(1 << (failures - 6).min(8)).min(LIMITS.account_delay),
    }
}

#[test]
fn failures_are_forgotten() {
    let mut pace = Pace::new(LIMITS);
    guess(&mut pace, ATTACKER, &ada(), 0, 60);
    assert_eq!(pace.admit(at(61), peer(ATTACKER), &ada()), Admission::TooSoon);
    // 17 are remembered; after an hour five are left.
    assert_eq!(pace.admit(at(61 + 3600), peer(ATTACKER), &ada()), NOTHING);
    assert_eq!(
        pace.admit(at(61 + 3600), peer(ATTACKER), &ada()),
        NOTHING,
        "and no pause is left behind"
    );
}

proptest! {
    #[test]
    fn nobody_waits_longer_than_anybody_waits(
        steps in prop::collection::vec((0_u8..3, 0_u8..4, 0_u8..3, 0_u64..20), 0..200),
    ) {
        let mut pace = Pace::new(LIMITS);
        let mut now = 0;
        for (what, host, who, pause) in steps {
            now += pause;
            let from = peer(&format!("192.0.2.{host}"));
            let who = Claimant::new(format!("{who}@example.org"), None);
            match what {
                0 => pace.fail(at(now), from, &who),
                1 => pace.succeed(at(now), from, &who),
                _ => if let Admission::After(wait) = pace.admit(at(now), from, &who) {
                    prop_assert!(wait <= MAX_WAIT.max(LIMITS.account_delay));
                }
            }
        }
    }
}

#[test]
fn memory_is_bounded_whoever_fails() {
    let mut pace = Pace::new(LIMITS);
    for _ in 0..8 {
        pace.fail(at(0), peer(ATTACKER), &ada());
    }
    // As many again as there is room for would only take longer.
    for number in 0..u32::try_from(MAX_SOURCES.max(MAX_ACCOUNTS)).unwrap() + 1_000 {
        let from = IpAddr::from(std::net::Ipv4Addr::from(0x0a00_0000 + number));
        pace.fail(at(1), from, &Claimant::new(format!("{number}@x.example"), None));
    }
    assert!(pace.sources() <= MAX_SOURCES);
    assert!(pace.accounts.len() <= MAX_ACCOUNTS);
    // Who fails once makes way for who fails often.
    pace.admit(at(1), peer(ATTACKER), &ada());
    assert_ne!(pace.admit(at(1), peer(ATTACKER), &ada()), NOTHING);
}
