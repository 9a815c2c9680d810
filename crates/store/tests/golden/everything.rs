//! Everything: commands that leave a record of every kind, always the same.

use std::time::Duration;

use bytes::Bytes;
use message::{
    address::{DomainName, EmailAddress, ReversePath},
    envelope::{BodyKind, Hold, MailOptions, MtPriority, Notify, RecipientOptions},
    id::{AccountId, CommandId, ConnectionId, MailboxId, ReceiptId, TenantId},
    time::Timestamp,
};
use store::{
    blob::SealedBlob,
    command::*,
    key::mailbox::MailboxKey,
    options::MIN_CHUNK_OCTETS,
    record::{
        audit::{AuditEntry, AuditOutcome},
        configuration::{KeptConfiguration, KeptDocument},
        directory::{AppPassword, Identity, Password, Protocol},
        mailbox::{Flags, MailboxName, Parsed, SystemFlags, Uid},
        spool::{Arrival, Priority, RecipientNumber, Route},
        state::Limits,
        trail::Settlement,
        upkeep::{Upkeep, UpkeepTask},
    },
    store::Store,
};

use super::fixture::{NOW, TENANT, account, blob, furnish, id, message, noise, octets, wait, write_blob};

/// Octets of the messages, by number.
const MESSAGES: [usize; 7] = [
    1,
    2000,
    4096,
    // Two chunks of what does not compress, which the engine keeps apart from their keys.
    MIN_CHUNK_OCTETS + 1,
    // More chunks than go with one command.
    17 * MIN_CHUNK_OCTETS,
    700,
    300,
];

/// The message that does not compress.
const NOISE: usize = 3;

/// Proposes all of them.
pub(super) fn everything(store: &Store) {
    come(store);
    go(store);
}

/// Those that make things.
pub(super) fn come(store: &Store) {
    furnish(store);
    let mut commands = directory();
    commands.extend(records());
    for n in 0..MESSAGES.len() as u64 {
        let sealed = wait(write_blob(store, n, &body(n)));
        commands.push(accept(n, sealed));
    }
    propose(store, 0, commands);
}

/// Those that change them.
pub(super) fn go(store: &Store) {
    propose(store, 1000, mailboxes());
}

fn propose(store: &Store, first: u64, commands: Vec<Command>) {
    for (n, command) in (first..).zip(commands) {
        let at = NOW + Duration::from_millis(n);
        let proposal = Proposal::new(CommandId::new(id(20, n)), at, command);
        wait(store.propose(proposal)).unwrap();
    }
}

/// The octets of a message.
pub(super) fn body(n: u64) -> Vec<u8> {
    let length = *MESSAGES.get(n as usize).unwrap();
    if n as usize == NOISE {
        noise(n, length)
    } else {
        octets(n, length)
    }
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text.as_bytes()).unwrap()
}

fn domain(text: &str) -> DomainName {
    DomainName::parse(text.as_bytes()).unwrap()
}

fn mailbox(n: u64) -> MailboxKey {
    MailboxKey {
        tenant: TENANT,
        account: account(),
        mailbox: MailboxId::new(id(2, n)),
    }
}

