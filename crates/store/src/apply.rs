//! The pure function from a command and what it reads to what it changes.
//!
//! Each noun has a file with its footprint and its changes. Nothing here reads a clock, draws a number or looks at more
//! than the footprint: replicas that apply the same commands in the same order hold the same records.

mod accept;
mod account;
mod alias;
mod append;
mod audit;
mod ban;
mod blob_refs;
pub mod change;
mod configuration;
mod credential;
mod domain;
mod draft;
mod expunge;
mod flags;
mod job;
mod mailbox;
pub mod outcome;
pub mod rejected;
mod rename;
mod settle;
mod suspension;
mod tenant;
mod upkeep;

use message::{id::CommandId, time::Timestamp};

pub use change::Change;
pub use outcome::Outcome;
pub use rejected::Rejected;

use crate::{
    batch::{Batch, Op, ReadSet},
    command::{Command, Fence, Proposal},
    key::{self, Key},
    record::state::FenceRow,
};
use draft::Draft;

/// What applying a command gave.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The changes to write.
    pub batch: Batch,
    /// What the proposer is told; kept under the command's id when [`Command::keeps_result`] says so.
    pub outcome: Outcome,
    /// What the change feed tells the live actors.
    pub changes: Vec<Change>,
}

/// Says what a command changes.
///
/// # Errors
/// [`Rejected`]: nothing changes, and the commands around it are not concerned.
pub fn apply(proposal: &Proposal, read: &ReadSet) -> Result<Applied, Rejected> {
    let mut draft = Draft::new(read);
    check_fence(proposal, &draft)?;
    let outcome = change(proposal, &mut draft)?;
    Ok(draft.finish(outcome))
}

/// The keys that applying this command reads: points, never ranges, named without looking at the store.
#[must_use]
pub fn footprint(proposal: &Proposal) -> Vec<Key> {
    let mut keys = Vec::with_capacity(USUAL_KEYS);
    if proposal.fence.epoch != Fence::ALONE.epoch {
        keys.push(key::directory::fence(
            proposal.command.tenant(),
            proposal.fence.partition,
        ));
    }
    match &proposal.command {
        Command::CreateTenant(command) => tenant::create_footprint(command, &mut keys),
        Command::DeleteTenant(command) => tenant::delete_footprint(command, &mut keys),
        Command::LimitTenant(command) => tenant::limit_footprint(command, &mut keys),
        Command::CreateDomain(command) => domain::create_footprint(command, &mut keys),
        Command::SetCatchAll(command) => domain::catch_all_footprint(command, &mut keys),
        Command::DeleteDomain(command) => domain::delete_footprint(command, &mut keys),
        Command::CreateAccount(command) => account::create_footprint(command, &mut keys),
        Command::DeleteAccount(command) => account::delete_footprint(command, &mut keys),
        Command::SetPassword(command) => account::password_footprint(command, &mut keys),
        Command::AddAppPassword(command) => credential::add_footprint(command, &mut keys),
        Command::RemoveAppPassword(command) => credential::remove_footprint(command, &mut keys),
        Command::AddIdentity(command) => credential::identity_footprint(command, &mut keys),
        Command::RemoveIdentity(command) => credential::no_identity_footprint(command, &mut keys),
        Command::KeepDecoyKey(_) => keys.push(key::directory::decoy_key()),
        Command::LimitAccount(command) => account::limit_footprint(command, &mut keys),
        Command::RenameAccount(command) => rename::footprint(command, &mut keys),
        Command::SuspendAccount(command) => suspension::footprint(command, &mut keys),
        Command::ResumeAccount(command) => suspension::resume_footprint(command, &mut keys),
        Command::CreateAlias(command) => alias::create_footprint(command, &mut keys),
        Command::DeleteAlias(command) => alias::delete_footprint(command, &mut keys),
        Command::Accept(command) => accept::footprint(command, &mut keys),
        Command::Append(command) => append::footprint(command, &mut keys),
        Command::Settle(command) => settle::footprint(command, &mut keys),
        Command::Remove(command) => settle::remove_footprint(command, &mut keys),
        Command::ChangeFlags(command) => flags::footprint(command, &mut keys),
        Command::Expunge(command) => expunge::footprint(command, &mut keys),
        Command::CreateMailbox(command) => mailbox::create_footprint(command, &mut keys),
        Command::RenameMailbox(command) => mailbox::rename_footprint(command, &mut keys),
        Command::DeleteMailbox(command) => mailbox::delete_footprint(command, &mut keys),
        Command::Reap(command) => job::reap_footprint(command, &mut keys),
        Command::Sweep(command) => job::sweep_footprint(command, &mut keys),
        Command::Ban(command) => ban::footprint(command, &mut keys),
        Command::Unban(command) => ban::unban_footprint(command, &mut keys),
        Command::Record(command) => audit::footprint(command, &mut keys),
        Command::KeepConfiguration(command) => configuration::footprint(command, &mut keys),
        // Whoever tends it is the only one, and says all of it each time.
        Command::Tend(_) => {}
    }
    keys
}

