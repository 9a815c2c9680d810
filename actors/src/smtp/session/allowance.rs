//! Allowance: for whom the work of a session counts, what it is told beyond that, and what it did wrong.

use message::address::ReversePath;
use smtp::{Mail, Reply, Tally, reply::table};

use super::State;
use crate::{
    limits::{Exceeded, Offence, Sender},
    listener::refusal::Refusals,
    telemetry::SECURITY_STRANGERS_XCLIENT,
};

/// What a client is told that is not let in. 421 and not 554 also for who is banned: an honest server in a network that
/// others have spoilt keeps its mail and tries again.
pub(super) const REFUSALS: Refusals = Refusals {
    too_busy: b"421 4.7.0 Too many connections\r\n",
    banned: b"421 4.7.0 Your address is refused at present\r\n",
    closing: b"421 4.3.2 Shutting down\r\n",
};

impl State {
    /// Counts a message that begins, or says what its sender is told instead.
    pub(super) fn count_message(&self, mail: &Mail) -> Result<(), Reply> {
        let counted = self.args.parts.limits.message(self.sender(mail));
        counted.map_err(too_much)
    }

    /// Counts a recipient, also one that does not exist: who guesses has nothing else.
    pub(super) fn count_recipient(&self) -> Result<(), Reply> {
        let Some(mail) = self.session.machine.mail() else {
            return Ok(());
        };
        let counted = self.args.parts.limits.recipient(self.sender(mail));
        counted.map_err(too_much)
    }

    /// Counts what the client did wrong in this turn for its address, too.
    pub(super) fn tell_offences(&self, before: Tally) {
        let after = self.session.machine.tally();
        if after == before {
            return;
        }
        if after.distrusted && !before.distrusted {
            SECURITY_STRANGERS_XCLIENT.count(1);
            tracing::warn!(
                target: "angarium::security",
                peer = %self.session.peer, connection = %self.args.connection, "a stranger says XCLIENT"
            );
        }
        let unknown = since(before.unknown_commands, after.unknown_commands);
        let errors = since(before.errors, after.errors).saturating_sub(unknown);
        for (offence, times) in [
            (Offence::UnknownCommand, unknown),
            (Offence::ErrorReply, errors),
            (
                Offence::UnknownRecipient,
                since(before.refused_recipients, after.refused_recipients),
            ),
            (
                Offence::EarlyTalker,
                u32::from(after.early_talk && !before.early_talk),
            ),
        ] {
            if times > 0 {
                let peer = self.session.machine.peer();
                self.args.parts.limits.offences(peer, offence, times);
            }
        }
    }

    fn sender<'m>(&self, mail: &'m Mail) -> Sender<'m> {
        let machine = &self.session.machine;
        Sender {
            peer: machine.peer(),
            account: machine.login().map(|login| login.account),
            domain: match &mail.reverse_path {
                ReversePath::Address(address) => address.domain().name(),
                ReversePath::Null => None,
            },
        }
    }
}

/// How much a count has grown; an accepted message begins it anew.
const fn since(before: u32, after: u32) -> u32 {
    match after.checked_sub(before) {
        Some(more) => more,
        None => after,
    }
}

const fn too_much(why: Exceeded) -> Reply {
    match why {
        Exceeded::Banned => table::BANNED,
        Exceeded::Open | Exceeded::Connections => table::TOO_MANY_CONNECTIONS,
        Exceeded::Messages => table::TOO_MANY_MESSAGES,
        Exceeded::Recipients => table::TOO_MANY_NAMED,
    }
}
