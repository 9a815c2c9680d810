//! Unfinished: changes that a process began and never ended, because it died in them. The next start says so in the audit,
//! so that what is begun there is under way.

use message::{id::ReceiptId, time::Timestamp};
use store::{
    command::{Command, Proposal, Record},
    engine::{Snapshot, StoreError},
    read::{audit, configuration, upkeep},
    record::audit::{AuditEntry, AuditOutcome},
    store::Store,
};

use crate::{clock::Clock, mint::Mint};

/// How many of the newest entries are looked through: more than are under way at once by far.
const LOOKED_THROUGH: usize = 1024;

/// Entries that are read at once: one may have 200 KiB.
const PAGE: usize = 32;

/// Ends what is begun in the audit of a store that nobody else has open, except long work, which goes on. To be called
/// before anything is begun anew. Blocks for as long as reading takes.
///
/// # Errors
/// When the audit cannot be read.
pub async fn end(store: &Store, clock: Clock, mint: &Mint) -> Result<(), StoreError> {
    let now = clock.timestamp();
    for begun in begun(store)? {
        let entry = ended(begun, &store.snapshot(), now);
        tracing::warn!(
            target: "angarium::audit",
            receipt = %entry.id, who = entry.who, line = ?entry.line, outcome = entry.outcome.word(),
            "a process died in a change"
        );
        let proposal = Proposal::new(mint.id(), now, Command::Record(Box::new(Record { entry })));
        if let Err(why) = store.propose(proposal).await {
            // A full disk must not keep a server from starting; the next start tries again.
            tracing::error!(target: "angarium::audit", %why, "the end of a change cannot be put on record");
            break;
        }
    }
    Ok(())
}

fn begun(store: &Store) -> Result<Vec<AuditEntry>, StoreError> {
    let snapshot = store.snapshot();
    // A damaged record is a work that nobody goes on with.
    let going_on = upkeep::upkeep(&snapshot)
        .ok()
        .flatten()
        .map(|upkeep| upkeep.receipt);
    let mut begun = Vec::new();
    let mut older_than: Option<ReceiptId> = None;
    for _ in 0..LOOKED_THROUGH / PAGE {
        let page = audit::newest(&snapshot, older_than, PAGE)?;
        let entries = page.rows.into_iter();
        begun.extend(entries.filter(|it| it.outcome == AuditOutcome::Begun && Some(it.id) != going_on));
        if page.next.is_none() {
            break;
        }
        older_than = page.next;
    }
    Ok(begun)
}

/// What is known of a change whose process died. A configuration is kept only once it is in force.
fn ended(entry: AuditEntry, snapshot: &impl Snapshot, now: Timestamp) -> AuditEntry {
    let is_kept = configuration::configuration(snapshot, entry.id).is_ok_and(|kept| kept.is_some());
    let (outcome, word) = match is_kept {
        true => (AuditOutcome::Done, "it was in force when the process died"),
        false => (AuditOutcome::Unknown, "the process died before its end was told"),
    };
    AuditEntry {
        outcome,
        ended: Some(now),
        detail: format!("{word}\n{}", entry.detail),
        ..entry
    }
    .fitting()
}
