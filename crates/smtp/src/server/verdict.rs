//! What becomes of a session when its question is answered.

use std::sync::Arc;

use super::Session;
use super::event::Verdict;
use super::state::{Body, Fate, Frame, Mail, State, Tally, Transaction};
use super::turn::Question;
use crate::framing::Matcher;
use crate::recipients::{Recipient, Recipients};
use crate::reply::{Reply, table};
use crate::sasl;

impl<R, T> Session<R, T> {
    /// Answers the question that [`Session::poll`] gave. Without a question it does nothing.
    pub fn respond(&mut self, verdict: Verdict<R, T>) {
        let Some(question) = self.turn.question.take() else {
            return;
        };
        match (question, verdict) {
            (Question::Mail(mail), Verdict::Accept) => self.open(mail, table::SENDER_OK),
            (Question::Mail(mail), Verdict::AcceptWith(reply)) if is_success(&reply) => {
                self.open(mail, reply)
            }
            (Question::Recipient(named), Verdict::Route(route)) => self.add(Recipient { named, route }),
            (Question::BodyBegin(None), Verdict::Open(ticket)) => self.begin_body(ticket),
            (Question::BodyBegin(Some(chunk)), Verdict::Open(ticket)) => self.begin_chunks(ticket, chunk),
            (Question::BodyEnd { .. } | Question::BodyLost, Verdict::Accept) => {
                self.accepted(table::ACCEPTED)
            }
            (Question::BodyEnd { .. } | Question::BodyLost, Verdict::AcceptWith(reply))
                if is_success(&reply) =>
            {
                self.accepted(reply);
            }
            (Question::StartTls, Verdict::Accept) => {
                self.state = State::Handshake;
                self.say(table::TLS_READY);
            }
            (Question::Authenticate(_) | Question::AuthenticateResponse(_), Verdict::Challenge(octets))
                if octets.len() <= sasl::MAX_CHALLENGE =>
            {
                self.challenge(&octets)
            }
            (
                Question::Authenticate(_) | Question::AuthenticateResponse(_),
                Verdict::Authenticated(login),
            ) => self.authenticated(login),
            (Question::Xclient(told), Verdict::Accept) => self.begin_again(&told, None),
            (Question::Xclient(told), Verdict::Authenticated(login)) => self.begin_again(&told, Some(login)),
            (question, Verdict::Refuse(reply)) if !reply.is_positive() => self.decline(&question, reply),
            (question, _) => self.decline(&question, table::LOCAL_ERROR),
        }
    }

    fn open(&mut self, mail: Arc<Mail>, reply: Reply) {
        self.transactions = self.transactions.saturating_add(1);
        let transaction = Transaction {
            mail,
            recipients: Recipients::new(),
        };
        self.state = match std::mem::replace(&mut self.state, State::Ended) {
            State::Ready(hello) => State::Mail(hello, transaction),
            other => other,
        };
        self.say(reply);
    }

    fn add(&mut self, recipient: Recipient<R>) {
        if let State::Mail(_, transaction) = &mut self.state {
            transaction.recipients.push(recipient);
        }
        self.say(table::RECIPIENT_OK);
    }

    fn begin_body(&mut self, ticket: T) {
        let now = self.turn.now;
        let body = Body::begin(
            Frame::Text(Matcher::start()),
            Fate::Kept(ticket),
            now + self.settings.timeouts.data_total,
        );
        self.deadline = (now + self.settings.timeouts.data_block).min(body.until);
        self.state = match std::mem::replace(&mut self.state, State::Ended) {
            State::Mail(hello, transaction) => State::Body(hello, transaction, body),
            other => other,
        };
        self.say(table::START_INPUT);
    }

    fn accepted(&mut self, reply: Reply) {
        self.tally = Tally::default();
        self.answer_body(&reply);
    }

    fn decline(&mut self, question: &Question, reply: Reply) {
        match question {
            Question::Recipient(_) if reply.is_permanent() => self.tally.refused_recipients += 1,
            Question::Recipient(_) => self.tally.deferred_recipients += 1,
            // Each is a guess.
            Question::Authenticate(_) | Question::AuthenticateResponse(_) if reply.is_permanent() => {
                self.tally.errors += 1;
            }
            // RFC 5321 §4.1.1.4: a failed end of data ends the transaction, a refused DATA does not.
            Question::BodyEnd { .. } | Question::BodyLost if !reply.closes() => {
                return self.answer_body(&reply);
            }
            Question::BodyBegin(Some(chunk)) if !reply.closes() => return self.spoil(reply, *chunk),
            _ => {}
        }
        if reply.closes() {
            return self.close(reply);
        }
        self.say(reply);
        if matches!(question, Question::BodyBegin(None)) && self.turn.has_more {
            self.close(table::UNSYNCHRONIZED);
        }
    }
}

fn is_success(reply: &Reply) -> bool {
    reply.code() < 300
}
