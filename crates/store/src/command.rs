//! Commands: the only way in which durable state changes.

pub mod accept;
pub mod append;
pub mod audit;
pub mod ban;
pub mod configuration;
pub mod directory;
pub mod expunge;
pub mod flags;
pub mod job;
pub mod mailbox;
pub mod settle;
pub mod upkeep;

use message::{
    id::{CommandId, TenantId},
    time::Timestamp,
};

pub use accept::{Accept, Addressee, Spooled};
pub use append::Append;
pub use audit::Record;
pub use ban::{Ban, Term, Unban};
pub use configuration::KeepConfiguration;
pub use directory::{
    AddAppPassword, AddIdentity, CreateAccount, CreateAlias, CreateDomain, CreateTenant, DEFAULT_TENANT,
    DEFAULT_TENANT_NAME, DeleteAccount, DeleteAlias, DeleteDomain, DeleteTenant, FollowingAlias,
    KeepDecoyKey, LimitAccount, LimitTenant, MAX_FOLLOWING, RemoveAppPassword, RemoveIdentity, RenameAccount,
    ResumeAccount, SetCatchAll, SetPassword, SuspendAccount,
};
pub use expunge::Expunge;
pub use flags::{ChangeFlags, FlagChange};
pub use job::{Reap, ReapStep, Sweep, SweepRows};
pub use mailbox::{CreateMailbox, DeleteMailbox, NewMailbox, RenameMailbox, RenamedMailbox};
pub use settle::{Remove, Settle};
pub use upkeep::Tend;

pub use crate::apply::footprint;

use crate::{
    apply,
    key::{Partition, SYSTEM_TENANT},
};

/// A command on its way to the serial point.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Repeating a proposal under the same id returns the first result while that is retained.
    pub id: CommandId,
    /// When the proposer made it. The store reads no clock of its own: replicas must agree.
    pub at: Timestamp,
    /// In whose name the proposer acts.
    pub fence: Fence,
    /// What is to change.
    pub command: Command,
    /// The changes, when they depend on nothing that is stored: encoded by the proposer, not by the committer.
    pub(crate) prepared: Option<apply::Prepared>,
}

impl Proposal {
    /// A proposal of a node that is alone. What can be encoded without reading the store is encoded here, in the
    /// proposer's time.
    #[must_use]
    pub fn new(id: CommandId, at: Timestamp, command: Command) -> Self {
        let prepared = apply::prepare(id, at, &command);
        Self {
            id,
            at,
            fence: Fence::ALONE,
            command,
            prepared,
        }
    }

    /// The same proposal in the name of an owner of a partition.
    #[must_use]
    pub fn fenced(self, fence: Fence) -> Self {
        Self { fence, ..self }
    }
}

/// The right in which a proposer acts: it owned this partition in this epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    /// What it owned.
    pub partition: Partition,
    /// Since which take-over; 0 is a node that is alone and needs no right.
    pub epoch: u64,
}

impl Fence {
    /// A node that is alone.
    pub const ALONE: Self = Self {
        partition: Partition::OF_TENANT,
        epoch: 0,
    };
}

