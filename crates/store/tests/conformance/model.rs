//! The model: what commands mean, in plain maps. It copies itself for each command, so a rejected one changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use message::{
    address::EmailAddress,
    id::{AccountId, BlobId, CommandId, MailboxId, MessageId, TenantId},
    time::Timestamp,
};
use store::{
    apply::{
        Outcome,
        outcome::{Appended, Expunged, FlagsChanged},
    },
    blob::BlobRef,
    command::*,
    key::{mailbox::MailboxKey, trail::TrailKey},
    record::{
        mailbox::{Flags, MailboxName, ModSeq, SpecialUse, Uid, UidValidity},
        spool::{Priority, RecipientNumber, RecipientState, Route},
        state::{Limits, Usage},
        trail::Settlement,
    },
};

/// The name of the variant of [`Rejected`](store::apply::Rejected) that is expected.
pub(crate) type Refusal = &'static str;

#[derive(Clone, Default)]
pub(crate) struct Model {
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    pub(crate) domains: BTreeMap<String, TenantId>,
    pub(crate) aliases: BTreeMap<(TenantId, String), Vec<EmailAddress>>,
    pub(crate) accounts: BTreeMap<(TenantId, AccountId), Account>,
    pub(crate) spool: BTreeMap<MessageId, Spooled>,
    pub(crate) appended: BTreeMap<(MessageId, RecipientNumber), (TenantId, Appended)>,
    pub(crate) trail: BTreeMap<TrailPlace, (TenantId, CommandId)>,
    pub(crate) results: BTreeMap<CommandId, Outcome>,
    pub(crate) graves: BTreeMap<MailboxId, Grave>,
    /// Deleted blobs whose chunks are still there: the next one.
    pub(crate) rests: BTreeMap<BlobId, (TenantId, u32)>,
    /// Every blob that ever was, with its chunks.
    pub(crate) chunks: BTreeMap<BlobId, (TenantId, u32)>,
}

pub(crate) type TrailPlace = (MessageId, Option<RecipientNumber>, u32);

#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) name: String,
    pub(crate) limits: Limits,
    pub(crate) max_accounts: Option<u32>,
    pub(crate) floor: u32,
}

#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) address: EmailAddress,
    pub(crate) password: Option<String>,
    pub(crate) limits: Limits,
    pub(crate) modseq: u64,
    pub(crate) list_modseq: u64,
    pub(crate) next_validity: u32,
    pub(crate) mailboxes: BTreeMap<MailboxId, Mailbox>,
}

#[derive(Clone)]
pub(crate) struct Mailbox {
    pub(crate) name: MailboxName,
    pub(crate) special_use: Option<SpecialUse>,
    pub(crate) validity: u32,
    pub(crate) next_uid: u32,
    pub(crate) highest: u64,
    pub(crate) messages: BTreeMap<Uid, Message>,
    pub(crate) vanished: BTreeMap<u64, (Timestamp, Vec<Uid>)>,
    pub(crate) floor: u64,
}

#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) message: MessageId,
    pub(crate) blob: BlobId,
    pub(crate) size: u64,
    pub(crate) flags: Flags,
    pub(crate) modseq: u64,
}

#[derive(Clone)]
pub(crate) struct Spooled {
    pub(crate) tenant: TenantId,
    pub(crate) blob: BlobRef,
    pub(crate) priority: Priority,
    pub(crate) recipients: BTreeMap<RecipientNumber, Recipient>,
}

#[derive(Clone)]
pub(crate) struct Recipient {
    pub(crate) route: Route,
    pub(crate) state: RecipientState,
    pub(crate) attempts: u32,
}

#[derive(Clone)]
pub(crate) struct Grave {
    pub(crate) tenant: TenantId,
    pub(crate) owner: AccountId,
    pub(crate) messages: BTreeMap<Uid, BlobId>,
    pub(crate) vanished: BTreeSet<u64>,
}

impl Mailbox {
    pub(crate) fn usage(&self) -> Usage {
        self.messages.values().fold(Usage::default(), |sum, message| {
            sum.plus(Usage::of_message(message.size))
        })
    }

    pub(crate) fn unseen(&self) -> u32 {
        self.messages
            .values()
            .filter(|message| message.flags.unseen())
            .count() as u32
    }
}

impl Account {
    pub(crate) fn usage(&self) -> Usage {
        self.mailboxes
            .values()
            .fold(Usage::default(), |sum, mailbox| sum.plus(mailbox.usage()))
    }
}

