//! Stopping: reverse start order, Drain before kill, deadlines, and what may still be restarted meanwhile.

use std::time::Duration;

use supervision::Restart::{Permanent, Temporary};
use supervision::{
    Address, CallError, DRAIN_GRACE, Dynamic, Intensity, Phase, Running, Settings, Strategy, Supervisor,
    start,
};
use tokio::time::Instant;

use crate::probe::{Drain, Journal, Msg, Probe, SOON, Start, args, phase, ping, probe, until};

async fn house(journal: &Journal) -> (Running, [Address<Msg>; 3]) {
    let (a, to_a) = probe("a", Permanent, journal);
    let (b, to_b) = probe("b", Permanent, journal);
    let (c, to_c) = probe("c", Permanent, journal);
    let inner = Supervisor::new("inner", Strategy::OneForOne).child(b).child(c);
    let root = Supervisor::root(Strategy::OneForOne)
        .intensity(9, SOON)
        .child(a)
        .child(inner);
    let running = start(root, Settings::default()).await.unwrap();
    journal.take();
    (running, [to_a, to_b, to_c])
}

#[tokio::test(start_paused = true)]
async fn drains_in_reverse_order_and_handles_what_is_queued() {
    let journal = Journal::default();
    let (running, [to_a, _, to_c]) = house(&journal).await;
    let queued = tokio::spawn({
        let to_c = to_c.clone();
        async move {
            to_c.call(SOON, |reply| Msg::Slow(Duration::from_secs(1), reply))
                .await
        }
    });
    tokio::task::yield_now().await;
    let before = Instant::now();
    running.drain(before + SOON).await.unwrap();
    assert_eq!(before.elapsed(), Duration::from_secs(1));
    assert_eq!(queued.await.unwrap(), Ok(1));
    assert_eq!(
        journal.take(),
        ["drain c", "-c", "drain b", "-b", "drain a", "-a"]
    );
    assert_eq!(running.ended().await, Ok(()));
    assert_eq!(to_a.call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
    assert_eq!(running.crash_cards(), []);
}

#[tokio::test(start_paused = true)]
async fn an_actor_may_take_its_time_until_the_deadline() {
    let journal = Journal::default();
    let (running, [to_a, to_b, to_c]) = house(&journal).await;
    journal.drains("b", Drain::Told);
    journal.drains("c", Drain::Never);
    let (before, deadline) = (Instant::now(), Duration::from_secs(5));
    let draining = tokio::spawn({
        let running = running.clone();
        async move { running.drain(before + deadline).await }
    });
    until("c is told", || {
        phase(&running, "/inner/c") == Some(Phase::Draining)
    })
    .await;
    assert_eq!(ping(&to_c).await, 1, "it goes on");
    assert_eq!(ping(&to_a).await, 1);
    until("b is told", || {
        phase(&running, "/inner/b") == Some(Phase::Draining)
    })
    .await;
    assert!(before.elapsed() >= deadline, "c was killed at the deadline");
    to_b.cast(Msg::Drained).unwrap();
    draining.await.unwrap().unwrap();
    assert!(
        before.elapsed() < deadline + DRAIN_GRACE,
        "b ended when it was done"
    );
    assert_eq!(
        journal.take(),
        ["drain c", "-c", "drain b", "-b", "drain a", "-a"]
    );
    let cards = running.crash_cards();
    assert_eq!(cards.len(), 1);
    assert_eq!(cards[0].text, "killed: not drained by the deadline");
}

#[tokio::test(start_paused = true)]
async fn the_last_are_not_robbed_by_the_first() {
    let journal = Journal::default();
    let (running, [to_a, _, to_c]) = house(&journal).await;
    to_c.cast(Msg::Hang).unwrap();
    let slow = tokio::spawn({
        let to_a = to_a.clone();
        async move {
            to_a.call(SOON, |reply| Msg::Slow(SOON / 60 + DRAIN_GRACE / 2, reply))
                .await
        }
    });
    tokio::task::yield_now().await;
    running.drain(Instant::now() + SOON / 60).await.unwrap();
    assert_eq!(
        slow.await.unwrap(),
        Ok(1),
        "a had its grace after the deadline that c wasted"
    );
}

#[tokio::test(start_paused = true)]
async fn who_is_not_told_yet_is_still_repaired_and_who_is_told_is_not() {
    let journal = Journal::default();
    let (running, [to_a, to_b, to_c]) = house(&journal).await;
    journal.drains("c", Drain::Told);
    let draining = tokio::spawn({
        let running = running.clone();
        async move { running.drain(Instant::now() + SOON).await }
    });
    until("c is told", || {
        phase(&running, "/inner/c") == Some(Phase::Draining)
    })
    .await;
    to_a.cast(Msg::Panic).unwrap();
    assert_eq!(ping(&to_a).await, 2, "c may need it");
    to_b.cast(Msg::Panic).unwrap();
    assert_eq!(ping(&to_b).await, 2);
    to_c.cast(Msg::Panic).unwrap();
    draining.await.unwrap().unwrap();
    assert_eq!(journal.incarnations("c"), 1);
}

#[tokio::test(start_paused = true)]
async fn who_starts_or_waits_is_simply_ended() {
    let journal = Journal::default();
    let (running, [to_a, to_b, _]) = house(&journal).await;
    journal.starts("b", &[Start::Hang]);
    to_b.cast(Msg::Panic).unwrap();
    until("b starts", || {
        phase(&running, "/inner/b") == Some(Phase::Starting)
    })
    .await;
    to_a.cast(Msg::Panic).unwrap();
    ping(&to_a).await;
    to_a.cast(Msg::Panic).unwrap();
    until("a waits", || phase(&running, "/a") == Some(Phase::Waiting)).await;
    let before = Instant::now();
    running.drain(before + SOON).await.unwrap();
    assert!(before.elapsed() < DRAIN_GRACE);
}

#[tokio::test(start_paused = true)]
async fn dynamic_children_are_drained_together() {
    let journal = Journal::default();
    let (store, to_store) = probe("store", Permanent, &journal);
    let pool = Dynamic::<Probe>::new("pool", 10, Temporary, Intensity::default());
    let root = Supervisor::root(Strategy::OneForOne).child(store).child(&pool);
    let running = start(root, Settings::default()).await.unwrap();
    for name in ["x", "y", "z"] {
        let address = pool.start(name, args(name, &journal)).unwrap();
        ping(&address).await;
    }
    journal.drains("y", Drain::Never);
    let (before, deadline) = (Instant::now(), Duration::from_secs(5));
    let draining = tokio::spawn({
        let running = running.clone();
        async move { running.drain(before + deadline).await }
    });
    until("only y is left", || pool.count() == 1).await;
    assert!(before.elapsed() < Duration::from_secs(1));
    assert_eq!(
        pool.start("w", args("w", &journal)).unwrap_err(),
        supervision::StartError::Draining
    );
    assert_eq!(ping(&to_store).await, 1, "its turn has not come");
    draining.await.unwrap().unwrap();
    assert!(before.elapsed() >= deadline && before.elapsed() < deadline + DRAIN_GRACE);
    assert_eq!(pool.count(), 0);
    assert_eq!(journal.take().last().unwrap(), "-store");
}

#[tokio::test(start_paused = true)]
async fn an_empty_tree_drains_too() {
    let running = start(Supervisor::root(Strategy::OneForOne), Settings::default())
        .await
        .unwrap();
    running.drain(Instant::now() + SOON).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_killed_is_reported() {
    let journal = Journal::default();
    let (running, [to_a, ..]) = house(&journal).await;
    let (release, blocked) = std::sync::mpsc::channel();
    to_a.cast(Msg::Block(blocked)).unwrap();
    until("a blocks", || journal.take().contains(&"blocked".to_owned())).await;
    let collapsed = running.drain(Instant::now()).await.unwrap_err();
    assert_eq!(collapsed.0, "something cannot be killed");
    drop(release);
    assert_eq!(running.ended().await, Ok(()));
}
