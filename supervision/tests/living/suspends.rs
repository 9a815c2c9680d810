//! Suspended actors: they handle nothing and lose nothing, and can still be inspected, configured and ended.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use supervision::Restart::{Permanent, Transient};
use supervision::{
    Address, CallError, ControlError, Dynamic, Intensity, Phase, Running, Settings, Strategy, Supervisor,
    Value, start,
};
use tokio::time::Instant;

use crate::probe::{Args, Drain, Journal, Msg, Probe, SOON, Start, args, phase, ping, probe, until};

async fn house(journal: &Journal) -> (Running, Address<Msg>, Dynamic<Probe>) {
    let (a, to_a) = probe("a", Permanent, journal);
    let pool = Dynamic::<Probe>::on_demand("pool", 9, Transient, Intensity::default(), {
        let journal = journal.clone();
        move |_, key| Args {
            journal: journal.clone(),
            name: key.to_owned(),
            setting: 0,
        }
    });
    let root = Supervisor::root(Strategy::OneForOne).child(a).child(&pool);
    let running = start(root, Settings::new(1_u32)).await.unwrap();
    journal.take();
    (running, to_a, pool)
}

fn note(address: &Address<Msg>, numbers: std::ops::Range<u32>) {
    for number in numbers {
        address.cast(Msg::Note(number)).unwrap();
    }
}

fn notes(name: &str, numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| format!("{name}:{number}")).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_waits_in_order_and_the_house_is_still_heard() {
    let journal = Journal::default();
    let (running, to_a, _) = house(&journal).await;
    running.suspend("/a").unwrap();
    running.suspend("/a").unwrap();
    note(&to_a, 0..5);
    let late = to_a.call(Duration::from_secs(2), Msg::Ping).await;
    assert_eq!(late, Err(CallError::Unknown), "it may yet be handled");
    let row = running.tree("/a").remove(0);
    assert_eq!(
        (row.phase, row.suspended, row.depth, row.handled),
        (Phase::Up, true, 6, 0)
    );
    assert_eq!(row.oldest, Some(Duration::from_secs(2)));
    let stuck = running.stuck(Duration::from_secs(1));
    assert_eq!(
        stuck.iter().map(|row| row.path.as_str()).collect::<Vec<_>>(),
        ["/a"]
    );
    assert_eq!(running.stuck(Duration::from_secs(2)), []);

    let round = running.prepare(&Settings::new(2_u32), SOON).await;
    assert_eq!((round.told, round.acknowledged), (3, 3));
    let round = running.commit(&Settings::new(2_u32), SOON).await;
    assert_eq!((round.told, round.acknowledged), (3, 3));
    let seen = running.inspect("/a").await.unwrap();
    assert_eq!(seen.value("setting"), Some(&Value::Number(2)));
    assert_eq!(journal.take(), ["a?2", "a=2"]);

    running.resume("/a").unwrap();
    note(&to_a, 5..9);
    assert_eq!(ping(&to_a).await, 1);
    assert_eq!(journal.take(), notes("a", 0..9));
    let row = running.tree("/a").remove(0);
    assert_eq!((row.suspended, row.depth, row.handled), (false, 0, 11));
    assert_eq!(row.longest, Duration::ZERO, "waiting is not handling");
    running.resume("/a").unwrap();
    assert_eq!(running.stuck(Duration::ZERO), []);
}

