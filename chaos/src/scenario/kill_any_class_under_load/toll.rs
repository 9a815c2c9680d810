//! Toll: who lived, who died how often, and who may die next without more than their supervisors allow. Pure: time is
//! handed in or is that of the entries.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use crate::{promise::Broken, server::inside::Standing};

/// What it asks.
const PROMISE: &str = "every class that lives in the tree is killed, and comes back";

/// The classes of supervisors: each place of theirs is a kind of its own.
const SUPERVISORS: [&str; 2] = ["supervisor", "dynamic_supervisor"];

/// Deaths in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Allowance {
    deaths: usize,
    within: Duration,
    /// Whether each child has it for itself.
    each: bool,
}

/// Who lived and who died.
#[derive(Debug, Default)]
pub(super) struct Toll {
    /// The living, with their kinds.
    living: BTreeMap<String, String>,
    /// Places whose children have an intensity each.
    dynamic: BTreeSet<String>,
    /// How often each kind that was ever seen has died and come back.
    kinds: BTreeMap<String, u64>,
    /// Who died when, in this server.
    deaths: Vec<(String, Instant)>,
}

impl Toll {
    /// Takes note of everybody who is up.
    pub(super) fn see(&mut self, standings: &[Standing]) {
        self.living.clear();
        for standing in standings {
            if standing.class == "dynamic_supervisor" {
                self.dynamic.insert(standing.path.clone());
            }
            if standing.path == "/" {
                continue;
            }
            let kind = kind(standing);
            self.kinds.entry(kind.clone()).or_default();
            if standing.phase == "up" {
                self.living.insert(standing.path.clone(), kind);
            }
        }
    }

    /// Somebody is about to be killed: from now on it counts with his supervisor.
    pub(super) fn doom(&mut self, path: &str, at: Instant) {
        self.deaths.push((path.to_owned(), at));
    }

    /// Somebody who was killed is back. Who ended by himself before is not.
    pub(super) fn back(&mut self, path: &str) {
        if let Some(kind) = self.living.get(path) {
            *self.kinds.entry(kind.clone()).or_default() += 1;
        }
    }

