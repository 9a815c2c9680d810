//! What a sender learns, and when: answers, `Unavailable`, `Unknown`, permits, subjects, depth.

use std::sync::Arc;
use std::time::Duration;

use supervision::Restart::{Permanent, Temporary};
use supervision::{
    Address, CallError, Restart, Running, Settings, Strategy, Subject, Supervisor, Unavailable, start,
};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::probe::{Args, Journal, Msg, Probe, SOON, Start, ping, probe, until};

async fn one(restart: Restart, journal: &Journal) -> (Running, Address<Msg>) {
    let (child, address) = probe("it", restart, journal);
    let root = Supervisor::root(Strategy::OneForOne)
        .intensity(9, SOON)
        .child(child);
    (start(root, Settings::default()).await.unwrap(), address)
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_the_first_start_and_through_restarts() {
    let journal = Journal::default();
    journal.starts(
        "it",
        &[
            Start::Slow(Duration::from_secs(2)),
            Start::Slow(Duration::from_secs(3)),
        ],
    );
    let (child, address) = probe("it", Permanent, &journal);
    assert_eq!(
        address.call(SOON / 60, Msg::Ping).await,
        Err(CallError::Unavailable),
        "no tree yet"
    );
    assert_eq!(address.cast(Msg::Stop), Err(Unavailable));
    let early = tokio::spawn({
        let address = address.clone();
        async move { ping(&address).await }
    });
    let _running = start(
        Supervisor::root(Strategy::OneForOne).child(child),
        Settings::default(),
    )
    .await
    .unwrap();
    assert_eq!(early.await.unwrap(), 1);
    address.cast(Msg::Panic).unwrap();
    until("it has died", || address.cast(Msg::Drained) == Err(Unavailable)).await;
    let before = Instant::now();
    assert_eq!(
        address.call(Duration::from_secs(1), Msg::Ping).await,
        Err(CallError::Unavailable),
        "not in time"
    );
    assert_eq!(before.elapsed(), Duration::from_secs(1));
    assert_eq!(ping(&address).await, 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_is_unknown_and_what_was_not_is_unavailable() {
    let journal = Journal::default();
    let (running, address) = one(Permanent, &journal).await;
    let call = |msg: fn(supervision::Reply<u32>) -> Msg| {
        let address = address.clone();
        tokio::spawn(async move { address.call(SOON, msg).await })
    };
    let begun = call(|reply| Msg::Slow(Duration::from_secs(5), reply));
    tokio::task::yield_now().await;
    let queued = call(Msg::Ping);
    until("both are sent", || address.depth() == 2).await;
    running.kill("/it").unwrap();
    assert_eq!(begun.await.unwrap(), Err(CallError::Unknown));
    assert_eq!(queued.await.unwrap(), Err(CallError::Unavailable));

    assert_eq!(
        address.call(SOON, Msg::Forget).await,
        Err(CallError::Unknown),
        "the reply was dropped"
    );
    let slow = |reply| Msg::Slow(Duration::from_secs(5), reply);
    assert_eq!(
        address.call(Duration::from_secs(1), slow).await,
        Err(CallError::Unknown),
        "delivered, no answer"
    );
    assert_eq!(ping(&address).await, 2, "the late answer went nowhere");
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_come_from_another_thread_after_the_handler() {
    let (address, mut inbox) = Address::<Msg>::detached();
    let answering = tokio::spawn(async move {
        let Some(Msg::Ping(reply)) = inbox.next().await else {
            panic!("another message")
        };
        std::thread::spawn(move || reply.send(42)).join().unwrap();
    });
    assert_eq!(address.call(SOON, Msg::Ping).await, Ok(42));
    answering.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn permits_come_back_when_a_message_is_handled_or_lost() {
    let journal = Journal::default();
    let (running, address) = one(Permanent, &journal).await;
    let permits = Arc::new(Semaphore::new(3));
    let permit = || Arc::clone(&permits).try_acquire_owned().unwrap();
    address.permit(permit()).cast(Msg::Hang).unwrap();
    address.permit(permit()).cast(Msg::Stop).unwrap();
    tokio::task::yield_now().await;
    assert_eq!(permits.available_permits(), 1);
    running.kill("/it").unwrap();
    until("lost with the mailbox", || permits.available_permits() == 3).await;
    assert_eq!(address.permit(permit()).call(SOON, Msg::Ping).await, Ok(2));
    assert_eq!(permits.available_permits(), 3);
    assert_eq!(
        Address::closed().permit(permit()).call(SOON, Msg::Ping).await,
        Err(CallError::Unavailable)
    );
    assert_eq!(permits.available_permits(), 3);
}

#[tokio::test(start_paused = true)]
async fn crashes_are_counted_by_subject() {
    let journal = Journal::default();
    let (running, address) = one(Permanent, &journal).await;
    let (poison, other) = (Subject::new("message", 7), Subject::new("message", 8));
    address.subject(poison).cast(Msg::Hang).unwrap();
    tokio::task::yield_now().await;
    assert_eq!(running.tree("/it")[0].subject, Some(poison));
    running.kill("/it").unwrap();
    assert_eq!(ping(&address).await, 2);
    assert_eq!(
        running.crashes(poison),
        0,
        "who is killed does not blame its message"
    );
    for (count, msg) in [(1, Msg::Panic), (2, Msg::Fail)] {
        address.subject(poison).cast(msg).unwrap();
        ping(&address).await;
        assert_eq!(running.crashes(poison), count);
    }
    assert_eq!(address.subject(other).call(SOON, Msg::Ping).await, Ok(4));
    assert_eq!(running.crashes(other), 0);
    // An operator has dealt with it.
    running.forgive(poison);
    assert_eq!(running.crashes(poison), 0);
    let card = running.crash_cards().pop().unwrap();
    assert_eq!(
        (card.subject, card.path.as_str(), card.class),
        (Some(poison), "/it", "probe")
    );
    assert_eq!(running.tree("/it")[0].subject, None);
}

#[tokio::test(start_paused = true)]
async fn an_actor_alone_lives_once() {
    let journal = Journal::default();
    let args = Args {
        journal: journal.clone(),
        name: "it".into(),
        setting: 0,
    };
    let address = supervision::alone::<Probe>(Settings::default(), args);
    assert_eq!(ping(&address).await, 1);
    address.cast(Msg::Panic).unwrap();
    until("closed", || {
        !journal.take().is_empty() && address.cast(Msg::Stop).is_err()
    })
    .await;
    assert_eq!(address.call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn a_temporary_child_that_ends_lets_its_waiting_callers_go() {
    let journal = Journal::default();
    let (running, address) = one(Temporary, &journal).await;
    let waiting = tokio::spawn({
        let address = address.clone();
        async move {
            let before = Instant::now();
            (
                address.call(SOON, |reply| Msg::Slow(SOON / 2, reply)).await,
                before.elapsed(),
            )
        }
    });
    tokio::task::yield_now().await;
    running.kill("/it").unwrap();
    assert_eq!(waiting.await.unwrap(), (Err(CallError::Unknown), Duration::ZERO));
}
