//! The commands that may come at any time and touch no mail: NOOP, HELP, VRFY, RSET, QUIT. RFC 5321 §4.1.1.5 to §4.1.1.10

use super::Session;
use super::event::BodyLoss;
use crate::reply::table;

impl<R, T> Session<R, T> {
    pub(super) fn noop(&mut self) {
        self.say(table::OK);
    }

    pub(super) fn help(&mut self) {
        self.say(table::HELP);
    }

    /// Tells nothing: neither text nor time depends on who is asked for. RFC 5321 §7.3
    pub(super) fn verify(&mut self) {
        self.say(table::CANNOT_VERIFY);
    }

    pub(super) fn reset(&mut self) {
        self.give_up_body(BodyLoss::Withdrawn);
        self.state.end_transaction();
        self.say(table::OK);
    }

    pub(super) fn quit(&mut self) {
        self.close(table::BYE);
    }
}
