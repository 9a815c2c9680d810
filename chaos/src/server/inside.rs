//! A server in this process: whatever lives in its tree can be looked at and killed.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use angarium::{
    boot::{Server, Setup, open_store},
    reload::Sources,
};
use anyhow::{Context, anyhow};
use config::Config;
use tokio::time::Instant;

use super::Addresses;
use crate::{
    home::Home,
    promise::{
        Broken,
        tree_is_whole::{self, Place},
    },
    wait::until,
};

/// A stopped server's files are free when its last thread has ended.
const CLOSING: Duration = Duration::from_secs(10);

/// How many crashes are named where the tree is not whole.
const LAST_CRASHES: usize = 5;

/// Where the SMTP sessions live.
const CONNECTIONS: &str = "/listeners/mx/connections";

/// A server in this process.
pub(crate) struct Inside {
    server: Server,
}

/// What a row of the tree says of one actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) path: String,
    pub(crate) class: String,
    pub(crate) phase: String,
    /// Messages handled by all incarnations.
    pub(crate) handled: u64,
    /// Messages sent and not handled yet.
    pub(crate) depth: u64,
    /// Whether it is suspended.
    pub(crate) suspended: bool,
    restarts: u32,
    started: Option<SystemTime>,
}

/// What came of a reload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reloaded {
    /// In one word.
    pub(crate) outcome: String,
    /// What stood against it.
    pub(crate) why: String,
    /// How many have not answered in time.
    pub(crate) silent: usize,
}

impl Standing {
    /// Whether it is still the one that stood there before: nobody has been started since.
    pub(crate) fn is_still(&self, before: &Self) -> bool {
        self.phase == "up" && (self.restarts, self.started) == (before.restarts, before.started)
    }
}

#[cfg(test)]
impl Standing {
    /// Somebody who is up, and has done nothing yet.
    pub(crate) fn up(path: &str, class: &str) -> Self {
        Self {
            path: path.to_owned(),
            class: class.to_owned(),
            phase: "up".to_owned(),
            handled: 0,
            depth: 0,
            suspended: false,
            restarts: 0,
            started: None,
        }
    }
}

