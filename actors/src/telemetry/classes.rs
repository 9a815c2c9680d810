//! Classes: what the actors of each class did and where they stand, from the tallies of the tree.

use std::collections::BTreeMap;

use supervision::ClassTally;

use super::{
    ACTORS_CRASHED, ACTORS_DEPTH, ACTORS_HANDLED, ACTORS_HANDLING_P50, ACTORS_HANDLING_P99,
    ACTORS_MAILBOX_P50, ACTORS_MAILBOX_P99, ACTORS_PARKED, ACTORS_RESTARTED, ACTORS_RUNNING, ACTORS_STARTED,
    ACTORS_SUSPENDED, CLASSES,
};

/// The tallies of the last sample.
#[derive(Default)]
pub(super) struct Classes(BTreeMap<&'static str, ClassTally>);

impl Classes {
    /// Records new tallies. Every class of the table is recorded, also one of which nobody has lived yet; another, none.
    pub(super) fn record(&mut self, tallies: Vec<ClassTally>) {
        let mut tallies: BTreeMap<_, _> = tallies.into_iter().map(|tally| (tally.class, tally)).collect();
        for class in CLASSES {
            let now = tallies.remove(class).unwrap_or_default();
            record(class, self.0.get(class), &now);
            self.0.insert(class, now);
        }
    }
}

fn record(class: &'static str, before: Option<&ClassTally>, now: &ClassTally) {
    ACTORS_RUNNING.set(class, now.running);
    ACTORS_PARKED.set(class, now.parked);
    ACTORS_SUSPENDED.set(class, now.suspended);
    ACTORS_DEPTH.set(class, now.depth);
    ACTORS_STARTED.reached(class, now.started);
    ACTORS_CRASHED.reached(class, now.crashed);
    ACTORS_RESTARTED.reached(class, now.restarted);
    ACTORS_HANDLED.reached(class, now.handled);
    let (mailbox, handling) = match before {
        Some(before) => (
            now.mailbox.since(&before.mailbox),
            now.handling.since(&before.handling),
        ),
        None => (now.mailbox.clone(), now.handling.clone()),
    };
    ACTORS_MAILBOX_P50.set_time(class, mailbox.p50());
    ACTORS_MAILBOX_P99.set_time(class, mailbox.p99());
    ACTORS_HANDLING_P50.set_time(class, handling.p50());
    ACTORS_HANDLING_P99.set_time(class, handling.p99());
}
