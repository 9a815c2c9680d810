//! Verbs on domains, aliases and tenants.

use crate::verb::{Argument, Effect, Flag, Inverse, Kind, Place, Verb};

const DOMAIN: Argument = Argument::required("domain", Kind::Domain, "Its name, as example.org");
const ALIAS: Argument = Argument::required("address", Kind::Alias, "The address, as sales@example.org");
const TENANT: Argument = Argument::required("tenant", Kind::Tenant, "Its name");

const READS: Verb = Verb {
    place: Place::Either,
    ..Verb::READS
};

const fn changes(inverse: &'static str) -> Verb {
    Verb {
        place: Place::Either,
        effect: Effect::Changes {
            inverse: Inverse::Verb(inverse),
        },
        ..Verb::CHANGES
    }
}

pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: &["alias", "add"],
        summary: "Lets an address stand for others",
        arguments: &[
            Argument::required("address", Kind::Text, "The address, in a domain of ours"),
            Argument::several("target", Kind::Text, "Whom it stands for"),
        ],
        ..changes("alias delete")
    },
    Verb {
        name: &["alias", "delete"],
        summary: "Lets an address stand for others no longer",
        arguments: &[ALIAS],
        ..changes("alias add")
    },
    Verb {
        name: &["alias", "list"],
        summary: "Lists the aliases and whom they stand for",
        ..READS
    },
    Verb {
        name: &["alias", "show"],
        summary: "Tells whom an alias stands for, and to which accounts its mail goes",
        arguments: &[ALIAS],
        ..READS
    },
    Verb {
        name: &["domain", "add"],
        summary: "Takes mail for a domain",
        arguments: &[Argument::required(
            "domain",
            Kind::Text,
            "Its name, as example.org",
        )],
        ..changes("domain delete")
    },
    Verb {
        name: &["domain", "catch-all"],
        summary: "Says who gets what no address of a domain matches",
        arguments: &[
            DOMAIN,
            Argument::optional("address", Kind::Account, "Who gets it"),
        ],
        flags: &[Flag::switch("none", "Nobody: such mail is refused")],
        ..changes("domain catch-all")
    },
    Verb {
        name: &["domain", "delete"],
        summary: "Takes mail for a domain no longer; it must have no addresses",
        arguments: &[DOMAIN],
        ..changes("domain add")
    },
    Verb {
        name: &["domain", "list"],
        summary: "Lists the domains whose mail is ours",
        ..READS
    },
    Verb {
        name: &["domain", "show"],
        summary: "Tells all that is known of a domain",
        arguments: &[DOMAIN],
        ..READS
    },
    Verb {
        name: &["tenant", "limit"],
        summary: "Says what a tenant may have; what is not named stays as it is",
        arguments: &[TENANT],
        flags: super::TENANT_LIMITS,
        ..changes("tenant limit")
    },
    Verb {
        name: &["tenant", "list"],
        summary: "Lists the tenants; a server serves one, which is called default",
        ..READS
    },
    Verb {
        name: &["tenant", "show"],
        summary: "Tells what a tenant has and may have",
        arguments: &[TENANT],
        ..READS
    },
];
