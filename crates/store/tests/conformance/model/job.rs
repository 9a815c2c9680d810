//! What deletions leave and sweeps take, as the model has it.

use message::id::{AccountId, MailboxId, TenantId};
use store::{
    apply::Outcome,
    command::{Reap, ReapStep, Sweep, SweepRows},
    key::trail::TrailKey,
    record::mailbox::ModSeq,
};

use super::{Grave, Mailbox, Model, Refusal};

impl Model {
    pub(super) fn reap(&mut self, command: &Reap) -> Result<Outcome, Refusal> {
        let finished = match &command.step {
            ReapStep::Messages {
                mailbox, messages, ..
            } => {
                if let Some(grave) = self.graves.get_mut(mailbox) {
                    grave
                        .messages
                        .retain(|uid, _| !messages.iter().any(|(listed, _)| listed == uid));
                }
                self.close_grave(*mailbox)
            }
            ReapStep::Vanished { mailbox, modseqs, .. } => {
                if let Some(grave) = self.graves.get_mut(mailbox) {
                    grave
                        .vanished
                        .retain(|modseq| !modseqs.contains(&ModSeq::new(*modseq)));
                }
                self.close_grave(*mailbox)
            }
            // No blob of a story has more chunks than one step removes.
            ReapStep::Chunks(blob) => {
                self.rests.remove(blob);
                true
            }
        };
        Ok(Outcome::Reaped { finished })
    }

    pub(super) fn sweep(&mut self, command: &Sweep) -> Result<Outcome, Refusal> {
        match &command.rows {
            SweepRows::Results(ids) => {
                self.results
                    .retain(|id, _| id.id().timestamp() >= command.before || !ids.contains(id));
            }
            SweepRows::Appended(rows) => {
                let spool = &self.spool;
                self.appended.retain(|place, (tenant, _)| {
                    let listed = rows.contains(place) && *tenant == command.tenant;
                    !listed || place.0.id().timestamp() >= command.before || spool.contains_key(&place.0)
                });
            }
            SweepRows::Trail(steps) => {
                let spool = &self.spool;
                self.trail.retain(|(message, recipient, step), (tenant, _)| {
                    let (message, recipient, step) = (*message, *recipient, *step);
                    let listed = steps.contains(&TrailKey {
                        tenant: command.tenant,
                        message,
                        recipient,
                        step,
                    });
                    !listed
                        || *tenant != command.tenant
                        || message.id().timestamp() >= command.before
                        || spool.contains_key(&message)
                });
            }
            SweepRows::Bans(networks) => self.bans.retain(|network, ban| {
                let lapsed = ban.until.is_some_and(|until| until < command.before);
                !lapsed || !networks.contains(network)
            }),
            SweepRows::Audit(receipts) => self
                .audit
                .retain(|id, _| id.id().timestamp() >= command.before || !receipts.contains(id)),
            SweepRows::Vanished { mailbox, modseqs } => {
                let (_, mailbox) = self.mailbox(mailbox).map_err(|_| "NoSuchMailbox")?;
                for modseq in modseqs.iter().map(|modseq| modseq.get()) {
                    let old = mailbox
                        .vanished
                        .get(&modseq)
                        .is_some_and(|(at, _)| *at < command.before);
                    if old {
                        mailbox.vanished.remove(&modseq);
                        mailbox.floor = mailbox.floor.max(modseq);
                    }
                }
            }
        }
        Ok(Outcome::Done)
    }

    pub(super) fn dig(&mut self, tenant: TenantId, owner: AccountId, id: MailboxId, mailbox: Mailbox) {
        let messages = mailbox
            .messages
            .iter()
            .map(|(uid, message)| (*uid, message.blob))
            .collect();
        let vanished = mailbox.vanished.keys().copied().collect();
        self.graves.insert(
            id,
            Grave {
                tenant,
                owner,
                messages,
                vanished,
            },
        );
        self.close_grave(id);
    }

    /// Whether nothing is left of a deleted mailbox.
    pub(super) fn close_grave(&mut self, mailbox: MailboxId) -> bool {
        let open = self.graves.get(&mailbox);
        let empty = open.is_none_or(|grave| grave.messages.is_empty() && grave.vanished.is_empty());
        if empty {
            self.graves.remove(&mailbox);
        }
        empty
    }

    /// Blobs that lost their last reference go; of the long ones the chunks stay for a while.
    pub(super) fn bury_blobs(&mut self) {
        let references = self.references();
        let lost: Vec<_> = self
            .chunks
            .keys()
            .filter(|blob| !references.contains_key(blob))
            .copied()
            .collect();
        for blob in lost {
            let (tenant, chunks) = self.chunks.remove(&blob).unwrap();
            if chunks > 16 {
                self.rests.insert(blob, (tenant, chunks));
            }
        }
    }
}
