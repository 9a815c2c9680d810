//! The TRANSACTION state (RFC 1939 §5): STAT, LIST and UIDL of one message, DELE, RSET, and QUIT, which leads to UPDATE
//! (RFC 1939 §6).

use serde::{Deserialize, Serialize};

use super::{Session, State};
use crate::event::Event;
use crate::maildrop::{Maildrop, Message};
use crate::marks::Marks;

/// Replies to a number that no message has, or whose message is marked as deleted.
pub(super) const NO_SUCH_MESSAGE: &str = "-ERR no such message";

/// An open mailbox: its listing, and what the client wants removed from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Transaction {
    pub(super) maildrop: Maildrop,
    marks: Marks,
}

impl Transaction {
    pub(super) fn new(maildrop: Maildrop) -> Self {
        Self {
            maildrop,
            marks: Marks::default(),
        }
    }

    /// The message with this number, unless it is marked as deleted, and its index.
    pub(super) fn message(&self, number: u32) -> Option<(usize, Message)> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let message = self.maildrop.messages().get(index)?;
        (!self.marks.has(index)).then_some((index, *message))
    }

    /// The messages that are not marked as deleted, with their numbers, from an index on.
    pub(super) fn kept_from(&self, start: usize) -> impl Iterator<Item = (usize, Message)> + '_ {
        let messages = self.maildrop.messages().get(start..).unwrap_or_default();
        let numbered = (start..).zip(messages.iter().copied());
        numbered
            .filter(|(index, _)| !self.marks.has(*index))
            .map(|(index, message)| (index + 1, message))
    }

    /// How many messages are not marked as deleted.
    pub(super) fn kept(&self) -> usize {
        self.maildrop.len().saturating_sub(self.marks.count())
    }

    /// The sum of their sizes.
    pub(super) fn kept_octets(&self) -> u64 {
        self.maildrop.octets().saturating_sub(self.marks.octets())
    }

    /// The UIDs of the messages that are marked as deleted.
    fn removed(&self) -> Vec<u32> {
        let numbered = self.maildrop.messages().iter().enumerate();
        numbered
            .filter(|(index, _)| self.marks.has(*index))
            .map(|(_, message)| message.uid)
            .collect()
    }
}

impl Session {
    pub(super) fn stat(&mut self) {
        if let State::Transaction(transaction) = &self.state {
            self.output.line(&format!(
                "+OK {} {}",
                transaction.kept(),
                transaction.kept_octets()
            ));
        }
    }

    pub(super) fn list_one(&mut self, number: u32) {
        match self.message(number) {
            Some(message) => self.output.line(&format!("+OK {number} {}", message.octets)),
            None => self.output.line(NO_SUCH_MESSAGE),
        }
    }

    pub(super) fn uidl_one(&mut self, number: u32) {
        let State::Transaction(transaction) = &self.state else {
            return;
        };
        let uid_validity = transaction.maildrop.uid_validity();
        match self.message(number) {
            Some(message) => self
                .output
                .line(&format!("+OK {number} {uid_validity}.{}", message.uid)),
            None => self.output.line(NO_SUCH_MESSAGE),
        }
    }

    pub(super) fn dele(&mut self, number: u32) {
        let State::Transaction(transaction) = &mut self.state else {
            return;
        };
        match transaction.message(number) {
            Some((index, message)) => {
                transaction.marks.mark(index, message.octets);
                self.output.line("+OK marked as deleted");
            }
            None => self.output.line(NO_SUCH_MESSAGE),
        }
    }

    pub(super) fn rset(&mut self) {
        if let State::Transaction(transaction) = &mut self.state {
            transaction.marks = Marks::default();
            self.output.line("+OK");
        }
    }

    /// RFC 1939 §6: only here is anything removed.
    pub(super) fn quit(&mut self) {
        let State::Transaction(transaction) = &self.state else {
            return;
        };
        if transaction.marks.count() == 0 {
            return self.goodbye();
        }
        self.event = Some(Event::Update {
            removed: transaction.removed(),
        });
        self.state = State::Updating;
    }

    pub(super) fn goodbye(&mut self) {
        self.close_with("+OK bye");
    }

    pub(super) fn not_updated(&mut self) {
        self.close_with("-ERR [SYS/TEMP] some deleted messages not removed");
    }

    fn message(&self, number: u32) -> Option<Message> {
        match &self.state {
            State::Transaction(transaction) => transaction.message(number).map(|(_, message)| message),
            _ => None,
        }
    }
}
