//! Conformance: random commands against a naive model, over every engine.
//!
//! The model (`model.rs`) holds plain maps and knows nothing of keys, records, footprints or batches. A story
//! (`story.rs`) turns arbitrary numbers into commands that mostly make sense. `run.rs` plays it and compares answers,
//! and in the end everything that can be read.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod compare;
mod model;
mod notices;
mod repairs;
mod run;
mod story;

use proptest::prelude::*;
use rand::{Rng as _, SeedableRng as _};
use run::Player;
use store::{engine::memory::MemoryEngine, options::Options, store::Store};
use story::Seed;

fn seeds(length: usize) -> impl Strategy<Value = Vec<Seed>> {
    proptest::collection::vec(any::<Seed>(), 1..length)
}

fn memory() -> Store {
    Store::over(MemoryEngine::default(), options()).expect("a store in memory")
}

fn options() -> Options {
    // The smallest chunks, so that blobs of many chunks are cheap.
    Options {
        chunk_octets: store::options::MIN_CHUNK_OCTETS,
        ..Options::default()
    }
}

#[test]
fn stories_reach_every_command() {
    let mut rng = rand::rngs::SmallRng::seed_from_u64(3053);
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for _ in 0..30 {
        let seeds: Vec<Seed> = (0..250).map(|_| rng.random()).collect();
        let mut player = Player::new(memory());
        player.play(&seeds);
        player.check();
        player
            .seen
            .iter()
            .for_each(|(what, times)| *seen.entry(what.clone()).or_default() += times);
    }
    let missing: Vec<_> = REACHED.iter().filter(|what| !seen.contains_key(**what)).collect();
    assert!(missing.is_empty(), "not reached: {missing:?} of {seen:#?}");
}

/// What stories must try, so that the other tests mean something.
const REACHED: &[&str] = &[
    "Accept NotPermitted",
    "Accept Ok",
    "AddAppPassword Exists",
    "AddAppPassword NotPermitted",
    "AddAppPassword Ok",
    "AddIdentity Exists",
    "AddIdentity NoSuchDomain",
    "AddIdentity Ok",
    "Append NoSuchAccount",
    "Append NoSuchMailbox",
    "Append NoSuchMessage",
    "Append Ok",
    "Append OverQuota",
    "Ban Exists",
    "Ban Ok",
    "Ban TooLarge",
    "ChangeFlags Ok",
    "CreateAccount Exists",
    "CreateAccount NoSuchDomain",
    "CreateAccount NotPermitted",
    "CreateAccount Ok",
    "CreateAlias Exists",
    "CreateAlias Ok",
    "CreateDomain Exists",
    "CreateDomain Ok",
    "CreateMailbox Exists",
    "CreateMailbox Ok",
    "CreateTenant Exists",
    "CreateTenant Ok",
    "DeleteAccount Ok",
    "DeleteAccount Stale",
    "DeleteAlias Ok",
    "DeleteDomain NotEmpty",
    "DeleteDomain Ok",
    "DeleteMailbox NotPermitted",
    "DeleteMailbox Ok",
    "DeleteMailbox Stale",
    "DeleteTenant NotPermitted",
    "DeleteTenant Ok",
    "Expunge Ok",
    "KeepDecoyKey Exists",
    "KeepDecoyKey Ok",
    "LimitAccount Ok",
    "LimitTenant Ok",
    "Reap Ok",
    "KeepConfiguration Ok",
    "KeepConfiguration TooLarge",
    "Record Exists",
    "Record NotPermitted",
    "Record Ok",
    "Record TooLarge",
    "Remove NoSuchRecipient",
    "Remove Ok",
    "Remove Stale",
    "RemoveAppPassword NoSuchAppPassword",
    "RemoveAppPassword Ok",
    "RemoveIdentity NoSuchIdentity",
    "RemoveIdentity Ok",
    "RenameAccount Exists",
    "RenameAccount NoSuchDomain",
    "RenameAccount NotPermitted",
    "RenameAccount Ok",
    "RenameAccount Stale",
    "RenameMailbox Exists",
    "RenameMailbox NotPermitted",
    "RenameMailbox Ok",
    "RenameMailbox Stale",
    "ResumeAccount NotSuspended",
    "ResumeAccount Ok",
    "SetCatchAll NoSuchDomain",
    "SetCatchAll Ok",
    "SetPassword Ok",
    "Settle NoSuchMessage",
    "Settle Ok",
    "Settle Stale",
    "SuspendAccount Exists",
    "SuspendAccount Ok",
    "Sweep NoSuchMailbox",
    "Sweep Ok",
    "Unban NoSuchBan",
    "Unban Ok",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_in_memory_does_what_the_model_does(seeds in seeds(160)) {
        let mut player = Player::new(memory());
        player.play(&seeds);
        player.check();
        player.reap_everything();
    }

    #[test]
    fn groups_of_any_size_leave_the_same_records(seeds in seeds(160), bursts in proptest::collection::vec(1_usize..40, 1..20)) {
        let mut player = Player::new(memory());
        let tale = player.play(&seeds);
        let other = memory();
        run::play_in_bursts(&other, &tale, &bursts);
        let (one_by_one, in_groups) = (run::dump(&player.store), run::dump(&other));
        let only = |of: &[run::Row], not: &[run::Row]| of.iter().filter(|row| !not.contains(row)).cloned().collect::<Vec<_>>();
        prop_assert_eq!(only(&one_by_one, &in_groups), only(&in_groups, &one_by_one));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_on_disk_does_what_the_model_does(seeds in seeds(200)) {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, _) = Store::open(dir.path(), options()).expect("a store on disk");
        let mut player = Player::new(store);
        player.play(&seeds);
        player.check();
        let before = run::dump(&player.store);
        player.store.close().expect("a clean stop");
        let model = player.into_model();
        let (store, _) = Store::open(dir.path(), options()).expect("the same store");
        prop_assert_eq!(run::dump(&store), before);
        let mut player = Player::with(store, model);
        player.check();
        player.reap_everything();
    }
}
