//! Verbs on accounts and what opens them.

use crate::verb::{Argument, Effect, Flag, Inverse, Kind, Place, Verb};

const ACCOUNT: Argument = Argument::required("address", Kind::Account, "Its address, as alice@example.org");
const NEW_ACCOUNT: Argument = Argument::required("address", Kind::Text, "Its address, as alice@example.org");
const NEW_NAME: Argument = Argument::required("name", Kind::Text, "Its new address, in a domain of ours");
const PROGRAM: Argument = Argument::required("name", Kind::Text, "What the password is called, as telephone");
const IDENTITY: Argument = Argument::required(
    "identity",
    Kind::Text,
    "As whom: sales@example.org, or @example.org for every address of the domain",
);

const READS: Verb = Verb {
    place: Place::Either,
    ..Verb::READS
};
const CHANGES: Verb = Verb {
    place: Place::Either,
    ..Verb::CHANGES
};

const fn undone_by(verb: &'static str) -> Effect {
    Effect::Changes {
        inverse: Inverse::Verb(verb),
    }
}

const fn final_because(why: &'static str) -> Effect {
    Effect::Changes {
        inverse: Inverse::Nothing(why),
    }
}

pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: &["account", "add"],
        summary: "Adds an account, and its domain if that is new; takes the password from standard input or asks for it",
        arguments: &[NEW_ACCOUNT],
        effect: undone_by("account delete"),
        secret: Some("Password"),
        ..CHANGES
    },
    Verb {
        name: &["account", "app-password", "add"],
        summary: "Makes a password for one program and shows it, this once",
        arguments: &[ACCOUNT, PROGRAM],
        flags: &[
            Flag::values(
                "protocol",
                "WORD",
                Kind::Word(&["smtp", "pop3", "imap"]),
                "What it opens, more than once for more; everything when none is named",
            ),
            Flag::value(
                "expires",
                "DURATION",
                Kind::Duration,
                "How long it is good, as 90d; for ever without",
            ),
        ],
        effect: undone_by("account app-password remove"),
        ..CHANGES
    },
    Verb {
        name: &["account", "app-password", "list"],
        summary: "Lists the names of an account's passwords, with what they open and until when",
        arguments: &[ACCOUNT],
        ..READS
    },
    Verb {
        name: &["account", "app-password", "remove"],
        summary: "Takes the password of a program away",
        arguments: &[ACCOUNT, PROGRAM],
        effect: final_because("the password is not kept; another can be made"),
        ..CHANGES
    },
    Verb {
        name: &["account", "delete"],
        summary: "Deletes an account with all its mail, and ends the sessions that are in it",
        arguments: &[ACCOUNT],
        effect: final_because("its mail is gone"),
        ..CHANGES
    },
    Verb {
        name: &["account", "identity", "add"],
        summary: "Lets an account send as an address, or as every address of a domain",
        arguments: &[ACCOUNT, IDENTITY],
        effect: undone_by("account identity remove"),
        ..CHANGES
    },
    Verb {
        name: &["account", "identity", "list"],
        summary: "Lists what an account may send as, besides its own address",
        arguments: &[ACCOUNT],
        ..READS
    },
    Verb {
        name: &["account", "identity", "remove"],
        summary: "Lets an account send as somebody no longer",
        arguments: &[ACCOUNT, IDENTITY],
        effect: undone_by("account identity add"),
        ..CHANGES
    },
    Verb {
        name: &["account", "limit"],
        summary: "Says what an account may store; what is not named stays as it is",
        arguments: &[ACCOUNT],
        flags: super::LIMITS,
        effect: undone_by("account limit"),
        ..CHANGES
    },
    Verb {
        name: &["account", "list"],
        summary: "Lists the accounts with what they hold",
        ..READS
    },
    Verb {
        name: &["account", "password"],
        summary: "Sets the password, taken from standard input or asked for; sessions that stand go on",
        arguments: &[ACCOUNT],
        effect: final_because("the old password is not known"),
        secret: Some("Password"),
        ..CHANGES
    },
    Verb {
        name: &["account", "rename"],
        summary: "Gives an account another address; its mail stays, aliases and catch-alls follow, the old address is free",
        arguments: &[ACCOUNT, NEW_NAME],
        flags: &[Flag::switch(
            "keep-alias",
            "Keep the old address as an alias of the new one",
        )],
        effect: undone_by("account rename"),
        ..CHANGES
    },
    Verb {
        name: &["account", "resume"],
        summary: "Lets people log in again to an account that was suspended, and takes its mail again",
        arguments: &[ACCOUNT],
        effect: undone_by("account suspend"),
        ..CHANGES
    },
    Verb {
        name: &["account", "show"],
        summary: "Tells all that is known of an account",
        arguments: &[ACCOUNT],
        ..READS
    },
    Verb {
        name: &["account", "suspend"],
        summary: "Lets nobody log in to an account, and ends the sessions that are in it; its mail is taken and kept",
        arguments: &[ACCOUNT],
        flags: &[Flag::switch(
            "refuse-mail",
            "Refuse mail for it, too; what was accepted before is delivered",
        )],
        effect: undone_by("account resume"),
        ..CHANGES
    },
];
