//! Two phases of new settings: who is told, who answers, who refuses, hangs or dies on the way.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use supervision::Restart::{Permanent, Transient};
use supervision::{
    Address, CrashKind, Dynamic, Intensity, Phase, ROUND_NAMES, Running, Settings, Strategy, Supervisor,
    Value, start, start_seeded,
};
use tokio::time::Instant;

use crate::probe::{Args, Journal, Msg, Prepare, Probe, SOON, Start, args, phase, ping, probe, until};

/// `/a` and `/inner/b` and `/inner/pool`.
async fn house(journal: &Journal) -> (Running, [Address<Msg>; 2], Dynamic<Probe>) {
    let (a, to_a) = probe("a", Permanent, journal);
    let (b, to_b) = probe("b", Permanent, journal);
    let pool = Dynamic::<Probe>::new("pool", 10_000, Transient, Intensity::default());
    let inner = Supervisor::new("inner", Strategy::OneForOne)
        .child(b)
        .child(&pool);
    let root = Supervisor::root(Strategy::OneForOne)
        .intensity(100, SOON)
        .child(a)
        .child(inner);
    let running = start(root, Settings::new(1_u32)).await.unwrap();
    journal.take();
    (running, [to_a, to_b], pool)
}

fn two() -> Settings {
    Settings::new(2_u32)
}

