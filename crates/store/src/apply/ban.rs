//! Bans: how long they last, and how they end.

use std::time::Duration;

use message::time::Timestamp;

use super::{Change, Outcome, Rejected, bounded, draft::Draft, rejected::Noun};
use crate::{
    command::{Ban, Term, Unban},
    key::{Key, ban::ban as ban_key},
    record::ban::{self, MAX_REASON_OCTETS, Origin},
};

pub(super) fn footprint(command: &Ban, keys: &mut Vec<Key>) {
    keys.push(ban_key(&command.network));
}

pub(super) fn ban(command: &Ban, at: Timestamp, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    bounded("reason", command.reason.len(), MAX_REASON_OCTETS)?;
    let key = ban_key(&command.network);
    // What is known of earlier bans must not keep a new one from being made.
    let before: Option<ban::Ban> = draft.find_whole(&key)?;
    let (until, origin, count) = match command.term {
        Term::Operator(until) => (until, Origin::Operator, 0),
        Term::Growing { .. } if before.as_ref().is_some_and(|ban| ban.holds(at)) => {
            return Err(Rejected::Exists(Noun::Ban));
        }
        Term::Growing { first, longest } => {
            let count = before.map_or(0, |ban| ban.count).saturating_add(1);
            (Some(at + term(first, longest, count)), Origin::Automatic, count)
        }
    };
    let ban = ban::Ban {
        since: at,
        until,
        reason: command.reason.clone(),
        origin,
        count,
    };
    draft.put(key, &ban)?;
    draft.tell(Change::Ban(command.network, Some(ban)));
    Ok(Outcome::Done)
}

pub(super) fn unban_footprint(command: &Unban, keys: &mut Vec<Key>) {
    keys.push(ban_key(&command.network));
}

pub(super) fn unban(command: &Unban, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let key = ban_key(&command.network);
    if !draft.is_taken(&key)? {
        return Err(Rejected::NoSuchBan);
    }
    draft.delete(key);
    draft.tell(Change::Ban(command.network, None));
    Ok(Outcome::Done)
}

/// The time of the `count`th ban: twice that of the one before, up to the longest.
fn term(first: Duration, longest: Duration, count: u32) -> Duration {
    let doublings = count.saturating_sub(1).min(31);
    first.saturating_mul(1 << doublings).min(longest)
}
