//! The table of verbs. There is one; a file for each area below it.

mod accounts;
mod actors;
mod configuration;
mod domains;
mod mail;
mod oversight;
mod server;
mod store;

use crate::verb::{Flag, Kind, Verb};

/// What belongs together, under a heading of the help.
#[derive(Debug, Clone, Copy)]
pub struct Area {
    /// The heading.
    pub name: &'static str,
    /// Its verbs, in the order of the help.
    pub verbs: &'static [Verb],
}

/// Every verb there is.
pub static AREAS: &[Area] = &[
    Area {
        name: "Accounts",
        verbs: accounts::VERBS,
    },
    Area {
        name: "Domains, aliases and tenants",
        verbs: domains::VERBS,
    },
    Area {
        name: "Mail on its way",
        verbs: mail::VERBS,
    },
    Area {
        name: "Bans, the audit and the log",
        verbs: oversight::VERBS,
    },
    Area {
        name: "Actors",
        verbs: actors::VERBS,
    },
    Area {
        name: "The store",
        verbs: store::VERBS,
    },
    Area {
        name: "The configuration",
        verbs: configuration::VERBS,
    },
    Area {
        name: "The server and this shell",
        verbs: server::VERBS,
    },
];

/// What may be stored at most.
const LIMITS: &[Flag] = &[OCTETS, MESSAGES];
/// What a tenant may have at most.
const TENANT_LIMITS: &[Flag] = &[
    Flag::value("accounts", "N", Kind::Text, "How many accounts; none is no limit"),
    OCTETS,
    MESSAGES,
];
const OCTETS: Flag = Flag::value(
    "size",
    "SIZE",
    Kind::Text,
    "How much mail, as 5GiB; none is no limit",
);
const MESSAGES: Flag = Flag::value("messages", "N", Kind::Text, "How many messages; none is no limit");

/// Every verb there is, in the order of the areas.
pub fn verbs() -> impl Iterator<Item = &'static Verb> {
    AREAS.iter().flat_map(|area| area.verbs)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::verb::{Effect, Inverse, Role};

    #[test]
    fn the_table_is_in_order() {
        let mut names = BTreeSet::new();
        for verb in verbs() {
            let words = verb.words();
            assert!(
                !verb.name.is_empty() && names.insert(words.clone()),
                "{words} is twice"
            );
            assert!(
                !verb.summary.is_empty() && !verb.summary.ends_with('.'),
                "{words}: a sentence without a full stop"
            );
            for word in verb.name {
                assert!(
                    word.chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                    "{words}: small letters, digits and dashes"
                );
            }
            let mut is_optional = false;
            for (number, argument) in verb.arguments.iter().enumerate() {
                assert!(
                    !(is_optional && argument.is_needed()),
                    "{words}: {argument} behind an optional one"
                );
                assert!(
                    !argument.is_many() || number + 1 == verb.arguments.len(),
                    "{words}: {argument} is not the last"
                );
                is_optional |= !argument.is_needed();
            }
            let mut flags = BTreeSet::new();
            let arguments = verb.arguments.iter().map(|argument| argument.name);
            for name in arguments.chain(verb.all_flags().map(|flag| flag.name)) {
                assert!(flags.insert(name), "{words}: {name} is twice");
            }
        }
    }

    #[test]
    fn what_changes_is_for_administrators() {
        for verb in verbs().filter(|verb| matches!(verb.effect, Effect::Changes { .. })) {
            // Of it a part only reads; it asks for itself who may do the rest.
            let asks_itself = verb.name == ["actor"];
            assert!(
                asks_itself || verb.role == Role::Administrator,
                "{}",
                verb.words()
            );
        }
    }

    #[test]
    fn every_inverse_is_a_verb() {
        for verb in verbs() {
            if let Effect::Changes {
                inverse: Inverse::Verb(inverse),
            } = verb.effect
            {
                assert!(
                    verbs().any(|it| it.words() == inverse),
                    "{}: {inverse}",
                    verb.words()
                );
            }
        }
    }
}
