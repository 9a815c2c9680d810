//! Golden bytes: a record of a version is these octets for ever, and octets that were changed are damage.

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
use proptest::prelude::*;

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
        "020d61406578616d706c652e6f7267010a246172676f6e32696424010e534352414d2d5348412d32353624010570686f6e65010101010101010101010101010101010101010101010101010101010101010101020002fbd095ffbc3101fbd095ffbc3102000d62406578616d706c652e6f7267010b6578616d706c652e6e6574fbd095ffbc313fbf1296",
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
    }
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

#[test]
fn mailbox_records_are_golden() {
    check(
        &Named {
            mailbox: MailboxId::from_bytes([6; 16]),
        },
        "01060606060606060606060606060606067cf07e30",
    );
    let rights = Rights::parse("lr").expect("rights");
    let mailbox = Mailbox {
        name: MailboxName::new("Sent").expect("a name"),
        owner: account(),
        special_use: Some(SpecialUse::Sent),
        subscribed: true,
        rights: vec![Grant {
            identifier: "anyone".to_owned(),
            rights,
        }],
        created: AT,
    };
    check(
        &mailbox,
        "010453656e74040404040404040404040404040404040103010106616e796f6e6503fbd095ffbc3123893477",
    );
    let state = MailboxState {
        owner: account(),
        uid_validity: UidValidity::new(1_700_000_000),
        uid_next: Uid::new(3),
        highest_modseq: ModSeq::new(300),
        usage: Usage {
            octets: 8192,
            messages: 2,
        },
        unseen: 1,
        vanished: 1,
        vanished_floor: ModSeq::new(2),
    };
    check(
        &state,
        "010404040404040404040404040404040480e2cfaa0603ac02804002010102e9f16f00",
    );
    let keyword = Keyword::new("$Forwarded").expect("a keyword");
    let message = MailboxMessage {
        message: MessageId::from_bytes([1; 16]),
        blob: blob(),
        prefix: Bytes::from_static(b"Return-Path: <>\r\n"),
        size: 4113,
        flags: Flags::new(SystemFlags::SEEN, [keyword]),
        internal_date: AT,
        appended: ModSeq::new(2),
        modseq: ModSeq::new(3),
        parsed: Parsed::Partly,
        structure: Some(Bytes::from_static(b"structure")),
    };
    check(
        &message,
        "01010101010101010101010101010101010202020202020202020202020202020280200303030303030303030303030303030303030303030303030303030303030303011152657475726e2d506174683a203c3e0d0a912001010a24666f72776172646564fbd095ffbc31020301010973747275637475726538a6d476",
    );
    check(&Changed, "01a505df1b");
    check(
        &Vanished::new(AT, &[1, 2, 3, 7].map(Uid::new)),
        "01fbd095ffbc3102010307078a269c12",
    );
    let owner = account();
    check(
        &MailboxTombstone {
            owner,
            messages: 2,
            vanished: 1,
        },
        "01040404040404040404040404040404040201c6846fbc",
    );
    check(&BlobTombstone { next: 0, chunks: 20 }, "010014e4596758");
    check(
        &BlobRow {
            refs: 1,
            octets: 4096,
            checksum: [3; 32],
            chunks: 1,
        },
        "01018020030303030303030303030303030303030303030303030303030303030303030301502929a9",
    );
}

