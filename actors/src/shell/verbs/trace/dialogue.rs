//! `trace smtp` and `trace pop3`: what is said on new sessions of a peer.

use std::time::Duration;

use shell::{Answer, Table};
use store::record::ban::Network;
use tokio::time::{Instant, sleep_until};

use crate::{
    connection::dialogue::{Said, Wire},
    shell::{
        desk::{Desk, Refused, Request},
        output::Output,
        values,
    },
};

/// Lines when no number is named, and at most.
const USUAL_LINES: u64 = 1000;
const MOST_LINES: u64 = 100_000;
/// How long it is listened when no time is named, and at most.
const USUAL_TIME: Duration = Duration::from_secs(3_600);
const LONGEST_TIME: Duration = Duration::from_secs(24 * 3_600);
/// Everybody, of either family.
const EVERYBODY: [&str; 2] = ["0.0.0.0/0", "::/0"];

pub(in crate::shell) async fn dialogue(
    desk: &Desk,
    request: &Request,
    out: &Output,
    wire: Wire,
) -> Result<Answer, Refused> {
    let call = &request.call;
    let networks = match call.value("peer") {
        Some(text) => vec![values::network(text)?],
        None => EVERYBODY
            .into_iter()
            .filter_map(|it| it.parse().ok())
            .collect::<Vec<Network>>(),
    };
    let Some(alive) = &desk.alive else {
        return Err(Refused::failed("no server runs here"));
    };
    let mut left = call.number("lines").unwrap_or(USUAL_LINES).clamp(1, MOST_LINES);
    let end = Instant::now() + call.duration("for").unwrap_or(USUAL_TIME).min(LONGEST_TIME);
    let mut ear = alive
        .dialogues
        .listen(wire, networks)
        .map_err(|why| Refused::failed(why.to_string()))?;
    while left > 0 {
        let said = tokio::select! {
            said = ear.next() => said,
            () = out.closed() => break,
            () = sleep_until(end) => break,
        };
        let Some(said) = said else {
            break;
        };
        let missed = ear.missed();
        if missed > 0 {
            out.say(shell::Block::text(format!(
                "{missed} lines were said too fast and are left out"
            )))
            .await?;
        }
        out.say(row(said)).await?;
        left -= 1;
    }
    Ok(Answer::new(&call.verb().words()))
}

fn row(said: Said) -> Table {
    let mut table = Table::new(&["at", "peer", "connection", "by", "line"]);
    table.row([
        said.at.to_string().into(),
        said.peer.to_string().into(),
        said.connection.to_string().into(),
        said.by.mark().into(),
        said.text.into(),
    ]);
    table
}
