//! Verbs on actors.

use crate::verb::{Argument, Effect, Flag, Inverse, Kind, Place, Role, Verb};

const PATH: Argument = Argument::required("path", Kind::Path, "Which actor");

pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: &["actor"],
        summary: "Shows an actor with what it says of itself, or suspends, resumes, restarts or kills it",
        arguments: &[
            PATH,
            Argument::optional(
                "what",
                Kind::Word(&["state", "suspend", "resume", "restart", "kill"]),
                "state (without it), suspend (what is sent to it waits) and resume, restart (ends and starts it afresh), \
                 kill (in the middle of whatever it does)",
            ),
        ],
        // Everybody may look; what is for administrators the verb says itself.
        role: Role::Reader,
        effect: Effect::Changes {
            inverse: Inverse::Nothing(
                "resume undoes suspend; what is restarted or killed is started again by its supervisor",
            ),
        },
        ..Verb::CHANGES
    },
    Verb {
        name: &["crash", "list"],
        summary: "Lists the latest crashes, the last one first",
        flags: &[
            Flag::value("path", "PATH", Kind::Path, "Only of what lives there or below"),
            Flag::value("limit", "N", Kind::Number, "How many at most; 50 without it"),
        ],
        ..Verb::READS
    },
    Verb {
        name: &["crash", "show"],
        summary: "Shows all that is known of a crash",
        arguments: &[Argument::required(
            "crash",
            Kind::Crash,
            "Its number, from crash list",
        )],
        ..Verb::READS
    },
    Verb {
        name: &["overview"],
        summary: "Tells what top shows: how the server is, all classes, and the busiest actors",
        hidden: true,
        ..Verb::READS
    },
    Verb {
        name: &["stuck"],
        summary: "Lists the actors whose oldest message has waited long",
        flags: &[Flag::value(
            "older-than",
            "DURATION",
            Kind::Duration,
            "How long; 5s without it",
        )],
        ..Verb::READS
    },
    Verb {
        name: &["top"],
        summary: "Shows classes, queue and the busiest actors on a full screen, until q is pressed",
        flags: &[Flag::value(
            "every",
            "DURATION",
            Kind::Duration,
            "How often; 1s without it",
        )],
        place: Place::Client,
        ..Verb::READS
    },
    Verb {
        name: &["tree"],
        summary: "Shows the supervision tree, or the part of it below a path",
        arguments: &[Argument::optional(
            "path",
            Kind::Path,
            "Where to begin; everything without it",
        )],
        flags: &[Flag::value(
            "depth",
            "N",
            Kind::Number,
            "How many levels below that place",
        )],
        ..Verb::READS
    },
];
