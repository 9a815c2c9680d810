//! Verbs on the server as a whole, and on the shell itself.

use crate::verb::{Argument, Kind, Place, Verb};

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
        name: &["status"],
        summary: "Tells how the server is, on one page",
        ..Verb::READS
    },
];
