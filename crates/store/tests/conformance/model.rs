//! The model: what commands mean, in plain maps. It copies itself for each command, so a rejected one changes nothing.

mod audit;
mod ban;
mod directory;
mod job;
mod mailbox;
mod spool;

use std::collections::{BTreeMap, BTreeSet};

use message::{
    address::EmailAddress,
    envelope::{MailOptions, RecipientOptions},
    id::{AccountId, BlobId, CommandId, MailboxId, MessageId, ReceiptId, TenantId},
    time::Timestamp,
};
use store::{
    apply::{Outcome, outcome::Appended},
    blob::BlobRef,
    command::*,
    record::{
        audit::AuditEntry,
        ban::{Ban, Network},
        configuration::KeptConfiguration,
        directory::{AppPassword, Password},
        mailbox::{Flags, MailboxName, SpecialUse, Uid, UidValidity},
        spool::{Priority, RecipientNumber, RecipientState, Route},
        state::{Limits, Usage},
    },
};

/// The name of the variant of [`Rejected`](store::apply::Rejected) that is expected.
pub(crate) type Refusal = &'static str;

#[derive(Clone, Default)]
pub(crate) struct Model {
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    pub(crate) domains: BTreeMap<String, TenantId>,
    pub(crate) catch_alls: BTreeMap<String, EmailAddress>,
    pub(crate) aliases: BTreeMap<(TenantId, String), Vec<EmailAddress>>,
    pub(crate) accounts: BTreeMap<(TenantId, AccountId), Account>,
    pub(crate) spool: BTreeMap<MessageId, Spooled>,
    pub(crate) appended: BTreeMap<(MessageId, RecipientNumber), (TenantId, Appended)>,
    pub(crate) trail: BTreeMap<TrailPlace, (TenantId, CommandId)>,
    pub(crate) results: BTreeMap<CommandId, Outcome>,
    pub(crate) bans: BTreeMap<Network, Ban>,
    pub(crate) audit: BTreeMap<ReceiptId, AuditEntry>,
    pub(crate) configurations: BTreeMap<ReceiptId, KeptConfiguration>,
    pub(crate) graves: BTreeMap<MailboxId, Grave>,
    /// Deleted blobs whose chunks are still there: the next one.
    pub(crate) rests: BTreeMap<BlobId, (TenantId, u32)>,
    /// Every blob that ever was, with its chunks.
    pub(crate) chunks: BTreeMap<BlobId, (TenantId, u32)>,
    pub(crate) decoy_key: Option<[u8; 32]>,
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
    pub(crate) password: Option<Password>,
    pub(crate) app_passwords: BTreeMap<String, AppPassword>,
    /// As they are printed, folded.
    pub(crate) identities: BTreeSet<String>,
    /// Since when, and whether its mail is refused.
    pub(crate) suspended: Option<(Timestamp, bool)>,
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
    pub(crate) options: MailOptions,
    pub(crate) recipients: BTreeMap<RecipientNumber, Recipient>,
}

#[derive(Clone)]
pub(crate) struct Recipient {
    pub(crate) route: Route,
    pub(crate) options: RecipientOptions,
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
            Command::SetCatchAll(command) => self.set_catch_all(command),
            Command::DeleteDomain(command) => self.delete_domain(command),
            Command::CreateAccount(command) => self.create_account(command, proposal.at),
            Command::DeleteAccount(command) => self.delete_account(command),
            Command::SetPassword(command) => {
                let account = self.account(command.tenant, command.account)?;
                account.password.clone_from(&command.password);
                Ok(Outcome::Done)
            }
            Command::AddAppPassword(command) => self.add_app_password(command),
            Command::RemoveAppPassword(command) => self.remove_app_password(command),
            Command::AddIdentity(command) => self.add_identity(command),
            Command::RemoveIdentity(command) => self.remove_identity(command),
            Command::KeepDecoyKey(command) => match self.decoy_key {
                Some(_) => Err("Exists"),
                None => {
                    self.decoy_key = Some(command.key);
                    Ok(Outcome::Done)
                }
            },
            Command::LimitAccount(command) => {
                self.account(command.tenant, command.account)?.limits = command.limits;
                Ok(Outcome::Done)
            }
            Command::RenameAccount(command) => self.rename_account(command),
            Command::SuspendAccount(command) => self.suspend(command, proposal.at),
            Command::ResumeAccount(command) => {
                let account = self.account(command.tenant, command.account)?;
                account
                    .suspended
                    .take()
                    .map(|_| Outcome::Done)
                    .ok_or("NotSuspended")
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
            Command::Ban(command) => self.ban(command, proposal.at),
            Command::Unban(command) => self.unban(command),
            Command::Record(command) => self.record(command),
            Command::KeepConfiguration(command) => self.keep_configuration(command),
            _ => panic!("a command that the model does not know"),
        }
    }

    pub(super) fn account(&mut self, tenant: TenantId, account: AccountId) -> Result<&mut Account, Refusal> {
        self.accounts.get_mut(&(tenant, account)).ok_or("NoSuchAccount")
    }
}

impl Account {
    pub(super) fn add(&mut self, new: &NewMailbox) -> UidValidity {
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
