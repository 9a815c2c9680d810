//! What becomes of a dynamic child that has ended. A pure function over how it ended and what it is.

use crate::child::Restart;

/// What becomes of a dynamic child that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mend {
    /// It rests: idle until the next demand, or gone.
    Rest,
    /// The crash counts; if that was not one too many, it rests.
    CountAndRest,
    /// The end counts; if that was not one too many, it is started again.
    CountAndRestart,
}

pub(crate) fn mend(restart: Restart, on_demand: bool, crashed: bool) -> Mend {
    match (on_demand, crashed, restart) {
        // A permanent child made on demand is still one that nobody demands.
        (true, false, _) => Mend::Rest,
        (true, true, Restart::Temporary) => Mend::CountAndRest,
        (true, true, Restart::Permanent | Restart::Transient) => Mend::CountAndRestart,
        (false, _, Restart::Permanent) | (false, true, Restart::Transient) => Mend::CountAndRestart,
        (false, _, Restart::Temporary) | (false, false, Restart::Transient) => Mend::Rest,
    }
}

#[cfg(test)]
mod tests {
    use super::Mend::{CountAndRest, CountAndRestart, Rest};
    use super::mend;
    use crate::child::Restart::{Permanent, Temporary, Transient};

    #[test]
    fn mends_by_rule() {
        let table = [
            (Permanent, false, false, CountAndRestart),
            (Permanent, false, true, CountAndRestart),
            (Transient, false, false, Rest),
            (Transient, false, true, CountAndRestart),
            (Temporary, false, false, Rest),
            (Temporary, false, true, Rest),
            (Permanent, true, false, Rest),
            (Permanent, true, true, CountAndRestart),
            (Transient, true, false, Rest),
            (Transient, true, true, CountAndRestart),
            (Temporary, true, false, Rest),
            (Temporary, true, true, CountAndRest),
        ];
        for (restart, on_demand, crashed, expected) in table {
            let mended = mend(restart, on_demand, crashed);
            assert_eq!(
                mended, expected,
                "{restart:?} on demand {on_demand} crashed {crashed}"
            );
        }
    }
}