impl Model {
    pub(crate) fn apply(&mut self, proposal: &Proposal) -> Result<Outcome, Refusal> {
        if let Some(outcome) = self.results.get(&proposal.id) {
            return Ok(outcome.clone());
        }
        let mut next = self.clone();
        let outcome = next.change(proposal)?;
        if proposal.command.keeps_result() {
            next.results.insert(proposal.id, outcome.clone());
        }
        next.bury_blobs();
        *self = next;
        Ok(outcome)
    }

    pub(crate) fn usage(&self, tenant: TenantId) -> Usage {
        let accounts = self.accounts.iter().filter(|((of, _), _)| *of == tenant);
        accounts.fold(Usage::default(), |sum, (_, account)| sum.plus(account.usage()))
    }

    pub(crate) fn account_count(&self, tenant: TenantId) -> u32 {
        self.accounts.keys().filter(|(of, _)| *of == tenant).count() as u32
    }

    pub(crate) fn domain_count(&self, tenant: TenantId) -> u32 {
        self.domains.values().filter(|of| **of == tenant).count() as u32
    }

    /// How many records refer to each blob.
    pub(crate) fn references(&self) -> BTreeMap<BlobId, u32> {
        let mut references = BTreeMap::new();
        let spooled = self.spool.values().map(|spooled| spooled.blob.id);
        let mailboxes = self
            .accounts
            .values()
            .flat_map(|account| account.mailboxes.values());
        let kept = mailboxes.flat_map(|mailbox| mailbox.messages.values().map(|message| message.blob));
        let graves = self
            .graves
            .values()
            .flat_map(|grave| grave.messages.values().copied());
        for blob in spooled.chain(kept).chain(graves) {
            *references.entry(blob).or_default() += 1;
        }
        references
    }

    fn change(&mut self, proposal: &Proposal) -> Result<Outcome, Refusal> {
        match &proposal.command {
            Command::CreateTenant(command) => self.create_tenant(command),
            Command::DeleteTenant(command) => self.delete_tenant(command),
            Command::LimitTenant(command) => {
                let tenant = self.tenants.get_mut(&command.tenant).ok_or("NoSuchTenant")?;
                tenant.limits = command.limits;
                tenant.max_accounts = command.max_accounts;
                Ok(Outcome::Done)
            }
            Command::CreateDomain(command) => self.create_domain(command),
            Command::DeleteDomain(command) => self.delete_domain(command),
            Command::CreateAccount(command) => self.create_account(command, proposal.at),
            Command::DeleteAccount(command) => self.delete_account(command),
            Command::SetPassword(command) => {
                let account = self.account(command.tenant, command.account)?;
                account.password.clone_from(&command.password);
                Ok(Outcome::Done)
            }
            Command::LimitAccount(command) => {
                self.account(command.tenant, command.account)?.limits = command.limits;
                Ok(Outcome::Done)
            }
            Command::CreateAlias(command) => self.create_alias(command),
            Command::DeleteAlias(command) => {
                let place = (command.tenant, command.address.lookup_key());
                self.aliases
                    .remove(&place)
                    .map(|_| Outcome::Done)
                    .ok_or("NoSuchAlias")
            }
            Command::Accept(command) => self.accept(command, proposal.id),
            Command::Append(command) => self.append(command, proposal.id),
            Command::Settle(command) => self.settle(command, proposal),
            Command::Remove(command) => self.remove(command, proposal.id),
            Command::ChangeFlags(command) => self.change_flags(command),
            Command::Expunge(command) => self.expunge(command, proposal.at),
            Command::CreateMailbox(command) => self.create_mailbox(command),
            Command::RenameMailbox(command) => self.rename(command),
            Command::DeleteMailbox(command) => self.delete_mailbox(command),
            Command::Reap(command) => self.reap(command),
            Command::Sweep(command) => self.sweep(command),
            _ => panic!("a command that the model does not know"),
        }
    }

    fn create_tenant(&mut self, command: &CreateTenant) -> Result<Outcome, Refusal> {
        if command.tenant.get() == 0 || command.name.is_empty() {
            return Err("NotPermitted");
        }
        let taken = self.tenants.values().any(|tenant| tenant.name == command.name);
        if taken || self.tenants.contains_key(&command.tenant) {
            return Err("Exists");
        }
        let (name, limits, max_accounts) = (command.name.clone(), command.limits, command.max_accounts);
        self.tenants.insert(
            command.tenant,
            Tenant {
                name,
                limits,
                max_accounts,
                floor: 1,
            },
        );
        Ok(Outcome::Done)
    }

