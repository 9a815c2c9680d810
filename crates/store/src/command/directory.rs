//! Commands on the directory: tenants, domains, accounts and aliases.

use message::{
    address::{DomainName, EmailAddress},
    id::{AccountId, MailboxId, TenantId},
};

use super::mailbox::NewMailbox;
use crate::record::{
    directory::{AppPassword, DECOY_KEY_OCTETS, Identity, Password},
    mailbox::{MailboxName, ModSeq},
    state::Limits,
};

/// The tenant that always exists.
pub const DEFAULT_TENANT: TenantId = TenantId::new(1);
/// Its name.
pub const DEFAULT_TENANT_NAME: &str = "default";

/// A new organisation.
#[derive(Clone, Debug)]
pub struct CreateTenant {
    /// Its number, chosen by the proposer; not 0. `Exists` when it is taken.
    pub tenant: TenantId,
    /// Its name, not empty.
    pub name: String,
    /// What it may store.
    pub limits: Limits,
    /// How many accounts it may have.
    pub max_accounts: Option<u32>,
}

/// The end of an organisation that has neither domains nor accounts.
#[derive(Clone, Debug)]
pub struct DeleteTenant {
    /// Which.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
}

/// What an organisation may have from now on. What it has already stays.
#[derive(Clone, Debug)]
pub struct LimitTenant {
    /// Which.
    pub tenant: TenantId,
    /// What it may store.
    pub limits: Limits,
    /// How many accounts it may have.
    pub max_accounts: Option<u32>,
}

/// A domain whose mail is ours from now on.
#[derive(Clone, Debug)]
pub struct CreateDomain {
    /// Whose domain it is.
    pub tenant: TenantId,
    /// Its name.
    pub name: DomainName,
    /// Who gets what no address of the domain matches.
    pub catch_all: Option<EmailAddress>,
}

/// Who gets what no address of a domain matches, from now on.
#[derive(Clone, Debug)]
pub struct SetCatchAll {
    /// Whose domain it is.
    pub tenant: TenantId,
    /// Its name.
    pub name: DomainName,
    /// Who; without it such mail is refused.
    pub catch_all: Option<EmailAddress>,
}

/// The end of a domain without addresses.
#[derive(Clone, Debug)]
pub struct DeleteDomain {
    /// Whose domain it is.
    pub tenant: TenantId,
    /// Its name.
    pub name: DomainName,
}

/// A new login with its mailboxes.
#[derive(Clone, Debug)]
pub struct CreateAccount {
    /// Whose account it is.
    pub tenant: TenantId,
    /// Its id, minted by the proposer.
    pub account: AccountId,
    /// Its login and first address, in a domain of the tenant.
    pub address: EmailAddress,
    /// What its password is verified by.
    pub password: Option<Password>,
    /// What it may store.
    pub limits: Limits,
    /// Its first mailboxes, the INBOX among them; see [`NewMailbox::first`].
    pub mailboxes: Vec<NewMailbox>,
}

/// The end of a login and of its mailboxes; their messages are reaped later.
#[derive(Clone, Debug)]
pub struct DeleteAccount {
    /// Whose account it is.
    pub tenant: TenantId,
    /// Which.
    pub account: AccountId,
    /// Its login.
    pub address: EmailAddress,
    /// All its mailboxes, as the proposer saw them.
    pub mailboxes: Vec<(MailboxId, MailboxName)>,
    /// The account's `list_modseq` when the proposer looked; `Stale` when mailboxes have changed since.
    pub list_modseq: ModSeq,
}

/// Another password. Application passwords stay.
#[derive(Clone, Debug)]
pub struct SetPassword {
    /// Whose account it is.
    pub tenant: TenantId,
    /// Which.
    pub account: AccountId,
    /// What it is verified by; without it only application passwords open the account.
    pub password: Option<Password>,
}

/// The password of one more program.
#[derive(Clone, Debug)]
pub struct AddAppPassword {
    /// Whose account it is.
    pub tenant: TenantId,
    /// Which.
    pub account: AccountId,
    /// The password, with a name that no other of the account has.
    pub app_password: AppPassword,
}

