//! Levels: which lines are written, as the configuration says and as an operator changes it while the server runs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use actors::log_levels::{EVERYTHING, Level, LogLevels};
use config::{Log, LogLevel};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Registry,
    filter::Targets,
    reload::{self, Handle},
};

/// What is ours. Others speak when something is wrong, and never below INFO: ractor_cluster logs whole messages at DEBUG,
/// and there is never mail in a log.
const OURS: [&str; 4] = ["angarium", "actors", "store", "supervision"];

/// The levels of this process; a process has one log.
static LEVELS: OnceLock<Arc<Levels>> = OnceLock::new();

/// The levels of the log, if this process has started one.
#[must_use]
pub fn levels() -> Option<Arc<Levels>> {
    LEVELS.get().cloned()
}

/// Which lines are written.
pub struct Levels {
    handle: Handle<Targets, Registry>,
    wanted: Mutex<Wanted>,
}

/// What decides on a line.
#[derive(Clone, Debug)]
struct Wanted {
    /// The level of what is ours, as the configuration says.
    level: LogLevel,
    /// Levels of some targets, as the configuration says.
    targets: BTreeMap<String, LogLevel>,
    /// What an operator said since; [`EVERYTHING`] is in the place of the level.
    said: BTreeMap<String, LogLevel>,
}

impl Levels {
    /// The filter of a log, and what changes it. The first of a process is its levels.
    pub(super) fn start(log: &Log) -> reload::Layer<Targets, Registry> {
        let wanted = Wanted::of(log);
        let (layer, handle) = reload::Layer::new(wanted.filter());
        let levels = Self {
            handle,
            wanted: Mutex::new(wanted),
        };
        drop(LEVELS.set(Arc::new(levels)));
        layer
    }

    /// Follows another configuration. What an operator said is forgotten: the configuration is what counts.
    pub fn configure(&self, log: &Log) {
        let mut wanted = self.wanted();
        *wanted = Wanted::of(log);
        self.apply(&wanted);
    }

    fn apply(&self, wanted: &Wanted) {
        if let Err(why) = self.handle.reload(wanted.filter()) {
            tracing::warn!(target: "angarium", %why, "the levels of the log cannot be changed");
        }
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        // Nothing panics while it is held; were it so, it would still be whole.
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogLevels for Levels {
    fn list(&self) -> Vec<Level> {
        self.wanted().list()
    }

    fn set(&self, target: &str, level: Option<LogLevel>) {
        let mut wanted = self.wanted();
        match level {
            Some(level) => wanted.said.insert(target.to_owned(), level),
            None => wanted.said.remove(target),
        };
        self.apply(&wanted);
    }
}

impl Wanted {
    fn of(log: &Log) -> Self {
        let targets = log.targets.iter();
        Self {
            level: log.level,
            targets: targets.map(|it| (it.target().to_owned(), it.level())).collect(),
            said: BTreeMap::new(),
        }
    }

    /// Of two targets that fit a line, the longer counts; of two that are the same, what was said.
    fn filter(&self) -> Targets {
        let level = filter(self.said.get(EVERYTHING).copied().unwrap_or(self.level));
        let said = self.said.iter().filter(|(target, _)| *target != EVERYTHING);
        let targets = self.targets.iter().chain(said);
        Targets::new()
            .with_default(LevelFilter::WARN.min(level))
            .with_targets(OURS.map(|target| (target, level)))
            .with_targets(targets.map(|(target, level)| (target.clone(), filter(*level))))
    }

    fn list(&self) -> Vec<Level> {
        let mut all = BTreeMap::from([(EVERYTHING.to_owned(), self.level)]);
        all.extend(self.targets.clone());
        all.extend(self.said.clone());
        let level = |(target, level)| Level {
            is_said: self.said.contains_key(&target),
            target,
            level,
        };
        all.into_iter().map(level).collect()
    }
}

const fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level as TracingLevel;

    use super::*;

    #[test]
    fn what_was_said_counts_until_it_is_taken_back() {
        let log = Log {
            targets: vec!["angarium::smtp=debug".parse().unwrap()],
            ..Log::default()
        };
        let (layer, handle) = reload::Layer::<Targets, Registry>::new(Targets::new());
        let levels = Levels {
            handle,
            wanted: Mutex::new(Wanted::of(&log)),
        };
        let enables =
            |target: &str, level: TracingLevel| levels.wanted().filter().would_enable(target, &level);
        assert!(enables("angarium::smtp", TracingLevel::DEBUG));
        assert!(!enables("angarium::pop3", TracingLevel::DEBUG));
        assert!(!enables("rustls", TracingLevel::INFO));

        levels.set("angarium::smtp", Some(LogLevel::Error));
        levels.set("angarium::pop3", Some(LogLevel::Trace));
        levels.set(EVERYTHING, Some(LogLevel::Warn));
        assert!(!enables("angarium::smtp", TracingLevel::WARN));
        assert!(enables("angarium::pop3", TracingLevel::TRACE));
        assert!(!enables("angarium::queue", TracingLevel::INFO));
        let listed: Vec<_> = levels
            .list()
            .into_iter()
            .map(|it| (it.target, it.is_said))
            .collect();
        let expected = ["*", "angarium::pop3", "angarium::smtp"].map(|target| (target.to_owned(), true));
        assert_eq!(listed, expected);

        levels.set("angarium::smtp", None);
        assert!(enables("angarium::smtp", TracingLevel::DEBUG));
        levels.configure(&Log::default());
        assert!(!enables("angarium::pop3", TracingLevel::DEBUG));
        assert!(enables("angarium::queue", TracingLevel::INFO));
        drop(layer);
    }
}
