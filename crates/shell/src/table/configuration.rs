//! Verbs on the configuration of a running server.

use crate::verb::{Effect, Flag, Inverse, Kind, Verb};

pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: &["reload"],
        summary: "Reads the configuration anew and takes it up, or leaves all as it was",
        flags: &[
            Flag::switch(
                "plan",
                "Says what differs and whom it touches, and does nothing, as --dry-run",
            ),
            Flag::value(
                "rollback",
                "RECEIPT",
                Kind::Receipt,
                "Returns to what came into force with this receipt; see reload list",
            ),
        ],
        effect: Effect::Changes {
            inverse: Inverse::Verb("reload"),
        },
        ..Verb::CHANGES
    },
    Verb {
        name: &["reload", "list"],
        summary: "Lists the configurations that can be returned to, the newest first",
        ..Verb::READS
    },
];