#[tokio::test(start_paused = true)]
async fn everybody_is_asked_and_then_told() {
    let journal = Journal::default();
    let (running, [to_a, to_b], _) = house(&journal).await;
    let round = running.prepare(&two(), SOON).await;
    assert_eq!((round.told, round.acknowledged, round.lost), (5, 5, 0));
    assert_eq!((round.unanswered.len(), round.refusals.len()), (0, 0));
    let classes: Vec<_> = round.by_class.into_iter().collect();
    assert_eq!(
        classes,
        [("dynamic_supervisor", 1), ("probe", 2), ("supervisor", 2)]
    );
    assert_eq!(running.settings().of::<u32>(), &1, "nothing is stored");

    let round = running.commit(&two(), SOON).await;
    assert_eq!((round.told, round.acknowledged, round.lost), (5, 5, 0));
    assert_eq!(running.settings().of::<u32>(), &2);
    let mut lines = journal.take();
    lines.sort();
    assert_eq!(lines, ["a=2", "a?2", "b=2", "b?2"]);
    assert_eq!((ping(&to_a).await, ping(&to_b).await), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_a_value_and_a_panic_is_a_crash() {
    let journal = Journal::default();
    let (running, [to_a, to_b], _) = house(&journal).await;
    journal.prepares("b", Prepare::Refuse);
    let round = running.prepare(&two(), SOON).await;
    assert_eq!((round.told, round.acknowledged), (5, 5));
    let refusal = ("/inner/b".to_owned(), "b cannot".to_owned());
    assert_eq!(round.refusals, [refusal]);
    assert_eq!(running.crash_cards(), []);
    let round = running.abandon(SOON).await;
    assert_eq!((round.told, round.acknowledged), (5, 5));
    let mut lines = journal.take();
    lines.sort();
    assert_eq!(lines, ["a?2", "a~", "b?2"], "only who prepared gives back");
    assert_eq!((ping(&to_a).await, ping(&to_b).await), (1, 1));

    for (prepare, kind) in [
        (Prepare::Panic, CrashKind::Panic),
        (Prepare::Fail, CrashKind::Error),
    ] {
        journal.prepares("b", prepare);
        let round = running.prepare(&two(), SOON).await;
        assert_eq!((round.told, round.acknowledged, round.lost), (5, 4, 1));
        assert!(round.refusals.is_empty() && round.unanswered.is_empty());
        ping(&to_b).await;
        assert_eq!(running.crash_cards().last().unwrap().kind, kind);
    }
    journal.prepares("b", Prepare::Hang);
    let round = running.prepare(&two(), Duration::from_secs(2)).await;
    assert_eq!((round.told, round.acknowledged, round.lost), (5, 4, 0));
    assert_eq!(round.unanswered, ["/inner/b"]);
    assert_eq!(running.settings().of::<u32>(), &1);
}

#[tokio::test(start_paused = true)]
async fn who_hangs_is_named_and_holds_up_nobody_for_ever() {
    let journal = Journal::default();
    let (running, [to_a, to_b], pool) = house(&journal).await;
    to_a.cast(Msg::Hang).unwrap();
    let it = pool.start("it", args("it", &journal)).unwrap();
    ping(&it).await;
    it.cast(Msg::Hang).unwrap();
    let (before, patience) = (Instant::now(), Duration::from_secs(3));
    let round = running.commit(&two(), patience).await;
    assert_eq!((before.elapsed(), round.took), (patience, patience));
    assert_eq!((round.told, round.acknowledged, round.lost), (6, 4, 0));
    assert_eq!(round.unanswered, ["/a", "/inner/pool/it"]);
    assert_eq!(
        running.inspect("/inner/b").await.unwrap().value("setting"),
        Some(&Value::Number(2))
    );

    // Who dies with the notice in its mailbox is lost, and comes back with what is stored.
    let committing = tokio::spawn({
        let running = running.clone();
        async move { running.commit(&Settings::new(3_u32), SOON).await }
    });
    until("b is told", || journal.take().contains(&"b=3".to_owned())).await;
    running.kill("/a").unwrap();
    running.kill("/inner/pool/it").unwrap();
    let round = committing.await.unwrap();
    assert_eq!((round.told, round.acknowledged, round.lost), (6, 4, 2));
    assert!(round.took < SOON);
    assert_eq!((ping(&to_a).await, ping(&it).await, ping(&to_b).await), (2, 2, 1));
    for path in ["/a", "/inner/pool/it"] {
        let seen = running.inspect(path).await.unwrap();
        assert_eq!(seen.value("setting"), Some(&Value::Number(3)), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_restarts_between_the_phases_is_told_the_second() {
    let journal = Journal::default();
    let (running, [to_a, _], _) = house(&journal).await;
    running.prepare(&two(), SOON).await;
    to_a.cast(Msg::Panic).unwrap();
    assert_eq!(ping(&to_a).await, 2);
    let seen = running.inspect("/a").await.unwrap();
    assert_eq!(
        seen.value("setting"),
        Some(&Value::Number(1)),
        "not committed yet"
    );
    let round = running.commit(&two(), SOON).await;
    assert_eq!((round.told, round.acknowledged), (5, 5));

    // In the middle of its start: not told, and told all the same when it is up.
    journal.starts("a", &[Start::Slow(Duration::from_secs(1))]);
    to_a.cast(Msg::Panic).unwrap();
    until("it starts", || phase(&running, "/a") == Some(Phase::Starting)).await;
    let round = running.commit(&Settings::new(3_u32), SOON).await;
    assert_eq!((round.told, round.acknowledged), (4, 4));
    assert_eq!(ping(&to_a).await, 3);
    let seen = running.inspect("/a").await.unwrap();
    assert_eq!(seen.value("setting"), Some(&Value::Number(3)));
}

const CONNECTIONS: u32 = 2000;

/// So many in the pool, one in twenty of whom will refuse.
async fn connect(pool: &Dynamic<Probe>, journal: &Journal) -> Vec<Address<Msg>> {
    let mut addresses = Vec::new();
    for number in 0..CONNECTIONS {
        let name = number.to_string();
        if number % 20 == 0 {
            journal.prepares(&name, Prepare::Refuse);
        }
        addresses.push(pool.start(name.as_str(), args(&name, journal)).unwrap());
    }
    for address in &addresses {
        ping(address).await;
    }
    addresses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_connections_are_told_and_who_refuses_is_named() {
    let journal = Journal::default();
    let (running, _, pool) = house(&journal).await;
    connect(&pool, &journal).await;
    let all = u64::from(CONNECTIONS) + 5;
    let round = running.prepare(&two(), SOON).await;
    assert_eq!((round.told, round.acknowledged, round.lost), (all, all, 0));
    assert_eq!(round.refusals.len(), ROUND_NAMES);
    let round = running.commit(&two(), SOON).await;
    assert_eq!((round.told, round.acknowledged, round.lost), (all, all, 0));
    assert_eq!(round.by_class["probe"], u64::from(CONNECTIONS) + 2);
}

/// Under a clock that stands still as long as anybody has something to do: how many are told before a deadline is
/// otherwise a matter of what else the machine does.
#[tokio::test(start_paused = true)]
async fn of_two_thousand_connections_those_that_hang_are_counted_and_some_are_named() {
    const HANGING: usize = 100;
    let journal = Journal::default();
    let (running, _, pool) = house(&journal).await;
    let addresses = connect(&pool, &journal).await;
    for address in &addresses[..HANGING] {
        address.cast(Msg::Hang).unwrap();
    }
    let all = u64::from(CONNECTIONS) + 5;
    let patience = Duration::from_millis(200);
    let round = running.commit(&two(), patience).await;
    assert_eq!((round.told, round.lost, round.took), (all, 0, patience));
    assert_eq!(round.acknowledged, all - HANGING as u64);
    assert_eq!(round.unanswered.len(), ROUND_NAMES);
}

#[tokio::test(start_paused = true)]
async fn a_tree_that_has_ended_answers_at_once() {
    let journal = Journal::default();
    let (running, ..) = house(&journal).await;
    running.drain(Instant::now() + SOON).await.unwrap();
    let round = running.commit(&two(), SOON).await;
    assert_eq!((round.told, round.acknowledged, round.lost), (0, 0, 0));
    assert!(round.took < SOON && round.by_class.is_empty());
    let forever = running.prepare(&two(), Duration::MAX).await;
    assert_eq!(forever.told, 0);
}

/// Commits in a row, some of them at the same time, while anything is killed: every round ends and its sums are right,
/// and in the end everybody has what was stored last.
async fn storm(seed: u64) {
    const PATHS: [&str; 6] = [
        "/a",
        "/inner",
        "/inner/b",
        "/inner/pool",
        "/inner/pool/m1",
        "/shelf",
    ];
    let journal = Journal::default();
    let (a, to_a) = probe("a", Permanent, &journal);
    let (b, to_b) = probe("b", Permanent, &journal);
    let often = Intensity::new(1_000_000, SOON);
    let pool = Dynamic::<Probe>::on_demand("pool", 100, Transient, often, {
        let journal = journal.clone();
        move |settings, key| Args {
            journal: journal.clone(),
            name: key.to_owned(),
            setting: *settings.of::<u32>(),
        }
    });
    let inner = Supervisor::new("inner", Strategy::RestForOne)
        .intensity(often.restarts, SOON)
        .child(b)
        .child(&pool);
    let root = Supervisor::root(Strategy::OneForOne)
        .intensity(often.restarts, SOON)
        .child(a)
        .child(inner)
        .child(Supervisor::new("shelf", Strategy::OneForAll));
    let running = start_seeded(root, Settings::new(0_u32), Some(seed))
        .await
        .unwrap();
    let mut dice = SmallRng::seed_from_u64(seed);
    let mut rounds = Vec::new();
    for setting in 1..=100_u32 {
        let running = running.clone();
        match dice.random_range(0..4) {
            0 => drop(running.kill(PATHS[dice.random_range(0..PATHS.len())])),
            1 => drop(to_a.cast(Msg::Panic)),
            2 => {
                let address = pool.address(&format!("m{}", dice.random_range(0..3)));
                tokio::spawn(async move { address.call(SOON, Msg::Ping).await });
            }
            _ => {}
        }
        rounds.push(tokio::spawn(async move {
            match setting % 3 {
                0 => running.prepare(&Settings::new(setting), SOON).await,
                _ => running.commit(&Settings::new(setting), SOON).await,
            }
        }));
        if dice.random_bool(0.5) {
            tokio::task::yield_now().await;
        }
    }
    for round in rounds {
        let round = round.await.unwrap();
        assert_eq!(
            round.acknowledged + round.lost,
            round.told,
            "seed {seed}: {round:?}"
        );
        assert_eq!(round.by_class.values().sum::<u64>(), round.told, "seed {seed}");
        assert!(round.unanswered.is_empty() && round.took < SOON, "seed {seed}");
    }
    let last = Value::Number(u64::from(*running.settings().of::<u32>()));
    let one = pool.address("m1");
    for (path, address) in [("/a", &to_a), ("/inner/b", &to_b), ("/inner/pool/m1", &one)] {
        let seen = loop {
            ping(address).await;
            if let Ok(seen) = running.inspect(path).await {
                break seen;
            }
        };
        assert_eq!(seen.value("setting"), Some(&last), "seed {seed}: {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_round_ends_and_the_last_commit_holds() {
    for seed in 0..20 {
        storm(seed).await;
    }
}
