//! The shell's socket is flooded: hundreds of connections that say nothing, garbage, lines without an end, requests whose
//! answers nobody reads. Mail flows meanwhile as if nothing were, memory stays under its bound, and an operator is heard.
//! Then, in this process, five times as many send as the server can serve, and the shell must answer in
//! its time.

mod flood;
mod overload;

use std::time::Duration;

use anyhow::Context;
use tokio::time::Instant;

use self::{flood::Flood, overload::Overload};
use crate::{
    console::Console,
    crowd::Tolerance,
    promise::{
        Broken,
        shell_answers::{Measured, Spread},
    },
    storm::Storm,
    wait::{pass, until},
};

/// What it asks beside the promises.
const PROMISE: &str = "whatever comes to the shell's socket harms nobody";

/// Connections that say nothing.
const SILENT: usize = 300;

/// Between two looks of the operator.
const APART: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(60));

/// When the flood is over the next look must be answered within this.
const HEARD: Duration = Duration::from_secs(10);

/// Connections to the doors of mail in the overload.
const CONNECTIONS: &str = "server.max_connections=400";

/// What is said to a client more than there may be.
const CROWDED: &str = "sessions of the shell";

pub(super) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    storm.home.tighten();
    let child = storm.start_child(4).await?;
    let half = storm.effort.time / 2;
    let mut crowd = storm.crowd();
    crowd.senders(6, &(0..4), Tolerance::Nothing, &mut storm.rng);
    crowd.reader(0, Tolerance::Nothing);
    let mut heard = String::new();
    // First with those who say nothing, who take all the places; then without, so that the others get in.
    for silent in [SILENT, 0] {
        let flood = Flood::begin(&storm.home.shell(), silent, &mut storm.rng);
        let (mut asked, mut answered) = (0_u32, Vec::new());
        let end = Instant::now() + half / 2;
        while Instant::now() < end {
            pass(storm.draw(APART.0, APART.1)).await;
            asked += 1;
            let start = Instant::now();
            if look(storm).await? {
                answered.push(start.elapsed());
            }
        }
        let took = Spread::of(&mut answered);
        heard += &format!("{} of {asked} heard beside {silent}, {took}; ", answered.len());
        storm.tally.kills += flood.end().await?;
        let again = until(HEARD, async || Ok(look(storm).await?.then_some(())));
        if again.await?.is_none() {
            return Err(Broken::new(PROMISE, "nobody is heard when the flood is over").into());
        }
    }
    crowd.disperse().await?;
    let peak = child.check_memory(&storm.home)?;
    let door = storm.door().context("the child does not listen")?;
    storm.check_mailboxes(door).await?;
    storm.close_door();
    child.stop().await?;
    storm.nobody_crashed(PROMISE)?;
    storm.home.set(CONNECTIONS);
    let inside = storm.start_inside(4).await?;
    let Overload {
        sessions,
        looks,
        among,
    } = overload::measure(storm, half).await?;
    let mut note = format!("{heard}{} MiB at most; {sessions} sessions", peak >> 20);
    for (question, Measured { shell, allowance }) in looks {
        note += &format!(", {question} {shell} (p50, p99; an echo by itself {allowance})");
    }
    note += &format!(", an echo among the mail {among}");
    storm.tally.notes.push(note);
    storm.calm(inside).await
}

/// An operator looks; `false` when there are too many already, which must be said.
async fn look(storm: &Storm) -> anyhow::Result<bool> {
    let answer = async {
        let mut console = Console::connect(&storm.home.shell()).await?;
        console.ask("status").await
    };
    match answer.await {
        Ok(answer) if answer.exit == 0 => Ok(true),
        Ok(answer) if answer.error.contains(CROWDED) => Ok(false),
        Ok(answer) => {
            let how = format!("an operator was answered {} {:?}", answer.exit, answer.error);
            Err(Broken::new(PROMISE, how).into())
        }
        // The line that says so may be lost with the connection.
        Err(why) if why.is::<std::io::Error>() => Ok(false),
        Err(why) => Err(why.context(PROMISE)),
    }
}
