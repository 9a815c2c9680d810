//! Why: the reason for which a recipient waits in the local queue, in one sentence. Pure; no actor, no clock.
//!
//! What it says follows from the records of the recipient and from what is known of the queue at that moment: who works
//! on the message, whether the queue runs. It names the rule that made it wait and what would change that.

use std::time::Duration;

use message::{id::MessageId, time::Timestamp};
use store::record::spool::{RecipientState, Route, SpoolMessage, SpoolRecipient};

/// Why a recipient of an account that is gone is held.
pub(super) const VANISHED: &str = "the account has vanished";
/// What stands behind the reason of a recipient that was tried for as long as the configuration says.
pub(super) const TRIED: &str = "; tried for ";
/// How the reason of a message ends that actors crash on.
pub(super) const CRASHED: &str = " actors crashed on this message";

/// A recipient in the spool, and how the queue is.
#[derive(Clone, Debug)]
pub struct Waiting<'w> {
    /// Which message.
    pub id: MessageId,
    /// What the spool knows of it.
    pub message: &'w SpoolMessage,
    /// What the spool knows of the recipient.
    pub recipient: &'w SpoolRecipient,
    /// The present.
    pub now: Timestamp,
    /// How the queue is.
    pub queue: Queue,
    /// When to try again, as the configuration says.
    pub retries: Retries,
    /// Its account is not here any more.
    pub vanished: bool,
}

/// How the local queue is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Queue {
    /// No server runs.
    Asleep,
    /// It runs, but handles nothing: an operator has suspended it.
    Suspended(String),
    /// It, or all it needs, is not up: parked after crashes, or being started.
    Down(String),
    /// It runs, and a delivery works on this message.
    Working {
        /// The path of the delivery.
        delivery: String,
        /// For how long.
        since: Duration,
    },
    /// It runs.
    Up {
        /// Deliveries that are free.
        free: usize,
        /// Recipients in its window that wait for a delivery.
        waiting: u64,
    },
}

/// What the configuration says of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// The wait before the second attempt.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// How long there are attempts.
    pub whole: Duration,
}

impl Retries {
    /// What this configuration says.
    #[must_use]
    pub const fn of(config: &config::Config) -> Self {
        Self {
            first: config.queue.retry_first,
            longest: config.queue.retry_longest,
            whole: config.queue.retry_for,
        }
    }
}

/// Why a recipient waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The sentence, without a full stop.
    pub sentence: String,
    /// Since when.
    pub since: Timestamp,
    /// What made it so.
    pub rule: Rule,
    /// What changes it.
    pub remedy: String,
}