    fn delete_tenant(&mut self, command: &DeleteTenant) -> Result<Outcome, Refusal> {
        if command.tenant == DEFAULT_TENANT {
            return Err("NotPermitted");
        }
        let tenant = self.tenants.get(&command.tenant).ok_or("NoSuchTenant")?;
        if tenant.name != command.name {
            return Err("Stale");
        }
        if self.domain_count(command.tenant) > 0 || self.account_count(command.tenant) > 0 {
            return Err("NotEmpty");
        }
        self.tenants.remove(&command.tenant);
        Ok(Outcome::Done)
    }

    fn create_domain(&mut self, command: &CreateDomain) -> Result<Outcome, Refusal> {
        if !self.tenants.contains_key(&command.tenant) {
            return Err("NoSuchTenant");
        }
        if self.domains.contains_key(command.name.as_str()) {
            return Err("Exists");
        }
        self.domains
            .insert(command.name.as_str().to_owned(), command.tenant);
        Ok(Outcome::Done)
    }

    fn delete_domain(&mut self, command: &DeleteDomain) -> Result<Outcome, Refusal> {
        if !self.tenants.contains_key(&command.tenant) {
            return Err("NoSuchTenant");
        }
        if self.domains.get(command.name.as_str()) != Some(&command.tenant) {
            return Err("NoSuchDomain");
        }
        let end = format!("@{}", command.name.as_str());
        let used = self
            .addresses(command.tenant)
            .iter()
            .any(|address| address.ends_with(&end));
        if used {
            return Err("NotEmpty");
        }
        self.domains.remove(command.name.as_str());
        Ok(Outcome::Done)
    }

    fn create_account(&mut self, command: &CreateAccount, at: Timestamp) -> Result<Outcome, Refusal> {
        if !command.mailboxes.iter().any(|mailbox| mailbox.name.is_inbox()) {
            return Err("NotPermitted");
        }
        let names: BTreeSet<_> = command.mailboxes.iter().map(|mailbox| &mailbox.name).collect();
        if names.len() != command.mailboxes.len() {
            return Err("Exists");
        }
        let accounts = self.account_count(command.tenant);
        let tenant = self.tenants.get(&command.tenant).ok_or("NoSuchTenant")?;
        if tenant.max_accounts.is_some_and(|most| accounts >= most) {
            return Err("OverQuota");
        }
        let floor = tenant.floor;
        if self
            .addresses(command.tenant)
            .contains(&command.address.lookup_key())
        {
            return Err("Exists");
        }
        if self.accounts.contains_key(&(command.tenant, command.account)) {
            return Err("Exists");
        }
        self.owns(command.tenant, &command.address)?;
        let mut account = Account {
            address: command.address.clone(),
            password: command.password.clone(),
            limits: command.limits,
            modseq: 1,
            list_modseq: 1,
            next_validity: floor.max(at.as_secs() as u32),
            mailboxes: BTreeMap::new(),
        };
        for mailbox in &command.mailboxes {
            account.add(mailbox);
        }
        self.accounts.insert((command.tenant, command.account), account);
        Ok(Outcome::Done)
    }

    fn delete_account(&mut self, command: &DeleteAccount) -> Result<Outcome, Refusal> {
        let place = (command.tenant, command.account);
        let account = self.accounts.get(&place).ok_or("NoSuchAccount")?.clone();
        let listed: BTreeSet<_> = command.mailboxes.iter().map(|(id, _)| *id).collect();
        let there: BTreeSet<_> = account.mailboxes.keys().copied().collect();
        if account.address != command.address
            || account.list_modseq != command.list_modseq.get()
            || listed != there
        {
            return Err("Stale");
        }
        for (id, mailbox) in account.mailboxes {
            self.dig(command.tenant, command.account, id, mailbox);
        }
        let tenant = self.tenants.get_mut(&command.tenant).unwrap();
        tenant.floor = tenant.floor.max(account.next_validity);
        self.accounts.remove(&place);
        Ok(Outcome::Done)
    }