fn directory() -> Vec<Command> {
    let password = Password {
        hash: "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$aGFzaA".to_owned(),
        scram: Some("SCRAM-SHA-256$4096:c2FsdA$c3RvcmVk:c2VydmVy".to_owned()),
    };
    let bob = AccountId::new(id(1, 1));
    let app_password = |name: &str, protocols, expires| {
        Command::AddAppPassword(AddAppPassword {
            tenant: TENANT,
            account: account(),
            app_password: AppPassword {
                name: name.to_owned(),
                hash: [7; 32],
                protocols,
                created: NOW,
                expires,
            },
        })
    };
    let identity = |identity| {
        Command::AddIdentity(AddIdentity {
            tenant: TENANT,
            account: account(),
            identity,
        })
    };
    let ban = |network: &str, term| {
        Command::Ban(Ban {
            network: network.parse().unwrap(),
            reason: "wrong passwords".to_owned(),
            term,
        })
    };
    vec![
        Command::CreateTenant(CreateTenant {
            tenant: TenantId::new(2),
            name: "other".to_owned(),
            limits: Limits {
                octets: Some(1 << 30),
                messages: Some(1000),
            },
            max_accounts: Some(5),
        }),
        Command::CreateDomain(CreateDomain {
            tenant: TENANT,
            name: domain("example.net"),
            catch_all: Some(address("anna@example.org")),
        }),
        Command::CreateAccount(CreateAccount {
            tenant: TENANT,
            account: bob,
            address: address("bob@example.net"),
            password: Some(password.clone()),
            limits: Limits {
                octets: Some(1 << 20),
                messages: None,
            },
            mailboxes: NewMailbox::first([10, 11, 12, 13, 14, 15].map(|n| MailboxId::new(id(2, n)))),
        }),
        Command::SetPassword(SetPassword {
            tenant: TENANT,
            account: account(),
            password: Some(password),
        }),
        app_password("phone", Some(vec![Protocol::Smtp]), None),
        app_password("laptop", None, Some(NOW + Duration::from_secs(86_400))),
        identity(Identity::Address(address("sales@example.net"))),
        identity(Identity::Domain(domain("example.org"))),
        Command::CreateAlias(CreateAlias {
            tenant: TENANT,
            address: address("sales@example.org"),
            targets: vec![address("anna@example.org"), address("bob@example.net")],
        }),
        Command::KeepDecoyKey(KeepDecoyKey { key: [9; 32] }),
        ban("192.0.2.0/24", Term::Operator(None)),
        ban(
            "2001:db8::/64",
            Term::Growing {
                first: Duration::from_secs(60),
                longest: Duration::from_secs(3600),
            },
        ),
    ]
}

fn records() -> Vec<Command> {
    let receipt = |n| ReceiptId::new(id(8, n));
    let entry = |n, outcome: AuditOutcome| {
        let entry = AuditEntry {
            id: receipt(n),
            at: NOW,
            who: "uid 0".to_owned(),
            line: "domain add example.net".to_owned(),
            reason: Some("asked for".to_owned()),
            touches: 1,
            what: "adds a domain".to_owned(),
            inverse: Some("domain delete example.net".to_owned()),
            ended: (outcome != AuditOutcome::Begun).then_some(NOW),
            outcome,
            detail: "more of it".to_owned(),
        };
        Command::Record(Box::new(Record { entry }))
    };
    vec![
        entry(0, AuditOutcome::Begun),
        entry(1, AuditOutcome::Done),
        entry(2, AuditOutcome::Failed("it is there".to_owned())),
        Command::KeepConfiguration(Box::new(KeepConfiguration {
            kept: KeptConfiguration {
                id: receipt(3),
                at: NOW,
                documents: vec![KeptDocument {
                    name: "angarium.toml".to_owned(),
                    content: "[server]\nnode = 1\n".to_owned(),
                }],
            },
            forget: Vec::new(),
        })),
        Command::Tend(Tend {
            upkeep: Some(Upkeep {
                receipt: receipt(4),
                at: NOW,
                who: "uid 0".to_owned(),
                line: "backup /backup".to_owned(),
                reason: None,
                task: UpkeepTask::Backup {
                    dir: "/backup".to_owned(),
                    keep: Some(14),
                },
                place: Some(vec![1, 2, 3]),
                done: 4,
                found: 0,
            }),
        }),
    ]
}

