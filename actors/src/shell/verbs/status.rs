//! `status`: how the server is, on one page.

use shell::{Answer, Block, Cell};
use supervision::Phase;

use crate::shell::desk::{Desk, Refused};

pub(in crate::shell) async fn status(desk: &Desk) -> Result<Answer, Refused> {
    let running = desk.running()?;
    let config = desk.config();
    let rows = running.tree("/");
    let count = |phase: Phase| -> Cell { rows.iter().filter(|row| row.phase == phase).count().into() };
    let sessions = rows
        .iter()
        .filter(|row| row.path.starts_with("/listeners/") && row.class.ends_with("_session"))
        .count();
    let statistics = desk.store.statistics();
    Ok(Answer::new("status").with(Block::fields([
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("hostname", config.server.hostname.to_string().into()),
        ("process", std::process::id().into()),
        ("since", desk.started.into()),
        ("up", desk.clock.timestamp().since(desk.started).into()),
        ("data", config.server.data.display().to_string().into()),
        ("listeners", config.listeners.len().into()),
        ("sessions", sessions.into()),
        ("actors", rows.len().into()),
        ("parked", count(Phase::Parked)),
        (
            "restarts",
            rows.iter().map(|row| u64::from(row.restarts)).sum::<u64>().into(),
        ),
        ("crashes_remembered", running.crash_cards().len().into()),
        (
            "waiting_messages_of_actors",
            rows.iter().map(|row| row.depth).sum::<u64>().into(),
        ),
        ("commands", statistics.sequence.into()),
        ("waiting_commands", statistics.queued.into()),
        ("longest_write", statistics.longest_write.into()),
        (
            "free_space",
            statistics.free_octets.map_or(Cell::Nothing, Cell::Octets),
        ),
        ("bad_records_met", statistics.quarantined.into()),
    ])))
}