    /// Who may die, of those kinds that have died least.
    pub(super) fn candidates(&self) -> Vec<String> {
        let allowed = self.allowed();
        let count = |kind: &String| self.kinds.get(kind).copied().unwrap_or_default();
        let least = allowed.iter().map(|(_, kind)| count(kind)).min();
        let few = |(_, kind): &(&String, &String)| Some(count(kind)) == least;
        allowed
            .into_iter()
            .filter(few)
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// Who may die, of those kinds that never have.
    pub(super) fn candidates_among_spared(&self) -> Vec<String> {
        let spared = self.spared();
        self.allowed()
            .into_iter()
            .filter(|(_, kind)| spared.contains(*kind))
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// Whether somebody who lives was never killed and may not be, for those who died before.
    pub(super) fn is_used_up(&self) -> bool {
        let spared = self.spared();
        self.candidates_among_spared().is_empty() && self.living.values().any(|kind| spared.contains(kind))
    }

    /// Another server: its supervisors have seen nothing yet.
    pub(super) fn forget(&mut self) {
        self.deaths.clear();
    }

    /// The kinds that lived and were never killed.
    pub(super) fn spared(&self) -> BTreeSet<String> {
        let spared = |(_, deaths): &(&String, &u64)| **deaths == 0;
        self.kinds
            .iter()
            .filter(spared)
            .map(|(kind, _)| kind.clone())
            .collect()
    }

    /// How many kinds were seen.
    pub(super) fn kinds(&self) -> usize {
        self.kinds.len()
    }

    /// Whether everybody was killed.
    pub(super) fn check(&self) -> Result<(), Broken> {
        let spared: Vec<String> = self.spared().into_iter().collect();
        if spared.is_empty() && !self.kinds.is_empty() {
            return Ok(());
        }
        Err(Broken::new(
            PROMISE,
            format!("never killed: {}", spared.join(", ")),
        ))
    }

    fn allowed(&self) -> Vec<(&String, &String)> {
        self.living
            .iter()
            .filter(|(path, _)| self.may_die(path))
            .collect()
    }

    fn may_die(&self, path: &str) -> bool {
        let above = parent(path);
        let allowance = allowance(above, self.dynamic.contains(above));
        let counts = |(dead, at): &&(String, Instant)| {
            at.elapsed() < allowance.within
                && if allowance.each {
                    dead == path
                } else {
                    parent(dead) == above
                }
        };
        self.deaths.iter().filter(counts).count() < allowance.deaths
    }
}

/// What a supervisor allows, less than its intensity: its fall counts above, and that of the root is the end of the
/// process, as it should be.
fn allowance(supervisor: &str, dynamic: bool) -> Allowance {
    let (deaths, seconds) = match supervisor.rsplit('/').next().unwrap_or_default() {
        // The root.
        "" => (4, 31),
        "connections" => (8, 61),
        "deliveries" => (60, 11),
        "store" => (8, 11),
        _ if supervisor.starts_with("/listeners/") => (8, 11),
        _ => (3, 11),
    };
    Allowance {
        deaths,
        within: Duration::from_secs(seconds),
        each: dynamic,
    }
}

/// What somebody is: of a supervisor its place matters, of an actor its class.
fn kind(standing: &Standing) -> String {
    if SUPERVISORS.contains(&standing.class.as_str()) {
        return format!("{} {}", standing.class, standing.path);
    }
    standing.class.clone()
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(toll: &mut Toll, rows: &[(&str, &str)]) {
        let standing = |(path, class): &(&str, &str)| Standing::up(path, class);
        let standings: Vec<Standing> = rows.iter().map(standing).collect();
        toll.see(&standings);
    }

    fn killed(toll: &mut Toll, path: &str) {
        toll.doom(path, Instant::now());
        toll.back(path);
    }

    const TREE: [(&str, &str); 7] = [
        ("/", "supervisor"),
        ("/limits", "limits"),
        ("/listeners", "supervisor"),
        ("/listeners/mx", "supervisor"),
        ("/listeners/mx/connections", "dynamic_supervisor"),
        ("/listeners/mx/connections/1", "smtp_session"),
        ("/listeners/mx/connections/2", "smtp_session"),
    ];

    #[test]
    fn a_class_that_lived_and_was_not_killed_is_named() {
        let mut toll = Toll::default();
        assert!(toll.check().is_err(), "there is no tree");
        seen(&mut toll, &TREE);
        for (path, back) in [
            ("/limits", true),
            ("/listeners", true),
            ("/listeners/mx", true),
            ("/listeners/mx/connections", true),
            ("/listeners/mx/connections/1", false),
        ] {
            toll.doom(path, Instant::now());
            if back {
                toll.back(path);
            }
        }
        // Who ended by itself was not killed.
        let broken = toll.check().unwrap_err().to_string();
        assert!(broken.ends_with("never killed: smtp_session"), "{broken}");
        // It lived, wherever it is now.
        seen(&mut toll, &TREE[..5]);
        assert!(toll.check().is_err());
        seen(&mut toll, &TREE);
        killed(&mut toll, "/listeners/mx/connections/2");
        toll.check().unwrap();
        assert_eq!(toll.kinds(), 5);
    }

    #[test]
    fn who_died_least_comes_first_as_far_as_it_is_allowed() {
        let mut toll = Toll::default();
        seen(&mut toll, &TREE);
        assert_eq!(toll.candidates().len(), 6);
        for _ in 0..3 {
            killed(&mut toll, "/limits");
        }
        assert!(!toll.candidates().contains(&"/limits".to_owned()));
        assert!(toll.candidates_among_spared().contains(&"/listeners".to_owned()));
        killed(&mut toll, "/limits");
        // The root allows no more, for anybody below it; those who have a supervisor of their own go on.
        assert!(!toll.candidates().contains(&"/listeners".to_owned()));
        assert!(toll.candidates().contains(&"/listeners/mx".to_owned()));
        assert!(!toll.is_used_up());
        for path in [
            "/listeners/mx",
            "/listeners/mx/connections",
            "/listeners/mx/connections/1",
        ] {
            killed(&mut toll, path);
        }
        assert!(toll.is_used_up());
        toll.forget();
        assert!(!toll.is_used_up());
        assert_eq!(toll.candidates_among_spared(), ["/listeners"]);
    }

    #[test]
    fn of_a_dynamic_supervisor_each_child_has_its_own_allowance() {
        let mut toll = Toll::default();
        seen(&mut toll, &TREE);
        for _ in 0..8 {
            killed(&mut toll, "/listeners/mx/connections/1");
        }
        assert!(!toll.may_die("/listeners/mx/connections/1"));
        assert!(toll.may_die("/listeners/mx/connections/2"));
    }
}