/// Accepts a message: the first with all that can be known of one.
fn accept(n: u64, sealed: SealedBlob) -> Command {
    let is_rich = n == 0;
    let options = MailOptions {
        utf8: true,
        hold: Some(Hold::parse_for(b"60").unwrap()),
        priority: MtPriority::try_from(-4).ok(),
        ..MailOptions::default()
    };
    let options = if is_rich { options } else { MailOptions::default() };
    let arrival = if is_rich {
        Arrival {
            connection: Some(ConnectionId::new(id(10, n))),
            peer: Some("192.0.2.7:2525".parse().unwrap()),
            helo: "client.example".to_owned(),
            protocol: "ESMTPSA".to_owned(),
            tls: Some("TLSv1.3 TLS_AES_128_GCM_SHA256".to_owned()),
            login: Some(account()),
            verdicts: vec!["spf=pass".to_owned()],
            ..Arrival::new(NOW)
        }
    } else {
        Arrival::new(NOW)
    };
    let addressee = |to: &str, route, options| Addressee {
        address: address(to),
        original: format!("<{to}>"),
        route,
        options,
    };
    let mut recipients = vec![addressee(
        "anna@example.org",
        Route::Local(account()),
        RecipientOptions::default(),
    )];
    if is_rich {
        let options = RecipientOptions {
            notify: Some(Notify::Never),
            original: None,
        };
        recipients.push(addressee(
            "carl@example.com",
            Route::Remote(domain("example.com")),
            options,
        ));
        recipients.push(addressee(
            "sink@example.org",
            Route::Discard,
            RecipientOptions::default(),
        ));
        for name in ["dora", "emil"] {
            let to = format!("{name}@example.org");
            recipients.push(addressee(
                &to,
                Route::Local(account()),
                RecipientOptions::default(),
            ));
        }
    }
    let spooled = Spooled {
        tenant: TENANT,
        message: message(n),
        reverse_path: if is_rich {
            ReversePath::Address(address("sender@example.com"))
        } else {
            ReversePath::Null
        },
        body: BodyKind::EightBitMime,
        blob: sealed.blob.clone(),
        arrival,
        priority: Priority::of(options.priority),
        due: NOW,
        options,
        recipients,
    };
    Command::Accept(Accept::new(
        spooled,
        sealed,
        "/listeners/mx/connections/1",
        "250 2.0.0 accepted",
    ))
}

/// Messages 1 to 6 go into mailboxes, and then this and that happens to them.
fn mailboxes() -> Vec<Command> {
    let append = |n: u64, into: u64| {
        Command::Append(Append {
            tenant: TENANT,
            message: message(n),
            recipient: RecipientNumber::new(0),
            blob: blob(n),
            account: account(),
            mailbox: mailbox(into).mailbox,
            prefix: Bytes::from_static(b"Delivered-To: anna@example.org\r\n"),
            flags: Flags::new(SystemFlags::default(), []),
            internal_date: NOW,
            parsed: if n == 1 { Parsed::Whole } else { Parsed::Not },
            structure: (n == 1).then(|| Bytes::from_static(b"structure")),
            actor: "/tenants/default/queues/local".to_owned(),
        })
    };
    let settle = |recipient, settlement| {
        Command::Settle(Settle {
            tenant: TENANT,
            message: message(0),
            recipient: RecipientNumber::new(recipient),
            blob: blob(0),
            attempt: 1,
            settlement,
            actor: "/tenants/default/queues/local".to_owned(),
        })
    };
    let why = || "over the quota".to_owned();
    let later: Timestamp = NOW + Duration::from_secs(60);
    vec![
        settle(
            0,
            Settlement::Deferred {
                next_due: later,
                why: why(),
            },
        ),
        settle(1, Settlement::Bounced { why: why() }),
        settle(
            2,
            Settlement::Delivered {
                reply: "discarded".to_owned(),
            },
        ),
        settle(3, Settlement::Held { why: why() }),
        append(1, 0),
        append(2, 0),
        append(3, 0),
        append(4, 0),
        // Junk.
        append(5, 3),
        Command::ChangeFlags(ChangeFlags {
            mailbox: mailbox(0),
            uids: vec![Uid::new(1)],
            change: FlagChange::Add(Flags::new(SystemFlags::SEEN, [])),
            unchanged_since: None,
        }),
        Command::Expunge(Expunge {
            mailbox: mailbox(0),
            messages: vec![(Uid::new(2), blob(2)), (Uid::new(4), blob(4))],
        }),
        Command::DeleteMailbox(DeleteMailbox {
            mailbox: mailbox(3),
            name: MailboxName::new("Junk").unwrap(),
        }),
        Command::CreateMailbox(CreateMailbox {
            tenant: TENANT,
            account: account(),
            mailbox: NewMailbox {
                id: MailboxId::new(id(2, 20)),
                name: MailboxName::new("Work/2027").unwrap(),
                special_use: None,
                subscribed: false,
            },
        }),
        Command::Remove(Remove {
            tenant: TENANT,
            message: message(6),
            blob: blob(6),
            recipients: vec![RecipientNumber::new(0)],
            why: "unwanted".to_owned(),
            actor: "/shell".to_owned(),
        }),
    ]
}
