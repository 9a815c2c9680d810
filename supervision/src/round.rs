//! Round: a word that travels down the whole tree, and what became of it at every actor. Each envelope carries a token;
//! the round is over when the last token is gone, answered or lost, so that a death on the way is no endless wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::actor::Refusal;
use crate::address::FOREVER;
use crate::settings::Settings;
use crate::slot::AnySlot;

/// Actors named in a [`Round`], of each sort: who did not answer, and who refused. The counts count all of them.
pub const ROUND_NAMES: usize = 32;

/// How a word was received that went down the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Actors in whose mailbox it was put.
    pub told: u64,
    /// Those that have handled it, refusals included.
    pub acknowledged: u64,
    /// Those that ended without having handled it: they start again with the settings that are stored.
    pub lost: u64,
    /// Paths of those that had done neither at the deadline; at most [`ROUND_NAMES`].
    pub unanswered: Vec<String>,
    /// Path and reason of those that refused; at most [`ROUND_NAMES`].
    pub refusals: Vec<(String, String)>,
    /// From the first envelope to the last answer, or to the deadline.
    pub took: Duration,
    /// How many of each class were told.
    pub by_class: BTreeMap<&'static str, u64>,
}

/// What is said.
#[derive(Clone)]
pub(crate) enum Word {
    /// Phase one: can these settings be taken?
    Prepare(Settings),
    /// They will not be.
    Abandon,
    /// Phase two: these settings are stored.
    Commit(Settings),
}

/// A word in an envelope.
pub(crate) struct Notice {
    pub(crate) word: Word,
    pub(crate) token: Token,
}

/// The roll of one round: who has been told and has not answered yet.
pub(crate) struct Roll {
    began: Instant,
    book: Mutex<Book>,
    emptied: Notify,
}

#[derive(Default)]
struct Book {
    round: Round,
    next: u64,
    waiting: BTreeMap<u64, Arc<dyn AnySlot>>,
}

/// One actor's part in a round. Dropped without an answer, it is lost.
pub(crate) struct Token {
    roll: Arc<Roll>,
    number: u64,
}

/// What became of a token.
enum Fate {
    /// It never reached a mailbox.
    Unsent,
    Acknowledged,
    Refused(Refusal),
    Lost,
}

impl Roll {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            book: Mutex::default(),
            emptied: Notify::new(),
        })
    }

    /// Tells whoever lives in a slot. Nobody there is nobody told: who is starting reads the stored settings.
    pub(crate) fn tell(self: &Arc<Self>, slot: &Arc<dyn AnySlot>, word: &Word) {
        let notice = Notice {
            word: word.clone(),
            token: self.enter(slot),
        };
        if let Err(Some(notice)) = slot.notify(notice) {
            notice.token.settle(Fate::Unsent);
        }
    }

    /// A token for whoever lives in a slot.
    pub(crate) fn enter(self: &Arc<Self>, slot: &Arc<dyn AnySlot>) -> Token {
        let mut book = self.book();
        let number = book.next;
        book.next += 1;
        book.round.told += 1;
        *book.round.by_class.entry(slot.place().class).or_default() += 1;
        book.waiting.insert(number, Arc::clone(slot));
        Token {
            roll: Arc::clone(self),
            number,
        }
    }

    /// Waits for the last token, at most for so long.
    pub(crate) async fn over(&self, patience: Duration) -> Round {
        let deadline = self.began.checked_add(patience).unwrap_or(self.began + FOREVER);
        loop {
            let mut emptied = std::pin::pin!(self.emptied.notified());
            // Before the book is read, so that no answer is missed in between.
            emptied.as_mut().enable();
            if self.book().waiting.is_empty() || timeout_at(deadline, emptied).await.is_err() {
                break;
            }
        }
        let book = self.book();
        Round {
            unanswered: book
                .waiting
                .values()
                .take(ROUND_NAMES)
                .map(|slot| slot.place().path())
                .collect(),
            took: self.began.elapsed(),
            ..book.round.clone()
        }
    }

    fn settle(&self, number: u64, fate: Fate) {
        let mut book = self.book();
        let Some(slot) = book.waiting.remove(&number) else {
            return;
        };
        let round = &mut book.round;
        match fate {
            Fate::Unsent => {
                round.told -= 1;
                let class = slot.place().class;
                if let Some(count) = round.by_class.get_mut(class) {
                    *count -= 1;
                    if *count == 0 {
                        round.by_class.remove(class);
                    }
                }
            }
            Fate::Acknowledged => round.acknowledged += 1,
            Fate::Refused(Refusal(why)) => {
                round.acknowledged += 1;
                if round.refusals.len() < ROUND_NAMES {
                    round.refusals.push((slot.place().path(), why));
                }
            }
            Fate::Lost => round.lost += 1,
        }
        if book.waiting.is_empty() {
            self.emptied.notify_waiters();
        }
        // In this order: the last holder of a slot must not be dropped under the lock.
        drop(book);
        drop(slot);
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    pub(crate) fn roll(&self) -> &Arc<Roll> {
        &self.roll
    }

    /// The actor has handled it.
    pub(crate) fn answer(self, answer: Result<(), Refusal>) {
        self.settle(match answer {
            Ok(()) => Fate::Acknowledged,
            Err(refusal) => Fate::Refused(refusal),
        });
    }

    fn settle(&self, fate: Fate) {
        self.roll.settle(self.number, fate);
    }
}

impl Drop for Token {
    /// Whoever has answered is not on the roll any more.
    fn drop(&mut self) {
        self.settle(Fate::Lost);
    }
}