/// A durable change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// A new organisation.
    CreateTenant(CreateTenant),
    /// The end of an organisation that has neither domains nor accounts.
    DeleteTenant(DeleteTenant),
    /// What an organisation may have.
    LimitTenant(LimitTenant),
    /// A domain whose mail is ours from now on.
    CreateDomain(CreateDomain),
    /// Who gets what no address of a domain matches.
    SetCatchAll(SetCatchAll),
    /// The end of a domain without addresses.
    DeleteDomain(DeleteDomain),
    /// A new login with its mailboxes.
    CreateAccount(CreateAccount),
    /// The end of a login and of its mailboxes.
    DeleteAccount(DeleteAccount),
    /// Another password.
    SetPassword(SetPassword),
    /// The password of one more program.
    AddAppPassword(AddAppPassword),
    /// The end of the password of a program.
    RemoveAppPassword(RemoveAppPassword),
    /// An account may send as somebody.
    AddIdentity(AddIdentity),
    /// An account may send as somebody no longer.
    RemoveIdentity(RemoveIdentity),
    /// The key of decoys.
    KeepDecoyKey(KeepDecoyKey),
    /// What an account may have.
    LimitAccount(LimitAccount),
    /// Another address for an account.
    RenameAccount(RenameAccount),
    /// Nobody may log in to an account.
    SuspendAccount(SuspendAccount),
    /// The end of a suspension.
    ResumeAccount(ResumeAccount),
    /// An address that stands for others.
    CreateAlias(CreateAlias),
    /// The end of an alias.
    DeleteAlias(DeleteAlias),
    /// A message becomes ours.
    Accept(Accept),
    /// A message goes into a mailbox, and its recipient is done.
    Append(Append),
    /// An attempt at a recipient ended.
    Settle(Settle),
    /// An operator takes a message out of the spool.
    Remove(Remove),
    /// Other flags on messages.
    ChangeFlags(ChangeFlags),
    /// Messages go from a mailbox.
    Expunge(Expunge),
    /// A new mailbox.
    CreateMailbox(CreateMailbox),
    /// Another name for a mailbox and those below it.
    RenameMailbox(RenameMailbox),
    /// The end of a mailbox.
    DeleteMailbox(DeleteMailbox),
    /// A step of the removal of what a deletion left.
    Reap(Reap),
    /// The end of what has been kept for its time.
    Sweep(Sweep),
    /// A network is sent away.
    Ban(Ban),
    /// A ban is taken back.
    Unban(Unban),
    /// How far a long work is.
    Tend(Tend),
    /// What an operator asked for.
    Record(Box<Record>),
    /// A configuration that has come into force.
    KeepConfiguration(Box<KeepConfiguration>),
}

impl Command {
    /// Whose records it changes.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        match self {
            Self::CreateTenant(command) => command.tenant,
            Self::DeleteTenant(command) => command.tenant,
            Self::LimitTenant(command) => command.tenant,
            Self::CreateDomain(command) => command.tenant,
            Self::SetCatchAll(command) => command.tenant,
            Self::DeleteDomain(command) => command.tenant,
            Self::CreateAccount(command) => command.tenant,
            Self::DeleteAccount(command) => command.tenant,
            Self::SetPassword(command) => command.tenant,
            Self::AddAppPassword(command) => command.tenant,
            Self::RemoveAppPassword(command) => command.tenant,
            Self::AddIdentity(command) => command.tenant,
            Self::RemoveIdentity(command) => command.tenant,
            Self::KeepDecoyKey(_) => SYSTEM_TENANT,
            Self::LimitAccount(command) => command.tenant,
            Self::RenameAccount(command) => command.tenant,
            Self::SuspendAccount(command) => command.tenant,
            Self::ResumeAccount(command) => command.tenant,
            Self::CreateAlias(command) => command.tenant,
            Self::DeleteAlias(command) => command.tenant,
            Self::Accept(command) => command.spooled.tenant,
            Self::Append(command) => command.tenant,
            Self::Settle(command) => command.tenant,
            Self::Remove(command) => command.tenant,
            Self::ChangeFlags(command) => command.mailbox.tenant,
            Self::Expunge(command) => command.mailbox.tenant,
            Self::CreateMailbox(command) => command.tenant,
            Self::RenameMailbox(command) => command.tenant,
            Self::DeleteMailbox(command) => command.mailbox.tenant,
            Self::Reap(command) => command.tenant,
            Self::Sweep(command) => command.tenant,
            // Who is sent away is sent away by all; and the audit is the operator's, not a tenant's.
            Self::Ban(_) | Self::Unban(_) | Self::Record(_) | Self::KeepConfiguration(_) | Self::Tend(_) => {
                SYSTEM_TENANT
            }
        }
    }

    /// Whether the result is kept under the command's id, so that it can be recalled.
    ///
    /// `Append` and `Settle` find out by themselves that they are repeated (by the record of the append, by the step
    /// of the trail) and give the first outcome again: the hot path writes one record less. A repeated `Reap` or
    /// `Sweep` does no harm. To learn what became of one of these, propose it again under the same id.
    #[must_use]
    pub const fn keeps_result(&self) -> bool {
        !matches!(
            self,
            Self::Append(_) | Self::Settle(_) | Self::Reap(_) | Self::Sweep(_) | Self::Tend(_)
        )
    }

    /// Octets of message bytes that the command carries: what makes it large.
    #[must_use]
    pub fn payload_octets(&self) -> usize {
        match self {
            Self::Accept(accept) => accept.last_chunk.len(),
            Self::Append(append) => {
                append.structure.as_ref().map_or(0, bytes::Bytes::len) + append.prefix.len()
            }
            _ => 0,
        }
    }
}