    fn create_alias(&mut self, command: &CreateAlias) -> Result<Outcome, Refusal> {
        if command.targets.is_empty() {
            return Err("NotPermitted");
        }
        if self
            .addresses(command.tenant)
            .contains(&command.address.lookup_key())
        {
            return Err("Exists");
        }
        self.owns(command.tenant, &command.address)?;
        self.aliases.insert(
            (command.tenant, command.address.lookup_key()),
            command.targets.clone(),
        );
        Ok(Outcome::Done)
    }

    fn accept(&mut self, command: &Accept, id: CommandId) -> Result<Outcome, Refusal> {
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
                    state,
                    attempts: 0,
                },
            )
        });
        let entry = Spooled {
            tenant: spooled.tenant,
            blob: spooled.blob.clone(),
            priority: spooled.priority,
            recipients: recipients.collect(),
        };
        self.spool.insert(spooled.message, entry);
        self.chunks
            .insert(spooled.blob.id, (spooled.tenant, spooled.blob.chunks));
        self.trail
            .insert((spooled.message, None, 0), (spooled.tenant, id));
        Ok(Outcome::Done)
    }

    fn append(&mut self, command: &Append, id: CommandId) -> Result<Outcome, Refusal> {
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

    fn settle(&mut self, command: &Settle, proposal: &Proposal) -> Result<Outcome, Refusal> {
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

    fn remove(&mut self, command: &Remove, id: CommandId) -> Result<Outcome, Refusal> {
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

    fn change_flags(&mut self, command: &ChangeFlags) -> Result<Outcome, Refusal> {
        let (account_modseq, mailbox) = self.mailbox(&command.mailbox)?;
        let modseq = *account_modseq + 1;
        let mut outcome = FlagsChanged::default();
        for uid in command.uids.iter().copied().collect::<BTreeSet<_>>() {
            let Some(message) = mailbox.messages.get_mut(&uid) else {
                continue;
            };
            if command
                .unchanged_since
                .is_some_and(|since| message.modseq > since.get())
            {
                outcome.modified.push(uid);
                continue;
            }
            let flags = match &command.change {
                FlagChange::Add(more) => message.flags.with(more),
                FlagChange::Remove(less) => message.flags.without(less),
                FlagChange::Replace(flags) => flags.clone(),
            };
            if flags != message.flags {
                message.flags = flags;
                message.modseq = modseq;
                outcome.changed.push(uid);
            }
        }
        if !outcome.changed.is_empty() {
            mailbox.highest = modseq;
            *account_modseq = modseq;
        }
        outcome.modseq = ModSeq::new(mailbox.highest);
        Ok(Outcome::FlagsChanged(outcome))
    }

    fn expunge(&mut self, command: &Expunge, at: Timestamp) -> Result<Outcome, Refusal> {
        let (account_modseq, mailbox) = self.mailbox(&command.mailbox)?;
        let mut uids = Vec::new();
        for (uid, blob) in command.messages.iter().copied().collect::<BTreeMap<_, _>>() {
            let Some(message) = mailbox.messages.get(&uid) else {
                continue;
            };
            if message.blob != blob {
                return Err("Stale");
            }
            mailbox.messages.remove(&uid);
            uids.push(uid);
        }
        if !uids.is_empty() {
            *account_modseq += 1;
            mailbox.highest = *account_modseq;
            mailbox.vanished.insert(*account_modseq, (at, uids.clone()));
        }
        Ok(Outcome::Expunged(Expunged {
            modseq: ModSeq::new(mailbox.highest),
            uids,
        }))
    }

    fn create_mailbox(&mut self, command: &CreateMailbox) -> Result<Outcome, Refusal> {
        let account = self.account(command.tenant, command.account)?;
        let id = command.mailbox.id;
        let named = account
            .mailboxes
            .values()
            .any(|mailbox| mailbox.name == command.mailbox.name);
        if named || account.mailboxes.contains_key(&id) {
            return Err("Exists");
        }
        account.modseq += 1;
        account.list_modseq = account.modseq;
        let uid_validity = account.add(&command.mailbox);
        Ok(Outcome::MailboxCreated { uid_validity })
    }

    fn rename(&mut self, command: &RenameMailbox) -> Result<Outcome, Refusal> {
        if command.from.is_inbox() {
            return Err("NotPermitted");
        }
        let account = self.account(command.tenant, command.account)?;
        if account.list_modseq != command.list_modseq.get() {
            return Err("Stale");
        }
        if command.mailboxes.is_empty() {
            return Err("NoSuchMailbox");
        }
        let taken: BTreeSet<_> = account
            .mailboxes
            .values()
            .map(|mailbox| mailbox.name.clone())
            .collect();
        for renamed in &command.mailboxes {
            let mailbox = account.mailboxes.get_mut(&renamed.id).ok_or("NoSuchMailbox")?;
            if mailbox.name != renamed.name {
                return Err("Stale");
            }
            let rest = renamed
                .name
                .as_str()
                .strip_prefix(command.from.as_str())
                .ok_or("NotPermitted")?;
            let name = MailboxName::new(&format!("{}{rest}", command.to)).map_err(|_| "TooLarge")?;
            if taken.contains(&name) {
                return Err("Exists");
            }
            mailbox.name = name;
        }
        account.modseq += 1;
        account.list_modseq = account.modseq;
        Ok(Outcome::Done)
    }

    fn delete_mailbox(&mut self, command: &DeleteMailbox) -> Result<Outcome, Refusal> {
        if command.name.is_inbox() {
            return Err("NotPermitted");
        }
        let key = &command.mailbox;
        let account = self.account(key.tenant, key.account)?;
        let mailbox = account.mailboxes.get(&key.mailbox).ok_or("NoSuchMailbox")?;
        if mailbox.name != command.name {
            return Err("Stale");
        }
        account.modseq += 1;
        account.list_modseq = account.modseq;
        let mailbox = account.mailboxes.remove(&key.mailbox).unwrap();
        self.dig(key.tenant, key.account, key.mailbox, mailbox);
        Ok(Outcome::Done)
    }

    fn reap(&mut self, command: &Reap) -> Result<Outcome, Refusal> {
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

    fn sweep(&mut self, command: &Sweep) -> Result<Outcome, Refusal> {
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

    fn account(&mut self, tenant: TenantId, account: AccountId) -> Result<&mut Account, Refusal> {
        self.accounts.get_mut(&(tenant, account)).ok_or("NoSuchAccount")
    }

    /// A mailbox and the MODSEQ of its account.
    fn mailbox(&mut self, key: &MailboxKey) -> Result<(&mut u64, &mut Mailbox), Refusal> {
        let account = self.account(key.tenant, key.account)?;
        let mailbox = account.mailboxes.get_mut(&key.mailbox).ok_or("NoSuchMailbox")?;
        Ok((&mut account.modseq, mailbox))
    }

    fn waiting(
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

    fn done(&mut self, message: MessageId, recipient: RecipientNumber) {
        let spooled = self.spool.get_mut(&message).unwrap();
        spooled.recipients.remove(&recipient);
        if spooled.recipients.is_empty() {
            self.spool.remove(&message);
        }
    }

    fn addresses(&self, tenant: TenantId) -> BTreeSet<String> {
        let accounts = self.accounts.iter().filter(|((of, _), _)| *of == tenant);
        let logins = accounts.map(|(_, account)| account.address.lookup_key());
        let aliases = self
            .aliases
            .keys()
            .filter(|(of, _)| *of == tenant)
            .map(|(_, key)| key.clone());
        logins.chain(aliases).collect()
    }

    fn owns(&self, tenant: TenantId, address: &EmailAddress) -> Result<(), Refusal> {
        let owner = address
            .domain()
            .name()
            .and_then(|name| self.domains.get(name.as_str()));
        if owner == Some(&tenant) {
            Ok(())
        } else {
            Err("NoSuchDomain")
        }
    }

    fn dig(&mut self, tenant: TenantId, owner: AccountId, id: MailboxId, mailbox: Mailbox) {
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
    fn close_grave(&mut self, mailbox: MailboxId) -> bool {
        let open = self.graves.get(&mailbox);
        let empty = open.is_none_or(|grave| grave.messages.is_empty() && grave.vanished.is_empty());
        if empty {
            self.graves.remove(&mailbox);
        }
        empty
    }

    /// Blobs that lost their last reference go; of the long ones the chunks stay for a while.
    fn bury_blobs(&mut self) {
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

impl Account {
    fn add(&mut self, new: &NewMailbox) -> UidValidity {
        let validity = self.next_validity;
        self.next_validity += 1;
        let mailbox = Mailbox {
            name: new.name.clone(),
            special_use: new.special_use,
            validity,
            next_uid: 1,
            highest: self.modseq,
            messages: BTreeMap::new(),
            vanished: BTreeMap::new(),
            floor: 0,
        };
        self.mailboxes.insert(new.id, mailbox);
        UidValidity::new(validity)
    }
}
