//! MAIL and RCPT: the envelope. RFC 5321 §4.1.1.2, §4.1.1.3

use std::sync::Arc;

use message::ReversePath;

use super::Session;
use super::state::Mail;
use super::turn::Question;
use crate::command::Parameters;
use crate::recipients::RecipientPath;
use crate::reply::table;
use crate::settings::Mode;

impl<R, T> Session<R, T> {
    pub(super) fn mail_from(&mut self, reverse_path: ReversePath, parameters: Parameters) {
        if self.settings.mode == Mode::Submission && self.login.is_none() {
            return self.refuse(table::AUTH_REQUIRED);
        }
        if self.transactions >= self.settings.max_transactions {
            return self.close(table::TOO_MANY_TRANSACTIONS);
        }
        if parameters
            .size
            .is_some_and(|size| size > self.settings.max_message_size)
        {
            return self.refuse(table::TOO_LARGE);
        }
        self.turn.ask(Question::Mail(Arc::new(Mail {
            reverse_path,
            // A client that does not know says 0.
            declared_size: parameters.size.filter(|size| *size > 0),
            body: parameters.body.unwrap_or_default(),
            options: parameters.options,
        })));
    }

    pub(super) fn recipient(&mut self, named: RecipientPath, count: usize) {
        // RCPT has limits of its own, and a client past them must still come to its DATA. RFC 5321 §4.5.3.1.10
        self.tally.commands = self.tally.commands.saturating_sub(1);
        if count >= self.settings.max_recipients {
            self.tally.deferred_recipients += 1;
            return self.say(table::TOO_MANY_RECIPIENTS);
        }
        self.turn.ask(Question::Recipient(Arc::new(named)));
    }
}