impl Inside {
    /// Starts a server in a home.
    pub(crate) async fn start(home: &Home) -> anyhow::Result<Self> {
        let opened = until(CLOSING, async || {
            let config = home.overrides().load()?;
            match open_store(&config, false) {
                Ok((store, _)) => Ok(Some((config, store))),
                Err(why) if format!("{why:#}").contains("has it open") => Ok(None),
                Err(why) => Err(why),
            }
        });
        let (_, store) = opened.await?.context("the store stays locked")?;
        let sources = Sources {
            overrides: home.overrides(),
            ..Sources::default()
        };
        let setup = Setup {
            loaded: sources.first()?,
            loader: Arc::new(sources),
            belongings: Vec::new(),
        };
        let server = Server::start_with(setup, store).await?;
        Ok(Self { server })
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> anyhow::Result<Addresses> {
        let address = |name: &str| {
            let address = self
                .server
                .addresses
                .get(name)
                .and_then(|them| them.first())
                .copied();
            address.with_context(|| format!("there is no listener {name}"))
        };
        Ok(Addresses {
            mx: address("mx")?,
            pop3: address("pop3")?,
        })
    }

    /// What the tree says at and below a path.
    pub(crate) fn standings(&self, prefix: &str) -> Vec<Standing> {
        let rows = self.server.tree.tree(prefix).into_iter();
        let standing = rows.map(|row| Standing {
            phase: match serde_json::to_value(row.phase) {
                Ok(serde_json::Value::String(phase)) => phase,
                other => format!("{other:?}"),
            },
            path: row.path,
            class: row.class.to_owned(),
            handled: row.handled,
            depth: row.depth,
            suspended: row.suspended,
            restarts: row.restarts,
            started: row.started,
        });
        standing.collect()
    }

    /// What the tree says of one path, if there is such a place.
    pub(crate) fn standing(&self, path: &str) -> Option<Standing> {
        self.standings(path)
            .into_iter()
            .find(|standing| standing.path == path)
    }

    /// Kills what lives at a path and waits until it is back; how long that took. `None` when it had ended by itself,
    /// or sleeps until it is wanted.
    pub(crate) async fn kill(&self, path: &str) -> anyhow::Result<Option<Duration>> {
        let Some(before) = self.standing(path) else {
            return Ok(None);
        };
        let start = Instant::now();
        if self.server.tree.kill(path).is_err() {
            return Ok(None);
        }
        let back = until(tree_is_whole::LIMIT, async || {
            let Some(now) = self.standing(path) else {
                return Ok(Some(None));
            };
            Ok(match now.phase.as_str() {
                "idle" => Some(None),
                "up" if now.restarts != before.restarts || now.started != before.started => {
                    Some(Some(start.elapsed()))
                }
                _ => None,
            })
        });
        match back.await? {
            Some(took) => Ok(took),
            None => Err(self
                .whole_now()
                .err()
                .map_or_else(|| anyhow!("{path} was killed and lives on"), anyhow::Error::from)),
        }
    }

    /// Has the configuration read anew; where nobody knows what came of it, the outcome is empty.
    pub(crate) async fn reload(&self) -> anyhow::Result<Reloaded> {
        let Ok(receipt) = self.server.reloads().reload("chaos").await else {
            return Ok(Reloaded::default());
        };
        Ok(Reloaded {
            outcome: receipt.outcome.word().to_owned(),
            why: receipt.outcome.mistakes().join("; "),
            silent: receipt.unanswered.len(),
        })
    }

    /// What the settings in force say.
    pub(crate) fn settings<T>(&self, of: impl FnOnce(&Config) -> T) -> T {
        of(self.server.tree.settings().of::<Config>())
    }

    /// Whether there is a listener of this name.
    pub(crate) fn listens(&self, name: &str) -> bool {
        self.server.ports().addresses().contains_key(name)
    }

    /// Suspends an actor; `false` when nobody lives there who could be.
    pub(crate) fn suspend(&self, path: &str) -> bool {
        self.server.tree.suspend(path).is_ok()
    }

    /// Resumes an actor; nothing when it has gone.
    pub(crate) fn resume(&self, path: &str) {
        // It may have ended while it was suspended.
        let _ = self.server.tree.resume(path);
    }

    /// Starts an actor afresh, without that being counted.
    pub(crate) fn restart(&self, path: &str) {
        // As above.
        let _ = self.server.tree.restart(path);
    }

    /// Whether an actor answers who inspects it. One that has gone need not.
    pub(crate) async fn answers(&self, path: &str) -> bool {
        self.server.tree.inspect(path).await.is_ok()
            || self.standing(path).is_none_or(|now| now.phase != "up")
    }

    /// The path of the session whose client has this address.
    pub(crate) async fn session_of(&self, client: SocketAddr) -> anyhow::Result<String> {
        let client = client.to_string();
        let found = until(tree_is_whole::LIMIT, async || {
            for standing in self.standings(CONNECTIONS).into_iter().rev() {
                if standing.path == CONNECTIONS {
                    continue;
                }
                // A connection may end while it is looked at.
                let Ok(inspection) = self.server.tree.inspect(&standing.path).await else {
                    continue;
                };
                let values = serde_json::to_value(&inspection)?;
                if values.get("peer").and_then(|peer| peer.as_str()) == Some(&client) {
                    return Ok(Some(standing.path));
                }
            }
            Ok(None)
        });
        found
            .await?
            .with_context(|| format!("no session serves {client}"))
    }

    /// Waits until every place of the tree is up, within its time.
    pub(crate) async fn whole(&self) -> anyhow::Result<()> {
        let whole = until(tree_is_whole::LIMIT, async || Ok(self.whole_now().ok())).await?;
        match whole {
            Some(()) => Ok(()),
            None => self.whole_now().with_context(|| self.last_crashes()),
        }
    }

    /// What crashed lately, for whoever wants to know why.
    fn last_crashes(&self) -> String {
        let cards = self.server.tree.crash_cards();
        let last = cards
            .iter()
            .rev()
            .filter(|card| card.text != "killed")
            .take(LAST_CRASHES);
        let lines: Vec<String> = last.map(|card| format!("{} {card}", card.path)).collect();
        format!("the last that crashed and were not killed: {lines:?}")
    }

    fn whole_now(&self) -> Result<(), Broken> {
        let places: Vec<Place> = self
            .standings("/")
            .into_iter()
            .map(|Standing { path, phase, .. }| Place { path, phase })
            .collect();
        tree_is_whole::check(&places)
    }

    /// Stops it in order.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.server
            .stop()
            .await
            .context("the server did not stop in order")
    }
}
