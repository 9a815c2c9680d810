//! A task and an actor as a pair: which survives what.

use std::time::Duration;

use supervision::Restart::{Temporary, Transient};
use supervision::{
    Address, CallError, DRAIN_GRACE, Dynamic, Intensity, Phase, Restart, Running, Settings, Strategy,
    Supervisor, start,
};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::probe::{Drain, Journal, Msg, Probe, SOON, Start, args, phase, ping, until};

async fn pool(restart: Restart) -> (Running, Dynamic<Probe>) {
    let pool = Dynamic::<Probe>::new("pool", 2, restart, Intensity::new(2, SOON));
    let root = Supervisor::root(Strategy::OneForOne).child(&pool);
    (start(root, Settings::default()).await.unwrap(), pool)
}

/// Writes when it is dropped.
struct Task(Journal);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.write("-task");
    }
}

/// A pair whose task ends when the sender is used or dropped.
fn pair(pool: &Dynamic<Probe>, journal: &Journal) -> (Address<Msg>, oneshot::Sender<()>) {
    let (end, ended) = oneshot::channel::<()>();
    let task = Task(journal.clone());
    let companion = |_address| async move {
        let _task = task;
        let _ = ended.await;
    };
    (
        pool.start_with("it", args("it", journal), companion).unwrap(),
        end,
    )
}

#[tokio::test(start_paused = true)]
async fn the_task_survives_the_actor_and_calls_the_next_one() {
    let journal = Journal::default();
    let (_running, pool) = pool(Transient).await;
    let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let address = pool
        .start_with("it", args("it", &journal), move |address| async move {
            for _ in 0..3 {
                said.send(address.call(SOON, Msg::Ping).await).unwrap();
                let _ = address.cast(Msg::Panic);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            said.send(address.call(SOON, Msg::Ping).await).unwrap();
        })
        .unwrap();
    for expected in [Ok(1), Ok(2), Ok(3), Err(CallError::Unavailable)] {
        assert_eq!(heard.recv().await.unwrap(), expected, "parked answers at once");
    }
    assert_eq!(heard.recv().await, None);
    until("the pair is gone", || pool.count() == 0).await;
    assert_eq!(address.call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
    assert!(
        pool.start("it", args("it", &journal)).is_ok(),
        "the key is free, and not parked"
    );
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_task_ends_the_actor_whatever_it_does() {
    for doing in ["nothing", "hanging", "starting", "waiting"] {
        let journal = Journal::default();
        let (running, pool) = pool(Transient).await;
        if doing == "starting" {
            journal.starts("it", &[Start::Hang]);
        }
        let (address, end) = pair(&pool, &journal);
        match doing {
            "hanging" => {
                ping(&address).await;
                address.cast(Msg::Hang).unwrap();
            }
            "waiting" => {
                for _ in 0..2 {
                    ping(&address).await;
                    address.cast(Msg::Panic).unwrap();
                }
                until("waiting", || phase(&running, "/pool/it") == Some(Phase::Waiting)).await;
            }
            "starting" => until("starting", || journal.incarnations("it") == 1).await,
            _ => assert_eq!(ping(&address).await, 1),
        }
        end.send(()).unwrap();
        until(doing, || pool.count() == 0).await;
        assert_eq!(running.tree("/pool").len(), 1, "{doing}");
        assert_eq!(
            address.call(SOON, Msg::Ping).await,
            Err(CallError::Unavailable),
            "{doing}"
        );
        let lines = journal.take();
        assert!(
            lines.contains(&"-task".into()) && lines.contains(&"-it".into()),
            "{doing}: {lines:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_before_its_actor_was_launched_leaves_nothing() {
    let journal = Journal::default();
    let (running, pool) = pool(Transient).await;
    for _ in 0..20 {
        let _ = pool.start_with("it", args("it", &journal), |_| async {}).unwrap();
        until("gone", || pool.count() == 0).await;
    }
    assert_eq!(running.tree("/").len(), 2);
    assert_eq!(running.crash_cards(), []);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_ends_its_actor() {
    let journal = Journal::default();
    let (_running, pool) = pool(Transient).await;
    let address = pool
        .start_with("it", args("it", &journal), |address: Address<Msg>| async move {
            ping(&address).await;
            panic!("a companion");
        })
        .unwrap();
    until("gone", || pool.count() == 0).await;
    assert_eq!(address.call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_is_gone_for_good_leaves_its_task_to_say_so() {
    for death in [Msg::Stop, Msg::Panic] {
        let journal = Journal::default();
        let (running, pool) = pool(Temporary).await;
        let (address, end) = pair(&pool, &journal);
        ping(&address).await;
        address.cast(death).unwrap();
        until("closed", || phase(&running, "/pool/it") == Some(Phase::Closed)).await;
        assert_eq!(address.call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
        assert_eq!(pool.count(), 1, "the connection is still there");
        end.send(()).unwrap();
        until("gone", || pool.count() == 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_supervisor_aborts_its_tasks_before_it_starts_again() {
    let journal = Journal::default();
    let (running, pool) = pool(Transient).await;
    let (address, _end) = pair(&pool, &journal);
    ping(&address).await;
    running.kill("/pool").unwrap();
    until("both have ended", || journal.take().contains(&"-task".into())).await;
    until("up again", || phase(&running, "/pool") == Some(Phase::Up)).await;
    assert_eq!(
        (pool.count(), address.call(SOON, Msg::Ping).await),
        (0, Err(CallError::Unavailable))
    );
}

#[tokio::test(start_paused = true)]
async fn tasks_may_finish_until_the_deadline_of_a_drain() {
    for (takes, killed) in [(2, false), (20, true)] {
        let journal = Journal::default();
        let (running, pool) = pool(Transient).await;
        journal.drains("it", Drain::Never);
        let task = Task(journal.clone());
        let address = pool
            .start_with("it", args("it", &journal), move |address| async move {
                let task = task;
                tokio::time::sleep(Duration::from_secs(takes)).await;
                assert_eq!(ping(&address).await, 1, "the actor waits for its task");
                task.0.write("done");
            })
            .unwrap();
        ping(&address).await;
        let (before, deadline) = (Instant::now(), Duration::from_secs(10));
        running.drain(before + deadline).await.unwrap();
        let expected = if killed {
            deadline
        } else {
            Duration::from_secs(takes)
        };
        assert!(
            before.elapsed() >= expected && before.elapsed() < expected + DRAIN_GRACE,
            "{:?}",
            before.elapsed()
        );
        assert_eq!(journal.take().contains(&"done".into()), !killed);
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_keeps_what_it_has() {
    let journal = Journal::default();
    let (_running, pool) = pool(Transient).await;
    let (_x, _y) = (pool.reserve().unwrap(), pool.reserve().unwrap());
    let socket = Task(journal.clone());
    match pool.reserve() {
        Ok(_) => panic!("there is no third seat"),
        Err(error) => assert_eq!(error, supervision::StartError::Ceiling),
    }
    assert!(journal.take().is_empty(), "the socket can still say 421");
    drop(socket);
}
