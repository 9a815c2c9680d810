//! Strategy: who is restarted when one child ends, and who may start when. Pure functions over the children's stages.

use std::ops::Range;

use crate::child::Restart;

/// Who is restarted with a child that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Only the child itself.
    OneForOne,
    /// All children: none means anything without each of the others.
    OneForAll,
    /// The child and those started after it: a later child is meaningless without an earlier one.
    RestForOne,
}

/// Where a child of a static supervisor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// To be started as soon as its turn has come.
    Due,
    /// To be started when its backoff is over.
    Waiting,
    /// Its `pre_start` is under way; or, for a supervisor, not all of its children have started.
    Starting,
    /// Running.
    Up,
    /// Stopped by its supervisor on behalf of another child; to be started again when it has ended.
    Ending,
    /// Ended for good.
    Done,
}

/// The places of the children that share the fate of the failed one, itself included.
pub(crate) fn affected(strategy: Strategy, failed: usize, children: usize) -> Range<usize> {
    match strategy {
        Strategy::OneForOne => failed..failed.saturating_add(1).min(children),
        Strategy::OneForAll => 0..children,
        Strategy::RestForOne => failed..children,
    }
}

/// What becomes of a child that shares the fate of another: whether it is stopped, and its stage then.
pub(crate) fn fate(stage: Stage, restart: Restart) -> (bool, Stage) {
    match (stage, restart) {
        (Stage::Up | Stage::Starting | Stage::Ending, _) => (stage != Stage::Ending, Stage::Ending),
        // OTP forgets a temporary child that has ended, and starts any other one again with its group.
        (Stage::Done, Restart::Temporary) => (false, Stage::Done),
        (Stage::Done | Stage::Due, _) => (false, Stage::Due),
        (Stage::Waiting, _) => (false, Stage::Waiting),
    }
}

/// Whether the child at `place` may be started now. `opening` is true until all children have been up once: then
/// every strategy starts them in order, because start order is dependency order.
pub(crate) fn may_start(strategy: Strategy, opening: bool, place: usize, stages: &[Stage]) -> bool {
    if stages.get(place) != Some(&Stage::Due) {
        return false;
    }
    if strategy == Strategy::OneForOne && !opening {
        return true;
    }
    let (before, from) = stages.split_at(place.min(stages.len()));
    before
        .iter()
        .all(|stage| matches!(stage, Stage::Up | Stage::Done))
        && from.iter().all(|stage| *stage != Stage::Ending)
}

#[cfg(test)]
mod tests {
    use super::Stage::{Done, Due, Ending, Starting, Up, Waiting};
    use super::Strategy::{OneForAll, OneForOne, RestForOne};
    use super::{affected, fate, may_start};
    use crate::child::Restart::{Permanent, Temporary, Transient};

    #[test]
    fn a_strategy_names_those_who_share_a_fate() {
        let table = [
            (OneForOne, 0, 3, 0..1),
            (OneForOne, 2, 3, 2..3),
            (OneForAll, 0, 3, 0..3),
            (OneForAll, 2, 3, 0..3),
            (RestForOne, 0, 3, 0..3),
            (RestForOne, 1, 3, 1..3),
            (RestForOne, 2, 3, 2..3),
        ];
        for (strategy, failed, children, expected) in table {
            assert_eq!(
                affected(strategy, failed, children),
                expected,
                "{strategy:?}, {failed} of {children}"
            );
        }
    }

    #[test]
    fn a_shared_fate_stops_those_who_live() {
        let table = [
            (Up, Permanent, (true, Ending)),
            (Starting, Permanent, (true, Ending)),
            (Up, Temporary, (true, Ending)),
            (Ending, Permanent, (false, Ending)),
            (Due, Permanent, (false, Due)),
            (Waiting, Permanent, (false, Waiting)),
            (Done, Transient, (false, Due)),
            (Done, Temporary, (false, Done)),
        ];
        for (stage, restart, expected) in table {
            assert_eq!(fate(stage, restart), expected, "{stage:?} {restart:?}");
        }
    }

    #[test]
    fn a_child_starts_when_those_it_depends_on_are_up() {
        let table = [
            // At first, in order, whatever the strategy.
            (OneForOne, true, 0, vec![Due, Due], true),
            (OneForOne, true, 1, vec![Due, Due], false),
            (OneForOne, true, 1, vec![Starting, Due], false),
            (OneForOne, true, 1, vec![Up, Due], true),
            (OneForOne, true, 1, vec![Done, Due], true),
            (OneForOne, true, 1, vec![Waiting, Due], false),
            // Later, one-for-one depends on nobody.
            (OneForOne, false, 1, vec![Waiting, Due], true),
            (OneForOne, false, 0, vec![Due, Starting], true),
            // Groups end as a whole before any of them starts, and start in order.
            (OneForAll, false, 0, vec![Due, Ending], false),
            (OneForAll, false, 0, vec![Due, Due], true),
            (OneForAll, false, 1, vec![Starting, Due], false),
            (OneForAll, false, 1, vec![Up, Due, Due], true),
            (RestForOne, false, 1, vec![Up, Due, Ending], false),
            (RestForOne, false, 1, vec![Up, Due, Due], true),
            (RestForOne, false, 1, vec![Ending, Due, Due], false),
            // Only the due.
            (OneForOne, false, 0, vec![Waiting], false),
            (OneForOne, false, 0, vec![Up], false),
            (OneForOne, false, 0, vec![Done], false),
            (OneForOne, false, 1, vec![Due], false),
        ];
        for (strategy, opening, place, stages, expected) in table {
            let allowed = may_start(strategy, opening, place, &stages);
            assert_eq!(
                allowed, expected,
                "{strategy:?} opening {opening}, {place} of {stages:?}"
            );
        }
    }
}
