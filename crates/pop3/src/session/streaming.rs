//! Replies of any length (LIST, UIDL, RETR, TOP): sent in turns of bounded output.

use std::mem;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::transaction::NO_SUCH_MESSAGE;
use super::{Session, State, TURN_OCTETS, Transaction};
use crate::event::{Event, Retrieve, Verdict};
use crate::stuffing::Stuffing;
use crate::top::Top;

/// How far LIST or UIDL without an argument has come.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Listing {
    column: Column,
    /// The index of the next message to look at.
    next: usize,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Column {
    Size,
    UniqueId,
}

impl Listing {
    pub(super) fn sizes() -> Self {
        Self {
            column: Column::Size,
            next: 0,
        }
    }

    pub(super) fn unique_ids() -> Self {
        Self {
            column: Column::UniqueId,
            next: 0,
        }
    }
}

/// How far RETR or TOP has come.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Retrieval {
    number: u32,
    uid: u32,
    octets: u64,
    /// The part that is wanted now or next.
    part: u32,
    /// Whether the actor was asked for that part and has not answered.
    is_asked: bool,
    lines: Option<u32>,
    top: Option<Top>,
    stuffing: Stuffing,
}

impl Retrieval {
    /// Whether it is the actor's turn.
    pub(super) fn is_waiting(&self) -> bool {
        self.is_asked
    }
}

impl Session {
    pub(super) fn list(&mut self, listing: Listing) {
        let State::Transaction(transaction) = mem::replace(&mut self.state, State::Closed) else {
            return;
        };
        self.output.line(&format!(
            "+OK {} messages ({} octets)",
            transaction.kept(),
            transaction.kept_octets()
        ));
        self.list_on(transaction, listing);
    }

    /// RETR, or TOP when `lines` is given.
    pub(super) fn retrieve(&mut self, number: u32, lines: Option<u32>) {
        let State::Transaction(transaction) = mem::replace(&mut self.state, State::Closed) else {
            return;
        };
        let Some((_, message)) = transaction.message(number) else {
            self.output.line(NO_SUCH_MESSAGE);
            self.state = State::Transaction(transaction);
            return;
        };
        let retrieval = Retrieval {
            number,
            uid: message.uid,
            octets: message.octets,
            part: 0,
            is_asked: false,
            lines,
            top: lines.map(Top::new),
            stuffing: Stuffing::LineStart,
        };
        self.ask(transaction, retrieval);
    }

    /// Another turn of a running reply.
    pub(super) fn proceed(&mut self) {
        match mem::replace(&mut self.state, State::Closed) {
            State::Listing(transaction, listing) => self.list_on(transaction, listing),
            State::Retrieving(transaction, retrieval) if !retrieval.is_asked => {
                self.ask(transaction, retrieval)
            }
            other => self.state = other,
        }
    }

    /// A verdict on a part of a message.
    pub(super) fn supplied(&mut self, transaction: Transaction, retrieval: Retrieval, verdict: Verdict) {
        match verdict {
            _ if !retrieval.is_asked => {}
            Verdict::Chunk(chunk) => self.send(transaction, retrieval, chunk, false),
            Verdict::LastChunk(chunk) => self.send(transaction, retrieval, chunk, true),
            Verdict::End => self.send(transaction, retrieval, Bytes::new(), true),
            Verdict::Lost if retrieval.part == 0 => {
                self.output
                    .line("-ERR [SYS/TEMP] this message cannot be read now");
                self.state = State::Transaction(transaction);
            }
            // The state stays Closed: a message without its end must not look whole.
            _ => {}
        }
    }

    fn list_on(&mut self, transaction: Transaction, mut listing: Listing) {
        let uid_validity = transaction.maildrop.uid_validity();
        let mut is_whole = true;
        for (number, message) in transaction.kept_from(listing.next) {
            if self.output.octets() >= TURN_OCTETS {
                is_whole = false;
                break;
            }
            match listing.column {
                Column::Size => self.output.pair(number as u64, message.octets),
                Column::UniqueId => self.output.unique_id(number as u64, uid_validity, message.uid),
            }
            // A number is one more than the index.
            listing.next = number;
        }
        if !is_whole {
            self.state = State::Listing(transaction, listing);
            return;
        }
        self.output.line(".");
        self.state = State::Transaction(transaction);
    }

    fn ask(&mut self, transaction: Transaction, retrieval: Retrieval) {
        let Retrieval {
            number,
            uid,
            part,
            lines,
            ..
        } = retrieval;
        self.event = Some(Event::Retrieve(Retrieve {
            number,
            uid,
            part,
            lines,
        }));
        self.state = State::Retrieving(
            transaction,
            Retrieval {
                is_asked: true,
                ..retrieval
            },
        );
    }

    fn send(&mut self, transaction: Transaction, mut retrieval: Retrieval, mut chunk: Bytes, is_last: bool) {
        if retrieval.part == 0 {
            match retrieval.lines {
                None => self.output.line(&format!("+OK {} octets", retrieval.octets)),
                Some(_) => self.output.line("+OK top of message follows"),
            }
        }
        let cut = retrieval.top.as_mut().and_then(|top| top.cut(&chunk));
        chunk.truncate(cut.unwrap_or(chunk.len()));
        retrieval.stuffing.push(chunk, &mut self.output);
        if is_last || cut.is_some() {
            retrieval.stuffing.finish(&mut self.output);
            self.state = State::Transaction(transaction);
            return;
        }
        retrieval.part = retrieval.part.saturating_add(1);
        retrieval.is_asked = false;
        if self.output.octets() < TURN_OCTETS {
            return self.ask(transaction, retrieval);
        }
        self.state = State::Retrieving(transaction, retrieval);
    }
}
