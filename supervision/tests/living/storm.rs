//! Everything at once, on real threads, from a seed: kills, panics and errors anywhere in a tree while callers call.
//! Nobody ever runs twice at once (the journal asserts that), and in the end the tree is whole.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use supervision::Restart::{Permanent, Transient};
use supervision::{CallError, Dynamic, Intensity, Phase, Settings, Strategy, Supervisor, start_seeded};
use tokio::time::Instant;

use crate::probe::{Args, Journal, Msg, Probe, SOON, args, ping, probe};

const OFTEN: Intensity = Intensity::new(1_000_000, SOON);

async fn storm(seed: u64) {
    let journal = Journal::default();
    let (a, to_a) = probe("a", Permanent, &journal);
    let (b, to_b) = probe("b", Permanent, &journal);
    let (c, to_c) = probe("c", Permanent, &journal);
    let mailboxes = Dynamic::<Probe>::on_demand("mailboxes", 100, Transient, OFTEN, {
        let journal = journal.clone();
        move |_, key| Args {
            journal: journal.clone(),
            name: key.to_owned(),
            setting: 0,
        }
    });
    let connections = Dynamic::<Probe>::new("connections", 100, Transient, OFTEN);
    let often = OFTEN.restarts;
    let inner = Supervisor::new("inner", Strategy::RestForOne)
        .intensity(often, SOON)
        .child(b)
        .child(c)
        .child(&mailboxes);
    let root = Supervisor::root(Strategy::OneForOne)
        .intensity(often, SOON)
        .child(a)
        .child(inner)
        .child(&connections);
    let running = start_seeded(root, Settings::default(), Some(seed)).await.unwrap();

    let mut dice = SmallRng::seed_from_u64(seed);
    let paths = [
        "/a",
        "/inner",
        "/inner/b",
        "/inner/c",
        "/inner/mailboxes",
        "/inner/mailboxes/m1",
        "/connections",
        "/connections/k1",
    ];
    let mut calls = Vec::new();
    for turn in 0..300_u32 {
        let address = match dice.random_range(0..5) {
            0 => to_a.clone(),
            1 => to_b.clone(),
            2 => to_c.clone(),
            _ => mailboxes.address(&format!("m{}", dice.random_range(0..3))),
        };
        match dice.random_range(0..8) {
            0 => drop(running.kill(paths.choose(&mut dice).unwrap())),
            1 => drop(address.cast(Msg::Panic)),
            2 => drop(address.cast(Msg::Fail)),
            3 => drop(address.cast(Msg::Passivate)),
            4 => {
                let key = format!("k{turn}");
                let alive = Duration::from_micros(dice.random_range(0..500));
                let companion = move |address: supervision::Address<Msg>| async move {
                    let _ = address.call(SOON, Msg::Ping).await;
                    tokio::time::sleep(alive).await;
                };
                let _ = connections.start_with(key.as_str(), args(&key, &journal), companion);
            }
            _ => calls.push(tokio::spawn(async move { address.call(SOON, Msg::Ping).await })),
        }
        if dice.random_bool(0.3) {
            tokio::task::yield_now().await;
        }
    }
    for call in calls {
        // Unavailable: it waited in a mailbox that was lost. Never a hang, never a lost answer.
        assert!(matches!(
            call.await.unwrap(),
            Ok(_) | Err(CallError::Unavailable | CallError::Unknown)
        ));
    }

    for address in [
        &to_a,
        &to_b,
        &to_c,
        &mailboxes.address("m0"),
        &mailboxes.address("m1"),
    ] {
        while address.call(SOON, Msg::Ping).await.is_err() {
            tokio::task::yield_now().await;
        }
        ping(address).await;
    }
    let whole = async || {
        while connections.count() > 0 {
            tokio::task::yield_now().await;
        }
        loop {
            let rows = running.tree("/");
            if rows
                .iter()
                .all(|row| matches!(row.phase, Phase::Up | Phase::Idle))
            {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(SOON, whole()).await.is_err() {
        panic!("seed {seed}: not whole: {:#?}", running.tree("/"));
    }
    running.drain(Instant::now() + SOON).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tree_is_whole_after_every_storm() {
    for seed in 0..20 {
        storm(seed).await;
    }
}
