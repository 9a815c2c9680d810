//! Crash cards, and the numbers by which they are asked for.

use message::time::Timestamp;
use shell::Cell;
use supervision::{CrashCard, CrashKind, Running};

/// The cards with their numbers, the last one first. A number is the millisecond of the crash; of several in one, the
/// later have a dash and a count behind it.
pub(super) fn cards(running: &Running) -> Vec<(String, CrashCard)> {
    let mut cards: Vec<(String, CrashCard)> = Vec::new();
    let (mut before, mut count) = (Timestamp::EPOCH, 0_u32);
    for card in running.crash_cards() {
        let at = at(&card);
        count = if at == before { count + 1 } else { 1 };
        before = at;
        let number = match count {
            1 => at.as_millis().to_string(),
            more => format!("{}-{more}", at.as_millis()),
        };
        cards.push((number, card));
    }
    cards.reverse();
    cards
}

pub(super) fn at(card: &CrashCard) -> Timestamp {
    let since = card.at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

pub(super) fn kind(card: &CrashCard) -> Cell {
    Cell::from(match card.kind {
        CrashKind::Error => "error",
        CrashKind::Panic => "panic",
        CrashKind::Start => "failed start",
        CrashKind::Killed => "killed",
    })
}
