//! The tree is whole again within its time.

use std::time::Duration;

use super::Broken;

/// Its name.
pub(crate) const PROMISE: &str = "the tree is whole again within its time";

/// Its time, after the last fault: a few backoffs.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// Where a place of the tree stands, by the tree's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) phase: String,
}

/// Whether all places are as they should be: up, or asleep until somebody wants them.
pub(crate) fn check(places: &[Place]) -> Result<(), Broken> {
    if places.is_empty() {
        return Err(Broken::new(PROMISE, "there is no tree"));
    }
    let is_whole = |place: &&Place| matches!(place.phase.as_str(), "up" | "idle");
    match places.iter().find(|place| !is_whole(place)) {
        Some(Place { path, phase }) => Err(Broken::new(PROMISE, format!("{path} is {phase}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_what_is_down() {
        for (phases, holds) in [
            (&["up", "up", "idle"][..], true),
            (&["up", "parked"], false),
            (&["waiting", "up"], false),
            (&["starting"], false),
            (&[], false),
        ] {
            let place = |phase: &&str| Place {
                path: "/x".to_owned(),
                phase: (*phase).to_owned(),
            };
            let places: Vec<Place> = phases.iter().map(place).collect();
            assert_eq!(check(&places).is_ok(), holds, "{phases:?}");
        }
    }
}
