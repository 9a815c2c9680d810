//! Reap and Sweep: bounded steps of work that is left over.

use std::collections::{BTreeMap, BTreeSet};

use message::id::{AccountId, BlobId, MailboxId, TenantId};

use super::{Outcome, Rejected, blob_refs::BlobRefs, bounded, draft::Draft};
use crate::{
    blob::key::chunk_key,
    command::{Reap, ReapStep, Sweep, SweepRows, expunge::MAX_EXPUNGED, job::MAX_SWEEP},
    key::{
        self, Key,
        ban::ban,
        mailbox::{MailboxKey, blob_tombstone, tombstone},
        trail::TrailKey,
    },
    record::{
        ban::{Ban, Network},
        job::{BlobTombstone, MailboxTombstone},
        mailbox::{MailboxMessage, MailboxState, ModSeq, Uid, Vanished},
    },
};

pub(super) fn reap_footprint(command: &Reap, keys: &mut Vec<Key>) {
    match &command.step {
        ReapStep::Messages {
            account,
            mailbox,
            messages,
        } => {
            let key = MailboxKey {
                tenant: command.tenant,
                account: *account,
                mailbox: *mailbox,
            };
            keys.push(key.tombstone());
            for (uid, blob) in messages.iter().take(MAX_EXPUNGED) {
                keys.push(key.message(*uid));
                keys.extend(blob.map(|blob| key::blob::blob(command.tenant, blob)));
            }
        }
        ReapStep::Vanished {
            account,
            mailbox,
            modseqs,
        } => {
            let key = MailboxKey {
                tenant: command.tenant,
                account: *account,
                mailbox: *mailbox,
            };
            keys.push(key.tombstone());
            keys.extend(modseqs.iter().take(MAX_SWEEP).map(|&modseq| key.vanished(modseq)));
        }
        ReapStep::Chunks(blob) => keys.push(blob_tombstone(command.tenant, *blob)),
    }
}

pub(super) fn reap(command: &Reap, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let finished = match &command.step {
        ReapStep::Messages {
            account,
            mailbox,
            messages,
        } => {
            bounded("messages", messages.len(), MAX_EXPUNGED)?;
            let messages = messages.iter().copied().collect();
            Grave::find(command.tenant, *account, *mailbox, draft)?.reap_messages(messages, draft)?
        }
        ReapStep::Vanished {
            account,
            mailbox,
            modseqs,
        } => {
            bounded("records", modseqs.len(), MAX_SWEEP)?;
            Grave::find(command.tenant, *account, *mailbox, draft)?.reap_vanished(modseqs, draft)?
        }
        ReapStep::Chunks(blob) => reap_chunks(command.tenant, *blob, draft)?,
    };
    Ok(Outcome::Reaped { finished })
}

pub(super) fn sweep_footprint(command: &Sweep, keys: &mut Vec<Key>) {
    match &command.rows {
        // Results and the audit are kept by nothing but their time.
        SweepRows::Results(_) | SweepRows::Audit(_) => {}
        SweepRows::Appended(rows) => {
            let messages: BTreeSet<_> = rows.iter().take(MAX_SWEEP).map(|(message, _)| *message).collect();
            keys.extend(
                messages
                    .into_iter()
                    .map(|message| key::spool::message(command.tenant, message)),
            );
        }
        SweepRows::Trail(steps) => {
            let messages: BTreeSet<_> = steps.iter().take(MAX_SWEEP).map(|step| step.message).collect();
            keys.extend(
                messages
                    .into_iter()
                    .map(|message| key::spool::message(command.tenant, message)),
            );
        }
        SweepRows::Vanished { mailbox, modseqs } => {
            keys.push(mailbox.state());
            keys.extend(
                modseqs
                    .iter()
                    .take(MAX_SWEEP)
                    .map(|&modseq| mailbox.vanished(modseq)),
            );
        }
        SweepRows::Bans(networks) => keys.extend(networks.iter().take(MAX_SWEEP).map(ban)),
    }
}

pub(super) fn sweep(command: &Sweep, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    match &command.rows {
        SweepRows::Results(commands) => {
            bounded("rows", commands.len(), MAX_SWEEP)?;
            let old = commands.iter().filter(|id| id.id().timestamp() < command.before);
            old.for_each(|&id| draft.delete(key::once::result(id)));
        }
        SweepRows::Appended(rows) => {
            bounded("rows", rows.len(), MAX_SWEEP)?;
            for &(message, recipient) in rows {
                let old = message.id().timestamp() < command.before;
                if old && !draft.is_taken(&key::spool::message(command.tenant, message))? {
                    draft.delete(key::once::appended(command.tenant, message, recipient));
                }
            }
        }
        SweepRows::Trail(steps) => {
            bounded("rows", steps.len(), MAX_SWEEP)?;
            for step in steps {
                let old = step.message.id().timestamp() < command.before;
                if old && !draft.is_taken(&key::spool::message(command.tenant, step.message))? {
                    draft.delete(
                        TrailKey {
                            tenant: command.tenant,
                            ..*step
                        }
                        .key(),
                    );
                }
            }
        }
        SweepRows::Vanished { mailbox, modseqs } => {
            bounded("rows", modseqs.len(), MAX_SWEEP)?;
            sweep_vanished(command, mailbox, modseqs, draft)?;
        }
        SweepRows::Bans(networks) => {
            bounded("rows", networks.len(), MAX_SWEEP)?;
            sweep_bans(command, networks, draft)?;
        }
        SweepRows::Audit(receipts) => {
            bounded("rows", receipts.len(), MAX_SWEEP)?;
            let old = receipts.iter().filter(|id| id.id().timestamp() < command.before);
            old.for_each(|&id| draft.delete(key::audit::audit(id)));
        }
    }
    Ok(Outcome::Done)
}

