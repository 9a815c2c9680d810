//! Commands on mailboxes, and on what is left of them.

use message::{id::BlobId, time::Timestamp};
use store::{
    command::*,
    key::trail::TrailKey,
    record::mailbox::{ModSeq, Uid},
};

use super::{
    Seed, Teller,
    pick::{flags, name, nth, pick_account, pick_mailbox},
};
use crate::model::Model;

impl Teller {
    pub(super) fn flags(&mut self, seed: Seed, model: &Model) -> Command {
        let (mailbox, known) = pick_mailbox(seed, model);
        let [_, _, _, c, d, e] = seed;
        let change = match c % 3 {
            0 => FlagChange::Add(flags(d)),
            1 => FlagChange::Remove(flags(d)),
            _ => FlagChange::Replace(flags(d)),
        };
        let newest = known.map_or(0, |mailbox| mailbox.highest);
        let unchanged_since = (e > 128).then(|| ModSeq::new(newest.saturating_sub(u64::from(e % 5))));
        let uids = (1..=u32::from(d % 6))
            .map(|uid| Uid::new(uid * u32::from(1 + e % 2)))
            .collect();
        Command::ChangeFlags(ChangeFlags {
            mailbox,
            uids,
            change,
            unchanged_since,
        })
    }

    pub(super) fn expunge(&mut self, seed: Seed, model: &Model) -> Command {
        let (mailbox, known) = pick_mailbox(seed, model);
        let [_, _, _, c, d, e] = seed;
        let there = known.into_iter().flat_map(|mailbox| &mailbox.messages);
        let there = there.map(|(uid, message)| (*uid, message.blob));
        let mut messages: Vec<_> = there
            .skip(usize::from(c % 3))
            .step_by(1 + usize::from(d % 2))
            .take(3)
            .collect();
        if e % 8 == 0 {
            messages.push((Uid::new(u32::from(d)), BlobId::from_bytes([e; 16])));
        }
        Command::Expunge(Expunge { mailbox, messages })
    }

    pub(super) fn create_mailbox(&mut self, seed: Seed, model: &Model) -> Command {
        let ((tenant, account), _) = pick_account(seed, model);
        let id = self.mint().into();
        let mailbox = NewMailbox {
            id,
            name: name(seed[3]),
            special_use: None,
            subscribed: seed[4].is_multiple_of(2),
        };
        Command::CreateMailbox(CreateMailbox {
            tenant,
            account,
            mailbox,
        })
    }

    pub(super) fn rename(&mut self, seed: Seed, model: &Model) -> Command {
        let ((tenant, account), known) = pick_account(seed, model);
        let [_, _, _, c, d, e] = seed;
        let (from, to) = (name(c), name(d));
        let mailboxes = known.into_iter().flat_map(|account| &account.mailboxes);
        let below = mailboxes.filter(|(_, mailbox)| mailbox.name == from || mailbox.name.is_below(&from));
        let mailboxes = below
            .map(|(id, mailbox)| RenamedMailbox {
                id: *id,
                name: mailbox.name.clone(),
            })
            .collect();
        let list_modseq = known.map_or(1, |account| account.list_modseq) - u64::from(e > 240);
        let list_modseq = ModSeq::new(list_modseq);
        Command::RenameMailbox(RenameMailbox {
            tenant,
            account,
            from,
            to,
            mailboxes,
            list_modseq,
        })
    }

    pub(super) fn delete_mailbox(&mut self, seed: Seed, model: &Model) -> Command {
        let (mailbox, known) = pick_mailbox(seed, model);
        let right = known
            .map(|mailbox| mailbox.name.clone())
            .filter(|_| seed[4] < 240);
        Command::DeleteMailbox(DeleteMailbox {
            mailbox,
            name: right.unwrap_or(name(seed[4])),
        })
    }

    pub(super) fn reap(&mut self, [_, _, b, c, ..]: Seed, model: &Model) -> Command {
        let grave = nth(model.graves.iter(), b);
        let rest = nth(model.rests.iter(), b);
        let (tenant, step) = match (grave, rest) {
            (_, Some((blob, (tenant, _)))) if c % 4 == 0 => (*tenant, ReapStep::Chunks(*blob)),
            (Some((mailbox, grave)), _) if c % 4 == 1 => {
                let modseqs = grave
                    .vanished
                    .iter()
                    .take(2)
                    .map(|modseq| ModSeq::new(*modseq))
                    .collect();
                (
                    grave.tenant,
                    ReapStep::Vanished {
                        account: grave.owner,
                        mailbox: *mailbox,
                        modseqs,
                    },
                )
            }
            (Some((mailbox, grave)), _) => {
                let messages = grave
                    .messages
                    .iter()
                    .take(2)
                    .map(|(uid, blob)| (*uid, Some(*blob)))
                    .collect();
                (
                    grave.tenant,
                    ReapStep::Messages {
                        account: grave.owner,
                        mailbox: *mailbox,
                        messages,
                    },
                )
            }
            (None, _) => (DEFAULT_TENANT, ReapStep::Chunks(BlobId::from_bytes([b; 16]))),
        };
        Command::Reap(Reap { tenant, step })
    }

    pub(super) fn sweep(&mut self, seed: Seed, model: &Model) -> Command {
        let [_, _, b, c, d, _] = seed;
        let back = u64::from(d) * 100;
        let before = Timestamp::from_millis(self.now().as_millis().saturating_sub(back));
        let few = usize::from(c % 16);
        let rows = match b % 6 {
            0 => SweepRows::Results(model.results.keys().copied().take(few).collect()),
            1 => SweepRows::Appended(model.appended.keys().copied().take(few).collect()),
            2 => {
                let steps = model
                    .trail
                    .keys()
                    .take(few)
                    .map(|&(message, recipient, step)| TrailKey {
                        tenant: DEFAULT_TENANT,
                        message,
                        recipient,
                        step,
                    });
                SweepRows::Trail(steps.collect())
            }
            3 => SweepRows::Bans(model.bans.keys().copied().take(few).collect()),
            4 => SweepRows::Audit(model.audit.keys().copied().take(few).collect()),
            _ => {
                let (mailbox, known) = pick_mailbox(seed, model);
                let modseqs = known
                    .into_iter()
                    .flat_map(|mailbox| mailbox.vanished.keys().take(few));
                let modseqs = modseqs.map(|modseq| ModSeq::new(*modseq)).collect();
                return Command::Sweep(Sweep {
                    tenant: mailbox.tenant,
                    before,
                    rows: SweepRows::Vanished { mailbox, modseqs },
                });
            }
        };
        Command::Sweep(Sweep {
            tenant: DEFAULT_TENANT,
            before,
            rows,
        })
    }
}
