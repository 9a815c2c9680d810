//! Suspensions: an account that nobody may log in to, until it is resumed.

use message::time::Timestamp;

use super::{Change, Outcome, Rejected, draft::Draft, rejected::Noun};
use crate::{
    command::{ResumeAccount, SuspendAccount},
    key::{Key, directory::account},
    record::directory::{Account, Suspension},
};

pub(super) fn footprint(command: &SuspendAccount, keys: &mut Vec<Key>) {
    keys.push(account(command.tenant, command.account));
}

pub(super) fn suspend(
    command: &SuspendAccount,
    at: Timestamp,
    draft: &mut Draft<'_>,
) -> Result<Outcome, Rejected> {
    let key = account(command.tenant, command.account);
    let mut row: Account = draft.need(&key, Rejected::NoSuchAccount)?;
    let since = match row.suspended {
        None => at,
        Some(known) if known.refuses_mail != command.refuses_mail => known.since,
        Some(_) => return Err(Rejected::Exists(Noun::Suspension)),
    };
    row.suspended = Some(Suspension {
        since,
        refuses_mail: command.refuses_mail,
    });
    draft.put(key, &row)?;
    draft.tell(Change::Account(command.tenant, command.account));
    Ok(Outcome::Done)
}

pub(super) fn resume_footprint(command: &ResumeAccount, keys: &mut Vec<Key>) {
    keys.push(account(command.tenant, command.account));
}

pub(super) fn resume(command: &ResumeAccount, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let key = account(command.tenant, command.account);
    let mut row: Account = draft.need(&key, Rejected::NoSuchAccount)?;
    if row.suspended.take().is_none() {
        return Err(Rejected::NotSuspended);
    }
    draft.put(key, &row)?;
    draft.tell(Change::Account(command.tenant, command.account));
    Ok(Outcome::Done)
}
