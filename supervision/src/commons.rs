//! The commons: what all supervisors and actors of one tree share. Settings, ledger, the stage of the whole, dice.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use arc_swap::ArcSwap;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::sync::watch;

use crate::backoff;
use crate::ledger::Ledger;
use crate::order::Exit;
use crate::settings::Settings;
use crate::slot::Place;
use crate::supervisor::Plan;
use crate::tally::Class;

/// The stage of a whole tree.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// Not every child has been up yet.
    Starting,
    /// All children have been up.
    Ready,
    /// Nothing of it lives any more.
    Ended(Result<(), Collapsed>),
}

/// The tree has fallen: its root ended without having been drained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the supervision tree collapsed: {0}")]
pub struct Collapsed(pub String);

pub(crate) struct Commons {
    settings: ArcSwap<Settings>,
    pub(crate) ledger: Ledger,
    stage: watch::Sender<Stage>,
    dice: Mutex<SmallRng>,
    /// As many as the program has kinds of actors.
    classes: Mutex<BTreeMap<&'static str, Arc<Class>>>,
    /// Set once the tree has a root.
    root: OnceLock<Weak<Plan>>,
}

impl Commons {
    pub(crate) fn new(settings: Settings, seed: Option<u64>) -> Arc<Self> {
        Arc::new(Self {
            settings: ArcSwap::from_pointee(settings),
            ledger: Ledger::default(),
            stage: watch::Sender::new(Stage::Starting),
            dice: Mutex::new(seed.map_or_else(SmallRng::from_os_rng, SmallRng::seed_from_u64)),
            classes: Mutex::default(),
            root: OnceLock::new(),
        })
    }

    pub(crate) fn plant(&self, root: Weak<Plan>) {
        let _ = self.root.set(root);
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::clone(&self.settings.load())
    }

    /// Stores new settings; gives them back as stored, to be forwarded.
    pub(crate) fn configure(&self, settings: &Settings) -> Settings {
        let mut stored = settings.clone();
        self.settings.rcu(|old| {
            stored = settings.clone().succeeding(old.generation());
            stored.clone()
        });
        stored
    }

    /// The books of a class.
    pub(crate) fn class(&self, name: &'static str) -> Arc<Class> {
        let mut classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(classes.entry(name).or_insert_with(|| Arc::new(Class::new())))
    }

    pub(crate) fn classes(&self) -> BTreeMap<&'static str, Arc<Class>> {
        let classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        classes.clone()
    }

    /// A supervisor or an operator starts a child again.
    pub(crate) fn count_restart(&self, place: &Place) {
        place.count_restart();
        self.class(place.class).restarted.fetch_add(1, Relaxed);
    }

    /// The wait before the n-th restart of a period.
    pub(crate) fn backoff(&self, restart: u32) -> std::time::Duration {
        let jitter = self
            .dice
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .random::<f64>();
        backoff::wait(restart, jitter)
    }

    pub(crate) fn ready(&self) {
        self.stage.send_if_modified(|stage| {
            let starting = matches!(stage, Stage::Starting);
            if starting {
                *stage = Stage::Ready;
            }
            starting
        });
    }

    /// The root has ended, and everything below it.
    pub(crate) fn ended(&self, exit: Exit) {
        if let Some(root) = self.root.get().and_then(Weak::upgrade) {
            root.node().close();
        }
        let end = match exit {
            Exit::Stopped => Ok(()),
            Exit::Crashed(card) => Err(Collapsed(card.to_string())),
        };
        self.stage.send_replace(Stage::Ended(end));
    }

    pub(crate) fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }
}
