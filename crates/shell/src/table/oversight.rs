//! Verbs on who is sent away, on what operators did, and on the log.

use crate::verb::{Argument, Effect, Flag, Inverse, Kind, Place, Verb};

const NETWORK: Argument = Argument::required(
    "network",
    Kind::Network,
    "An address or a network, as 192.0.2.7 or 2001:db8::/64",
);

const READS: Verb = Verb {
    place: Place::Either,
    ..Verb::READS
};

const fn undone_by(inverse: &'static str) -> Effect {
    Effect::Changes {
        inverse: Inverse::Verb(inverse),
    }
}

pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: &["audit", "list"],
        summary: "Lists what operators changed, the newest first",
        flags: &[
            Flag::value("limit", "N", Kind::Number, "At most so many; 50 without it"),
            Flag::value(
                "before",
                "RECEIPT",
                Kind::Receipt,
                "Goes on with what is older than this",
            ),
        ],
        ..READS
    },
    Verb {
        name: &["audit", "show"],
        summary: "Tells all of one change",
        arguments: &[Argument::required("receipt", Kind::Receipt, "Its receipt")],
        ..READS
    },
    Verb {
        name: &["ban", "add"],
        summary: "Sends an address or a network away; the reason is kept with the ban",
        arguments: &[NETWORK],
        flags: &[Flag::value(
            "for",
            "DURATION",
            Kind::Duration,
            "How long, as 12h or 7d; without it until it is taken back",
        )],
        place: Place::Either,
        effect: undone_by("ban remove"),
        ..Verb::CHANGES
    },
    Verb {
        name: &["ban", "list"],
        summary: "Lists the bans, also those that have ended and are remembered",
        ..READS
    },
    Verb {
        name: &["ban", "remove"],
        summary: "Takes a ban back, and forgets it",
        arguments: &[NETWORK],
        place: Place::Either,
        effect: undone_by("ban add"),
        ..Verb::CHANGES
    },
    Verb {
        name: &["log", "level"],
        summary: "Changes what the log writes until the next start or reload; shows it when nothing is named",
        arguments: &[Argument::any(
            "level",
            Kind::Text,
            "A level for everything, as debug, or for a target, as angarium::smtp=debug; =default takes it back",
        )],
        effect: undone_by("log level"),
        ..Verb::CHANGES
    },
];
