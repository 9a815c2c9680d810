//! The greeting: at once, or after a silence in which an honest client says nothing. RFC 5321 §3.1, §4.3.1

use bytes::Bytes;
use message::time::Tick;

use super::Session;
use super::state::State;
use crate::reply::{Reply, table};
use crate::settings::{EarlyTalkers, Mode};

impl<R, T> Session<R, T> {
    /// Greets, now or when the silence is over.
    pub(super) fn begin(&mut self, now: Tick) {
        let silence = self.settings.timeouts.greeting;
        if silence.is_zero() {
            return self.greet_now(now);
        }
        self.state = State::Silent;
        self.deadline = (now + silence).min(self.until);
    }

    /// The silence is over.
    pub(super) fn greet_now(&mut self, now: Tick) {
        self.state = State::Greeted;
        self.say_greeting();
        self.await_command(now);
    }

    /// RFC 5321 §4.2: the domain comes first; "ESMTP" says that EHLO is understood, "LMTP" that LHLO is. RFC 2033 §4.1
    pub(super) fn say_greeting(&mut self) {
        let protocol = match self.settings.mode {
            Mode::Lmtp => "LMTP",
            Mode::Relay | Mode::Submission => "ESMTP",
        };
        let greeting = format!("{} {protocol}", self.settings.hostname);
        self.say(Reply::plain(220, std::iter::once(&*greeting)));
    }

    /// The client spoke first: it waits for no answer, so it is no mail server. None of it is obeyed.
    pub(super) fn receive_early(&mut self, input: &Bytes) -> usize {
        self.tally.early_talk = true;
        self.close(match self.settings.early_talkers {
            EarlyTalkers::Reject => table::EARLY_TALKER,
            EarlyTalkers::Defer => table::EARLY_TALKER_DEFERRED,
        });
        input.len()
    }
}
