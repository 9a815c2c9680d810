//! Children that come and go: ceiling, parking, demand, passivation.

use std::time::Duration;

use supervision::Restart::{Permanent, Temporary, Transient};
use supervision::{
    Address, CallError, Dynamic, Intensity, Phase, Restart, Running, Settings, StartError, Strategy,
    Supervisor, start,
};
use tokio::time::Instant;

use crate::probe::{Args, Journal, Msg, Probe, SOON, Start, args, phase, ping, until};

const INTENSITY: Intensity = Intensity::new(2, SOON);

async fn pool(ceiling: usize, restart: Restart) -> (Running, Dynamic<Probe>) {
    let pool = Dynamic::<Probe>::new("pool", ceiling, restart, INTENSITY);
    let root = Supervisor::root(Strategy::OneForOne).child(&pool);
    (start(root, Settings::default()).await.unwrap(), pool)
}

async fn on_demand(ceiling: usize, restart: Restart, journal: &Journal) -> (Running, Dynamic<Probe>) {
    let pool = demanded(ceiling, restart, journal);
    let root = Supervisor::root(Strategy::OneForOne).child(&pool);
    (start(root, Settings::default()).await.unwrap(), pool)
}

fn demanded(ceiling: usize, restart: Restart, journal: &Journal) -> Dynamic<Probe> {
    let journal = journal.clone();
    Dynamic::on_demand("pool", ceiling, restart, INTENSITY, move |_, key| Args {
        journal: journal.clone(),
        name: key.to_owned(),
        setting: 0,
    })
}

