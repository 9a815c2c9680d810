//! Verbs on mail that is on its way, and on what happened to it.

use crate::verb::{Argument, Effect, Flag, Inverse, Kind, Place, Role, Verb};

const MESSAGE: Argument = Argument::required(
    "message",
    Kind::Message,
    "Its id, as the reply to its sender and its Received field name it",
);
const MESSAGES: Argument = Argument::several("message", Kind::Message, "Their ids");

const READS: Verb = Verb {
    place: Place::Either,
    ..Verb::READS
};

/// A verb on messages that nothing undoes.
const fn changes(why: &'static str) -> Verb {
    Verb {
        place: Place::Either,
        effect: Effect::Changes {
            inverse: Inverse::Nothing(why),
        },
        ..Verb::CHANGES
    }
}

/// Whom to listen to, and for how long.
const LISTENING: &[Flag] = &[
    Flag::value(
        "peer",
        "NETWORK",
        Kind::Network,
        "Whose sessions: an address or a network; everybody's without it",
    ),
    Flag::value(
        "lines",
        "N",
        Kind::Number,
        "Ends behind so many lines; 1000 without it, at most 100000",
    ),
    Flag::value(
        "for",
        "DURATION",
        Kind::Duration,
        "Ends after this time; an hour without it",
    ),
];

/// A verb that listens to new sessions of a peer.
const fn listens(name: &'static [&'static str], summary: &'static str) -> Verb {
    Verb {
        name,
        summary,
        flags: LISTENING,
        role: Role::Administrator,
        streams: true,
        ..Verb::READS
    }
}

pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: &["queue", "delete"],
        summary: "Takes messages out of the queue for good, with all recipients that are not done",
        arguments: &[MESSAGES],
        ..changes("the messages are gone")
    },
    Verb {
        name: &["queue", "list"],
        summary: "Lists the recipients that wait, the oldest message first",
        flags: &[
            Flag::switch("held", "Only those that are held for an operator"),
            Flag::value("after", "MESSAGE", Kind::Message, "Goes on behind this message"),
            Flag::value(
                "limit",
                "N",
                Kind::Number,
                "At most so many messages; 100 without it",
            ),
        ],
        ..READS
    },
    Verb {
        name: &["queue", "release"],
        summary: "Has messages tried again at once, also those that are held",
        arguments: &[MESSAGES],
        ..changes("what is delivered is delivered")
    },
    Verb {
        name: &["queue", "show"],
        summary: "Tells all that is known of a message that waits",
        arguments: &[MESSAGE],
        ..READS
    },
    Verb {
        name: &["queue", "why"],
        summary: "Says of each recipient of a message why it waits, since when, by which rule, and what changes it",
        arguments: &[MESSAGE],
        ..READS
    },
    Verb {
        name: &["trace"],
        summary: "Tells what happened to a message, step by step",
        arguments: &[MESSAGE],
        flags: &[Flag::switch(
            "follow",
            "Goes on with each step as it happens, until the message is done",
        )],
        ..READS
    },
    listens(
        &["trace", "pop3"],
        "Shows what is said on new POP3 sessions of a peer, secrets masked",
    ),
    listens(
        &["trace", "smtp"],
        "Shows what is said on new SMTP sessions of a peer, secrets masked",
    ),
];
