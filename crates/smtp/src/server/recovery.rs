//! Recovery: how a session goes on after its caller died in the middle of a turn.
//!
//! The checkpoint is the session as it stood before that turn, and the octets of the turn are met again. A command is
//! answered without being looked at, because looking at it may be what went wrong; a body is discarded to its true
//! end, so that no octet of it is ever taken for a command.

use message::time::Tick;

use super::Session;
use super::state::{Body, Exchange, Fate, Frame, Rest, State, Transaction};
use super::turn::Turn;
use crate::command::Command;
use crate::framing::{Framing, Matcher};
use crate::reply::table;

impl<R, T> Session<R, T> {
    /// The session that goes on from this checkpoint. `framing` is what the connection was in when the turn began; it
    /// may be further on than the checkpoint if none was taken while a body came in. (TLS that was established after
    /// the checkpoint is told first, with [`Session::tls_established`].)
    ///
    /// The next command is answered 451 4.3.0 and has no effect, QUIT alone is obeyed. Behind the end of a body comes
    /// [`super::Event::BodyLost`], or the reply for which it was being discarded already. The next line of an exchange
    /// is answered 454 4.7.0 and ends it.
    #[must_use]
    pub fn recover(mut self, framing: Framing, now: Tick) -> Self {
        self.turn = Turn::default();
        let rest = self.rest.take();
        self.suspicious = false;
        match framing {
            Framing::Data(matcher) => return self.without_body(matcher, now),
            Framing::Chunk { left } => return self.without_chunks(left, rest, now),
            Framing::Response => return self.without_exchange(now),
            Framing::Line => self.suspicious = true,
            Framing::Skip(skip) => self.rest = Some(Rest::Line(skip)),
            Framing::Handshake => self.state = State::Handshake,
        }
        if matches!(self.state, State::Body(..)) {
            // Its end was answered after the checkpoint.
            self.state.end_transaction();
        }
        self.lose_body();
        self.state.end_exchange();
        self.await_command(now);
        self
    }

    /// Answers a command without looking at more of it than its verb.
    pub(super) fn pass_over(&mut self, line: &[u8]) {
        if line.eq_ignore_ascii_case(b"QUIT") {
            return self.quit();
        }
        match Command::parse_chunk(line) {
            // It is answered by what its message has come to: it may have been the last, and accepted.
            Some(Command::Chunk(chunk)) if matches!(self.state, State::Chunks(..)) => {
                return self.chunk(chunk);
            }
            Some(Command::Chunk(chunk)) if matches!(self.state, State::Mail(..)) => {
                return self.spoil(table::LOCAL_ERROR, chunk);
            }
            Some(Command::Chunk(chunk)) => return self.refuse_chunk(table::LOCAL_ERROR, chunk),
            Some(_) => return self.close(table::UNCOUNTED),
            None => {}
        }
        self.say(table::LOCAL_ERROR);
        if self.turn.has_more && Command::is_followed_by_text(line) {
            self.close(table::UNSYNCHRONIZED);
        }
    }

    /// The session that goes on from this checkpoint after its caller died between two turns: no command is to blame,
    /// but what the caller had in memory of a body or an exchange is lost.
    #[must_use]
    pub fn resume(self, now: Tick) -> Self {
        let framing = self.framing();
        if self.state.body().is_none() && framing != Framing::Response {
            return self;
        }
        let mut session = self.recover(framing, now);
        session.suspicious = false;
        session
    }

    /// In the middle of a chunk: the rest of it comes, and its message is lost with what came before.
    fn without_chunks(mut self, left: u64, rest: Option<Rest>, now: Tick) -> Self {
        self.deadline = now + self.settings.timeouts.data_block;
        match &mut self.state {
            State::Body(_, _, body) if matches!(body.frame, Frame::Chunk { .. }) => {
                body.frame.set_left(left);
                self.lose_body();
            }
            _ if matches!(rest, Some(Rest::Chunk { .. })) => {
                self.rest = Some(Rest::Chunk { left });
                self.lose_body();
            }
            // The chunk began after the checkpoint, and what it belongs to is not in it.
            _ => self.close(table::CLOSING),
        }
        self
    }

    fn lose_body(&mut self) {
        if let State::Body(_, _, body) | State::Chunks(_, _, body) = &mut self.state {
            body.lose();
        }
    }

    /// In an exchange of which the caller knows nothing any more.
    fn without_exchange(mut self, now: Tick) -> Self {
        self.await_command(now);
        self.state.end_transaction();
        self.state.end_exchange();
        if !matches!(self.state, State::Ready(_)) {
            // No exchange can follow these, so the checkpoint is of another connection.
            self.close(table::CLOSING);
        }
        self.state.begin_exchange(Exchange::Lost);
        self
    }

    /// In the middle of a body whose beginning is lost.
    fn without_body(mut self, matcher: Matcher, now: Tick) -> Self {
        let until = now + self.settings.timeouts.data_total;
        self.deadline = now + self.settings.timeouts.data_block;
        self.state = match self.state {
            State::Body(hello, transaction, mut body) => {
                body.frame = Frame::Text(matcher);
                body.lose();
                State::Body(hello, transaction, body)
            }
            // 354 was said after the checkpoint: what the caller kept of the message is not in it.
            State::Mail(hello, transaction) => {
                let frame = Frame::Text(matcher);
                State::Body(hello, transaction, Body::begin(frame, Fate::Lost(None), until))
            }
            State::Ready(hello) | State::Exchange(hello, _) | State::Chunks(hello, _, _) => State::Body(
                hello,
                Transaction::unknown(),
                Body::begin(Frame::Text(matcher), Fate::Lost(None), until),
            ),
            // No body can follow these, so the checkpoint is of another connection.
            State::Silent | State::Greeted | State::Handshake | State::Ended => {
                self.close(table::CLOSING);
                State::Ended
            }
        };
        self
    }
}
