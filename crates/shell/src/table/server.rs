//! Verbs on the server as a whole, on who is connected, and on the shell itself.

use crate::verb::{Argument, Effect, Flag, Inverse, Kind, Place, Verb};

pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: &["complete"],
        summary: "Lists what is alive of a kind and begins so",
        arguments: &[
            Argument::required("kind", Kind::Text, "Of which kind"),
            Argument::optional("beginning", Kind::Text, "How it begins"),
        ],
        hidden: true,
        ..Verb::READS
    },
    Verb {
        name: &["help"],
        summary: "Lists the verbs, or tells all of one",
        arguments: &[Argument::any(
            "verb",
            Kind::Verb,
            "Which verb, or the words it begins with",
        )],
        place: Place::Client,
        ..Verb::READS
    },
    Verb {
        name: &["kick"],
        summary: "Ends sessions in order, and those that do not end at once after five seconds",
        arguments: &[Argument::required(
            "whom",
            Kind::Session,
            "The id of a session, an account, or the address of a peer",
        )],
        flags: &[Flag::switch("now", "Ends them in the middle of whatever they do")],
        effect: Effect::Changes {
            inverse: Inverse::Nothing("who was sent away may come again; ban keeps him out"),
        },
        ..Verb::CHANGES
    },
    Verb {
        name: &["quit"],
        summary: "Leaves the shell",
        place: Place::Client,
        ..Verb::READS
    },
    Verb {
        name: &["status"],
        summary: "Tells how the server is, on one page",
        ..Verb::READS
    },
    Verb {
        name: &["watch"],
        summary: "Asks again and again, until it is interrupted",
        arguments: &[Argument::several(
            "line",
            Kind::Verb,
            "What to ask, as it would be typed",
        )],
        flags: &[Flag::value(
            "every",
            "DURATION",
            Kind::Duration,
            "How often; 2s without it",
        )],
        place: Place::Client,
        ..Verb::READS
    },
    Verb {
        name: &["who"],
        summary: "Lists the sessions: who is connected, since when, and what he is doing",
        flags: &[
            Flag::value("listener", "NAME", Kind::Listener, "Only those of this listener"),
            Flag::value("account", "ADDRESS", Kind::Account, "Only those of this account"),
            Flag::value("peer", "ADDRESS", Kind::Text, "Only those from this address"),
            Flag::value("limit", "N", Kind::Number, "How many at most; 1000 without it"),
        ],
        ..Verb::READS
    },
];
