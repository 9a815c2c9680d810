//! Verbs that look after the store.

use crate::verb::{Argument, Effect, Flag, Inverse, Kind, Place, Role, Verb};

/// The directory of backups.
const BACKUPS: Argument = Argument::required("directory", Kind::File, "Where the backups are");

pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: &["backup"],
        summary: "Takes a backup into a directory: what the directory has is not copied again",
        arguments: &[BACKUPS],
        flags: &[Flag::value(
            "keep",
            "NUMBER",
            Kind::Number,
            "How many backups stay there; the older ones go",
        )],
        effect: Effect::Changes {
            inverse: Inverse::Nothing("the next backup with --keep removes it"),
        },
        place: Place::Either,
        ..Verb::CHANGES
    },
    Verb {
        name: &["backup", "list"],
        summary: "Lists the backups in a directory",
        arguments: &[BACKUPS],
        role: Role::Administrator,
        place: Place::Either,
        ..Verb::READS
    },
    Verb {
        name: &["backup", "verify"],
        summary: "Restores a backup aside, goes over every record and every message of it, and removes it again",
        arguments: &[
            BACKUPS,
            Argument::optional("name", Kind::Text, "Which backup; the newest if none is named"),
        ],
        flags: &[Flag::value(
            "aside",
            "DIRECTORY",
            Kind::File,
            "Where it is restored; in the directory of the backups if none is named",
        )],
        role: Role::Administrator,
        place: Place::Either,
        ..Verb::READS
    },
    Verb {
        name: &["check", "store"],
        summary: "Goes over every record and every message of the store",
        flags: &[
            Flag::switch(
                "accept-truncation",
                "Opens a store whose newest commands are missing, and takes the loss as the truth from then on",
            ),
            Flag::switch(
                "repair",
                "Says what would be set aside or made anew; on a stopped server",
            ),
            Flag::switch("apply", "Does it, too"),
            Flag::value("reason", "TEXT", Kind::Text, "Why it is repaired, for the audit"),
        ],
        role: Role::Administrator,
        place: Place::Either,
        ..Verb::READS
    },
    Verb {
        name: &["migrate"],
        summary: "Brings the store of a stopped server to the newest format",
        effect: Effect::Changes {
            inverse: Inverse::Nothing("restore a backup that was taken before"),
        },
        place: Place::Stopped,
        ..Verb::CHANGES
    },
    Verb {
        name: &["restore"],
        summary: "Makes a new data directory, which --data names, of a backup",
        arguments: &[BACKUPS],
        flags: &[Flag::value(
            "name",
            "NAME",
            Kind::Text,
            "Which backup; the newest if none is named",
        )],
        effect: Effect::Changes {
            inverse: Inverse::Nothing("the new directory can be removed"),
        },
        place: Place::Stopped,
        ..Verb::CHANGES
    },
    Verb {
        name: &["space"],
        summary: "Tells what the store takes on the disk, and what could be given back",
        place: Place::Either,
        ..Verb::READS
    },
    Verb {
        name: &["space", "reclaim"],
        summary: "Gives the space back that deleted mail has left",
        effect: Effect::Changes {
            inverse: Inverse::Nothing("nothing but garbage goes"),
        },
        place: Place::Either,
        ..Verb::CHANGES
    },
    Verb {
        name: &["upkeep"],
        summary: "Tells which long work on the store is under way, how far it is, and which was last",
        ..Verb::READS
    },
    Verb {
        name: &["upkeep", "end"],
        summary: "Ends the long work on the store that is under way",
        effect: Effect::Changes {
            inverse: Inverse::Nothing("it can be asked for again"),
        },
        ..Verb::CHANGES
    },
];
