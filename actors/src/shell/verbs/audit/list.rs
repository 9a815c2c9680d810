//! `audit list`: what operators changed, the newest first.

use message::id::ReceiptId;
use shell::{Answer, Block, Table};
use store::read::audit;

use crate::shell::{
    desk::{Desk, Refused, Request},
    values,
};

/// Entries of a page when none is named, and at most: an entry may have 200 KiB.
const USUAL: u64 = 50;
const MOST: u64 = 1000;

pub(in crate::shell) async fn list(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let limit = request.call.number("limit").unwrap_or(USUAL).clamp(1, MOST);
    let before: Option<ReceiptId> = match request.call.value("before") {
        Some(text) => Some(values::id(text, "a receipt")?),
        None => None,
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let page = desk
        .read(move |store| audit::newest(&store.snapshot(), before, limit))
        .await??;
    let mut table = Table::new(&["receipt", "at", "who", "outcome", "touches", "what", "reason"]);
    for entry in page.rows {
        table.row([
            entry.id.to_string().into(),
            entry.at.into(),
            entry.who.into(),
            entry.outcome.word().into(),
            entry.touches.into(),
            entry.what.into(),
            entry.reason.into(),
        ]);
    }
    let answer = Answer::new("audit list").with(table);
    Ok(match page.next {
        // Not a row: a script that reads rows must not take it for one.
        Some(next) if request.call.is_json() => {
            answer.with(Block::fields([("next", next.to_string().into())]))
        }
        Some(next) => answer.with(Block::text(format!(
            "there are older ones: audit list --before {next}"
        ))),
        None => answer,
    })
}
