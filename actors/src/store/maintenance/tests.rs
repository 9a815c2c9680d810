//! Long work is begun once, goes on after a death, and ends with a receipt.

mod off_peak;

use std::{fs, path::Path};

use message::id::{BlobId, Id, NodeId};
use store::{
    batch::Op,
    blob::key::chunk_key,
    options::Options,
    read::{audit, upkeep},
    record::audit::AuditEntry,
};
use supervision::alone;

use super::*;
use crate::{fixture::Fixture, store::gate::Gate, tree::DEFAULT_TENANT};

fn args(fixture: &Fixture, store: &Store) -> Args {
    let gate = alone::<Gate>(Settings::default(), gate::Args { store: store.clone() });
    Args {
        store: store.clone(),
        gate,
        clock: fixture.clock,
        mint: fixture.mint.clone(),
        config: fixture.config.clone(),
    }
}

fn asked(task: UpkeepTask) -> Box<Asked> {
    Box::new(Asked {
        task,
        who: "uid 0".to_owned(),
        line: "check store".to_owned(),
        reason: Some("a test".to_owned()),
    })
}

const SOON: Duration = Duration::from_secs(60);

async fn begin(maintenance: &Address<Msg>, task: UpkeepTask) -> Result<ReceiptId, String> {
    let asked = asked(task);
    maintenance
        .call(SOON, |reply| Msg::Begin(asked, reply))
        .await
        .unwrap()
}

/// Waits until the work of a receipt has ended, and gives what is on record of it.
async fn end_of(store: &Store, receipt: ReceiptId) -> AuditEntry {
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        let snapshot = store.snapshot();
        let entry = audit::entry(&snapshot, receipt).unwrap();
        let is_tended = upkeep::upkeep(&snapshot).unwrap().is_none();
        if let Some(entry) = entry
            && entry.ended.is_some()
            && is_tended
        {
            return entry;
        }
        assert!(tokio::time::Instant::now() < deadline, "it does not end");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_check_ends_with_a_receipt() {
    let fixture = Fixture::new().await;
    let maintenance = alone::<Maintenance>(Settings::default(), args(&fixture, &fixture.store));
    let receipt = begin(&maintenance, UpkeepTask::Check).await.unwrap();
    let entry = end_of(&fixture.store, receipt).await;
    assert_eq!(entry.outcome, AuditOutcome::Done);
    assert!(entry.detail.ends_with("0 findings"), "{}", entry.detail);
    assert_eq!(
        (entry.who.as_str(), entry.reason.as_deref()),
        ("uid 0", Some("a test"))
    );
    let shown = maintenance.call(SOON, Msg::Show).await.unwrap();
    assert_eq!(shown.last.map(|(upkeep, ..)| upkeep.receipt), Some(receipt));
}

#[tokio::test]
async fn what_was_under_way_goes_on_behind_its_mark() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let upkeep = Upkeep {
        receipt: fixture.mint.id(),
        at: fixture.clock.timestamp(),
        who: "uid 0".to_owned(),
        line: "check store".to_owned(),
        reason: None,
        task: UpkeepTask::Check,
        // Behind everything: what was read before is not read again.
        place: Some(vec![0xff; 40]),
        done: 41,
        found: 1,
    };
    let tend = Command::Tend(Tend {
        upkeep: Some(upkeep.clone()),
    });
    store.propose(fixture.proposal(tend)).await.unwrap();
    let maintenance = alone::<Maintenance>(Settings::default(), args(&fixture, store));
    let entry = end_of(store, upkeep.receipt).await;
    assert!(
        entry.detail.ends_with("and 41 messages, 1 findings"),
        "{}",
        entry.detail
    );
    // One at a time, and then the next.
    let receipt = begin(&maintenance, UpkeepTask::Reclaim).await.unwrap();
    assert_eq!(end_of(store, receipt).await.outcome, AuditOutcome::Done);
}

/// A store on the disk that takes a while to read.
fn large(dir: &Path) -> Store {
    let options = Options {
        reserve_file_octets: 0,
        ..Options::default()
    };
    let engine = store::engine::fjall::FjallEngine::open(dir, 1 << 20).unwrap();
    for n in 0..200_u64 {
        let blob = BlobId::new(Id::compose(Timestamp::from_secs(n), NodeId::new(0), n));
        let op = Op::Put(chunk_key(DEFAULT_TENANT, blob, 0), vec![1; 100_000].into());
        store::engine::Engine::write(&engine, vec![op], false).unwrap();
    }
    Store::over(engine, options).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_work_at_a_time_and_one_that_is_ended_is_ended() {
    let fixture = Fixture::new().await;
    let dir = tempfile::tempdir().unwrap();
    let store = large(&dir.path().join("store"));
    let mut args = args(&fixture, &store);
    let mut config = Config::clone(&args.config);
    config.store.maintenance_pace = config::ByteSize::kib(64);
    args.config = Arc::new(config);
    let backup = dir.path().join("backup");
    let task = UpkeepTask::Backup {
        dir: backup.display().to_string(),
        keep: None,
    };
    let maintenance = alone::<Maintenance>(Settings::default(), args.clone());
    let receipt = begin(&maintenance, task.clone()).await.unwrap();
    let refused = begin(&maintenance, UpkeepTask::Check).await.unwrap_err();
    assert!(refused.contains("a backup is under way"), "{refused}");
    let shown = maintenance.call(SOON, Msg::Show).await.unwrap();
    assert_eq!(shown.now.map(|(upkeep, _)| upkeep.receipt), Some(receipt));
    assert!(maintenance.call(SOON, Msg::End).await.unwrap());
    let entry = end_of(&store, receipt).await;
    assert_eq!(
        entry.outcome,
        AuditOutcome::Failed("it was told to end".to_owned())
    );
    // What was written is not written again.
    let mut config = Config::clone(&args.config);
    config.store.maintenance_pace = config::ByteSize::gib(1);
    args.config = Arc::new(config);
    let maintenance = alone::<Maintenance>(Settings::default(), args);
    let receipt = begin(&maintenance, task).await.unwrap();
    let entry = end_of(&store, receipt).await;
    assert_eq!(entry.outcome, AuditOutcome::Done, "{entry:?}");
    assert_eq!(fs::read_dir(backup.join("manifests")).unwrap().count(), 1);
}

#[tokio::test]
async fn what_fails_is_on_record_too() {
    let fixture = Fixture::new().await;
    let maintenance = alone::<Maintenance>(Settings::default(), args(&fixture, &fixture.store));
    let task = UpkeepTask::Backup {
        dir: "/proc/nowhere".to_owned(),
        keep: None,
    };
    let receipt = begin(&maintenance, task).await.unwrap();
    let entry = end_of(&fixture.store, receipt).await;
    assert!(
        matches!(&entry.outcome, AuditOutcome::Failed(why) if why.contains("/proc/nowhere")),
        "{entry:?}"
    );
}
