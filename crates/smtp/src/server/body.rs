//! DATA and the text behind it. RFC 5321 §4.1.1.4, §4.5.2

use bytes::Bytes;
use message::BodyKind;
use message::time::Tick;

use super::Session;
use super::event::BodyLoss;
use super::state::{Body, Fate, Frame, State};
use super::turn::Question;
use crate::framing::Run;
use crate::reply::{Reply, table};
use crate::settings::Mode;

impl<R, T> Session<R, T> {
    pub(super) fn data(&mut self, is_without_recipients: bool) {
        if is_without_recipients {
            return self.refuse(self.no_recipients());
        }
        if self.mail().is_some_and(|mail| mail.body == BodyKind::BinaryMime) {
            return self.refuse(table::BDAT_NEEDED);
        }
        self.turn.ask(Question::BodyBegin(None));
    }

    /// The most octets that the message of this transaction may have.
    pub(super) fn size_limit(&self) -> u64 {
        let declared = self.mail().and_then(|mail| mail.declared_size);
        self.settings
            .max_message_size
            .min(declared.map_or(u64::MAX, tolerated))
    }

    pub(super) fn no_recipients(&self) -> Reply {
        match self.settings.mode {
            Mode::Lmtp => table::NO_RECIPIENTS_LMTP,
            Mode::Relay | Mode::Submission => table::NO_RECIPIENTS,
        }
    }

    pub(super) fn receive_body(&mut self, input: &Bytes, now: Tick) -> usize {
        let limit = self.size_limit();
        let State::Body(_, _, body) = &mut self.state else {
            return 0;
        };
        let Frame::Text(matcher) = &mut body.frame else {
            return 0;
        };
        let before = *matcher;
        let scan = matcher.scan(input);
        let text = input.slice(..scan.text);
        let was_kept = matches!(body.fate, Fate::Kept(_));
        let run = Run::new(text, before, scan.stuffed);
        let length = scan.text - scan.stuffed;
        let max_hops = self.settings.max_hops;
        if let Some(loss) = body.judge(length, scan.has_bare_line_end, &run, limit, max_hops) {
            if was_kept {
                self.turn.dropped = Some(loss);
            }
        } else if was_kept && scan.text > 0 {
            self.turn.run = Some(run);
        }
        self.deadline = (now + self.settings.timeouts.data_block).min(body.until);
        if scan.ended {
            self.await_command(now);
            self.end_body();
        }
        scan.consumed
    }

    /// Tells the caller that what it has of a body is worth nothing.
    pub(super) fn give_up_body(&mut self, loss: BodyLoss) {
        if self
            .state
            .body()
            .is_some_and(|body| matches!(body.fate, Fate::Kept(_)))
        {
            self.turn.dropped.get_or_insert(loss);
        }
    }

    /// Says what became of a body, and ends its transaction. LMTP says it of each recipient that was accepted. RFC 2033
    /// §4.2
    pub(super) fn answer_body(&mut self, reply: &Reply) {
        let answers = match (self.settings.mode, self.state.transaction()) {
            // None is known of if they came after a checkpoint: then nobody knows how many answers are awaited.
            (Mode::Lmtp, Some(transaction)) if transaction.recipients.is_empty() => {
                return self.close(table::CLOSING);
            }
            (Mode::Lmtp, Some(transaction)) => transaction.recipients.len(),
            _ => 1,
        };
        self.state.end_transaction();
        for _ in 0..answers {
            self.say(reply.clone());
        }
    }

    pub(super) fn end_body(&mut self) {
        let State::Body(_, _, body) = &self.state else {
            return;
        };
        match body.fate {
            Fate::Kept(_) => self.turn.ask(Question::BodyEnd { octets: body.octets }),
            Fate::Lost(_) => self.turn.ask(Question::BodyLost),
            // Spoiled is what a chunk finds that another has left: it is refused before it begins.
            Fate::Spoiled { .. } => self.answer_body(&table::LOCAL_ERROR),
            Fate::Refused(loss) => {
                self.tally.errors += 1;
                self.answer_body(&loss.reply());
            }
        }
    }
}

impl<T> Body<T> {
    /// Adds text to what is known of the body; gives the reason if the body is refused from now on or was before.
    ///
    /// The reason does not depend on how the body was cut into chunks: of several that apply the greatest wins.
    pub(super) fn judge(
        &mut self,
        length: usize,
        has_bare_line_end: bool,
        run: &Run,
        limit: u64,
        max_hops: u32,
    ) -> Option<BodyLoss> {
        self.octets += length as u64;
        if matches!(self.fate, Fate::Kept(_)) && !self.hops.header_ended() {
            run.clone().for_each(|text| self.hops.feed(&text));
        }
        let loss = if has_bare_line_end {
            Some(BodyLoss::BareLineEnd)
        } else if self.octets > limit {
            Some(BodyLoss::TooLarge)
        } else if self.hops.count() >= max_hops {
            Some(BodyLoss::TooManyHops)
        } else {
            None
        };
        let before = match self.fate {
            Fate::Refused(loss) => Some(loss),
            Fate::Kept(_) | Fate::Lost(_) | Fate::Spoiled { .. } => None,
        };
        let loss = loss.max(before);
        if let Some(loss) = loss {
            self.fate = Fate::Refused(loss);
        }
        loss
    }
}

/// The size up to which a message may exceed the declared one. RFC 1870 §6.3 lets a server take more, and clients do
/// count LF for CRLF, or forget the fields that they add; beyond twice the size it is no estimate but a lie.
const fn tolerated(declared: u64) -> u64 {
    declared.saturating_mul(2).saturating_add(DECLARED_SLACK)
}

/// Octets of a few header fields.
const DECLARED_SLACK: u64 = 256;
