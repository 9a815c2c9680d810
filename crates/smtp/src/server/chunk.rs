//! BDAT: a text in chunks, each with its length before it. RFC 3030 §2
//!
//! The octets of a chunk are on their way whatever is said of its command. So a chunk that is refused is swallowed, and
//! one whose length nobody can tell ends the connection: no octet of it is ever a command. Behind a chunk that was
//! refused no other of the same message is taken, or a message would be accepted that lacks a part.

use bytes::Bytes;
use message::BodyKind;
use message::time::Tick;

use super::Session;
use super::event::BodyLoss;
use super::state::{Body, Fate, Frame, Rest, State};
use super::turn::Question;
use crate::command::Chunk;
use crate::framing::{LineEnds, Run};
use crate::recipients::Recipients;
use crate::reply::{Reply, table};

/// Octets of the longest chunk that is swallowed when it is refused: twice the largest message that can be configured.
/// Beyond it, what follows is no message.
const MAX_CHUNK: u64 = 4 << 30;

/// Octets from which on a chunk brings its message on, and is no command that only keeps the session busy.
const GOOD_CHUNK: u64 = 1 << 10;

impl<R, T> Session<R, T> {
    /// The first chunk of a message, or one more.
    pub(super) fn chunk(&mut self, chunk: Chunk) {
        if chunk.octets > MAX_CHUNK {
            self.refuse(table::TOO_LARGE);
            return self.close(table::UNCOUNTED);
        }
        if chunk.octets >= GOOD_CHUNK {
            self.tally.commands = self.tally.commands.saturating_sub(1);
        }
        match &self.state {
            State::Mail(_, transaction) if transaction.recipients.is_empty() => {
                self.spoil(self.no_recipients(), chunk)
            }
            State::Mail(..) | State::Chunks(..) => self.chunk_of_message(chunk),
            State::Ready(_) => self.refuse_chunk(table::MAIL_FIRST, chunk),
            _ => self.refuse_chunk(table::HELLO_FIRST, chunk),
        }
    }

    fn chunk_of_message(&mut self, chunk: Chunk) {
        let limit = self.size_limit();
        let (before, fate) = match &self.state {
            State::Chunks(_, _, body) => (body.octets, Some(&body.fate)),
            _ => (0, None),
        };
        let octets = before.saturating_add(chunk.octets);
        match fate {
            Some(Fate::Spoiled { is_permanent: true }) => self.spoil(table::CHUNK_REFUSED_BEFORE, chunk),
            Some(Fate::Spoiled { is_permanent: false }) => self.spoil(table::LOCAL_ERROR, chunk),
            Some(Fate::Lost(_)) => self.begin_chunk(chunk),
            _ if octets > limit => self.spoil(table::TOO_LARGE, chunk),
            _ if octets == 0 && chunk.is_last => self.spoil(table::EMPTY_MESSAGE, chunk),
            None => self.turn.ask(Question::BodyBegin(Some(chunk))),
            Some(_) => self.begin_chunk(chunk),
        }
    }

    /// The first chunk of a message that the caller takes.
    pub(super) fn begin_chunks(&mut self, ticket: T, chunk: Chunk) {
        let until = self.turn.now + self.settings.timeouts.data_total;
        self.enter_chunks(Fate::Kept(ticket), until);
        self.begin_chunk(chunk);
    }

    /// A chunk, and with it its message, that is not taken: 4xx if it may be tried again, else 5xx.
    pub(super) fn spoil(&mut self, reply: Reply, chunk: Chunk) {
        let is_permanent = reply.is_permanent();
        // What follows a refused chunk is no mistake of its own.
        let counts = is_permanent
            && !self
                .state
                .body()
                .is_some_and(|body| matches!(body.fate, Fate::Spoiled { .. }));
        self.tally.errors += u32::from(counts);
        self.give_up_body(BodyLoss::Withdrawn);
        let until = self.turn.now + self.settings.timeouts.data_total;
        self.enter_chunks(Fate::Spoiled { is_permanent }, until);
        let is_of_nobody = self.recipients().is_none_or(Recipients::is_empty);
        if chunk.is_last && !is_of_nobody {
            self.answer_body(&reply);
        } else {
            self.say(reply);
        }
        if chunk.is_last {
            self.state.end_transaction();
        }
        self.swallow(chunk);
    }

    /// A chunk of no message.
    pub(super) fn refuse_chunk(&mut self, reply: Reply, chunk: Chunk) {
        self.refuse(reply);
        self.swallow(chunk);
    }

