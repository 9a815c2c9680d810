//! Children that follow the settings: made, kept, drained and removed, whatever is killed meanwhile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use supervision::Restart::{Permanent, Temporary};
use supervision::{
    Address, CallError, Child, ControlError, DRAIN_GRACE, Dynamic, Intensity, Phase, REMOVAL_DEADLINE,
    Running, Settings, Strategy, Supervisor, start, start_seeded,
};
use tokio::time::Instant;

use crate::probe::{Drain, Journal, Msg, Probe, SOON, Start, Wanted, args, phase, ping, probe, until};

fn want(number: u32, children: &[(&str, &str)]) -> Settings {
    let children = children
        .iter()
        .map(|(name, nature)| ((*name).to_owned(), (*nature).to_owned()));
    Settings::new(Wanted(number, children.collect()))
}

/// A supervisor `doors` of probes, and the addresses of those made. A nature of `house` is a supervisor of a pool and
/// an acceptor instead.
#[derive(Clone, Default)]
struct Doors {
    journal: Journal,
    addresses: Arc<Mutex<BTreeMap<String, Address<Msg>>>>,
    pools: Arc<Mutex<Vec<Dynamic<Probe>>>>,
}

impl Doors {
    fn supervisor(&self, strategy: Strategy) -> Supervisor {
        let doors = self.clone();
        let wanted = |settings: &Settings| settings.of::<Wanted>().1.clone();
        Supervisor::varying("doors", strategy, wanted, move |settings, name| {
            doors.make(settings, name)
        })
        .intensity(1_000_000, SOON)
    }

    fn make(&self, settings: &Settings, name: &str) -> Child {
        let Wanted(_, wanted) = settings.of::<Wanted>();
        let (_, nature) = wanted.iter().find(|(known, _)| known == name).unwrap();
        self.journal.write(format!("make {name} {nature}"));
        match nature.as_str() {
            "house" => {
                let pool = Dynamic::<Probe>::new("pool", 9, Temporary, Intensity::default());
                self.pools.lock().unwrap().push(pool.clone());
                let house = Supervisor::new(name, Strategy::OneForOne).child(&pool);
                house.child(self.probe("acceptor")).into()
            }
            "panic" => panic!("no such door"),
            "misnamed" => self.probe("other"),
            _ => self.probe(name),
        }
    }

    fn probe(&self, name: &str) -> Child {
        let (child, address) = probe(name, Permanent, &self.journal);
        self.addresses.lock().unwrap().insert(name.to_owned(), address);
        child
    }

    fn address(&self, name: &str) -> Address<Msg> {
        self.addresses.lock().unwrap()[name].clone()
    }

    async fn open(&self, settings: Settings) -> Running {
        let root = Supervisor::root(Strategy::OneForOne)
            .intensity(1_000_000, SOON)
            .child(self.supervisor(Strategy::OneForOne));
        let running = start(root, settings).await.unwrap();
        assert_eq!(phase(&running, "/doors"), Some(Phase::Up));
        running
    }

    fn sorted(&self) -> Vec<String> {
        let mut lines = self.journal.take();
        lines.sort();
        lines
    }
}

