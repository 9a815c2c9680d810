//! `crash list`: the latest crashes, the last one first.

use shell::{Answer, Table};

use super::crash;
use crate::shell::desk::{Desk, Refused, Request};

/// Lines, unless it is said how many.
const LINES: u64 = 50;

pub(in crate::shell) async fn crash_list(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let running = desk.running()?;
    let limit = usize::try_from(request.call.number("limit").unwrap_or(LINES)).unwrap_or(usize::MAX);
    let path = request.call.value("path").unwrap_or("/").trim_end_matches('/');
    let is_there = |card: &supervision::CrashCard| {
        let rest = card.path.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mut table = Table::new(&["crash", "at", "path", "kind", "text", "subject"]);
    let cards = crash::cards(&running)
        .into_iter()
        .filter(|(_, card)| is_there(card));
    for (number, card) in cards.take(limit) {
        table.row([
            number.into(),
            crash::at(&card).into(),
            card.path.as_str().into(),
            crash::kind(&card),
            card.text.as_str().into(),
            card.subject.map(|subject| subject.to_string()).into(),
        ]);
    }
    Ok(Answer::new("crash list").with(table))
}