    pub(super) fn receive_chunk(&mut self, input: &Bytes, now: Tick) -> usize {
        self.turn.now = now;
        let left = match &self.state {
            State::Body(_, _, body) => match body.frame {
                Frame::Chunk { left, .. } => left,
                Frame::Text(_) => return 0,
            },
            _ => return self.swallow_some(input, now),
        };
        let octets = input.slice(..length_within(left, input));
        let taken = octets.len();
        self.take_chunk(octets);
        taken
    }

    /// Takes octets of the chunk in hand: all that are left of it, or some.
    fn take_chunk(&mut self, octets: Bytes) {
        let limit = self.size_limit();
        let State::Body(_, transaction, body) = &mut self.state else {
            return;
        };
        let Frame::Chunk { left, is_last, ends } = &mut body.frame else {
            return;
        };
        *left = left.saturating_sub(octets.len() as u64);
        let (is_whole, is_last) = (*left == 0, *is_last);
        let has_lines = transaction.mail.body != BodyKind::BinaryMime;
        let mut is_bare = has_lines && ends.scan(&octets);
        let mut text = octets;
        if has_lines && is_whole && is_last {
            is_bare |= *ends == LineEnds::Cr;
            if *ends == LineEnds::Within {
                // What is stored is lines: whoever sends it on puts a dot behind it. RFC 5321 §4.1.1.4
                text = [&*text, b"\r\n"].concat().into();
            }
        }
        let length = text.len();
        let run = Run::whole(text);
        let was_kept = matches!(body.fate, Fate::Kept(_));
        let loss = body.judge(length, is_bare, &run, limit, self.settings.max_hops);
        self.deadline = (self.turn.now + self.settings.timeouts.data_block).min(body.until);
        if was_kept {
            match loss {
                Some(loss) => self.turn.dropped = Some(loss),
                None if length > 0 => self.turn.run = Some(run),
                None => {}
            }
        }
        if is_whole && is_last {
            self.await_command(self.turn.now);
            self.end_body();
        } else if is_whole {
            self.end_chunk();
        }
    }

    /// A chunk is whole that is not the last: one answer, and nothing of it durable yet.
    fn end_chunk(&mut self) {
        self.state.pause_body();
        let State::Chunks(_, _, body) = &mut self.state else {
            return;
        };
        let reply = match body.fate {
            Fate::Refused(loss) => {
                body.fate = Fate::Spoiled { is_permanent: true };
                loss.reply()
            }
            Fate::Kept(_) => table::CHUNK_TAKEN,
            Fate::Lost(_) | Fate::Spoiled { .. } => table::LOCAL_ERROR,
        };
        self.await_command(self.turn.now);
        self.refuse(reply);
    }

    fn enter_chunks(&mut self, fate: Fate<T>, until: Tick) {
        self.state = match std::mem::replace(&mut self.state, State::Ended) {
            State::Mail(hello, transaction) => {
                State::Chunks(hello, transaction, Body::begin(Frame::chunks(), fate, until))
            }
            State::Chunks(hello, transaction, mut body) => {
                body.fate = fate;
                State::Chunks(hello, transaction, body)
            }
            other => other,
        };
    }

    fn begin_chunk(&mut self, chunk: Chunk) {
        self.state.resume_body(chunk);
        self.take_chunk(Bytes::new());
    }

    /// Lets the octets of a chunk come that is answered already.
    fn swallow(&mut self, chunk: Chunk) {
        if chunk.octets > 0 && !self.ended() {
            self.rest = Some(Rest::Chunk { left: chunk.octets });
            self.await_swallowed(self.turn.now);
        }
    }

    fn swallow_some(&mut self, input: &Bytes, now: Tick) -> usize {
        let Some(Rest::Chunk { left }) = self.rest else {
            return 0;
        };
        let taken = length_within(left, input);
        let left = left.saturating_sub(taken as u64);
        self.rest = (left > 0).then_some(Rest::Chunk { left });
        if left > 0 {
            self.await_swallowed(now);
        } else {
            self.await_command(now);
        }
        taken
    }

    fn await_swallowed(&mut self, now: Tick) {
        self.deadline = (now + self.settings.timeouts.data_block).min(self.until);
    }
}

/// How many octets of the input belong to a chunk of which so many are left.
fn length_within(left: u64, input: &Bytes) -> usize {
    usize::try_from(left).map_or(input.len(), |left| left.min(input.len()))
}