#[tokio::test(start_paused = true)]
async fn starts_under_a_ceiling() {
    let journal = Journal::default();
    let early = Dynamic::<Probe>::new("early", 2, Temporary, INTENSITY);
    assert_eq!(
        early.start("x", args("x", &journal)).unwrap_err(),
        StartError::Down
    );

    let (running, pool) = pool(2, Temporary).await;
    let x = pool.start("x", args("x", &journal)).unwrap();
    assert_eq!(
        pool.start("x", args("x", &journal)).unwrap_err(),
        StartError::Exists
    );
    let seat = pool.reserve().unwrap();
    assert_eq!(
        pool.start("y", args("y", &journal)).unwrap_err(),
        StartError::Ceiling
    );
    drop(seat);
    let y = pool.reserve().unwrap().start("y", args("y", &journal)).unwrap();
    assert_eq!((ping(&x).await, ping(&y).await, pool.count()), (1, 1, 2));
    assert_eq!(
        pool.start("z", args("z", &journal)).unwrap_err(),
        StartError::Ceiling
    );
    pool.set_ceiling(3);
    assert!(pool.start("z", args("z", &journal)).is_ok());
    let paths: Vec<String> = running.tree("/pool/y").into_iter().map(|row| row.path).collect();
    assert_eq!(paths, ["/pool/y"]);

    y.cast(Msg::Stop).unwrap();
    until("y is gone", || pool.count() == 2).await;
    assert_eq!(y.call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
    assert_eq!(phase(&running, "/pool/y"), None);
    assert!(
        pool.start("y", args("y", &journal)).is_ok(),
        "the key is free again"
    );
}

#[tokio::test(start_paused = true)]
async fn every_death_under_every_rule() {
    // How it dies; which restarts bring it back.
    for (restart, after_crash, after_stop) in [
        (Permanent, true, true),
        (Transient, true, false),
        (Temporary, false, false),
    ] {
        for death in ["panic", "error", "kill", "kill while hanging", "stop"] {
            let story = format!("{restart:?} {death}");
            let journal = Journal::default();
            let (running, pool) = pool(9, restart).await;
            let it = pool.start("it", args("it", &journal)).unwrap();
            let other = pool.start("other", args("other", &journal)).unwrap();
            assert_eq!((ping(&it).await, ping(&other).await), (1, 1));
            match death {
                "panic" => it.cast(Msg::Panic).unwrap(),
                "error" => it.cast(Msg::Fail).unwrap(),
                "stop" => it.cast(Msg::Stop).unwrap(),
                _ => {
                    if death == "kill while hanging" {
                        it.cast(Msg::Hang).unwrap();
                        tokio::task::yield_now().await;
                    }
                    running.kill("/pool/it").unwrap();
                }
            }
            if if death == "stop" { after_stop } else { after_crash } {
                until(&story, || journal.incarnations("it") == 2).await;
                assert_eq!(ping(&it).await, 2, "{story}");
                assert_eq!(running.tree("/pool/it")[0].restarts, 1, "{story}");
            } else {
                until(&story, || pool.count() == 1).await;
                assert_eq!(
                    it.call(SOON, Msg::Ping).await,
                    Err(CallError::Unavailable),
                    "{story}"
                );
            }
            assert_eq!(ping(&other).await, 1, "{story}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_crashes_park_one_child_and_nothing_else() {
    let journal = Journal::default();
    let (running, pool) = pool(9, Transient).await;
    let it = pool.start("it", args("it", &journal)).unwrap();
    let other = pool.start("other", args("other", &journal)).unwrap();
    for incarnation in 1..=3 {
        assert_eq!(ping(&it).await, incarnation);
        it.cast(Msg::Panic).unwrap();
    }
    until("parked", || phase(&running, "/pool/it") == Some(Phase::Parked)).await;
    let before = Instant::now();
    assert_eq!(it.call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(
        pool.start("it", args("it", &journal)).unwrap_err(),
        StartError::Parked
    );
    assert_eq!(
        (
            pool.count(),
            ping(&other).await,
            running.tree("/pool")[0].restarts
        ),
        (1, 1, 0)
    );
    assert_eq!(
        running.tree("/pool/it")[0].failure.as_ref().unwrap().text,
        "boom of it"
    );

    running.restart("/pool/it").unwrap();
    until("back", || phase(&running, "/pool/it") == Some(Phase::Up)).await;
    assert_eq!((ping(&it).await, pool.count()), (4, 2));
    it.cast(Msg::Panic).unwrap();
    assert_eq!(ping(&it).await, 5, "its count starts anew");
}

#[tokio::test(start_paused = true)]
async fn killed_while_it_restarts_and_restarted_while_it_waits() {
    let journal = Journal::default();
    let (running, pool) = pool(9, Transient).await;
    let it = pool.start("it", args("it", &journal)).unwrap();
    ping(&it).await;
    journal.starts("it", &[Start::Hang]);
    it.cast(Msg::Panic).unwrap();
    until("starting", || {
        phase(&running, "/pool/it") == Some(Phase::Starting)
    })
    .await;
    running.kill("/pool/it").unwrap();
    until("waiting", || phase(&running, "/pool/it") == Some(Phase::Waiting)).await;
    running.restart("/pool/it").unwrap();
    let before = Instant::now();
    assert_eq!(ping(&it).await, 3);
    assert_eq!(before.elapsed(), Duration::ZERO, "no backoff for an operator");
}

#[tokio::test(start_paused = true)]
async fn the_first_call_starts_an_on_demand_child() {
    let journal = Journal::default();
    let early = demanded(9, Transient, &journal);
    let x = early.address("x");
    let waiting = tokio::spawn({
        let x = x.clone();
        async move { ping(&x).await }
    });
    tokio::task::yield_now().await;
    let running = start(
        Supervisor::root(Strategy::OneForOne).child(&early),
        Settings::default(),
    )
    .await
    .unwrap();
    assert_eq!(waiting.await.unwrap(), 1, "the call waited for the supervisor");
    assert_eq!(early.count(), 1);
    let y = early.address("y");
    assert_eq!(phase(&running, "/pool/y"), Some(Phase::Idle));
    assert!(y.cast(Msg::Stop).is_err(), "a cast starts nobody");
    let many: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let y = early.address("y");
                async move { ping(&y).await }
            })
        })
        .collect();
    for one in many {
        assert_eq!(one.await.unwrap(), 1, "one incarnation for all");
    }
    assert_eq!(early.address("y"), y);
    assert_eq!(
        (early.living("y"), early.living("z")),
        (Some(y), None),
        "a hint wakes nobody"
    );
    assert_eq!(phase(&running, "/pool/z"), None);
}

#[tokio::test(start_paused = true)]
async fn at_its_ceiling_an_on_demand_child_is_unavailable_at_once() {
    let journal = Journal::default();
    let (_running, pool) = on_demand(1, Transient, &journal).await;
    let (x, y) = (pool.address("x"), pool.address("y"));
    assert_eq!(ping(&x).await, 1);
    let before = Instant::now();
    assert_eq!(y.call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
    assert_eq!(before.elapsed(), Duration::ZERO);
    x.cast(Msg::Passivate).unwrap();
    until("x rests", || pool.count() == 0).await;
    assert_eq!(ping(&y).await, 1);
}

#[tokio::test(start_paused = true)]
async fn an_on_demand_child_that_crashes_or_fails_to_start() {
    for restart in [Transient, Temporary] {
        let journal = Journal::default();
        let (running, pool) = on_demand(9, restart, &journal).await;
        let x = pool.address("x");
        assert_eq!(ping(&x).await, 1);
        x.cast(Msg::Panic).unwrap();
        assert_eq!(ping(&x).await, 2, "{restart:?}");
        journal.starts("x", &[Start::Fail, Start::Fail]);
        x.cast(Msg::Panic).unwrap();
        until("parked", || {
            phase(&running, "/pool/x") == Some(Phase::Parked) || x.cast(Msg::Stop).is_err()
        })
        .await;
        assert_eq!(
            x.call(SOON, Msg::Ping).await,
            Err(CallError::Unavailable),
            "{restart:?}"
        );
        assert_eq!(phase(&running, "/pool/x"), Some(Phase::Parked), "{restart:?}");
        assert_eq!(pool.count(), 0, "{restart:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_supervisor_takes_all_and_brings_back_what_is_demanded() {
    let journal = Journal::default();
    let (running, demanded) = on_demand(9, Transient, &journal).await;
    let x = demanded.address("x");
    assert_eq!(ping(&x).await, 1);
    running.kill("/pool").unwrap();
    until("x has ended", || journal.take().contains(&"-x".to_owned())).await;
    assert_eq!(ping(&x).await, 2, "the same address");
    assert_eq!(demanded.count(), 1);

    let (running, started) = pool(9, Permanent).await;
    let y = started.start("y", args("y", &journal)).unwrap();
    ping(&y).await;
    let seat = started.reserve().unwrap();
    running.kill("/pool").unwrap();
    until("y is closed", || y.cast(Msg::Stop).is_err()).await;
    assert_eq!(y.call(SOON, Msg::Ping).await, Err(CallError::Unavailable));
    until("up again", || phase(&running, "/pool") == Some(Phase::Up)).await;
    assert_eq!((started.count(), journal.incarnations("y")), (0, 1));
    assert_eq!(
        seat.start("z", args("z", &journal)).unwrap_err(),
        StartError::Down,
        "a seat of another era"
    );
    assert!(started.start("y", args("y", &journal)).is_ok());
}

/// Forty callers on real threads, children that passivate themselves all the time: every call is answered, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn passivation_loses_nothing() {
    let journal = Journal::default();
    let (running, pool) = on_demand(9, Transient, &journal).await;
    let callers: Vec<_> = (0..40)
        .map(|caller| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let address: Address<Msg> = pool.address(if caller % 2 == 0 { "even" } else { "odd" });
                for turn in 0..100 {
                    if turn % 10 == caller % 10 {
                        let _ = address.cast(Msg::Passivate);
                    }
                    assert!(address.call(SOON, Msg::Ping).await.is_ok());
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(journal.incarnations("even") > 1 && journal.incarnations("odd") > 1);
    assert_eq!(running.crash_cards(), []);
}

#[tokio::test(start_paused = true)]
async fn idle_children_that_nobody_addresses_are_forgotten() {
    let journal = Journal::default();
    let (running, pool) = on_demand(9, Transient, &journal).await;
    let kept = pool.address("kept");
    for key in 0..5000 {
        let _ = pool.address(&key.to_string());
    }
    let known = running.tree("/pool").len();
    assert!(known < 3000, "{known}");
    assert_eq!(pool.address("kept"), kept);
}
