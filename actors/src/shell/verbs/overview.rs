//! `overview`: what `top` shows, gathered here so that a page needs no tree of a hundred thousand rows.

use std::{cmp::Reverse, collections::BTreeSet, ops::ControlFlow};

use shell::{Answer, Block, Table, columns};
use supervision::{Row, Running};

use super::{actor, tree};
use crate::shell::desk::{Desk, Refused};

/// Actors that are told of, by each of two orders.
const BUSIEST: usize = 40;

/// Rows that are held while they are chosen.
const HELD: usize = 2000;

/// Where the queue is.
const QUEUE: &str = "/tenants/default/queues/local/queue";

pub(in crate::shell) async fn overview(desk: &Desk) -> Result<Answer, Refused> {
    let running = desk.running()?;
    let config = desk.config();
    let statistics = desk.store.statistics();
    let mut answer = Answer::new("overview").with(Block::fields([
        ("hostname", config.server.hostname.to_string().into()),
        ("up", desk.clock.timestamp().since(desk.started).into()),
        ("commands", statistics.sequence.into()),
        ("waiting_commands", statistics.queued.into()),
        (
            "free_space",
            statistics
                .free_octets
                .map_or(shell::Cell::Nothing, shell::Cell::Octets),
        ),
    ]));
    // It may be suspended or dead; the page is there to show just that.
    if let Ok(said) = running.inspect(QUEUE).await {
        let said = said
            .iter()
            .map(|(name, value)| (name.to_owned(), actor::cell(value)));
        answer.push(Block::Fields(said.collect()));
    }
    let tables = tokio::task::spawn_blocking(move || [classes(&running), busiest(&running)]);
    for table in tables.await.map_err(|why| Refused::failed(why.to_string()))? {
        answer.push(table.into());
    }
    Ok(answer)
}

fn classes(running: &Running) -> Table {
    let mut table = Table::new(&columns::CLASSES);
    for tally in running.classes() {
        table.row([
            tally.class.into(),
            tally.running.into(),
            tally.parked.into(),
            tally.suspended.into(),
            tally.depth.into(),
            tally.handled.into(),
            tally.crashed.into(),
            tally.restarted.into(),
            tally.mailbox.quantile(0.99).into(),
            tally.handling.quantile(0.5).into(),
            tally.handling.quantile(0.99).into(),
        ]);
    }
    table
}

/// Those that have worked the longest, and those for which the most waits.
fn busiest(running: &Running) -> Table {
    let mut rows = Vec::new();
    running.survey("/", usize::MAX, |row| {
        rows.push(row);
        if rows.len() >= HELD {
            choose(&mut rows);
        }
        ControlFlow::Continue(())
    });
    choose(&mut rows);
    let mut table = Table::new(&columns::BUSIEST);
    for row in &rows {
        let busy = u64::try_from(busy(row)).unwrap_or(u64::MAX);
        table.row([
            row.path.as_str().into(),
            row.class.into(),
            tree::word(row).into(),
            row.depth.into(),
            row.oldest.into(),
            row.handled.into(),
            std::time::Duration::from_nanos(busy).into(),
            row.restarts.into(),
        ]);
    }
    table
}

/// Leaves of some rows those that are told of.
fn choose(rows: &mut Vec<Row>) {
    let mut chosen = BTreeSet::new();
    rows.sort_by_cached_key(|row| Reverse(busy(row)));
    let take = |rows: &[Row], chosen: &mut BTreeSet<String>| {
        chosen.extend(rows.iter().take(BUSIEST).map(|row| row.path.clone()));
    };
    take(rows, &mut chosen);
    rows.sort_by_key(|row| Reverse((row.depth, row.oldest)));
    take(rows, &mut chosen);
    rows.retain(|row| chosen.contains(&row.path));
}

/// How long it has worked in all, in nanoseconds.
fn busy(row: &Row) -> u128 {
    row.mean.as_nanos().saturating_mul(u128::from(row.handled))
}
