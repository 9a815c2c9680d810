//! The ledger: what crashed lately, and how often by subject. Bounded memory, never a reason to fail.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::subject::Subject;

/// Crash cards kept for the whole tree; the oldest are forgotten. 256 are an hour of a bad day, in 100 KiB.
pub const CRASH_CARDS: usize = 256;

/// Subjects whose crashes are counted; the one that crashed longest ago is forgotten.
pub const CRASH_SUBJECTS: usize = 4096;

/// A crash text is cut here: a panic may print a whole message.
pub const CRASH_TEXT: usize = 1024;

/// How a child ended that should not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CrashKind {
    /// A handler returned an error.
    Error,
    /// Our code panicked.
    Panic,
    /// `pre_start` failed, panicked, or took longer than the start limit.
    Start,
    /// It was killed, by an operator, by chaos, or because it did not drain in time.
    Killed,
}

/// What is known of one crash.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrashCard {
    /// Which child.
    pub path: String,
    /// Its class.
    pub class: &'static str,
    /// How it ended.
    pub kind: CrashKind,
    /// The error, the panic's text, or why it was killed; cut at [`CRASH_TEXT`] bytes.
    pub text: String,
    /// What the message was about that it was handling.
    pub subject: Option<Subject>,
    /// How long this incarnation had lived.
    #[serde(rename = "alive_ms", serialize_with = "as_millis")]
    pub alive: Duration,
    /// When (UTC), serialised as milliseconds since 1970.
    #[serde(rename = "at_ms", serialize_with = "as_unix_millis")]
    pub at: SystemTime,
}

impl fmt::Display for CrashCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            CrashKind::Error => "error",
            CrashKind::Panic => "panic",
            CrashKind::Start => "failed start",
            CrashKind::Killed => "killed",
        };
        write!(f, "{kind}: {}", self.text)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    cards: VecDeque<Arc<CrashCard>>,
    subjects: HashMap<Subject, Count>,
    entries: u64,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    crashes: u32,
    /// The running number of its latest crash: the smallest is the one to forget.
    latest: u64,
}

impl Ledger {
    /// Files a card, and counts it by subject unless the child was merely killed: nobody's message is to blame then.
    pub(crate) fn file(&self, card: Arc<CrashCard>) {
        let mut books = self.books();
        if let (Some(subject), true) = (card.subject, card.kind != CrashKind::Killed) {
            books.count(subject);
        }
        if books.cards.len() >= CRASH_CARDS {
            books.cards.pop_front();
        }
        books.cards.push_back(card);
    }

    /// How many crashes are remembered of this subject.
    pub(crate) fn crashes(&self, subject: Subject) -> u32 {
        self.books()
            .subjects
            .get(&subject)
            .map_or(0, |count| count.crashes)
    }

    /// Forgets the crashes of a subject.
    pub(crate) fn forgive(&self, subject: Subject) {
        self.books().subjects.remove(&subject);
    }

    /// The cards, the latest last.
    pub(crate) fn cards(&self) -> Vec<Arc<CrashCard>> {
        self.books().cards.iter().cloned().collect()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn count(&mut self, subject: Subject) {
        self.entries = self.entries.wrapping_add(1);
        let latest = self.entries;
        if let Some(count) = self.subjects.get_mut(&subject) {
            *count = Count {
                crashes: count.crashes.saturating_add(1),
                latest,
            };
            return;
        }
        if self.subjects.len() >= CRASH_SUBJECTS {
            // A walk over the table, but only for a crash on a new subject while the table is full.
            let oldest = self
                .subjects
                .iter()
                .min_by_key(|(_, count)| count.latest)
                .map(|(subject, _)| *subject);
            if let Some(oldest) = oldest {
                self.subjects.remove(&oldest);
            }
        }
        self.subjects.insert(subject, Count { crashes: 1, latest });
    }
}

/// Cuts a text at [`CRASH_TEXT`] bytes, at a character.
pub(crate) fn cut(mut text: String) -> String {
    if text.len() > CRASH_TEXT {
        let end = (0..=CRASH_TEXT)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

pub(crate) fn as_millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

pub(crate) fn as_unix_millis<S: serde::Serializer>(
    at: &SystemTime,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    as_millis(
        &at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
        serializer,
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use super::{CRASH_CARDS, CRASH_SUBJECTS, CRASH_TEXT, CrashCard, CrashKind, Ledger, cut};
    use crate::subject::Subject;

    fn card(kind: CrashKind, subject: Option<u128>) -> Arc<CrashCard> {
        Arc::new(CrashCard {
            path: "/store/gate".to_owned(),
            class: "gate",
            kind,
            text: "boom".to_owned(),
            subject: subject.map(|id| Subject::new("message", id)),
            alive: Duration::from_millis(1500),
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(2),
        })
    }

    #[test]
    fn counts_crashes_by_subject_but_not_kills() {
        let ledger = Ledger::default();
        let subject = Subject::new("message", 7);
        for (kind, expected) in [
            (CrashKind::Panic, 1),
            (CrashKind::Killed, 1),
            (CrashKind::Error, 2),
            (CrashKind::Start, 3),
        ] {
            ledger.file(card(kind, Some(7)));
            assert_eq!(ledger.crashes(subject), expected, "{kind:?}");
        }
        assert_eq!(ledger.crashes(Subject::new("account", 7)), 0);
        ledger.forgive(subject);
        assert_eq!(ledger.crashes(subject), 0);
        assert_eq!(ledger.cards().len(), 4);
    }

    #[test]
    fn forgets_the_oldest_and_keeps_its_bounds() {
        let ledger = Ledger::default();
        for id in 0..CRASH_SUBJECTS as u128 {
            ledger.file(card(CrashKind::Panic, Some(id)));
        }
        ledger.file(card(CrashKind::Panic, Some(0)));
        ledger.file(card(CrashKind::Panic, Some(u128::MAX)));
        let crashes = |id| ledger.crashes(Subject::new("message", id));
        assert_eq!(
            (crashes(0), crashes(1), crashes(2), crashes(u128::MAX)),
            (2, 0, 1, 1)
        );
        assert_eq!(ledger.cards().len(), CRASH_CARDS);
    }

    #[test]
    fn cuts_long_texts_at_a_character() {
        assert_eq!(cut("short".to_owned()), "short");
        let text = cut("ä".repeat(CRASH_TEXT));
        assert!(text.len() <= CRASH_TEXT + '…'.len_utf8() && text.ends_with("ä…"));
    }

    #[test]
    fn a_card_is_readable_by_people_and_scripts() {
        let card = card(CrashKind::Start, None);
        assert_eq!(card.to_string(), "failed start: boom");
        assert_eq!(
            serde_json::to_string(&*card).unwrap(),
            r#"{"path":"/store/gate","class":"gate","kind":"start","text":"boom","subject":null,"alive_ms":1500,"at_ms":2000}"#
        );
    }
}
