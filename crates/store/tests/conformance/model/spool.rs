//! The spool, as the model has it.

use message::id::{CommandId, MessageId, TenantId};
use std::collections::BTreeSet;
use store::{
    apply::{Outcome, outcome::Appended},
    command::{Accept, Append, Proposal, Remove, Settle},
    record::{
        mailbox::{ModSeq, Uid, UidValidity},
        spool::{RecipientNumber, RecipientState},
        state::Usage,
        trail::Settlement,
    },
};

use super::{Message, Model, Recipient, Refusal, Spooled};

impl Model {
    pub(super) fn accept(&mut self, command: &Accept, id: CommandId) -> Result<Outcome, Refusal> {
        let spooled = &command.spooled;
        if spooled.recipients.is_empty() {
            return Err("NotPermitted");
        }
        if self.chunks.contains_key(&spooled.blob.id) {
            return Err("Exists");
        }
        let recipients = spooled.recipients.iter().zip(0..).map(|(addressee, number)| {
            let route = addressee.route.clone();
            let state = RecipientState::Due(spooled.due);
            (
                RecipientNumber::new(number),
                Recipient {
                    route,
                    options: addressee.options.clone(),
                    state,
                    attempts: 0,
                },
            )
        });
        let entry = Spooled {
            tenant: spooled.tenant,
            blob: spooled.blob.clone(),
            priority: spooled.priority,
            options: spooled.options.clone(),
            recipients: recipients.collect(),
        };
        self.spool.insert(spooled.message, entry);
        self.chunks
            .insert(spooled.blob.id, (spooled.tenant, spooled.blob.chunks));
        self.trail
            .insert((spooled.message, None, 0), (spooled.tenant, id));
        Ok(Outcome::Done)
    }

    pub(super) fn append(&mut self, command: &Append, id: CommandId) -> Result<Outcome, Refusal> {
        let once = (command.message, command.recipient);
        if let Some((tenant, appended)) = self.appended.get(&once)
            && *tenant == command.tenant
        {
            return Ok(Outcome::Appended(*appended));
        }
        let recipient = self.waiting(command.tenant, command.message, command.recipient)?;
        let step = recipient.attempts + 1;
        let blob = self.spool[&command.message].blob.clone();
        if blob.id != command.blob {
            return Err("Stale");
        }
        let tenant = self.tenants.get(&command.tenant).ok_or("NoSuchTenant")?.limits;
        let tenant_usage = self.usage(command.tenant);
        let account = self.account(command.tenant, command.account)?;
        let account_usage = account.usage();
        let mailbox = account
            .mailboxes
            .get_mut(&command.mailbox)
            .ok_or("NoSuchMailbox")?;
        let size = blob.octets + command.prefix.len() as u64;
        let more = Usage::of_message(size);
        if !account.limits.allow(account_usage.plus(more)) || !tenant.allow(tenant_usage.plus(more)) {
            return Err("OverQuota");
        }
        account.modseq += 1;
        mailbox.highest = account.modseq;
        let uid = Uid::new(mailbox.next_uid);
        mailbox.next_uid += 1;
        let message = Message {
            message: command.message,
            blob: blob.id,
            size,
            flags: command.flags.clone(),
            modseq: account.modseq,
        };
        mailbox.messages.insert(uid, message);
        let appended = Appended {
            mailbox: command.mailbox,
            uid_validity: UidValidity::new(mailbox.validity),
            uid,
            modseq: ModSeq::new(account.modseq),
        };
        self.appended.insert(once, (command.tenant, appended));
        self.trail.insert(
            (command.message, Some(command.recipient), step),
            (command.tenant, id),
        );
        self.done(command.message, command.recipient);
        Ok(Outcome::Appended(appended))
    }

    pub(super) fn settle(&mut self, command: &Settle, proposal: &Proposal) -> Result<Outcome, Refusal> {
        let place = (command.message, Some(command.recipient), command.attempt);
        match self.trail.get(&place) {
            Some((tenant, id)) if *tenant == command.tenant && *id == proposal.id => {
                return Ok(Outcome::Done);
            }
            Some((tenant, _)) if *tenant == command.tenant => return Err("Stale"),
            _ => {}
        }
        let recipient = self.waiting(command.tenant, command.message, command.recipient)?;
        let attempts = recipient.attempts;
        if self.spool[&command.message].blob.id != command.blob || attempts + 1 != command.attempt {
            return Err("Stale");
        }
        self.trail.insert(place, (command.tenant, proposal.id));
        let state = match &command.settlement {
            Settlement::Delivered { .. } | Settlement::Bounced { .. } => {
                self.done(command.message, command.recipient);
                return Ok(Outcome::Done);
            }
            Settlement::Deferred { next_due, .. } => RecipientState::Due(*next_due),
            Settlement::Held { why } => RecipientState::Held {
                since: proposal.at,
                why: why.clone(),
            },
        };
        let spooled = self.spool.get_mut(&command.message).unwrap();
        let recipient = spooled.recipients.get_mut(&command.recipient).unwrap();
        recipient.attempts += 1;
        recipient.state = state;
        Ok(Outcome::Done)
    }

    pub(super) fn remove(&mut self, command: &Remove, id: CommandId) -> Result<Outcome, Refusal> {
        let spooled = self
            .spool
            .get(&command.message)
            .filter(|spooled| spooled.tenant == command.tenant);
        let spooled = spooled.ok_or("NoSuchMessage")?.clone();
        let listed: BTreeSet<_> = command.recipients.iter().copied().collect();
        if listed.len() != spooled.recipients.len() || spooled.blob.id != command.blob {
            return Err("Stale");
        }
        for number in listed {
            let recipient = spooled.recipients.get(&number).ok_or("NoSuchRecipient")?;
            let place = (command.message, Some(number), recipient.attempts + 1);
            self.trail.insert(place, (command.tenant, id));
        }
        self.spool.remove(&command.message);
        Ok(Outcome::Done)
    }

    pub(super) fn waiting(
        &self,
        tenant: TenantId,
        message: MessageId,
        recipient: RecipientNumber,
    ) -> Result<&Recipient, Refusal> {
        let spooled = self
            .spool
            .get(&message)
            .filter(|spooled| spooled.tenant == tenant);
        spooled
            .ok_or("NoSuchMessage")?
            .recipients
            .get(&recipient)
            .ok_or("NoSuchRecipient")
    }

    pub(super) fn done(&mut self, message: MessageId, recipient: RecipientNumber) {
        let spooled = self.spool.get_mut(&message).unwrap();
        spooled.recipients.remove(&recipient);
        if spooled.recipients.is_empty() {
            self.spool.remove(&message);
        }
    }
}