/// A deleted mailbox that still has rows; nothing, when all are gone.
struct Grave {
    key: MailboxKey,
    rest: Option<MailboxTombstone>,
}

impl Grave {
    fn find(
        tenant: TenantId,
        account: AccountId,
        mailbox: MailboxId,
        draft: &Draft<'_>,
    ) -> Result<Self, Rejected> {
        let key = MailboxKey {
            tenant,
            account,
            mailbox,
        };
        let rest: Option<MailboxTombstone> = draft.find(&tombstone(tenant, mailbox))?;
        if rest.is_some_and(|rest| rest.owner != account) {
            return Err(Rejected::Stale("the mailbox was another account's"));
        }
        Ok(Self { key, rest })
    }

    fn reap_messages(
        self,
        messages: BTreeMap<Uid, Option<BlobId>>,
        draft: &mut Draft<'_>,
    ) -> Result<bool, Rejected> {
        let Some(mut rest) = self.rest else {
            return Ok(true);
        };
        let mut blobs = BlobRefs::new(self.key.tenant);
        for (uid, blob) in messages {
            let key = self.key.message(uid);
            if !draft.is_taken(&key)? {
                continue;
            }
            // A damaged record must not keep the mailbox from going; its blob is found by `check store`.
            if let Some(message) = draft.find_whole::<MailboxMessage>(&key)? {
                if Some(message.blob.id) != blob {
                    return Err(Rejected::Stale("a message has another blob"));
                }
                blobs.release(message.blob.id, draft)?;
                if message.modseq != message.appended {
                    draft.delete(self.key.changed(message.modseq, uid));
                }
            }
            draft.delete(key);
            rest.messages = rest.messages.saturating_sub(1);
        }
        blobs.write(draft)?;
        self.leave(rest, draft)
    }

    fn reap_vanished(self, modseqs: &[ModSeq], draft: &mut Draft<'_>) -> Result<bool, Rejected> {
        let Some(mut rest) = self.rest else {
            return Ok(true);
        };
        for modseq in modseqs.iter().copied().collect::<BTreeSet<_>>() {
            let key = self.key.vanished(modseq);
            if draft.is_taken(&key)? {
                draft.delete(key);
                rest.vanished = rest.vanished.saturating_sub(1);
            }
        }
        self.leave(rest, draft)
    }

    /// Writes what is left; says whether that is nothing.
    fn leave(&self, rest: MailboxTombstone, draft: &mut Draft<'_>) -> Result<bool, Rejected> {
        let finished = rest.messages == 0 && rest.vanished == 0;
        if finished {
            draft.delete(self.key.tombstone());
        } else {
            draft.put(self.key.tombstone(), &rest)?;
        }
        Ok(finished)
    }
}

fn reap_chunks(tenant: TenantId, blob: BlobId, draft: &mut Draft<'_>) -> Result<bool, Rejected> {
    let key = blob_tombstone(tenant, blob);
    let Some(rest) = draft.find::<BlobTombstone>(&key)? else {
        return Ok(true);
    };
    let next = rest.chunks.min(rest.next.saturating_add(MAX_SWEEP as u32));
    for chunk in rest.next..next {
        draft.delete(chunk_key(tenant, blob, chunk));
    }
    if next == rest.chunks {
        draft.delete(key);
        return Ok(true);
    }
    draft.put(key, &BlobTombstone { next, ..rest })?;
    Ok(false)
}

fn sweep_vanished(
    command: &Sweep,
    mailbox: &MailboxKey,
    modseqs: &[ModSeq],
    draft: &mut Draft<'_>,
) -> Result<(), Rejected> {
    let mut state: MailboxState = draft.need(&mailbox.state(), Rejected::NoSuchMailbox)?;
    let mut swept = 0;
    for modseq in modseqs.iter().copied().collect::<BTreeSet<_>>() {
        let key = mailbox.vanished(modseq);
        let Some(vanished) = draft.find::<Vanished>(&key)? else {
            continue;
        };
        if vanished.at >= command.before {
            continue;
        }
        draft.delete(key);
        state.vanished_floor = state.vanished_floor.max(modseq);
        swept += 1;
    }
    if swept > 0 {
        state.vanished = state.vanished.saturating_sub(swept);
        draft.put(mailbox.state(), &state)?;
    }
    Ok(())
}

fn sweep_bans(command: &Sweep, networks: &[Network], draft: &mut Draft<'_>) -> Result<(), Rejected> {
    for network in networks {
        let key = ban(network);
        let lapsed = draft
            .find_whole::<Ban>(&key)?
            .and_then(|ban| ban.until)
            .is_some_and(|until| until < command.before);
        if lapsed {
            draft.delete(key);
        }
    }
    Ok(())
}