#[tokio::test(start_paused = true)]
async fn the_current_message_is_finished_and_the_queued_wait() {
    let journal = Journal::default();
    let (running, to_a, _) = house(&journal).await;
    let slow = tokio::spawn({
        let to_a = to_a.clone();
        async move {
            to_a.call(SOON, |reply| Msg::Slow(Duration::from_secs(3), reply))
                .await
        }
    });
    until("it is busy", || to_a.depth() == 1).await;
    note(&to_a, 0..3);
    running.suspend("/a").unwrap();
    assert_eq!(slow.await.unwrap(), Ok(1));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(journal.take(), [""; 0]);
    assert_eq!(running.tree("/a")[0].depth, 3);
    running.resume("/a").unwrap();
    ping(&to_a).await;
    assert_eq!(journal.take(), notes("a", 0..3));
    let row = running.tree("/a").remove(0);
    assert!(
        row.longest <= Duration::from_secs(3),
        "it was not busy while it was suspended: {row:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_drain_resumes() {
    let journal = Journal::default();
    let (running, to_a, pool) = house(&journal).await;
    let m = pool.address("m");
    ping(&m).await;
    journal.take();
    for (path, address, name) in [("/a", &to_a, "a"), ("/pool/m", &m, "m")] {
        running.suspend(path).unwrap();
        note(address, 0..3);
        assert!(running.tree(path)[0].suspended, "{name}");
    }
    let before = Instant::now();
    running.drain(before + SOON).await.unwrap();
    assert!(before.elapsed() < Duration::from_secs(1));
    let expected = [
        notes("m", 0..3),
        vec!["drain m".into(), "-m".into()],
        notes("a", 0..3),
        vec!["drain a".into(), "-a".into()],
    ];
    assert_eq!(journal.take(), expected.concat());
    assert_eq!(running.crash_cards(), []);
    assert_eq!(running.suspend("/a"), Err(ControlError::NotRunning));
}

#[tokio::test(start_paused = true)]
async fn who_takes_its_time_to_drain_cannot_be_suspended() {
    let journal = Journal::default();
    let (running, to_a, _) = house(&journal).await;
    journal.drains("a", Drain::Told);
    running.suspend("/a").unwrap();
    let draining = tokio::spawn({
        let running = running.clone();
        async move { running.drain(Instant::now() + SOON).await }
    });
    until("it is told", || journal.take().contains(&"drain a".to_owned())).await;
    assert!(!running.tree("/a")[0].suspended);
    assert_eq!(running.suspend("/a"), Err(ControlError::NotRunning));
    assert_eq!(ping(&to_a).await, 1);
    to_a.cast(Msg::Drained).unwrap();
    draining.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_successor_is_not_suspended() {
    let journal = Journal::default();
    let (running, to_a, _) = house(&journal).await;
    for (incarnation, kill) in [(1_u32, true), (2, false)] {
        running.suspend("/a").unwrap();
        note(&to_a, 0..3);
        let waiting = tokio::spawn({
            let to_a = to_a.clone();
            async move { to_a.call(SOON, Msg::Ping).await }
        });
        until("it waits", || to_a.depth() == 4).await;
        assert_eq!(
            running.inspect("/a").await.unwrap().value("incarnation"),
            Some(&incarnation.into())
        );
        if kill {
            running.kill("/a").unwrap();
        } else {
            running.restart("/a").unwrap();
        }
        // What was set aside was lost with it, and certainly not begun.
        assert_eq!(waiting.await.unwrap(), Err(CallError::Unavailable));
        assert_eq!(ping(&to_a).await, incarnation + 1);
        let row = running.tree("/a").remove(0);
        assert_eq!((row.suspended, row.depth), (false, 0));
        assert!(!journal.take().iter().any(|line| line.starts_with("a:")));
    }
}

#[tokio::test(start_paused = true)]
async fn who_stops_after_its_resumption_still_handles_what_it_was_sent() {
    let journal = Journal::default();
    let (running, to_a, pool) = house(&journal).await;
    let m = pool.address("m");
    ping(&m).await;
    journal.take();
    for (path, address, ends) in [("/a", &to_a, Msg::Stop), ("/pool/m", &m, Msg::Passivate)] {
        running.suspend(path).unwrap();
        note(address, 0..2);
        address.cast(ends).unwrap();
        note(address, 2..4);
        running.inspect(path).await.unwrap();
        running.resume(path).unwrap();
        let name = path.rsplit('/').next().unwrap();
        let mut lines = Vec::new();
        until("it has ended", || {
            lines.extend(journal.take());
            lines.contains(&format!("-{name}"))
        })
        .await;
        assert_eq!(ping(address).await, 2, "{path}");
        lines.extend(journal.take());
        let expected = [notes(name, 0..4), vec![format!("-{name}"), format!("+{name}")]];
        assert_eq!(lines, expected.concat());
    }
    // One that crashes on the first of them loses the rest, as a mailbox is lost.
    running.suspend("/a").unwrap();
    to_a.cast(Msg::Panic).unwrap();
    note(&to_a, 0..2);
    running.inspect("/a").await.unwrap();
    running.resume("/a").unwrap();
    assert_eq!(ping(&to_a).await, 3);
    assert_eq!(journal.take(), ["-a", "+a"]);
}

#[tokio::test(start_paused = true)]
async fn only_actors_that_run_can_be_suspended() {
    let journal = Journal::default();
    let (running, to_a, pool) = house(&journal).await;
    for path in ["/", "/pool"] {
        assert_eq!(running.suspend(path), Err(ControlError::Supervisor), "{path}");
    }
    assert_eq!(running.suspend("/b"), Err(ControlError::NotFound));
    assert_eq!(running.resume("/b"), Err(ControlError::NotFound));
    let _idle = pool.address("idle");
    assert_eq!(running.suspend("/pool/idle"), Err(ControlError::NotRunning));
    // In the middle of its start it can be, and is when it is up.
    journal.starts("a", &[Start::Slow(Duration::from_secs(1))]);
    to_a.cast(Msg::Panic).unwrap();
    until("it starts", || phase(&running, "/a") == Some(Phase::Starting)).await;
    running.suspend("/a").unwrap();
    let late = to_a.call(Duration::from_secs(5), Msg::Ping).await;
    assert_eq!(late, Err(CallError::Unknown));
    running.resume("/a").unwrap();
    assert_eq!(ping(&to_a).await, 2);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_companion_ends_a_suspended_actor() {
    let journal = Journal::default();
    let pool = Dynamic::<Probe>::new("pool", 9, Transient, Intensity::default());
    let root = Supervisor::root(Strategy::OneForOne).child(&pool);
    let running = start(root, Settings::default()).await.unwrap();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let it = pool
        .start_with("it", args("it", &journal), |_| async move {
            let _ = ended.await;
        })
        .unwrap();
    ping(&it).await;
    running.suspend("/pool/it").unwrap();
    note(&it, 0..3);
    running.inspect("/pool/it").await.unwrap();
    let before = Instant::now();
    drop(end);
    until("it is gone", || pool.count() == 0).await;
    assert!(before.elapsed() < Duration::from_secs(1));
    assert_eq!(journal.take(), ["+it", "-it"]);
}

/// Whatever is suspended and resumed when, every message is handled once and in order.
async fn storm(seed: u64) {
    const NOTES: u32 = 2000;
    let journal = Journal::default();
    let (running, to_a, _) = house(&journal).await;
    let mut dice = SmallRng::seed_from_u64(seed);
    let sending = tokio::spawn({
        let to_a = to_a.clone();
        async move {
            for number in 0..NOTES {
                to_a.cast(Msg::Note(number)).unwrap();
                if number % 16 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        }
    });
    while !sending.is_finished() || to_a.depth() > 0 {
        match dice.random_range(0..4) {
            0 => running.suspend("/a").unwrap(),
            1 => running.resume("/a").unwrap(),
            2 => drop(running.inspect("/a").await.unwrap()),
            _ => tokio::task::yield_now().await,
        }
    }
    running.resume("/a").unwrap();
    sending.await.unwrap();
    ping(&to_a).await;
    assert_eq!(journal.take(), notes("a", 0..NOTES), "seed {seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_is_handled_once_and_in_order() {
    for seed in 0..20 {
        storm(seed).await;
    }
}