fn names(running: &Running) -> Vec<String> {
    let rows = running.tree("/doors").into_iter().skip(1);
    rows.map(|row| row.path.trim_start_matches("/doors/").to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn children_come_stay_and_go_with_the_settings() {
    let doors = Doors::default();
    let running = doors.open(want(1, &[("b", "x"), ("d", "x")])).await;
    assert_eq!(names(&running), ["b", "d"]);
    assert_eq!(doors.journal.take(), ["make b x", "make d x", "+b", "+d"]);

    let round = running
        .commit(&want(2, &[("a", "x"), ("b", "x"), ("c", "x")]), SOON)
        .await;
    // The root, the supervisor, b; a and c, which are up when it is over. Who leaves is not told.
    assert_eq!((round.told, round.acknowledged, round.lost), (5, 5, 0));
    assert_eq!(round.by_class["probe"], 3);
    for name in ["/doors/a", "/doors/b", "/doors/c"] {
        assert_eq!(phase(&running, name), Some(Phase::Up), "{name}");
    }
    until("d is gone", || names(&running) == ["a", "b", "c"]).await;
    assert_eq!(
        doors.sorted(),
        ["+a", "+c", "-d", "b=2", "drain d", "make a x", "make c x"]
    );
    assert_eq!(running.kill("/doors/d"), Err(ControlError::NotFound));
    let gone = doors.address("d");
    assert_eq!(gone.call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
    assert_eq!(ping(&doors.address("b")).await, 1, "b never noticed");

    running.commit(&want(3, &[]), SOON).await;
    until("nobody is left", || names(&running).is_empty()).await;
    running.commit(&want(4, &[("d", "x")]), SOON).await;
    assert_eq!(names(&running), ["d"]);
    assert_eq!(ping(&doors.address("d")).await, 2);
    assert_eq!(running.crash_cards(), []);
    running.drain(Instant::now() + SOON).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_name_is_used_again_when_its_owner_has_ended() {
    let doors = Doors::default();
    let running = doors.open(want(1, &[("a", "x")])).await;
    doors.journal.drains("a", Drain::Told);
    doors.journal.take();
    let old = doors.address("a");
    // Another nature, none, the first one again, yet another one: the one that leaves is not disturbed.
    for children in [&[("a", "y")][..], &[], &[("a", "x")], &[("a", "z")]] {
        running.commit(&want(2, children), SOON).await;
        assert_eq!(names(&running), ["a"], "never two of one name");
        assert_eq!(phase(&running, "/doors/a"), Some(Phase::Draining));
        assert_eq!(ping(&old).await, 1);
    }
    running.restart("/doors/a").unwrap();
    assert_eq!(ping(&old).await, 1, "who leaves is not restarted");
    old.cast(Msg::Drained).unwrap();
    until("the next is made", || {
        phase(&running, "/doors/a") == Some(Phase::Up)
    })
    .await;
    assert_eq!(doors.journal.take(), ["drain a", "-a", "make a z", "+a"]);
    assert_eq!(old.call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
    assert_eq!(ping(&doors.address("a")).await, 2);

    // One that crashes while it leaves has left.
    running.commit(&want(3, &[]), SOON).await;
    doors.address("a").cast(Msg::Panic).unwrap();
    until("it is gone", || names(&running).is_empty()).await;
    assert_eq!(doors.journal.incarnations("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_leave_is_killed_at_the_deadline() {
    let doors = Doors::default();
    let running = doors
        .open(want(1, &[("a", "x"), ("b", "x"), ("c", "x"), ("d", "x")]))
        .await;
    doors.journal.drains("a", Drain::Never);
    doors.address("b").cast(Msg::Hang).unwrap();
    doors.address("c").cast(Msg::Panic).unwrap();
    ping(&doors.address("c")).await;
    doors.journal.starts("c", &[Start::Hang]);
    doors.address("c").cast(Msg::Panic).unwrap();
    until("c starts again", || {
        phase(&running, "/doors/c") == Some(Phase::Starting)
    })
    .await;
    let before = Instant::now();
    running.commit(&want(2, &[]), SOON).await;
    until("only the stubborn are left", || names(&running) == ["a", "b"]).await;
    assert!(before.elapsed() < Duration::from_secs(1));
    until("they are killed", || names(&running).is_empty()).await;
    assert!(before.elapsed() >= REMOVAL_DEADLINE);
    assert!(before.elapsed() < REMOVAL_DEADLINE + Duration::from_secs(1));
    let cards = running.crash_cards();
    let overdue = cards.iter().filter(|card| card.text.contains("not drained"));
    assert_eq!(overdue.count(), 2);

    let root = Supervisor::root(Strategy::OneForOne).child(
        doors
            .supervisor(Strategy::OneForOne)
            .removal_deadline(|settings| Duration::from_secs(u64::from(settings.of::<Wanted>().0))),
    );
    let running = start(root, want(1, &[("a", "x"), ("b", "x")])).await.unwrap();
    let before = Instant::now();
    running.commit(&want(3, &[("b", "x")]), SOON).await;
    until("a is killed", || names(&running) == ["b"]).await;
    assert!(before.elapsed() >= Duration::from_secs(3) && before.elapsed() < Duration::from_secs(4));
    // The longest deadline there is is none.
    running.commit(&want(u32::MAX, &[]), SOON).await;
    until("b is gone", || names(&running).is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn a_removed_subtree_drains_as_any() {
    let doors = Doors::default();
    let running = doors.open(want(1, &[("mx", "house"), ("b", "x")])).await;
    let pool = doors.pools.lock().unwrap()[0].clone();
    let mut guests = Vec::new();
    for name in ["x", "y", "z"] {
        doors.journal.drains(name, Drain::Told);
        let guest = pool.start(name, args(name, &doors.journal)).unwrap();
        ping(&guest).await;
        guests.push(guest);
    }
    let before = Instant::now();
    running.commit(&want(2, &[("b", "x")]), SOON).await;
    until("the acceptor is gone", || {
        phase(&running, "/doors/mx/acceptor") == Some(Phase::Closed)
    })
    .await;
    for guest in &guests {
        assert_eq!(ping(guest).await, 1, "those inside may finish");
    }
    guests[0].cast(Msg::Drained).unwrap();
    until("x has finished", || pool.count() == 2).await;
    until("the house is gone", || names(&running) == ["b"]).await;
    assert!(before.elapsed() >= REMOVAL_DEADLINE && before.elapsed() < REMOVAL_DEADLINE + DRAIN_GRACE * 4);
    assert_eq!(guests[1].call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
    assert!(pool.reserve().is_err());
    assert_eq!(ping(&doors.address("b")).await, 1);
    assert_eq!(running.crash_cards(), []);
}

#[tokio::test(start_paused = true)]
async fn killed_in_the_middle_of_a_change_it_ends_in_what_is_wanted() {
    let doors = Doors::default();
    let running = doors
        .open(want(1, &[("a", "x"), ("b", "x"), ("c", "x"), ("d", "x")]))
        .await;
    let kept = doors.address("b");
    for name in ["a", "c"] {
        doors.journal.drains(name, Drain::Never);
    }
    doors.journal.starts("e", &[Start::Hang]);
    // a leaves, c leaves and is wanted again with another nature, e is starting, d is killed itself.
    let settings = want(2, &[("e", "x"), ("b", "x"), ("c", "y"), ("d", "x")]);
    let round = running.commit(&settings, Duration::from_secs(1)).await;
    assert_eq!(round.unanswered, ["/doors/e"]);
    running.kill("/doors/d").unwrap();
    running.kill("/doors").unwrap();
    until("it is whole", || {
        let rows = running.tree("/doors");
        rows.iter().all(|row| row.phase == Phase::Up) && names(&running) == ["e", "b", "c", "d"]
    })
    .await;
    assert_eq!(
        ping(&kept).await,
        2,
        "who is kept has its address through the death of its supervisor"
    );
    let made = doors
        .journal
        .take()
        .into_iter()
        .filter(|line| line.starts_with("make"));
    let made: Vec<_> = made.skip(4).collect();
    assert_eq!(made, ["make e x", "make c y"]);
    let seen = running.inspect("/doors/b").await.unwrap();
    assert_eq!(seen.value("setting"), Some(&2_u32.into()));
}

#[tokio::test(start_paused = true)]
async fn a_new_child_that_cannot_start_is_lost_and_no_endless_wait() {
    let doors = Doors::default();
    let running = doors.open(want(1, &[])).await;
    doors.journal.starts("a", &[Start::Fail, Start::Panic]);
    doors.journal.starts("b", &[Start::Slow(Duration::from_secs(3))]);
    let before = Instant::now();
    let round = running.commit(&want(2, &[("a", "x"), ("b", "x")]), SOON).await;
    assert_eq!((round.told, round.acknowledged, round.lost), (4, 3, 1));
    assert_eq!(before.elapsed(), Duration::from_secs(3), "b was waited for");
    assert_eq!(ping(&doors.address("a")).await, 3);
    // One that is removed before it was up.
    doors.journal.starts("c", &[Start::Hang]);
    let hanging = tokio::spawn({
        let running = running.clone();
        async move { running.commit(&want(3, &[("c", "x")]), SOON).await }
    });
    until("c starts", || {
        phase(&running, "/doors/c") == Some(Phase::Starting)
    })
    .await;
    running.commit(&want(4, &[]), SOON).await;
    let round = hanging.await.unwrap();
    assert_eq!((round.told, round.acknowledged, round.lost), (3, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_is_refused_beforehand_or_crashes() {
    let doors = Doors::default();
    let running = doors.open(want(1, &[("a", "x")])).await;
    for children in [&[("a", "x"), ("a", "y")][..], &[("", "x")], &[("a/b", "x")]] {
        let round = running.prepare(&want(2, children), SOON).await;
        assert_eq!(round.refusals.len(), 1, "{children:?}: {round:?}");
        assert_eq!(round.refusals[0].0, "/doors");
    }
    running.abandon(SOON).await;
    // Committed all the same, the first of two counts.
    running
        .commit(&want(2, &[("a", "x"), ("b", "x"), ("b", "y")]), SOON)
        .await;
    assert_eq!(names(&running), ["a", "b"]);
    assert_eq!(ping(&doors.address("a")).await, 1);
    for nature in ["panic", "misnamed"] {
        running.commit(&want(3, &[("a", "x"), ("c", nature)]), SOON).await;
        until("it crashes", || {
            running.crash_cards().iter().any(|card| card.path == "/doors")
        })
        .await;
        running.commit(&want(4, &[("a", "x")]), SOON).await;
        until("it is mended", || {
            names(&running) == ["a"] && phase(&running, "/doors/a") == Some(Phase::Up)
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_leaves_has_no_part_in_a_shared_fate_or_a_longer_life() {
    let doors = Doors::default();
    let root = Supervisor::root(Strategy::OneForOne).child(doors.supervisor(Strategy::OneForAll));
    let running = start(root, want(1, &[("a", "x"), ("b", "x"), ("c", "x")]))
        .await
        .unwrap();
    doors.journal.drains("b", Drain::Told);
    running.commit(&want(2, &[("a", "x"), ("c", "x")]), SOON).await;
    let leaving = doors.address("b");
    doors.address("a").cast(Msg::Panic).unwrap();
    until("c is new", || doors.journal.incarnations("c") == 2).await;
    assert_eq!(ping(&leaving).await, 1);
    // The whole is drained meanwhile, with less time.
    let before = Instant::now();
    running.drain(before + Duration::from_secs(2)).await.unwrap();
    assert!(before.elapsed() >= Duration::from_secs(2) && before.elapsed() < Duration::from_secs(4));
    let drains = doors.journal.take();
    let drains: Vec<_> = drains.iter().filter(|line| line.starts_with("drain")).collect();
    assert_eq!(drains, ["drain b", "drain c", "drain a"], "nobody is told twice");
}

#[tokio::test(start_paused = true)]
async fn fixed_children_stay_beside_those_that_vary() {
    let doors = Doors::default();
    let (fixed, _) = probe("fixed", Permanent, &doors.journal);
    let root =
        Supervisor::root(Strategy::OneForOne).child(doors.supervisor(Strategy::OneForOne).child(fixed));
    let running = start(root, want(1, &[("a", "x")])).await.unwrap();
    assert_eq!(names(&running), ["fixed", "a"]);
    running
        .commit(&want(2, &[("b", "x"), ("fixed", "x")]), SOON)
        .await;
    until("a is gone", || names(&running) == ["fixed", "b"]).await;
    assert_eq!(doors.journal.incarnations("fixed"), 1);
}

/// Random settings and kills in a row. The journal asserts that no name is there twice at once.
async fn storm(seed: u64) {
    const NAMES: [&str; 5] = ["a", "b", "c", "d", "mx"];
    let doors = Doors::default();
    let root = Supervisor::root(Strategy::OneForOne)
        .intensity(1_000_000, SOON)
        .child(
            doors
                .supervisor(Strategy::OneForOne)
                .removal_deadline(|_| Duration::from_millis(5)),
        );
    let running = start_seeded(root, want(0, &[]), Some(seed)).await.unwrap();
    let mut dice = SmallRng::seed_from_u64(seed);
    let mut last = Vec::new();
    let mut rounds = Vec::new();
    for number in 1..=60_u32 {
        last = NAMES[..4]
            .iter()
            .filter_map(|name| Some((*name, *["x", "y"].get(dice.random_range(0..3_usize))?)))
            .collect();
        if dice.random_bool(0.5) {
            last.push(("mx", "house"));
        }
        // Stored in this order, whatever becomes of the round.
        let settings = want(number, &last);
        let mut round = Box::pin({
            let running = running.clone();
            async move { running.commit(&settings, SOON).await }
        });
        if poll_once(round.as_mut()).await.is_none() {
            rounds.push(tokio::spawn(round));
        }
        let name = NAMES[dice.random_range(0..NAMES.len())];
        match dice.random_range(0..6) {
            0 => drop(running.kill("/doors")),
            1 => drop(running.kill(&format!("/doors/{name}"))),
            2 => drop(running.restart(&format!("/doors/{name}"))),
            3 => doors.journal.starts(name, &[Start::Fail]),
            4 => doors
                .journal
                .drains(name, [Drain::Now, Drain::Never][dice.random_range(0..2)]),
            _ => tokio::task::yield_now().await,
        }
        if dice.random_bool(0.3) {
            tokio::time::sleep(Duration::from_millis(dice.random_range(0..8))).await;
        }
    }
    for round in rounds {
        let round = round.await.unwrap();
        assert_eq!(
            round.acknowledged + round.lost,
            round.told,
            "seed {seed}: {round:?}"
        );
        assert!(round.unanswered.is_empty(), "seed {seed}: {round:?}");
    }
    let mut expected = Vec::new();
    for (name, nature) in &last {
        expected.push((*name).to_owned());
        if *nature == "house" {
            expected.extend([format!("{name}/pool"), format!("{name}/acceptor")]);
        }
    }
    let whole = async || {
        loop {
            let rows = running.tree("/");
            if rows.iter().all(|row| row.phase == Phase::Up) && names(&running) == expected {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(SOON, whole()).await.is_err() {
        panic!(
            "seed {seed}: wanted {expected:?}, there is {:#?}",
            running.tree("/")
        );
    }
    for (name, _) in last.iter().filter(|(_, nature)| *nature != "house") {
        ping(&doors.address(name)).await;
        let seen = running.inspect(&format!("/doors/{name}")).await.unwrap();
        assert_eq!(seen.value("setting"), Some(&60_u32.into()), "seed {seed}: {name}");
    }
    for name in NAMES {
        doors.journal.drains(name, Drain::Now);
    }
    running.drain(Instant::now() + SOON).await.unwrap();
}

/// Polls a future once.
async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match future.as_mut().poll(cx) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_storm_ends_in_exactly_what_is_wanted() {
    for seed in 0..20 {
        storm(seed).await;
    }
}