/// Keys that most commands read.
const USUAL_KEYS: usize = 8;

/// Changes that depend on nothing that is stored, or why there will be none.
#[derive(Clone, Debug)]
pub(crate) struct Prepared(Result<Vec<Op>, Rejected>);

/// Encodes what can be encoded before the serial point: the hot path of intake.
pub(crate) fn prepare(id: CommandId, at: Timestamp, command: &Command) -> Option<Prepared> {
    match command {
        Command::Accept(command) => Some(Prepared(accept::prepare(id, at, command))),
        _ => None,
    }
}

fn check_fence(proposal: &Proposal, draft: &Draft<'_>) -> Result<(), Rejected> {
    if proposal.fence.epoch == Fence::ALONE.epoch {
        return Ok(());
    }
    let key = key::directory::fence(proposal.command.tenant(), proposal.fence.partition);
    match draft.find::<FenceRow>(&key)? {
        Some(fence) if fence.epoch > proposal.fence.epoch => Err(Rejected::Fenced(fence.epoch)),
        _ => Ok(()),
    }
}

fn change(proposal: &Proposal, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let at = proposal.at;
    match &proposal.command {
        Command::CreateTenant(command) => tenant::create(command, at, draft),
        Command::DeleteTenant(command) => tenant::delete(command, draft),
        Command::LimitTenant(command) => tenant::limit(command, draft),
        Command::CreateDomain(command) => domain::create(command, at, draft),
        Command::SetCatchAll(command) => domain::set_catch_all(command, draft),
        Command::DeleteDomain(command) => domain::delete(command, draft),
        Command::CreateAccount(command) => account::create(command, at, draft),
        Command::DeleteAccount(command) => account::delete(command, draft),
        Command::SetPassword(command) => account::set_password(command, draft),
        Command::AddAppPassword(command) => credential::add(command, draft),
        Command::RemoveAppPassword(command) => credential::remove(command, draft),
        Command::AddIdentity(command) => credential::add_identity(command, draft),
        Command::RemoveIdentity(command) => credential::remove_identity(command, draft),
        Command::KeepDecoyKey(command) => credential::keep_decoy_key(command, draft),
        Command::LimitAccount(command) => account::limit(command, draft),
        Command::RenameAccount(command) => rename::rename(command, draft),
        Command::SuspendAccount(command) => suspension::suspend(command, at, draft),
        Command::ResumeAccount(command) => suspension::resume(command, draft),
        Command::CreateAlias(command) => alias::create(command, draft),
        Command::DeleteAlias(command) => alias::delete(command, draft),
        Command::Accept(command) => accept::accept(command, proposal, draft),
        Command::Append(command) => append::append(command, proposal, draft),
        Command::Settle(command) => settle::settle(command, proposal, draft),
        Command::Remove(command) => settle::remove(command, proposal, draft),
        Command::ChangeFlags(command) => flags::change(command, draft),
        Command::Expunge(command) => expunge::expunge(command, at, draft),
        Command::CreateMailbox(command) => mailbox::create(command, at, draft),
        Command::RenameMailbox(command) => mailbox::rename(command, draft),
        Command::DeleteMailbox(command) => mailbox::delete(command, draft),
        Command::Reap(command) => job::reap(command, draft),
        Command::Sweep(command) => job::sweep(command, draft),
        Command::Ban(command) => ban::ban(command, at, draft),
        Command::Unban(command) => ban::unban(command, draft),
        Command::Record(command) => audit::record(command, draft),
        Command::KeepConfiguration(command) => configuration::keep(command, draft),
        Command::Tend(command) => upkeep::tend(command, draft),
    }
}

/// Refuses what is larger than may be.
fn bounded(what: &'static str, size: usize, limit: usize) -> Result<(), Rejected> {
    if size > limit {
        return Err(Rejected::TooLarge { what, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
