//! Plan: what a reload would change, and whom that touches. Pure; it calls nobody.

use std::collections::BTreeMap;

use config::{Config, Difference, Side, difference};
use supervision::Row;

use super::{
    book::InForce,
    loader::Loaded,
    touch::{Touch, touches},
};
use crate::listener::ports::Forecast;

/// What a reload would change, and whom that touches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Keys that have another value.
    pub differences: Vec<Difference>,
    /// Keys that name a file with another content, the name being the same.
    pub renewed: Vec<String>,
    /// What becomes of the sockets.
    pub sockets: Forecast,
    /// Whom each section touches.
    pub touches: Vec<Touch>,
    /// What works and is probably not meant.
    pub warnings: Vec<String>,
}

impl Plan {
    /// What it takes from what is in force to these settings, in a tree with these rows.
    #[must_use]
    pub fn new(in_force: &InForce, next: &Loaded, sockets: Forecast, rows: &[Row]) -> Self {
        let differences = difference(&in_force.loaded.sourced, &next.sourced);
        let renewed = renewed(&in_force.loaded.contents, &next.contents, &differences);
        Self {
            touches: touches(
                rows,
                &in_force.config,
                &next.sourced.config,
                &differences,
                &renewed,
            ),
            warnings: next.warnings.clone(),
            differences,
            renewed,
            sockets,
        }
    }

    /// Whether everything is as it was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty() && self.renewed.is_empty()
    }

    /// How many actors it touches.
    #[must_use]
    pub fn actors(&self) -> u64 {
        self.touches.iter().map(|touch| touch.actors).sum()
    }

    /// Its lines, for people.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.differences.iter().map(line).collect();
        lines.extend(
            self.renewed
                .iter()
                .map(|key| format!("{key}: the file has another content")),
        );
        let Forecast {
            opens,
            closes,
            moves,
            stays: _,
        } = &self.sockets;
        lines.extend(opens.iter().map(|(name, at)| format!("opens {at} for {name}")));
        lines.extend(closes.iter().map(|(name, at)| format!("closes {at} of {name}")));
        let moved = moves.iter();
        lines.extend(moved.map(|(from, to, at)| format!("hands {at} over from {from} to {to}")));
        lines.extend(self.touches.iter().map(ToString::to_string));
        lines.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        lines
    }
}

/// A difference in a line: `smtp.max_errors: 20 (default) -> 7 (angarium.toml:3:14)`.
fn line(difference: &Difference) -> String {
    let side = |side: &Option<Side>| match side {
        None => "nothing".to_owned(),
        Some(side) => format!("{} ({})", side.value.as_deref().unwrap_or("not set"), side.origin),
    };
    let (old, new) = (side(&difference.old), side(&difference.new));
    let restart = if difference.needs_restart() {
        "; needs a restart, stays as it was"
    } else {
        ""
    };
    format!("{}: {old} -> {new}{restart}", difference.key)
}

/// Keys that name the same file as before, in which there is something else.
fn renewed(
    before: &BTreeMap<String, [u8; 32]>,
    after: &BTreeMap<String, [u8; 32]>,
    differences: &[Difference],
) -> Vec<String> {
    let is_other = |key: &String| differences.iter().any(|difference| difference.key == *key);
    let both = after
        .iter()
        .filter_map(|(key, now)| Some((key, before.get(key)?, now)));
    both.filter(|(key, then, now)| then != now && !is_other(key))
        .map(|(key, ..)| key.clone())
        .collect()
}

/// Whether a listener would go, or speak to its connections in another way altogether.
pub(super) fn ends(old: &Config, new: &Config, listener: &str) -> bool {
    let family = |config: &Config| {
        let listener = config.listeners.get(listener);
        listener.map(|listener| listener.protocol == config::Protocol::Pop3)
    };
    family(old).is_some() && family(old) != family(new)
}