#[test]
fn spool_records_are_golden() {
    let message = SpoolMessage {
        reverse_path: ReversePath::Address(address("sender@example.net")),
        body: BodyKind::EightBitMime,
        blob: blob(),
        arrival: arrival(),
        priority: Priority::Normal,
        recipients: 2,
        pending: 1,
        options: MailOptions::default(),
    };
    check_older(
        &message,
        "01011273656e646572406578616d706c652e6e657401020202020202020202020202020202028020030303030303030303030303030303030303030303030303030303030303030301fbd095ffbc3101050505050505050505050505050505050100c0000201190a6d782e6578616d706c650645534d5450530107544c5376312e33010404040404040404040404040404040401087370663d70617373010201c9b5da13",
    );
    check(
        &SpoolMessage {
            options: mail_options(),
            ..message
        },
        "02011273656e646572406578616d706c652e6e657401020202020202020202020202020202028020030303030303030303030303030303030303030303030303030303030303030301fbd095ffbc3101050505050505050505050505050505050100c0000201190a6d782e6578616d706c650645534d5450530107544c5376312e33010404040404040404040404040404040401087370663d70617373010201010101010b51512b323033313431353901010d61406578616d706c652e6f726701003c0177010101fd011cf3750d",
    );
    let recipient = SpoolRecipient {
        address: address("a@example.org"),
        original: "a@example.org".to_owned(),
        route: Route::Local(account()),
        state: RecipientState::Due(AT),
        attempts: 1,
        last: Some(Attempt {
            at: AT,
            why: "later".to_owned(),
        }),
        options: RecipientOptions::default(),
    };
    check_older(
        &recipient,
        "010d61406578616d706c652e6f72670d61406578616d706c652e6f7267000404040404040404040404040404040400fbd095ffbc310101fbd095ffbc31056c61746572c756e354",
    );
    let options = recipient_options();
    check(
        &SpoolRecipient {
            options,
            ..recipient.clone()
        },
        "020d61406578616d706c652e6f72670d61406578616d706c652e6f7267000404040404040404040404040404040400fbd095ffbc310101fbd095ffbc31056c61746572010101000101187266633832323b612b324262406578616d706c652e6f7267ff27d757",
    );
    let state = RecipientState::Held {
        since: AT,
        why: "gone".to_owned(),
    };
    let route = Route::Remote(message::address::DomainName::parse(b"example.net").expect("a name"));
    check_older(
        &SpoolRecipient {
            route,
            state,
            last: None,
            ..recipient
        },
        "010d61406578616d706c652e6f72670d61406578616d706c652e6f7267010b6578616d706c652e6e657401fbd095ffbc3104676f6e650100a4068c04",
    );
    check(&Due, "01a505df1b");
}

#[test]
fn trail_and_results_are_golden() {
    let step = |event| TrailStep {
        at: AT,
        command: CommandId::from_bytes([7; 16]),
        actor: "/listeners/mx".to_owned(),
        event,
    };
    let accepted = |options, of_recipient| TrailEvent::Accepted {
        arrival: Box::new(arrival()),
        reverse_path: ReversePath::Null,
        options: Box::new(options),
        recipients: vec![TrailRecipient {
            address: address("a@example.org"),
            options: of_recipient,
        }],
        octets: 4096,
        reply: "250 2.0.0 ok".to_owned(),
    };
    check(
        &step(accepted(mail_options(), recipient_options())),
        "02fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d7800fbd095ffbc3101050505050505050505050505050505050100c0000201190a6d782e6578616d706c650645534d5450530107544c5376312e33010404040404040404040404040404040401087370663d7061737300010101010b51512b323033313431353901010d61406578616d706c652e6f726701003c0177010101fd01010d61406578616d706c652e6f7267010101000101187266633832323b612b324262406578616d706c652e6f726780200c32353020322e302e30206f6b4b2e5bed",
    );
    check_older(
        &step(accepted(MailOptions::default(), RecipientOptions::default())),
        "01fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d7800fbd095ffbc3101050505050505050505050505050505050100c0000201190a6d782e6578616d706c650645534d5450530107544c5376312e33010404040404040404040404040404040401087370663d7061737300010d61406578616d706c652e6f726780200c32353020322e302e30206f6b8aa36232",
    );
    let appended = TrailEvent::Appended {
        account: account(),
        mailbox: MailboxId::from_bytes([6; 16]),
        uid_validity: UidValidity::new(9),
        uid: Uid::new(1),
        parsed: Parsed::Whole,
    };
    let step_now = step(appended);
    check_older(
        &step_now,
        "01fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d780104040404040404040404040404040404060606060606060606060606060606060901003b577dbd",
    );
    check(
        &step_now,
        "02fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d78010404040404040404040404040404040406060606060606060606060606060606090100f8729fee",
    );
    let settled = Settlement::Deferred {
        next_due: AT,
        why: "later".to_owned(),
    };
    let step_now = step(TrailEvent::Settled(settled));
    check_older(
        &step_now,
        "01fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d780201fbd095ffbc31056c617465727e8e91e1",
    );
    check(
        &step_now,
        "02fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d780201fbd095ffbc31056c61746572fbbc8315",
    );
    let removed = step(TrailEvent::Removed {
        why: "spam".to_owned(),
    });
    check_older(
        &removed,
        "01fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d7803047370616df9e01868",
    );
    check(
        &removed,
        "02fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d7803047370616d30d40365",
    );
    let appended = Appended {
        mailbox: MailboxId::from_bytes([6; 16]),
        uid_validity: UidValidity::new(9),
        uid: Uid::new(1),
        modseq: ModSeq::new(2),
    };
    check(&appended, "01060606060606060606060606060606060901022feff178");
    check(
        &CommandResult {
            outcome: Outcome::Appended(appended),
        },
        "010106060606060606060606060606060606090102fee42ce0",
    );
    check(
        &CommandResult {
            outcome: Outcome::Done,
        },
        "010058c223be",
    );
}

