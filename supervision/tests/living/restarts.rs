//! One child, every way to die, every restart rule; failed and slow starts; backoff; intensity and escalation.

use std::time::Duration;

use supervision::Restart::{Permanent, Temporary, Transient};
use supervision::{CallError, CrashKind, Phase, Running, START_LIMIT, Settings, Strategy, Supervisor, start};
use tokio::time::Instant;

use crate::probe::{Journal, Msg, SOON, Start, phase, ping, probe, until};

#[derive(Clone, Copy, Debug)]
enum Death {
    Panic,
    Error,
    Kill,
    KillWhileHanging,
    Stop,
}

async fn die(running: &Running, address: &supervision::Address<Msg>, death: Death) {
    match death {
        Death::Panic => address.cast(Msg::Panic).unwrap(),
        Death::Error => address.cast(Msg::Fail).unwrap(),
        Death::Kill => running.kill("/it").unwrap(),
        Death::KillWhileHanging => {
            address.cast(Msg::Hang).unwrap();
            tokio::task::yield_now().await;
            running.kill("/it").unwrap();
        }
        Death::Stop => address.cast(Msg::Stop).unwrap(),
    }
}

#[tokio::test(start_paused = true)]
async fn every_death_under_every_rule() {
    use Death::{Error, Kill, KillWhileHanging, Panic, Stop};
    let table = [
        (Permanent, Panic, true, Some((CrashKind::Panic, "boom of it"))),
        (Permanent, Error, true, Some((CrashKind::Error, "it is broken"))),
        (Permanent, Kill, true, Some((CrashKind::Killed, "killed"))),
        (
            Permanent,
            KillWhileHanging,
            true,
            Some((CrashKind::Killed, "killed")),
        ),
        (Permanent, Stop, true, None),
        (Transient, Panic, true, Some((CrashKind::Panic, "boom of it"))),
        (Transient, Error, true, Some((CrashKind::Error, "it is broken"))),
        (Transient, Kill, true, Some((CrashKind::Killed, "killed"))),
        (
            Transient,
            KillWhileHanging,
            true,
            Some((CrashKind::Killed, "killed")),
        ),
        (Transient, Stop, false, None),
        (Temporary, Panic, false, Some((CrashKind::Panic, "boom of it"))),
        (Temporary, Error, false, Some((CrashKind::Error, "it is broken"))),
        (Temporary, Kill, false, Some((CrashKind::Killed, "killed"))),
        (
            Temporary,
            KillWhileHanging,
            false,
            Some((CrashKind::Killed, "killed")),
        ),
        (Temporary, Stop, false, None),
    ];
    for (restart, death, comes_back, crash) in table {
        let story = format!("{restart:?} {death:?}");
        let journal = Journal::default();
        let (child, address) = probe("it", restart, &journal);
        let root = Supervisor::root(Strategy::OneForOne).child(child);
        let running = start(root, Settings::default()).await.unwrap();
        assert_eq!(ping(&address).await, 1, "{story}");

        die(&running, &address, death).await;
        if comes_back {
            until(&story, || journal.incarnations("it") == 2).await;
            assert_eq!(ping(&address).await, 2, "{story}");
        } else {
            until(&story, || phase(&running, "/it") == Some(Phase::Closed)).await;
            let before = Instant::now();
            assert_eq!(
                address.call(SOON, Msg::Ping).await,
                Err(CallError::Unavailable),
                "{story}"
            );
            assert_eq!(
                before.elapsed(),
                Duration::ZERO,
                "{story}: closed answers at once"
            );
        }
        let row = running.tree("/it").remove(0);
        assert_eq!(row.restarts, u32::from(comes_back), "{story}");
        let failure = row.failure.as_ref().map(|card| (card.kind, card.text.as_str()));
        assert_eq!(failure, crash, "{story}");
        assert_eq!(
            running.crash_cards().len(),
            usize::from(crash.is_some()),
            "{story}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_child_answers_unknown_and_can_be_replaced() {
    let journal = Journal::default();
    let (child, address) = probe("it", Permanent, &journal);
    let running = start(
        Supervisor::root(Strategy::OneForOne).child(child),
        Settings::default(),
    )
    .await
    .unwrap();
    address.cast(Msg::Hang).unwrap();
    let deadline = Duration::from_secs(3);
    let before = Instant::now();
    assert_eq!(address.call(deadline, Msg::Ping).await, Err(CallError::Unknown));
    assert_eq!(before.elapsed(), deadline);
    let row = running.tree("/it").remove(0);
    assert_eq!((row.depth, row.oldest), (2, Some(deadline)));

    running.restart("/it").unwrap();
    assert_eq!(ping(&address).await, 2);
    let row = running.tree("/it").remove(0);
    assert_eq!(
        (row.depth, row.restarts, row.failure),
        (0, 1, None),
        "an operator's restart is not a crash"
    );
}

#[tokio::test(start_paused = true)]
async fn killed_while_it_restarts() {
    let journal = Journal::default();
    let (child, address) = probe("it", Permanent, &journal);
    let running = start(
        Supervisor::root(Strategy::OneForOne).child(child),
        Settings::default(),
    )
    .await
    .unwrap();
    journal.starts("it", &[Start::Hang]);
    address.cast(Msg::Panic).unwrap();
    until("starting", || journal.incarnations("it") == 2).await;
    assert_eq!(phase(&running, "/it"), Some(Phase::Starting));
    running.kill("/it").unwrap();
    assert_eq!(ping(&address).await, 3);
    assert_eq!(journal.take(), ["+it", "-it", "-it", "+it"]);
    let kinds: Vec<CrashKind> = running.crash_cards().iter().map(|card| card.kind).collect();
    assert_eq!(kinds, [CrashKind::Panic, CrashKind::Killed]);
}

#[tokio::test(start_paused = true)]
async fn killed_while_it_waits_for_its_backoff() {
    let journal = Journal::default();
    let (child, address) = probe("it", Permanent, &journal);
    let running = start(
        Supervisor::root(Strategy::OneForOne).child(child),
        Settings::default(),
    )
    .await
    .unwrap();
    address.cast(Msg::Panic).unwrap();
    ping(&address).await;
    address.cast(Msg::Panic).unwrap();
    until("waiting", || phase(&running, "/it") == Some(Phase::Waiting)).await;
    running.kill("/it").unwrap();
    assert_eq!(ping(&address).await, 3);
    assert_eq!(running.crash_cards().len(), 2, "nobody was there to be killed");
}

#[tokio::test(start_paused = true)]
async fn failed_starts_are_counted_and_tried_again() {
    for (how, text) in [
        (Start::Fail, "it cannot start".to_owned()),
        (Start::Panic, "panicked: panic at the start".to_owned()),
        (Start::Hang, format!("not started within {START_LIMIT:?}")),
    ] {
        let journal = Journal::default();
        let (child, address) = probe("it", Permanent, &journal);
        journal.starts("it", &[how, how]);
        let root = Supervisor::root(Strategy::OneForOne)
            .intensity(2, Duration::from_secs(60))
            .child(child);
        let before = Instant::now();
        let running = start(root, Settings::default()).await.unwrap();
        let limits = if how == Start::Hang {
            START_LIMIT * 2
        } else {
            Duration::ZERO
        };
        assert!(
            before.elapsed() >= limits + Duration::from_millis(10),
            "{how:?}: the second restart waits"
        );
        assert_eq!(ping(&address).await, 3, "{how:?}");
        let card = running.crash_cards().remove(0);
        assert_eq!((card.kind, card.text), (CrashKind::Start, text), "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tree_that_cannot_start_says_why() {
    let journal = Journal::default();
    let (child, _) = probe("it", Permanent, &journal);
    journal.starts("it", &[Start::Fail; 9]);
    let root = Supervisor::root(Strategy::OneForOne)
        .intensity(2, Duration::from_secs(60))
        .child(child);
    let collapsed = start(root, Settings::default()).await.unwrap_err();
    assert_eq!(
        collapsed.0,
        "error: restart intensity exceeded (2 in 60s) by /it; last: failed start: it cannot start"
    );
    assert_eq!(journal.incarnations("it"), 3);
}

#[tokio::test(start_paused = true)]
async fn arguments_that_panic_are_a_failed_start() {
    let (child, _) = supervision::child::<crate::probe::Probe>("it", Permanent, |settings: &Settings| {
        settings.of::<crate::probe::Args>().clone()
    });
    let root = Supervisor::root(Strategy::OneForOne)
        .intensity(0, SOON)
        .child(child);
    let collapsed = start(root, Settings::default()).await.unwrap_err();
    assert!(
        collapsed.0.contains("the settings of this tree are not a "),
        "{collapsed}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_restart_is_immediate_and_the_next_ones_wait() {
    let journal = Journal::default();
    let (child, address) = probe("it", Permanent, &journal);
    let root = Supervisor::root(Strategy::OneForOne)
        .intensity(5, Duration::from_secs(10))
        .child(child);
    let running = supervision::start_seeded(root, Settings::default(), Some(7))
        .await
        .unwrap();
    let mut waits = Vec::new();
    for incarnation in 2..=5 {
        address.cast(Msg::Panic).unwrap();
        let before = Instant::now();
        assert_eq!(ping(&address).await, incarnation);
        waits.push(before.elapsed().as_millis());
    }
    let ranges = [0..=0, 10..=21, 20..=41, 40..=81];
    for (wait, range) in waits.iter().zip(ranges) {
        assert!(range.contains(wait), "{waits:?}");
    }
    tokio::time::advance(Duration::from_secs(10)).await;
    address.cast(Msg::Panic).unwrap();
    let before = Instant::now();
    assert_eq!(ping(&address).await, 6);
    assert_eq!(before.elapsed(), Duration::ZERO, "a new period");
    assert_eq!(running.tree("/it").remove(0).restarts, 5);
}

/// `/`(1) over `middle`(2) over `it`: three crashes end `middle` once, which the root repairs; three more end the tree.
#[tokio::test(start_paused = true)]
async fn too_many_restarts_escalate_to_the_root_and_end_it() {
    let journal = Journal::default();
    let (it, address) = probe("it", Permanent, &journal);
    let (other, _) = probe("other", Permanent, &journal);
    let (bystander, _) = probe("bystander", Permanent, &journal);
    let middle = Supervisor::new("middle", Strategy::OneForOne)
        .intensity(2, SOON)
        .child(it)
        .child(other);
    let root = Supervisor::root(Strategy::OneForOne)
        .intensity(1, SOON)
        .child(middle)
        .child(bystander);
    let running = start(root, Settings::default()).await.unwrap();
    for incarnation in 2..=3 {
        address.cast(Msg::Panic).unwrap();
        assert_eq!(ping(&address).await, incarnation);
    }
    assert_eq!(
        (journal.incarnations("other"), journal.incarnations("bystander")),
        (1, 1)
    );

    address.cast(Msg::Panic).unwrap();
    assert_eq!(ping(&address).await, 4, "the same address, below a new middle");
    assert_eq!(
        (journal.incarnations("other"), journal.incarnations("bystander")),
        (2, 1)
    );
    let middle = running.tree("/middle").remove(0);
    assert_eq!(middle.restarts, 1);
    let text = middle.failure.unwrap().text;
    assert_eq!(
        text,
        "restart intensity exceeded (2 in 60s) by /middle/it; last: panic: boom of it"
    );

    for _ in 0..2 {
        address.cast(Msg::Panic).unwrap();
        ping(&address).await;
    }
    address.cast(Msg::Panic).unwrap();
    let collapsed = running.ended().await.unwrap_err();
    assert!(
        collapsed
            .0
            .starts_with("error: restart intensity exceeded (1 in 60s) by /middle; last: error:")
    );
    assert_eq!(address.call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
    assert!(
        running.tree("/").iter().all(|row| row.phase == Phase::Closed),
        "{:?}",
        running.tree("/")
    );
}

#[tokio::test(start_paused = true)]
async fn a_killed_root_ends_the_tree() {
    let journal = Journal::default();
    let (it, address) = probe("it", Permanent, &journal);
    let running = start(
        Supervisor::root(Strategy::OneForOne).child(it),
        Settings::default(),
    )
    .await
    .unwrap();
    running.kill("/").unwrap();
    assert_eq!(running.ended().await.unwrap_err().0, "killed: killed");
    assert_eq!(journal.take(), ["+it", "-it"]);
    assert_eq!(address.call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn two_children_of_one_name_are_refused() {
    let journal = Journal::default();
    let ((one, _), (two, _)) = (probe("it", Permanent, &journal), probe("it", Permanent, &journal));
    let below = Supervisor::new("below", Strategy::OneForOne)
        .child(one)
        .child(two);
    let root = Supervisor::root(Strategy::OneForOne).child(below);
    assert!(start(root, Settings::default()).await.is_err());
    assert_eq!(journal.incarnations("it"), 0);
}
