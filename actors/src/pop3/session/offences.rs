//! Offences: what a client did wrong, counted for its address as that of SMTP is.

use pop3::Tally;

use super::State;
use crate::limits::Offence;

impl State {
    /// Counts what the client did wrong in this turn for its address, too. Wrong passwords are counted where they are found
    /// out.
    pub(super) fn tell_offences(&self, before: Tally) {
        let after = self.session.machine.tally();
        let unknown = after.unknown_commands.saturating_sub(before.unknown_commands);
        let errors = after.errors.saturating_sub(before.errors);
        for (offence, times) in [
            (Offence::UnknownCommand, unknown),
            (Offence::ErrorReply, errors.saturating_sub(unknown)),
        ] {
            if times > 0 {
                let peer = self.args.peer.ip();
                self.args.parts.limits.offences(peer, offence, times);
            }
        }
    }
}
