//! What is counted for a class, those that are gone included, and the tree cut at a depth.

use std::time::Duration;

use supervision::Restart::{Permanent, Temporary, Transient};
use supervision::{ClassTally, Dynamic, Intensity, Phase, Running, Settings, Strategy, Supervisor, start};
use tokio::time::Instant;

use crate::probe::{Journal, Msg, Probe, SOON, args, phase, ping, probe, until};

fn probes(running: &Running) -> ClassTally {
    let classes = running.classes();
    let names: Vec<_> = classes.iter().map(|tally| tally.class).collect();
    assert_eq!(names, ["dynamic_supervisor", "probe", "supervisor"]);
    classes.into_iter().nth(1).unwrap()
}

async fn house(journal: &Journal) -> (Running, supervision::Address<Msg>, Dynamic<Probe>) {
    let (a, to_a) = probe("a", Permanent, journal);
    let pool = Dynamic::<Probe>::new("pool", 99, Transient, Intensity::new(1, SOON));
    let inner = Supervisor::new("inner", Strategy::OneForOne)
        .child(a)
        .child(&pool);
    let root = Supervisor::root(Strategy::OneForOne).child(inner);
    let running = start(root, Settings::new(1_u32)).await.unwrap();
    (running, to_a, pool)
}

#[tokio::test(start_paused = true)]
async fn a_class_counts_all_its_incarnations_and_those_that_are_gone() {
    let journal = Journal::default();
    let (running, to_a, pool) = house(&journal).await;
    let tally = probes(&running);
    assert_eq!((tally.running, tally.started, tally.handled), (1, 1, 0));

    // Ten come, handle three messages each, and go.
    for name in 0..10 {
        let name = name.to_string();
        let guest = pool.start(name.as_str(), args(&name, &journal)).unwrap();
        guest
            .call(SOON, |reply| Msg::Slow(Duration::from_millis(100), reply))
            .await
            .unwrap();
        ping(&guest).await;
        guest.cast(Msg::Stop).unwrap();
    }
    until("they are gone", || pool.count() == 0).await;
    let tally = probes(&running);
    assert_eq!((tally.running, tally.started), (1, 11));
    assert_eq!((tally.handled, tally.crashed, tally.restarted), (30, 0, 0));
    assert_eq!(tally.handling.max(), Duration::from_millis(100));
    assert!(tally.handling.p50() < Duration::from_micros(1));
    assert_eq!(tally.handling.count(), tally.mailbox.count());

    // One crashes and is restarted, crashes again and is parked.
    let poor = pool.start("poor", args("poor", &journal)).unwrap();
    for incarnation in 1..=2 {
        assert_eq!(ping(&poor).await, incarnation);
        poor.cast(Msg::Panic).unwrap();
    }
    until("it is parked", || {
        phase(&running, "/inner/pool/poor") == Some(Phase::Parked)
    })
    .await;
    running.kill("/inner/a").unwrap();
    assert_eq!(ping(&to_a).await, 2);
    let tally = probes(&running);
    assert_eq!((tally.running, tally.parked), (1, 1));
    assert_eq!((tally.started, tally.crashed, tally.restarted), (14, 3, 2));

    // Waiting in the mailbox is told from being handled.
    running.suspend("/inner/a").unwrap();
    to_a.cast(Msg::Note(1)).unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let tally = probes(&running);
    assert_eq!((tally.suspended, tally.depth, tally.running), (1, 1, 1));
    running.resume("/inner/a").unwrap();
    ping(&to_a).await;
    let tally = probes(&running);
    assert_eq!((tally.suspended, tally.depth), (0, 0));
    assert_eq!(tally.mailbox.max(), Duration::from_secs(5));
    assert_eq!(tally.handling.max(), Duration::from_millis(100));

    running.drain(Instant::now() + SOON).await.unwrap();
    let tally = probes(&running);
    assert_eq!((tally.running, tally.started), (0, 14), "sums outlive the tree");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_message_is_lost_from_the_count_on_many_threads() {
    const EACH: u64 = 500;
    let journal = Journal::default();
    let (running, ..) = house(&journal).await;
    let pool = Dynamic::<Probe>::new("many", 100, Temporary, Intensity::default());
    let root = Supervisor::root(Strategy::OneForOne).child(&pool);
    let other = start(root, Settings::default()).await.unwrap();
    let calls: Vec<_> = (0..20)
        .map(|name| {
            let name = format!("m{name}");
            let address = pool.start(name.as_str(), args(&name, &journal)).unwrap();
            tokio::spawn(async move {
                for _ in 0..EACH {
                    ping(&address).await;
                }
                address.cast(Msg::Stop).unwrap();
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    until("all are gone", || pool.count() == 0).await;
    assert_eq!(probes(&other).handled, 20 * (EACH + 1));
    assert_eq!(probes(&running).handled, 0, "each tree has its own books");
}

#[tokio::test(start_paused = true)]
async fn a_tree_can_be_cut_at_a_depth() {
    let journal = Journal::default();
    let (running, _, pool) = house(&journal).await;
    for key in ["x", "y/z"] {
        ping(&pool.start(key, args(key, &journal)).unwrap()).await;
    }
    let paths = |prefix: &str, depth: usize| {
        let rows = running.tree_to(prefix, depth);
        let mut paths: Vec<String> = rows.into_iter().map(|row| row.path).collect();
        paths.sort();
        paths
    };
    let all = [
        "/",
        "/inner",
        "/inner/a",
        "/inner/pool",
        "/inner/pool/x",
        "/inner/pool/y/z",
    ];
    assert_eq!(paths("/", 0), all[..1]);
    assert_eq!(paths("/", 1), all[..2]);
    assert_eq!(paths("/", 2), all[..4]);
    assert_eq!(paths("/", 3), all);
    assert_eq!(paths("/", usize::MAX), all);
    assert_eq!(paths("/inner", 0), all[1..2]);
    assert_eq!(paths("/inner/", 1), all[1..4]);
    assert_eq!(paths("/inner/pool", 1), all[3..]);
    assert_eq!(paths("/inner/pool/y/z", 0), all[5..]);
    assert_eq!(paths("/nowhere", 9), [""; 0]);
}