/// The end of the password of a program.
#[derive(Clone, Debug)]
pub struct RemoveAppPassword {
    /// Whose account it is.
    pub tenant: TenantId,
    /// Which.
    pub account: AccountId,
    /// The name of the password.
    pub name: String,
}

/// An account may send as somebody from now on.
#[derive(Clone, Debug)]
pub struct AddIdentity {
    /// Whose account it is.
    pub tenant: TenantId,
    /// Which.
    pub account: AccountId,
    /// As whom: in a domain of the tenant.
    pub identity: Identity,
}

/// An account may send as somebody no longer.
#[derive(Clone, Debug)]
pub struct RemoveIdentity {
    /// Whose account it is.
    pub tenant: TenantId,
    /// Which.
    pub account: AccountId,
    /// As whom.
    pub identity: Identity,
}

/// The key of decoys, proposed at every start: the first one stays, `Exists` is the answer to all others.
#[derive(Clone, Debug)]
pub struct KeepDecoyKey {
    /// Fresh randomness.
    pub key: [u8; DECOY_KEY_OCTETS],
}

/// What an account may have from now on. What it has already stays.
#[derive(Clone, Debug)]
pub struct LimitAccount {
    /// Whose account it is.
    pub tenant: TenantId,
    /// Which.
    pub account: AccountId,
    /// What it may store.
    pub limits: Limits,
}

/// Another address for an account: its id, its mail, its passwords and identities stay. What stood for the old address
/// follows in the same batch. The new one is free, or an alias that stands for this account alone.
#[derive(Clone, Debug)]
pub struct RenameAccount {
    /// Whose account it is.
    pub tenant: TenantId,
    /// Which.
    pub account: AccountId,
    /// Its address; `Stale` when it has another by now.
    pub from: EmailAddress,
    /// Its new address, in a domain of the tenant.
    pub to: EmailAddress,
    /// Whether the old address stays, as an alias of the new one; else it is free.
    pub keeps_alias: bool,
    /// At most [`MAX_FOLLOWING`] aliases that stand for it, as the proposer saw them.
    pub aliases: Vec<FollowingAlias>,
    /// At most [`MAX_FOLLOWING`] domains whose catch-all it is, as the proposer saw them.
    pub domains: Vec<DomainName>,
}

/// An alias that follows an account to its new address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowingAlias {
    /// The alias.
    pub address: EmailAddress,
    /// Whom it stands for; `Stale` when it stands for others by now.
    pub before: Vec<EmailAddress>,
    /// Whom it stands for from now on.
    pub after: Vec<EmailAddress>,
}

/// How many aliases, and how many domains, follow an account to its new address: as many as are safe in one batch.
pub const MAX_FOLLOWING: usize = 200;

/// Nobody may log in to an account from now on; its mail is kept, and goes on coming unless that is refused. One that is
/// suspended already may be suspended on other terms; `Exists` when nothing would be other than it is.
#[derive(Clone, Debug)]
pub struct SuspendAccount {
    /// Whose account it is.
    pub tenant: TenantId,
    /// Which.
    pub account: AccountId,
    /// Whether mail for it is refused, too. What was accepted before is delivered.
    pub refuses_mail: bool,
}

/// The end of a suspension; `NotSuspended` when there is none.
#[derive(Clone, Debug)]
pub struct ResumeAccount {
    /// Whose account it is.
    pub tenant: TenantId,
    /// Which.
    pub account: AccountId,
}

/// An address that stands for others.
#[derive(Clone, Debug)]
pub struct CreateAlias {
    /// Whose address it is.
    pub tenant: TenantId,
    /// The address, in a domain of the tenant.
    pub address: EmailAddress,
    /// Whom it stands for: 1 to [`MAX_ALIAS_TARGETS`](crate::record::directory::MAX_ALIAS_TARGETS) addresses,
    /// which need not exist yet.
    pub targets: Vec<EmailAddress>,
}

/// The end of an alias.
#[derive(Clone, Debug)]
pub struct DeleteAlias {
    /// Whose address it is.
    pub tenant: TenantId,
    /// The address.
    pub address: EmailAddress,
}
