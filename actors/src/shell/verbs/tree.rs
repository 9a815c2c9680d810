//! `tree`: the supervision tree, read from atomics. No actor is asked.

use shell::{Answer, Cell, Table, columns::TREE};
use supervision::{Phase, Row};

use crate::shell::{
    desk::{Desk, Refused, Request},
    output::Output,
};

/// Rows of one block: what is written at once, and a reader can stop.
const ROWS_AT_ONCE: usize = 1000;

pub(in crate::shell) async fn tree(desk: &Desk, request: &Request, out: &Output) -> Result<Answer, Refused> {
    let running = desk.running()?;
    let prefix = request.call.value("path").unwrap_or("/").to_owned();
    let depth = request.call.number("depth");
    let depth = depth.map_or(usize::MAX, |depth| usize::try_from(depth).unwrap_or(usize::MAX));
    // A walk over a hundred thousand slots must not keep a thread of the runtime from the mail.
    let blocks = tokio::task::spawn_blocking(move || {
        let rows = running.tree_to(&prefix, depth);
        tables(rows.iter())
    });
    let blocks = blocks.await.map_err(|why| Refused::failed(why.to_string()))?;
    if blocks.is_empty() {
        return Err(Refused::failed("no such path"));
    }
    for block in blocks {
        out.say(block).await?;
    }
    Ok(Answer::new("tree"))
}

/// Rows in one table.
pub(super) fn table<'r>(rows: impl Iterator<Item = &'r Row>) -> Table {
    let mut table = Table::new(&TREE);
    rows.for_each(|row| table.row(cells(row)));
    table
}

fn tables<'r>(rows: impl Iterator<Item = &'r Row>) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for row in rows {
        if tables.last().is_none_or(|table| table.len() >= ROWS_AT_ONCE) {
            tables.push(Table::new(&TREE));
        }
        if let Some(table) = tables.last_mut() {
            table.row(cells(row));
        }
    }
    tables
}

pub(super) fn cells(row: &Row) -> [Cell; TREE.len()] {
    let since = row
        .started
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let millis = since.map(|since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
    [
        row.path.as_str().into(),
        row.class.into(),
        word(row).into(),
        millis.map(message::time::Timestamp::from_millis).into(),
        row.restarts.into(),
        row.depth.into(),
        row.oldest.into(),
        row.handled.into(),
        row.mean.into(),
        row.longest.into(),
        row.failure.as_ref().map(ToString::to_string).into(),
    ]
}

/// The word for where it stands, as its JSON has it.
pub(super) fn word(row: &Row) -> &'static str {
    match row.phase {
        Phase::Up if row.suspended => "suspended",
        Phase::Idle => "idle",
        Phase::Waiting => "waiting",
        Phase::Starting => "starting",
        Phase::Up => "up",
        Phase::Draining => "draining",
        Phase::Passivating => "passivating",
        Phase::Parked => "parked",
        Phase::Closed => "closed",
    }
}
