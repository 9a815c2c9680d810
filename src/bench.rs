//! Bench: a load generator for the users of a mail server, ours or another. It opens so many sessions, keeps each of them
//! busy, and says how many messages went through, how long each took, and how much it could do itself at most.

pub mod answerer;
pub mod pop3;
pub mod report;
pub mod smtp;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use auth::Secret;
use hdrhistogram::Histogram;
use tokio::{task::JoinSet, time::Instant};

use self::report::Report;
use crate::client::tls::Trust;

/// Sessions at once, at most: each has a descriptor here, and one at the server if that is the same machine.
pub const MAX_SESSIONS: u32 = 20_000;

/// The longest time that is recorded; what took longer counts as that long.
const LONGEST: Duration = Duration::from_secs(120);

/// Different errors that are told apart; what comes beyond is counted together.
const MAX_ERRORS: usize = 16;

/// Octets of an error's text that tell it from others.
const MAX_ERROR: usize = 160;

/// How long a session waits after a connection that failed before it makes another.
const RETRY: Duration = Duration::from_millis(50);

/// How TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Tls {
    /// By a command: STARTTLS, STLS.
    Starttls,
    /// With the first octet.
    Implicit,
}

/// Who logs in.
#[derive(Clone, Debug)]
pub struct Login {
    /// The name.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// What every session does.
#[derive(Clone)]
pub struct Load {
    /// Where the server is.
    pub to: SocketAddr,
    /// Sessions at once.
    pub sessions: u32,
    /// How long the whole goes on.
    pub lasting: Duration,
    /// Messages of one connection before it ends and another begins; without it there is one connection to the end.
    pub per_connection: Option<u32>,
    /// TLS, and whom it trusts.
    pub tls: Option<(Tls, Trust)>,
    /// Who logs in.
    pub login: Option<Login>,
    /// What is done on a connection.
    pub work: Work,
}

/// What is done on a connection.
#[derive(Clone)]
pub enum Work {
    /// Messages are sent.
    Smtp(smtp::Letter),
    /// Messages are read.
    Pop3,
}

/// What one session saw.
pub struct Tally {
    /// Microseconds from the first octet of a transaction to its answer.
    latency: Histogram<u64>,
    /// The same for a connection with its TLS and log-in.
    opening: Histogram<u64>,
    octets: u64,
    errors: BTreeMap<String, u64>,
}

impl Tally {
    fn new() -> anyhow::Result<Self> {
        let histogram = || Histogram::new_with_bounds(1, micros(LONGEST), 3);
        Ok(Self {
            latency: histogram()?,
            opening: histogram()?,
            octets: 0,
            errors: BTreeMap::new(),
        })
    }

    /// One transaction came to a good end.
    pub fn done(&mut self, took: Duration, octets: usize) {
        self.latency.saturating_record(micros(took));
        self.octets = self.octets.saturating_add(octets as u64);
    }

    /// One did not.
    pub fn failed(&mut self, why: impl std::fmt::Display) {
        let mut why = why.to_string();
        if why.len() > MAX_ERROR {
            why.truncate(why.floor_char_boundary(MAX_ERROR));
        }
        if self.errors.len() >= MAX_ERRORS && !self.errors.contains_key(&why) {
            "others".clone_into(&mut why);
        }
        *self.errors.entry(why).or_default() += 1;
    }

    fn add(&mut self, other: Self) -> anyhow::Result<()> {
        self.latency.add(other.latency)?;
        self.opening.add(other.opening)?;
        self.octets = self.octets.saturating_add(other.octets);
        for (why, count) in other.errors {
            let is_known = self.errors.contains_key(&why) || self.errors.len() < MAX_ERRORS;
            let why = if is_known { why } else { "others".to_owned() };
            *self.errors.entry(why).or_default() += count;
        }
        Ok(())
    }
}

/// Runs a load to its end.
///
/// # Errors
/// When nothing could be measured at all: no transaction came to a good end.
pub async fn run(load: Load) -> anyhow::Result<Report> {
    let begun = Instant::now();
    let end = begun + load.lasting;
    let load = Arc::new(load);
    let mut sessions = JoinSet::new();
    for _ in 0..load.sessions {
        sessions.spawn(session(Arc::clone(&load), end));
    }
    let mut whole = Tally::new()?;
    while let Some(ended) = sessions.join_next().await {
        whole.add(ended??)?;
    }
    Ok(Report::new(&load, &whole, begun.elapsed()))
}

/// One session: one connection after the other until the time is over.
async fn session(load: Arc<Load>, end: Instant) -> anyhow::Result<Tally> {
    let mut tally = Tally::new()?;
    while Instant::now() < end {
        let served = match &load.work {
            Work::Smtp(letter) => smtp::connection(&load, letter, end, &mut tally).await,
            Work::Pop3 => pop3::connection(&load, end, &mut tally).await,
        };
        if let Err(why) = served {
            tally.failed(format!("{why:#}"));
            tokio::time::sleep(RETRY).await;
        }
    }
    Ok(tally)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::{MAX_ERROR, MAX_ERRORS, Tally};

    #[test]
    fn errors_are_bounded_in_number_and_length() {
        let mut tally = Tally::new().unwrap();
        for number in 0..100 {
            tally.failed(format!("{number} {}", "ä".repeat(MAX_ERROR)));
        }
        assert_eq!(tally.errors.len(), MAX_ERRORS + 1);
        assert_eq!(tally.errors.values().sum::<u64>(), 100);
        assert!(tally.errors.keys().all(|why| why.len() <= MAX_ERROR));
        let mut whole = Tally::new().unwrap();
        whole.failed("another");
        whole.add(tally).unwrap();
        assert!(whole.errors.len() <= MAX_ERRORS + 1);
        assert_eq!(whole.errors.values().sum::<u64>(), 101);
    }
}
