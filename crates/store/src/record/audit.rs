//! Records of the audit: what operators asked for, and what came of it.

use message::{id::ReceiptId, time::Timestamp};
use serde::{Deserialize, Serialize};

use super::Record;

/// What somebody asked for, and what came of it. It is recorded twice: before the change, as begun, and behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The receipt that the operator holds; its time is when it was asked.
    pub id: ReceiptId,
    /// When it was asked.
    pub at: Timestamp,
    /// Who asked: a role and the user of the system, or a signal; at most [`MAX_AUDIT_TEXT_OCTETS`].
    pub who: String,
    /// The line as it was given, secrets masked; at most [`MAX_AUDIT_LINE_OCTETS`].
    pub line: String,
    /// Why, in the operator's words; at most [`MAX_AUDIT_TEXT_OCTETS`].
    pub reason: Option<String>,
    /// How many things it touches.
    pub touches: u64,
    /// What it does, in one sentence; at most [`MAX_AUDIT_TEXT_OCTETS`].
    pub what: String,
    /// The line that undoes it; at most [`MAX_AUDIT_LINE_OCTETS`]. None when nothing does.
    pub inverse: Option<String>,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// More for whoever looks closer, such as the differences of a reload; at most [`MAX_AUDIT_DETAIL_OCTETS`].
    pub detail: String,
}

/// How a change ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuditOutcome {
    /// Not yet.
    Begun,
    /// It is done.
    Done,
    /// It is not; at most [`MAX_AUDIT_TEXT_OCTETS`] say why.
    Failed(String),
    /// Nobody knows: the process died before it could be said, and the next one found it so.
    Unknown,
}

impl AuditOutcome {
    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Failed(_) => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// Octets of a sentence of an entry.
pub const MAX_AUDIT_TEXT_OCTETS: usize = 1024;
/// Octets of a line of an entry: the longest that a shell takes.
pub const MAX_AUDIT_LINE_OCTETS: usize = 64 << 10;
/// Octets of the detail of an entry.
pub const MAX_AUDIT_DETAIL_OCTETS: usize = 64 << 10;

/// What stands where text was cut.
const CUT: &str = "\u{2026}";

impl AuditEntry {
    /// The same entry within its bounds: longer text is cut, but a cut inverse would undo something else, so it is
    /// left out. A change is recorded also when its operator talks much.
    #[must_use]
    pub fn fitting(self) -> Self {
        let outcome = match self.outcome {
            AuditOutcome::Failed(why) => AuditOutcome::Failed(cut(why, MAX_AUDIT_TEXT_OCTETS)),
            other => other,
        };
        Self {
            who: cut(self.who, MAX_AUDIT_TEXT_OCTETS),
            line: cut(self.line, MAX_AUDIT_LINE_OCTETS),
            reason: self.reason.map(|reason| cut(reason, MAX_AUDIT_TEXT_OCTETS)),
            what: cut(self.what, MAX_AUDIT_TEXT_OCTETS),
            inverse: self
                .inverse
                .filter(|inverse| inverse.len() <= MAX_AUDIT_LINE_OCTETS),
            detail: cut(self.detail, MAX_AUDIT_DETAIL_OCTETS),
            outcome,
            ..self
        }
    }

    /// Whether both are what one operator asked for once.
    #[must_use]
    pub fn is_same_request(&self, other: &Self) -> bool {
        self.id == other.id
            && self.at == other.at
            && self.who == other.who
            && self.line == other.line
            && self.reason == other.reason
    }
}

impl Record for AuditEntry {
    const NAME: &'static str = "audit entry";
    const VERSION: u8 = 1;
}

/// At most so many octets of a text, whole characters of it.
fn cut(mut text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    text.truncate(text.floor_char_boundary(limit.saturating_sub(CUT.len())));
    text.push_str(CUT);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(text: &str, outcome: AuditOutcome) -> AuditEntry {
        let text = text.to_owned();
        AuditEntry {
            id: ReceiptId::from_bytes([7; 16]),
            at: Timestamp::EPOCH,
            who: text.clone(),
            line: text.clone(),
            reason: Some(text.clone()),
            touches: 1,
            what: text.clone(),
            inverse: Some(text.clone()),
            outcome,
            ended: None,
            detail: text,
        }
    }

    #[test]
    fn what_fits_is_left_alone_and_an_inverse_is_never_cut() {
        let short = entry("domain add example.org", AuditOutcome::Done);
        assert_eq!(short.clone().fitting(), short);
        let long = entry(&"x".repeat(MAX_AUDIT_LINE_OCTETS + 1), AuditOutcome::Done).fitting();
        assert_eq!((long.inverse, long.line.len()), (None, MAX_AUDIT_LINE_OCTETS));
        assert!(long.what.ends_with(CUT));
    }

    proptest! {
        #[test]
        fn any_text_is_made_to_fit(text in "[a\u{e9}\u{20ac}\u{1f600}]{0,400}", times in 1_usize..80) {
            let text = text.repeat(times);
            let fitting = entry(&text, AuditOutcome::Failed(text.clone())).fitting();
            prop_assert!(fitting.who.len() <= MAX_AUDIT_TEXT_OCTETS);
            prop_assert!(fitting.detail.len() <= MAX_AUDIT_DETAIL_OCTETS);
            prop_assert!(fitting.line.len() <= MAX_AUDIT_LINE_OCTETS);
            let kept = fitting.who.strip_suffix(CUT).unwrap_or(&fitting.who);
            prop_assert!(text.starts_with(kept));
        }
    }
}
