//! The StatsD daemon is away, comes, listens to nothing, and goes again. Mail flows as if nothing were, memory stays under
//! its bound, and whenever the daemon is there it is told.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use tokio::{
    net::UdpSocket,
    time::{Instant, timeout},
};

use crate::{
    crowd::Tolerance,
    promise::Broken,
    storm::Storm,
    wait::{pass, until},
};

/// What it asks beside the promises.
const PROMISE: &str = "mail flows whether or not somebody hears of it, and who comes back is told";

/// How long the daemon is away, and how long it hears nothing, at most.
const AWAY: Duration = Duration::from_secs(5);

/// The longest that a letter may take that is accepted while it is away.
const FLOWS: Duration = Duration::from_secs(10);

/// An interval, and what a busy machine adds.
const TOLD: Duration = Duration::from_secs(15);

/// What the daemon reads at once.
const DATAGRAM: usize = 64 << 10;

pub(super) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    storm.home.tighten();
    // Nobody has this port: it was taken a moment ago, and is not any more.
    let address = UdpSocket::bind("127.0.0.1:0").await?.local_addr()?;
    storm.home.set(&format!("statsd.address={address}"));
    storm.home.set("statsd.interval=1s");
    let child = storm.start_child(3).await?;
    let mut crowd = storm.crowd();
    crowd.senders(6, &(0..3), Tolerance::Nothing, &mut storm.rng);
    for account in 0..3 {
        crowd.reader(account, Tolerance::Nothing);
    }
    let (end, most) = (storm.end(), (storm.effort.time / 4).min(AWAY));
    let mut lines = 0;
    loop {
        let away = storm.draw(Duration::ZERO, most);
        flows(storm, away).await?;
        storm.killed(None);
        let daemon = UdpSocket::bind(address).await.context("somebody took the port")?;
        lines += hears(&daemon, address).await?;
        // It is there and hears nothing: what the kernel holds for it is soon full.
        let away = storm.draw(Duration::ZERO, most);
        flows(storm, away).await?;
        drop(daemon);
        if Instant::now() >= end {
            break;
        }
    }
    flows(storm, Duration::ZERO).await?;
    crowd.disperse().await?;
    let peak = child.check_memory(&storm.home)?;
    storm
        .tally
        .notes
        .push(format!("{lines} lines heard; {} MiB at most", peak >> 20));
    let door = storm.door().context("the child does not listen")?;
    storm.check_mailboxes(door).await?;
    storm.close_door();
    child.stop().await?;
    storm.nobody_crashed(PROMISE)?;
    storm.calm_child().await
}

/// Lets time pass, in which letters are accepted.
async fn flows(storm: &Storm, time: Duration) -> anyhow::Result<()> {
    let before = storm.ledger.accepted();
    pass(time).await;
    let accepted = until(FLOWS, async || {
        Ok((storm.ledger.accepted() > before).then_some(()))
    });
    match accepted.await? {
        Some(()) => Ok(()),
        None => Err(Broken::new(PROMISE, "nothing is accepted any more").into()),
    }
}

/// Waits for a datagram, and says how many lines it has.
async fn hears(daemon: &UdpSocket, address: SocketAddr) -> anyhow::Result<usize> {
    let mut datagram = vec![0; DATAGRAM];
    let Ok(received) = timeout(TOLD, daemon.recv(&mut datagram)).await else {
        let how = format!("{address} is there again and is told nothing");
        return Err(Broken::new(PROMISE, how).into());
    };
    let text = std::str::from_utf8(datagram.get(..received?).unwrap_or_default())?;
    let mut lines = 0;
    for line in text.lines() {
        if !is_line(line) {
            return Err(Broken::new(PROMISE, format!("it was told {line:?}")).into());
        }
        lines += 1;
    }
    Ok(lines)
}

/// Whether it is a line of StatsD: `name:value|kind`.
fn is_line(line: &str) -> bool {
    let Some((name, rest)) = line.split_once(':') else {
        return false;
    };
    let Some((value, kind)) = rest.split_once('|') else {
        return false;
    };
    let is_name = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
    !name.is_empty()
        && name.bytes().all(is_name)
        && value.split(':').all(|value| value.parse::<f64>().is_ok())
        && matches!(kind.split('|').next(), Some("c" | "g" | "ms" | "h" | "d"))
}

#[cfg(test)]
mod tests {
    use super::is_line;

    #[test]
    fn lines() {
        for (line, expected) in [
            ("angarium.0.smtp.accepted:1|c", true),
            ("a.b:-1.5|g", true),
            ("a:1:2:3|ms", true),
            ("a:1|c|@0.1", true),
            ("", false),
            ("a", false),
            ("a:1", false),
            (":1|c", false),
            ("a b:1|c", false),
            ("a:x|c", false),
            ("a:1|what", false),
        ] {
            assert_eq!(is_line(line), expected, "{line:?}");
        }
    }
}
