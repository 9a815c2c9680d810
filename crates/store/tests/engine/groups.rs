//! What one group is, and what its members may expect of each other.

use message::address::DomainName;
use store::{
    apply::{Outcome, Rejected},
    command::{Command, CreateDomain, Proposal},
    feed::Feed,
    options::Options,
    propose::ProposeError,
    store::Store,
};

use crate::{
    fixture::{NOW, TENANT, accept, accept_command, furnish, small, spooled, wait, write_blob},
    gate::GatedEngine,
};

/// A store whose committer stands at the gate with the 0th message, so that what is proposed next is one group.
fn gated(
    engine: &GatedEngine,
    options: Options,
) -> (Store, impl Future<Output = Result<Outcome, ProposeError>>) {
    let store = Store::over(engine.clone(), options).unwrap();
    furnish(&store);
    engine.shut();
    let first = store.propose(small(&store, 0));
    engine.wait_for_writer();
    (store, first)
}

#[test]
fn what_waits_together_shares_one_sync() {
    let engine = GatedEngine::default();
    let (store, first) = gated(&engine, Options::default());
    let others: Vec<_> = (1..=20).map(|n| store.propose(small(&store, n))).collect();
    let (writes, synced) = engine.writes();
    engine.open();
    assert_eq!(wait(first), Ok(Outcome::Done));
    for other in others {
        assert_eq!(wait(other), Ok(Outcome::Done));
    }
    assert_eq!(engine.writes(), (writes + 2, synced + 2));
    assert!((0..=20).all(|n| spooled(&store, n).is_some()));
    let statistics = store.statistics();
    // 20 commands fall into the class of up to 32.
    assert_eq!(
        (
            statistics.sequence,
            statistics.commands,
            statistics.group_sizes[5]
        ),
        (24, 24, 1)
    );
}

#[test]
fn a_group_is_bounded_in_commands_and_in_octets() {
    let check = |options: Options, expected: usize| {
        let engine = GatedEngine::default();
        let (store, _first) = gated(&engine, options);
        let others: Vec<_> = (1..=12).map(|n| store.propose(small(&store, n))).collect();
        let before = engine.writes().0;
        engine.open();
        others.into_iter().for_each(|other| drop(wait(other).unwrap()));
        assert_eq!(engine.writes().0 - before, 1 + expected);
    };
    check(
        Options {
            max_group: 5,
            ..Options::default()
        },
        3,
    );
    // Each command is charged a little over 1 KiB.
    check(
        Options {
            max_group_octets: 4 << 10,
            ..Options::default()
        },
        4,
    );
    // A group has at least one command, whatever its size.
    check(
        Options {
            max_group_octets: 1,
            ..Options::default()
        },
        12,
    );
}

#[test]
fn a_rejected_command_fails_alone() {
    let engine = GatedEngine::default();
    let (store, first) = gated(&engine, Options::default());
    let domain = |n| {
        let create = CreateDomain {
            tenant: TENANT,
            name: DomainName::parse(b"example.net").unwrap(),
            catch_all: None,
        };
        store.propose(Proposal::new(
            accept_command(n),
            NOW,
            Command::CreateDomain(create),
        ))
    };
    let before = store.propose(small(&store, 1));
    let created = domain(76);
    // It exists only in the overlay, as the commands before it in the group left it.
    let again = domain(77);
    let after = store.propose(small(&store, 2));
    engine.open();
    assert_eq!(wait(first), Ok(Outcome::Done));
    assert_eq!(wait(before), Ok(Outcome::Done));
    assert_eq!(wait(created), Ok(Outcome::Done));
    assert!(matches!(
        wait(again),
        Err(ProposeError::Rejected(Rejected::Exists(_)))
    ));
    assert_eq!(wait(after), Ok(Outcome::Done));
    assert_eq!(store.statistics().rejected, 1);
    assert_eq!(wait(store.recall(accept_command(77))), Ok(None));
    assert_eq!(wait(store.recall(accept_command(76))), Ok(Some(Outcome::Done)));
}

#[test]
fn a_repeated_id_gives_the_first_outcome_within_a_group_and_later() {
    let engine = GatedEngine::default();
    let (store, _first) = gated(&engine, Options::default());
    let one = store.propose(small(&store, 1));
    let repeated = store.propose(small(&store, 1));
    let recalled = store.recall(accept_command(1));
    let unknown = store.recall(accept_command(99));
    engine.open();
    assert_eq!(wait(one), Ok(Outcome::Done));
    assert_eq!(wait(repeated), Ok(Outcome::Done));
    assert_eq!(wait(recalled), Ok(Some(Outcome::Done)));
    assert_eq!(wait(unknown), Ok(None));
    assert_eq!(wait(store.propose(small(&store, 1))), Ok(Outcome::Done));
    let statistics = store.statistics();
    assert_eq!((statistics.commands, statistics.repeated), (5, 2));
}

#[test]
fn nothing_is_answered_or_visible_before_it_is_durable() {
    let engine = GatedEngine::default();
    let (store, first) = gated(&engine, Options::default());
    let mut changes = store.changes();
    let (done, mut answer) = tokio::sync::oneshot::channel();
    store.propose_with(small(&store, 1), done);
    assert!(answer.try_recv().is_err());
    assert!(spooled(&store, 0).is_none());
    engine.open();
    wait(first).unwrap();
    wait(answer).unwrap().unwrap();
    let mut sequences = Vec::new();
    while sequences.len() < 2 {
        let Some(Feed::Committed(group)) = wait(changes.next()) else {
            panic!("the feed ended")
        };
        sequences.extend(group.iter().map(|committed| committed.sequence));
    }
    assert_eq!(sequences, [4, 5]);
}

