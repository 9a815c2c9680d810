//! Golden bytes: a record of a version is these octets for ever, and octets that were changed are damage.

mod damage;
mod mailbox;
mod spool;
mod trail;

use std::net::{Ipv4Addr, SocketAddr};

use message::{
    address::{EmailAddress, ReversePath},
    envelope::{
        BodyKind, DeliverBy, EnvelopeId, Hold, MailOptions, MtPriority, Notify, OriginalRecipient,
        RecipientOptions, Return, Submitter,
    },
    id::{AccountId, BlobId, CommandId, ConnectionId, MailboxId, MessageId, ReceiptId, TenantId},
    time::Timestamp,
};

use super::{
    audit::{AuditEntry, AuditOutcome},
    ban::{Ban, Origin},
    blob::BlobRow,
    directory::*,
    job::{BlobTombstone, MailboxTombstone},
    mailbox::*,
    once::CommandResult,
    spool::*,
    state::{AccountState, FenceRow, Limits, TenantState, Usage},
    trail::{Settlement, TrailEvent, TrailRecipient, TrailStep},
    upkeep::{Upkeep, UpkeepTask},
    *,
};
use crate::{
    apply::outcome::{Appended, Outcome},
    blob::BlobRef,
};

/// The record reads back as itself, is written as these octets, and no octet of it can change unnoticed.
fn check<R: Record + PartialEq + std::fmt::Debug>(record: &R, golden: &str) {
    let octets = encode(record).expect("a record that can be written");
    let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(hex, golden, "{}", R::NAME);
    assert_eq!(&decode::<R>(&octets).expect("a record that can be read"), record);
    for place in 0..octets.len() {
        let mut damaged = octets.to_vec();
        damaged[place] ^= 1;
        assert!(decode::<R>(&damaged).is_err(), "{} changed at {place}", R::NAME);
        assert!(
            decode::<R>(&octets[..place]).is_err(),
            "{} cut at {place}",
            R::NAME
        );
    }
}

/// A record of an older version, as it was written then, is read as this one.
fn check_older<R: Record + PartialEq + std::fmt::Debug>(record: &R, golden: &str) {
    let octets: Vec<u8> = (0..golden.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&golden[at..at + 2], 16).expect("digits"))
        .collect();
    assert!(octets[0] < R::VERSION);
    assert_eq!(&decode::<R>(&octets).expect("a record that can be read"), record);
}

const AT: Timestamp = Timestamp::from_millis(1_700_000_000_123);

fn address(text: &str) -> EmailAddress {
    text.parse().expect("an address")
}

fn blob() -> BlobRef {
    BlobRef {
        id: BlobId::from_bytes([2; 16]),
        octets: 4096,
        checksum: [3; 32],
        chunks: 1,
    }
}

fn account() -> AccountId {
    AccountId::from_bytes([4; 16])
}

fn arrival() -> Arrival {
    Arrival {
        connection: Some(ConnectionId::from_bytes([5; 16])),
        peer: Some(SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 25))),
        helo: "mx.example".to_owned(),
        protocol: "ESMTPS".to_owned(),
        tls: Some("TLSv1.3".to_owned()),
        login: Some(account()),
        verdicts: vec!["spf=pass".to_owned()],
        ..Arrival::new(AT)
    }
}

fn mail_options() -> MailOptions {
    MailOptions {
        utf8: true,
        ret: Some(Return::Headers),
        envelope_id: EnvelopeId::parse(b"QQ+20314159").ok(),
        submitter: Some(Submitter::Address(address("a@example.org"))),
        hold: Hold::parse_for(b"60").ok(),
        deliver_by: DeliverBy::parse(b"-60;NT").ok(),
        priority: MtPriority::parse(b"-3").ok(),
        require_tls: true,
    }
}

fn recipient_options() -> RecipientOptions {
    RecipientOptions {
        notify: Notify::parse(b"SUCCESS,DELAY").ok(),
        original: OriginalRecipient::parse(b"rfc822;a+2Bb@example.org").ok(),
    }
}

#[test]
fn bans_are_golden() {
    let ban = Ban {
        since: AT,
        until: Some(Timestamp::from_millis(1_700_003_600_123)),
        reason: "wrong passwords".to_owned(),
        origin: Origin::Automatic,
        count: 2,
    };
    check(
        &ban,
        "01fbd095ffbc3101fbadf180bd310f77726f6e672070617373776f726473010252bd60b3",
    );
}

#[test]
fn entries_of_the_audit_are_golden() {
    let begun = AuditEntry {
        id: ReceiptId::from_bytes([6; 16]),
        at: AT,
        who: "uid 0".to_owned(),
        line: "ban add 192.0.2.0/24".to_owned(),
        reason: Some("spam".to_owned()),
        touches: 1,
        what: "bans a network".to_owned(),
        inverse: Some("ban remove 192.0.2.0/24".to_owned()),
        outcome: AuditOutcome::Begun,
        ended: None,
        detail: String::new(),
    };
    check(
        &begun,
        concat!(
            "0106060606060606060606060606060606fbd095ffbc310575696420301462616e20616464203139",
            "322e302e322e302f323401047370616d010e62616e732061206e6574776f726b011762616e207265",
            "6d6f7665203139322e302e322e302f32340000002b1050a8",
        ),
    );
    let failed = AuditEntry {
        reason: None,
        inverse: None,
        outcome: AuditOutcome::Failed("the store is full".to_owned()),
        ended: Some(AT),
        detail: "more".to_owned(),
        ..begun
    };
    check(
        &failed,
        concat!(
            "0106060606060606060606060606060606fbd095ffbc310575696420301462616e20616464203139",
            "322e302e322e302f323400010e62616e732061206e6574776f726b0002117468652073746f726520",
            "69732066756c6c01fbd095ffbc31046d6f7265a4b8ddf7",
        ),
    );
}

