//! `status`: how the server is, on one page.

use shell::{Answer, Block, Cell};
use supervision::{Actor as _, Running};

use crate::shell::{
    desk::{Desk, Refused},
    session::Session,
};

pub(in crate::shell) async fn status(desk: &Desk) -> Result<Answer, Refused> {
    let running = desk.running()?;
    let config = desk.config();
    let seen = running.clone();
    // A hundred thousand places take a while, and the shell has one thread.
    let seen = tokio::task::spawn_blocking(move || (seen.summary(), sessions(&seen)));
    let (tree, sessions) = seen.await.map_err(|why| Refused::failed(why.to_string()))?;
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
        ("actors", tree.places.into()),
        ("parked", tree.parked.into()),
        ("restarts", tree.restarts.into()),
        ("crashes_remembered", running.crash_cards().len().into()),
        ("waiting_messages_of_actors", tree.depth.into()),
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

/// Sessions of mail: those of the shell are no sessions of the server.
fn sessions(running: &Running) -> u64 {
    let classes = running.classes();
    let of_mail = |class: &str| class.ends_with("_session") && class != Session::CLASS;
    let sessions = classes.iter().filter(|tally| of_mail(tally.class));
    sessions.map(|tally| tally.running + tally.parked).sum()
}