#[test]
fn a_slow_reader_of_the_feed_is_told_that_it_lags() {
    let store = Store::over(
        GatedEngine::default(),
        Options {
            max_feed: 2,
            ..Options::default()
        },
    )
    .unwrap();
    furnish(&store);
    // Answers come before the feed is told: with this one the feed has everything before it.
    wait(store.recall(accept_command(0))).unwrap();
    let mut changes = store.changes();
    for n in 0..5 {
        wait(store.propose(small(&store, n))).unwrap();
    }
    store.close().unwrap();
    assert!(matches!(wait(changes.next()), Some(Feed::Lagged(3))));
    assert!(matches!(wait(changes.next()), Some(Feed::Committed(_))));
    assert!(matches!(wait(changes.next()), Some(Feed::Committed(_))));
}

#[test]
fn a_feed_that_is_made_shorter_tells_who_is_behind() {
    let store = Store::over(GatedEngine::default(), Options::default()).unwrap();
    furnish(&store);
    wait(store.recall(accept_command(0))).unwrap();
    let (mut slow, mut quick) = (store.changes(), store.changes());
    for n in 0..5 {
        wait(store.propose(small(&store, n))).unwrap();
        assert!(matches!(wait(quick.next()), Some(Feed::Committed(_))));
    }
    let options = Options {
        max_feed: 2,
        ..Options::default()
    };
    store.configure(&options);
    assert_eq!(store.options().max_feed, 2);
    wait(store.propose(small(&store, 5))).unwrap();
    store.close().unwrap();
    assert!(matches!(wait(quick.next()), Some(Feed::Committed(_))));
    assert!(matches!(wait(slow.next()), Some(Feed::Lagged(4))));
    assert!(matches!(wait(slow.next()), Some(Feed::Committed(_))));
    assert!(matches!(wait(slow.next()), Some(Feed::Committed(_))));
    drop(store);
    assert!(wait(slow.next()).is_none());
}

#[test]
fn a_full_queue_refuses_at_once() {
    let check = |options: Options, room: u64| {
        let engine = GatedEngine::default();
        let (store, first) = gated(&engine, options);
        let others: Vec<_> = (1..=room).map(|n| store.propose(small(&store, n))).collect();
        assert_eq!(store.statistics().queued as u64, room);
        assert_eq!(
            wait(store.propose(small(&store, 50))),
            Err(ProposeError::Overloaded)
        );
        engine.open();
        wait(first).unwrap();
        others.into_iter().for_each(|other| drop(wait(other).unwrap()));
        assert_eq!(wait(store.propose(small(&store, 50))), Ok(Outcome::Done));
    };
    check(
        Options {
            max_queue: 6,
            ..Options::default()
        },
        6,
    );
    check(
        Options {
            max_queue_octets: 4 << 10,
            ..Options::default()
        },
        3,
    );
}

#[test]
fn a_failed_write_poisons_everyone_who_waits() {
    // Three commands furnish the store.
    for engine in [GatedEngine::failing_at(4), GatedEngine::panicking_at(4)] {
        let (store, first) = gated(&engine, Options::default());
        let second = store.propose(small(&store, 1));
        let poisoned = store.poisoned();
        engine.open();
        // A panic leaves the commands of its group unanswered, an error does not: neither was promised.
        assert!(matches!(
            wait(first),
            Err(ProposeError::Poisoned | ProposeError::Unknown)
        ));
        assert_eq!(wait(second), Err(ProposeError::Poisoned));
        assert!(!wait(poisoned).is_empty());
        assert!(!wait(store.poisoned()).is_empty());
        assert_eq!(wait(store.propose(small(&store, 2))), Err(ProposeError::Poisoned));
        assert_eq!(wait(store.recall(accept_command(0))), Err(ProposeError::Poisoned));
        store.close().unwrap_err();
    }
}

#[test]
fn closing_finishes_what_waits_and_refuses_what_comes() {
    let engine = GatedEngine::default();
    let (store, first) = gated(&engine, Options::default());
    let second = store.propose(small(&store, 1));
    let late = accept(2, wait(write_blob(&store, 2, b"late")));
    let closing = {
        let store = store.clone();
        std::thread::spawn(move || store.close())
    };
    // Closed when the queue says so; until then a recall is merely queued.
    while still_open(&store) {}
    let refused = store.propose(late);
    engine.open();
    assert_eq!(wait(first), Ok(Outcome::Done));
    assert_eq!(wait(second), Ok(Outcome::Done));
    assert_eq!(wait(refused), Err(ProposeError::Unknown));
    closing.join().unwrap().unwrap();
    store.close().unwrap();
}

/// Whether the store still takes work; asks with a recall that nobody waits for.
fn still_open(store: &Store) -> bool {
    use std::task::{Context, Poll, Waker};
    let mut recall = std::pin::pin!(store.recall(accept_command(0)));
    let open = matches!(
        recall.as_mut().poll(&mut Context::from_waker(Waker::noop())),
        Poll::Pending
    );
    std::thread::yield_now();
    open
}