#[test]
fn upkeep_is_golden() {
    let upkeep = Upkeep {
        receipt: ReceiptId::from_bytes([6; 16]),
        at: AT,
        who: "uid 0".to_owned(),
        line: "backup /backup".to_owned(),
        reason: None,
        task: UpkeepTask::Backup {
            dir: "/backup".to_owned(),
            keep: Some(14),
        },
        place: Some(vec![0, 1]),
        done: 300,
        found: 1,
    };
    check(
        &upkeep,
        "0106060606060606060606060606060606fbd095ffbc310575696420300e6261636b7570202f6261636b75700001072f6261636b7570010e01020001ac0201be5974a1",
    );
}

#[test]
fn directory_records_are_golden() {
    check(
        &Tenant {
            name: "default".to_owned(),
            created: AT,
        },
        "010764656661756c74fbd095ffbc310d457f0a",
    );
    check(
        &Claim {
            tenant: TenantId::new(1),
        },
        "01012fc51328",
    );
    let name = message::address::DomainName::parse(b"example.org").expect("a name");
    let catch_all = Some(address("all@example.org"));
    check(
        &Domain {
            name,
            catch_all,
            created: AT,
            addresses: 2,
        },
        "010b6578616d706c652e6f7267010f616c6c406578616d706c652e6f7267fbd095ffbc3102edba6d37",
    );
    check(
        &full_account(),
        "030d61406578616d706c652e6f7267010a246172676f6e32696424010e534352414d2d5348412d32353624010570686f6e65010101010101010101010101010101010101010101010101010101010101010101020002fbd095ffbc3101fbd095ffbc3102000d62406578616d706c652e6f7267010b6578616d706c652e6e6574fbd095ffbc3101fbd095ffbc3101e1e65acb",
    );
    check(
        &DecoyKey {
            key: [7; DECOY_KEY_OCTETS],
        },
        "010707070707070707070707070707070707070707070707070707070707070707f65cdb18",
    );
    let owner = AddressOwner::Account(account());
    check(
        &Address {
            address: address("a@example.org"),
            owner,
        },
        "010d61406578616d706c652e6f7267000404040404040404040404040404040433630dc4",
    );
    let owner = AddressOwner::Alias(vec![address("b@example.org")]);
    check(
        &Address {
            address: address("a@example.org"),
            owner,
        },
        "010d61406578616d706c652e6f726701010d62406578616d706c652e6f72671bcef977",
    );
    check(&FenceRow { epoch: 7 }, "0107c6a6b61d");
}

fn full_account() -> Account {
    Account {
        address: address("a@example.org"),
        password: Some(Password {
            hash: "$argon2id$".to_owned(),
            scram: Some("SCRAM-SHA-256$".to_owned()),
        }),
        app_passwords: vec![AppPassword {
            name: "phone".to_owned(),
            hash: [1; APP_PASSWORD_HASH_OCTETS],
            protocols: Some(vec![Protocol::Smtp, Protocol::Imap]),
            created: AT,
            expires: Some(AT),
        }],
        identities: vec![
            Identity::Address(address("b@example.org")),
            Identity::Domain(message::address::DomainName::parse(b"example.net").expect("a name")),
        ],
        created: AT,
        suspended: Some(Suspension {
            since: AT,
            refuses_mail: true,
        }),
    }
}

#[test]
fn accounts_of_version_2_are_read() {
    let account = Account {
        suspended: None,
        ..full_account()
    };
    check_older(
        &account,
        "020d61406578616d706c652e6f7267010a246172676f6e32696424010e534352414d2d5348412d32353624010570686f6e65010101010101010101010101010101010101010101010101010101010101010101020002fbd095ffbc3101fbd095ffbc3102000d62406578616d706c652e6f7267010b6578616d706c652e6e6574fbd095ffbc313fbf1296",
    );
}

#[test]
fn accounts_of_version_1_are_read() {
    let octets: Vec<u8> = "010d61406578616d706c652e6f7267010a246172676f6e32696424fbd095ffbc31426e4d16"
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex"))
        .collect();
    let account = Account {
        address: address("a@example.org"),
        password: Some(Password::hashed("$argon2id$")),
        app_passwords: Vec::new(),
        identities: Vec::new(),
        created: AT,
        suspended: None,
    };
    assert_eq!(decode::<Account>(&octets), Ok(account));
}

#[test]
fn nothing_that_opens_an_account_is_printed() {
    let shown = format!("{:?} {:?}", full_account(), DecoyKey { key: [7; 32] });
    assert!(shown.contains("phone"), "{shown}");
    for secret in ["argon2id", "SCRAM", "1, 1", "7, 7"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}

#[test]
fn state_records_are_golden() {
    let usage = Usage {
        octets: 8192,
        messages: 2,
    };
    let limits = Limits {
        octets: Some(1 << 30),
        messages: None,
    };
    let tenant = TenantState {
        usage,
        limits,
        max_accounts: Some(10),
        accounts: 1,
        domains: 1,
        next_uid_validity: UidValidity::new(1_700_000_000),
    };
    check(&tenant, "0180400201808080800400010a010180e2cfaa068c82e611");
    let account = AccountState {
        usage,
        limits,
        modseq: ModSeq::new(300),
        next_uid_validity: UidValidity::new(1_700_000_006),
        list_modseq: ModSeq::new(1),
        mailboxes: 6,
    };
    check(&account, "0180400201808080800400ac0286e2cfaa060106c06352e8");
}
