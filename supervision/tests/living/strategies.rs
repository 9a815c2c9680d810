//! Who dies with whom, in which order they come back, and that nobody starts before all of the old has ended.

use std::time::Duration;

use supervision::Restart::{Permanent, Temporary};
use supervision::Strategy::{OneForAll, OneForOne, RestForOne};
use supervision::{Address, Running, Settings, Strategy, Supervisor, start};

use tokio::time::Instant;

use crate::probe::{Journal, Msg, SOON, Start, ping, probe, until};

async fn three(strategy: Strategy, journal: &Journal) -> (Running, [Address<Msg>; 3]) {
    let (a, to_a) = probe("a", Permanent, journal);
    let (b, to_b) = probe("b", Permanent, journal);
    let (c, to_c) = probe("c", Permanent, journal);
    let root = Supervisor::root(strategy)
        .intensity(9, SOON)
        .child(a)
        .child(b)
        .child(c);
    let running = start(root, Settings::default()).await.unwrap();
    assert_eq!(
        journal.take(),
        ["+a", "+b", "+c"],
        "start order is dependency order"
    );
    (running, [to_a, to_b, to_c])
}

#[tokio::test(start_paused = true)]
async fn a_child_waits_for_its_own_deaths_only() {
    let journal = Journal::default();
    let (_running, addresses) = three(OneForOne, &journal).await;
    let before = Instant::now();
    for address in &addresses {
        address.cast(Msg::Panic).unwrap();
        ping(address).await;
    }
    assert_eq!(before.elapsed(), Duration::ZERO, "each died once");
    addresses[0].cast(Msg::Panic).unwrap();
    ping(&addresses[0]).await;
    assert!(before.elapsed() > Duration::ZERO, "it died twice");
}

#[tokio::test(start_paused = true)]
async fn each_strategy_restarts_whom_it_says_in_order() {
    // The victim, then what is written in the journal. Siblings are killed from the last to the first.
    let table: [(Strategy, usize, &[&str]); 7] = [
        (OneForOne, 0, &["-a", "+a"]),
        (OneForOne, 1, &["-b", "+b"]),
        (OneForAll, 0, &["-a", "-c", "-b", "+a", "+b", "+c"]),
        (OneForAll, 2, &["-c", "-b", "-a", "+a", "+b", "+c"]),
        (RestForOne, 0, &["-a", "-c", "-b", "+a", "+b", "+c"]),
        (RestForOne, 1, &["-b", "-c", "+b", "+c"]),
        (RestForOne, 2, &["-c", "+c"]),
    ];
    for (strategy, victim, expected) in table {
        // An operator's restart is no crash, and yet its siblings cannot go on with one that they do not know.
        for death in [Some(Msg::Panic), Some(Msg::Fail), None] {
            let story = format!("{strategy:?} {victim} {death:?}");
            let journal = Journal::default();
            let (running, addresses) = three(strategy, &journal).await;
            match death {
                Some(death) => addresses[victim].cast(death).unwrap(),
                None => running.restart(["/a", "/b", "/c"][victim]).unwrap(),
            }
            let mut lines = Vec::new();
            until(&story, || {
                lines.extend(journal.take());
                lines.len() == expected.len()
            })
            .await;
            assert_eq!(lines, expected, "{story}");
            for address in &addresses {
                ping(address).await;
            }
            assert_eq!(journal.take(), [""; 0], "{story}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sibling_that_hangs_is_killed_with_its_group() {
    let journal = Journal::default();
    let (_running, [a, b, c]) = three(OneForAll, &journal).await;
    b.cast(Msg::Hang).unwrap();
    tokio::task::yield_now().await;
    a.cast(Msg::Panic).unwrap();
    for address in [&a, &b, &c] {
        assert_eq!(ping(address).await, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_of_which_one_fails_to_start_is_restarted_as_a_group() {
    let journal = Journal::default();
    let (running, [a, b, c]) = three(RestForOne, &journal).await;
    journal.starts("b", &[Start::Fail, Start::Hang]);
    a.cast(Msg::Panic).unwrap();
    until("b hangs", || journal.incarnations("b") == 3).await;
    assert_eq!(journal.incarnations("c"), 1, "c waits for b");
    running.kill("/b").unwrap();
    assert_eq!((ping(&a).await, ping(&b).await, ping(&c).await), (2, 4, 2));
}

#[tokio::test(start_paused = true)]
async fn a_group_does_not_bring_back_the_temporary() {
    let journal = Journal::default();
    let (a, to_a) = probe("a", Permanent, &journal);
    let (b, to_b) = probe("b", Temporary, &journal);
    let root = Supervisor::root(OneForAll).child(a).child(b);
    let _running = start(root, Settings::default()).await.unwrap();
    to_a.cast(Msg::Panic).unwrap();
    assert_eq!(ping(&to_a).await, 2);
    assert!(to_b.call(SOON, Msg::Ping).await.is_err());
    assert_eq!(journal.incarnations("b"), 1);
}

#[tokio::test(start_paused = true)]
async fn killing_a_supervisor_kills_and_restarts_its_subtree_only() {
    let journal = Journal::default();
    let (a, to_a) = probe("a", Permanent, &journal);
    let (b, to_b) = probe("b", Permanent, &journal);
    let (c, to_c) = probe("c", Permanent, &journal);
    let inner = Supervisor::new("inner", OneForOne).child(b);
    let outer = Supervisor::new("outer", OneForOne).child(a).child(inner);
    let root = Supervisor::root(OneForOne).child(outer).child(c);
    let running = start(root, Settings::default()).await.unwrap();
    assert_eq!(
        journal.take(),
        ["+a", "+b", "+c"],
        "a supervisor is up when its children are"
    );
    running.kill("/outer").unwrap();
    assert_eq!(
        (ping(&to_a).await, ping(&to_b).await, ping(&to_c).await),
        (2, 2, 1)
    );
    let mut lines = journal.take();
    lines[..2].sort();
    assert_eq!(lines, ["-a", "-b", "+a", "+b"]);
}

/// A grandchild that blocks its thread cannot be killed: until it comes round, nothing of its tree is started again.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn nobody_starts_before_all_descendants_of_the_old_have_ended() {
    let journal = Journal::default();
    let (a, to_a) = probe("a", Permanent, &journal);
    let (b, to_b) = probe("b", Permanent, &journal);
    let inner = Supervisor::new("inner", OneForOne).child(a).child(b);
    let root = Supervisor::root(OneForOne).child(inner);
    let running = start(root, Settings::default()).await.unwrap();
    let (release, blocked) = std::sync::mpsc::channel();
    to_a.cast(Msg::Block(blocked)).unwrap();
    until("a blocks", || journal.take().contains(&"blocked".to_owned())).await;
    running.kill("/inner").unwrap();
    until("b has ended", || journal.take().contains(&"-b".to_owned())).await;
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!((journal.incarnations("a"), journal.incarnations("b")), (1, 1));
    }
    drop(release);
    assert_eq!((ping(&to_a).await, ping(&to_b).await), (2, 2));
}