/// What makes a recipient wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A key of the configuration.
    Key(&'static str),
    /// A rule that is no setting.
    BuiltIn(&'static str),
    /// What the sender asked for.
    Sender(&'static str),
    /// Nothing holds it up.
    None,
}

/// Says why a recipient waits.
#[must_use]
pub fn why(waiting: &Waiting<'_>) -> Why {
    if let Route::Remote(domain) = &waiting.recipient.route {
        return Why {
            sentence: format!("it is for {domain}, and this server delivers to no other"),
            since: waiting.message.arrival.at,
            rule: Rule::BuiltIn("there is no queue for other servers"),
            remedy: waiting.delete(),
        };
    }
    match (&waiting.queue, &waiting.recipient.state) {
        // The delivery works on a recipient that is due, be it this one or another of the message.
        (Queue::Working { delivery, since }, RecipientState::Due(due)) if *due <= waiting.now => Why {
            sentence: format!("it is being delivered by {delivery}"),
            since: earlier(waiting.now, *since),
            rule: Rule::None,
            remedy: format!("nothing need be done; restart {delivery} if it does not come to an end"),
        },
        (_, RecipientState::Held { since, why }) => waiting.held(*since, why),
        (_, RecipientState::Due(due)) if waiting.vanished => waiting.vanished(*due),
        (_, RecipientState::Due(due)) if *due > waiting.now => waiting.and_now(waiting.due_later(*due)),
        (_, RecipientState::Due(due)) => waiting.due(*due),
    }
}

impl Waiting<'_> {
    fn held(&self, since: Timestamp, why: &str) -> Why {
        let (release, delete) = (self.release(), self.delete());
        let (rule, remedy) = if why == VANISHED {
            (
                Rule::BuiltIn("a message goes to the account that had the address when it was accepted"),
                format!("the account does not come back: {delete}"),
            )
        } else if why.contains(TRIED) {
            (
                Rule::Key("queue.retry_for"),
                format!("remove what stands against it, then {release}; or {delete}"),
            )
        } else if why.ends_with(CRASHED) {
            (
                Rule::BuiltIn("a message on which deliveries crash is set aside"),
                format!("look at its crash cards, then {release}; or {delete}"),
            )
        } else {
            (
                Rule::BuiltIn("an operator decides"),
                format!("{release}, or {delete}"),
            )
        };
        Why {
            sentence: format!("it is held for an operator: {why}"),
            since,
            rule,
            remedy,
        }
    }

    /// Whatever it waited for: it will not be delivered any more.
    fn vanished(&self, due: Timestamp) -> Why {
        let last = self.recipient.last.as_ref();
        Why {
            sentence: format!("{VANISHED}; the next attempt, due at {due}, holds it for an operator"),
            since: last.map_or(self.message.arrival.at, |last| last.at),
            rule: Rule::BuiltIn("a message goes to the account that had the address when it was accepted"),
            remedy: format!("the account does not come back: {}", self.delete()),
        }
    }

    fn due_later(&self, due: Timestamp) -> Why {
        let release = self.release();
        let Some(last) = &self.recipient.last else {
            return Why {
                sentence: format!("its sender wants it to be held back until {due}"),
                since: self.message.arrival.at,
                rule: Rule::Sender("HOLDFOR or HOLDUNTIL at MAIL"),
                remedy: format!("it goes by itself; sooner with {release}"),
            };
        };
        let attempts = self.recipient.attempts;
        let doubled = self
            .retries
            .first
            .saturating_mul(1 << attempts.saturating_sub(1).min(31));
        let rule = if doubled < self.retries.longest {
            "queue.retry_first"
        } else {
            "queue.retry_longest"
        };
        let first_due = self
            .message
            .options
            .hold
            .map_or(self.message.arrival.at, |hold| hold.due(self.message.arrival.at));
        let end = first_due + self.retries.whole;
        Why {
            sentence: format!(
                "attempt {attempts} failed: {}; the next is at {due}, and from {end} on a failure holds it",
                last.why
            ),
            since: last.at,
            rule: Rule::Key(rule),
            remedy: format!("remove what stands against it; it goes by itself, sooner with {release}"),
        }
    }

    /// What waits for its time does not go by itself when nobody is there to see it.
    fn and_now(&self, why: Why) -> Why {
        let (what, first) = match &self.queue {
            Queue::Asleep => ("no server runs".to_owned(), "start the server".to_owned()),
            Queue::Suspended(path) => (format!("{path} is suspended"), format!("actor {path} resume")),
            Queue::Down(path) => (format!("{path} is not up"), format!("actor {path} restart")),
            Queue::Working { .. } | Queue::Up { .. } => return why,
        };
        Why {
            sentence: format!("{}; and {what}", why.sentence),
            remedy: format!("{first}; then {}", why.remedy),
            ..why
        }
    }

    fn due(&self, due: Timestamp) -> Why {
        let (sentence, rule, remedy) = match &self.queue {
            Queue::Asleep => (
                "no server runs".to_owned(),
                Rule::None,
                "it goes when the server is started".to_owned(),
            ),
            Queue::Suspended(path) => (
                format!("{path} is suspended"),
                Rule::BuiltIn("an operator suspended it"),
                format!("actor {path} resume"),
            ),
            Queue::Down(path) => (
                format!("{path} is not up"),
                Rule::BuiltIn("what crashes too often is parked"),
                format!("look at its crash cards, then actor {path} restart"),
            ),
            Queue::Up { free: 0, waiting } => (
                format!("all deliveries are busy, and {waiting} recipients wait with it"),
                Rule::Key("queue.workers"),
                "it goes by itself; more at once with more queue.workers".to_owned(),
            ),
            Queue::Up { waiting, .. } if *waiting > 0 => (
                format!("it is due, and its turn comes behind {waiting} others"),
                Rule::Key("queue.active_window"),
                "nothing need be done".to_owned(),
            ),
            Queue::Up { .. } | Queue::Working { .. } => (
                "nothing stands against it: it goes when the queue looks next, within half a minute"
                    .to_owned(),
                Rule::None,
                "nothing need be done".to_owned(),
            ),
        };
        Why {
            sentence,
            since: due,
            rule,
            remedy,
        }
    }

    fn release(&self) -> String {
        format!("queue release {}", self.id)
    }

    fn delete(&self) -> String {
        format!("queue delete {}", self.id)
    }
}

fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(by))
}

#[cfg(test)]
mod tests;
