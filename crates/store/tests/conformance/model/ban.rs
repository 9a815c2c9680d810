//! Bans, as the model has them.

use std::time::Duration;

use message::time::Timestamp;
use store::{
    apply::Outcome,
    command::{Ban, Term, Unban},
    record::ban::{self, Origin},
};

use super::{Model, Refusal};

impl Model {
    pub(super) fn ban(&mut self, command: &Ban, at: Timestamp) -> Result<Outcome, Refusal> {
        if command.reason.len() > 256 {
            return Err("TooLarge");
        }
        let known = self.bans.get(&command.network);
        let (until, origin, count) = match command.term {
            Term::Operator(until) => (until, Origin::Operator, 0),
            Term::Growing { first, longest } => {
                if known.is_some_and(|ban| ban.until.is_none_or(|until| until > at)) {
                    return Err("Exists");
                }
                let count = known.map_or(0, |ban| ban.count) + 1;
                let mut term = first;
                for _ in 1..count {
                    term = Duration::min(term * 2, longest);
                }
                (Some(at + term.min(longest)), Origin::Automatic, count)
            }
        };
        let ban = ban::Ban {
            since: at,
            until,
            reason: command.reason.clone(),
            origin,
            count,
        };
        self.bans.insert(command.network, ban);
        Ok(Outcome::Done)
    }

    pub(super) fn unban(&mut self, command: &Unban) -> Result<Outcome, Refusal> {
        let known = self.bans.remove(&command.network);
        known.map(|_| Outcome::Done).ok_or("NoSuchBan")
    }
}