#[test]
fn what_is_not_a_record_says_why() {
    let octets = encode(&Due).expect("a record").to_vec();
    let mut newer = octets.clone();
    newer[0] = 9;
    let summed = newer.len() - 4;
    let checksum = crc32fast::hash(&newer[..summed]);
    newer.truncate(summed);
    newer.extend_from_slice(&checksum.to_be_bytes());
    assert_eq!(decode::<Due>(&newer), Err(RecordError::Version("due entry", 9)));
    let mut longer = vec![1, 0];
    let checksum = crc32fast::hash(&longer);
    longer.extend_from_slice(&checksum.to_be_bytes());
    assert_eq!(decode::<Due>(&longer), Err(RecordError::Fields("due entry")));
    assert_eq!(decode::<Due>(&octets[..4]), Err(RecordError::Short("due entry")));
    assert_eq!(decode::<Due>(&[0; 8]), Err(RecordError::Checksum("due entry")));
}

#[test]
fn an_older_version_is_read_through_the_next() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Kept {
        name: String,
        colour: u8,
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct KeptV1 {
        name: String,
    }

    impl From<KeptV1> for Kept {
        fn from(KeptV1 { name }: KeptV1) -> Self {
            Self { name, colour: 7 }
        }
    }

    impl Record for KeptV1 {
        const NAME: &'static str = "kept";
        const VERSION: u8 = 1;
    }

    impl Record for Kept {
        const NAME: &'static str = "kept";
        const VERSION: u8 = 2;

        fn older(version: u8, fields: &[u8]) -> Option<Self> {
            (version == 1).then(|| fields_of::<KeptV1>(fields).map(Into::into))?
        }
    }

    let old = encode(&KeptV1 { name: "a".to_owned() }).expect("a record");
    assert_eq!(
        decode(&old),
        Ok(Kept {
            name: "a".to_owned(),
            colour: 7
        })
    );
}

proptest! {
    #[test]
    fn arbitrary_octets_are_damage_or_a_record(mut octets in proptest::collection::vec(any::<u8>(), 0..200), seal in any::<bool>()) {
        if seal {
            // A right checksum leads on to the fields.
            octets.insert(0, 1);
            let checksum = crc32fast::hash(&octets);
            octets.extend_from_slice(&checksum.to_be_bytes());
        }
        // Arbitrary octets may be a record; they never are a panic.
        let found = [
            decode::<MailboxMessage>(&octets).err(),
            decode::<SpoolMessage>(&octets).err(),
            decode::<SpoolRecipient>(&octets).err(),
            decode::<TrailStep>(&octets).err(),
            decode::<Mailbox>(&octets).err(),
            decode::<CommandResult>(&octets).err(),
        ];
        if !seal {
            prop_assert!(found.iter().any(Option::is_some));
        }
    }
}
