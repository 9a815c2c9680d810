//! Turn: what a session has in hand while its caller works on one command or one run of a body. Empty between two.

use std::sync::Arc;

use message::time::Tick;

use super::event::{BodyLoss, Event};
use super::output::Output;
use super::state::Mail;
use crate::command::{Chunk, Xclient};
use crate::framing::Run;
use crate::recipients::RecipientPath;
use crate::sasl::Response;

#[derive(Debug, Clone, Default)]
pub(super) struct Turn {
    pub(super) output: Output,
    /// Text that has not been handed out yet.
    pub(super) run: Option<Run>,
    pub(super) dropped: Option<BodyLoss>,
    pub(super) question: Option<Question>,
    /// Whether the question has not been handed out yet.
    unasked: bool,
    /// Whether octets stand behind the command line in the input.
    pub(super) has_more: bool,
    /// When the input came.
    pub(super) now: Tick,
}

/// What the session waits to be told, with what it needs to go on.
#[derive(Debug, Clone)]
pub(super) enum Question {
    Mail(Arc<Mail>),
    Recipient(Arc<RecipientPath>),
    /// Of a text behind DATA, or of one that begins with this chunk.
    BodyBegin(Option<Chunk>),
    BodyEnd {
        octets: u64,
    },
    BodyLost,
    StartTls,
    Xclient(Arc<Xclient>),
    Authenticate(Box<Opening>),
    AuthenticateResponse(Response),
}

/// How an exchange begins.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    pub(super) mechanism: Arc<str>,
    pub(super) initial: Option<Response>,
}

impl Turn {
    /// Whether the caller has something left to do before more input can be taken.
    pub(super) const fn is_busy(&self) -> bool {
        self.run.is_some() || self.dropped.is_some() || self.question.is_some()
    }

    pub(super) fn ask(&mut self, question: Question) {
        self.question = Some(question);
        self.unasked = true;
    }

    /// Text first, for its end asks about it.
    pub(super) fn next_event(&mut self) -> Option<Event> {
        if let Some(run) = &mut self.run {
            if let Some(text) = run.next() {
                return Some(Event::Body(text));
            }
            self.run = None;
        }
        if let Some(why) = self.dropped.take() {
            return Some(Event::BodyDropped(why));
        }
        if !std::mem::take(&mut self.unasked) {
            return None;
        }
        self.question.as_ref().map(Question::event)
    }

    fn is_settled(&self) -> bool {
        !self.is_busy() && self.output.is_empty()
    }
}

impl Question {
    fn event(&self) -> Event {
        match self {
            Self::Mail(mail) => Event::Mail(Arc::clone(mail)),
            Self::Recipient(named) => Event::Recipient(Arc::clone(named)),
            Self::BodyBegin(_) => Event::BodyBegin,
            Self::BodyEnd { octets } => Event::BodyEnd { octets: *octets },
            Self::BodyLost => Event::BodyLost,
            Self::StartTls => Event::StartTls,
            Self::Xclient(told) => Event::Xclient(Arc::clone(told)),
            Self::Authenticate(opening) => Event::Authenticate {
                mechanism: Arc::clone(&opening.mechanism),
                initial: opening.initial.clone(),
            },
            Self::AuthenticateResponse(response) => Event::AuthenticateResponse(response.clone()),
        }
    }
}

/// How a turn is serialized: not at all, and an unsettled one makes the session refuse to be.
pub(super) mod settled {
    use serde::ser::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Turn;

    pub(in super::super) fn serialize<S: Serializer>(turn: &Turn, serializer: S) -> Result<S::Ok, S::Error> {
        if turn.is_settled() {
            ().serialize(serializer)
        } else {
            Err(S::Error::custom("a session is serialized only between two turns"))
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Turn, D::Error> {
        <()>::deserialize(deserializer).map(|()| Turn::default())
    }
}
