//! How much commands write, and what keeps the largest of them within a batch. What they mean is tried against a model
//! in `tests/conformance`.

mod access;
mod largest;

use std::collections::HashMap;

use bytes::Bytes;
use message::{
    address::{DomainName, EmailAddress, ReversePath},
    envelope::{BodyKind, MailOptions, RecipientOptions},
    id::{AccountId, BlobId, Id, MailboxId, MessageId, NodeId, TenantId},
};

use super::{rejected::Noun, *};
use crate::{
    batch::{MAX_BATCH_OCTETS, MAX_OPERATIONS},
    blob::{BlobRef, SealedBlob},
    command::{expunge::MAX_EXPUNGED, flags::MAX_FLAGGED, mailbox::MAX_MAILBOXES, *},
    key::{Partition, mailbox::MailboxKey},
    record::{
        self, Record,
        mailbox::*,
        spool::{Arrival, MAX_FACT_OCTETS, MAX_RECIPIENTS, Priority, RecipientNumber, Route},
        state::{AccountState, Limits},
        trail::Settlement,
    },
};

const TENANT: TenantId = DEFAULT_TENANT;
const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// The smallest engine: a map, one command after another.
#[derive(Default)]
struct Map {
    rows: HashMap<Key, Bytes>,
    commands: u64,
}

impl Map {
    /// A map with a tenant, a domain, and an account whose INBOX has this many siblings.
    fn with_account(siblings: usize) -> Self {
        let mut map = Self::default();
        let (tenant, limits) = (TENANT, Limits::default());
        let name = DEFAULT_TENANT_NAME.to_owned();
        map.must(Command::CreateTenant(CreateTenant {
            tenant,
            name,
            limits,
            max_accounts: None,
        }));
        let name = DomainName::parse(b"example.org").expect("a name");
        map.must(Command::CreateDomain(CreateDomain {
            tenant,
            name,
            catch_all: None,
        }));
        map.must(Command::CreateAccount(CreateAccount {
            tenant,
            account: account(),
            address: address(),
            password: None,
            limits,
            mailboxes: vec![new_mailbox(0, "INBOX")],
        }));
        for number in 1..=siblings {
            let mailbox = new_mailbox(number, &sibling(number));
            map.must(Command::CreateMailbox(CreateMailbox {
                tenant,
                account: account(),
                mailbox,
            }));
        }
        map
    }

    fn apply(&mut self, command: Command) -> Result<Applied, Rejected> {
        self.commands += 1;
        let id = Id::compose(AT, NodeId::new(0), self.commands).into();
        self.propose(&Proposal::new(id, AT, command))
    }

    fn propose(&mut self, proposal: &Proposal) -> Result<Applied, Rejected> {
        let keys = footprint(proposal).into_iter();
        let values = keys
            .map(|key| (key.clone(), self.rows.get(&key).cloned()))
            .collect();
        let applied = apply(proposal, &ReadSet { values })?;
        let ops = &applied.batch.ops;
        let octets = |op: &Op| match op {
            Op::Put(key, value) => key.bytes.len() + value.len(),
            Op::Delete(key) => key.bytes.len(),
        };
        assert!(ops.len() <= MAX_OPERATIONS, "{} operations", ops.len());
        let octets: usize = ops.iter().map(octets).sum();
        assert!(octets <= MAX_BATCH_OCTETS, "{octets} octets");
        for op in ops.iter().cloned() {
            match op {
                Op::Put(key, value) => self.rows.insert(key, value),
                Op::Delete(key) => self.rows.remove(&key),
            };
        }
        Ok(applied)
    }

    fn must(&mut self, command: Command) -> Applied {
        self.apply(command).expect("a command that is applied")
    }

    fn put<R: Record>(&mut self, key: Key, record: &R) {
        self.rows.insert(key, record::encode(record).expect("a record"));
    }

    fn get<R: Record>(&self, key: &Key) -> R {
        record::decode(&self.rows[key]).expect("a record")
    }
}

fn account() -> AccountId {
    AccountId::from_bytes([1; 16])
}

fn address() -> EmailAddress {
    "user@example.org".parse().expect("an address")
}

fn mailbox(number: usize) -> MailboxId {
    MailboxId::new(Id::compose(AT, NodeId::new(9), number as u64))
}

fn place(number: usize) -> MailboxKey {
    MailboxKey {
        tenant: TENANT,
        account: account(),
        mailbox: mailbox(number),
    }
}

fn sibling(number: usize) -> String {
    if number == 1 {
        "top".to_owned()
    } else {
        format!("top/{number}")
    }
}

fn new_mailbox(number: usize, name: &str) -> NewMailbox {
    let name = MailboxName::new(name).expect("a name");
    NewMailbox {
        id: mailbox(number),
        name,
        special_use: None,
        subscribed: true,
    }
}

fn message_id(number: u64) -> MessageId {
    MessageId::new(Id::compose(AT, NodeId::new(0), number))
}

fn blob_id(number: u64) -> BlobId {
    BlobId::new(Id::compose(AT, NodeId::new(1), number))
}

fn accept(number: u64, recipients: usize, chunks: u32) -> Command {
    let addressee = Addressee {
        address: address(),
        original: "user@example.org".to_owned(),
        route: Route::Local(account()),
        options: RecipientOptions::default(),
    };
    let blob = BlobRef {
        id: blob_id(number),
        octets: 4096,
        checksum: [7; 32],
        chunks,
    };
    let spooled = Spooled {
        tenant: TENANT,
        message: message_id(number),
        reverse_path: ReversePath::Address(address()),
        body: BodyKind::SevenBit,
        blob: blob.clone(),
        arrival: Arrival {
            helo: "mx.example.net".to_owned(),
            protocol: "ESMTPS".to_owned(),
            ..Arrival::new(AT)
        },
        priority: Priority::Normal,
        due: AT,
        options: MailOptions::default(),
        recipients: vec![addressee; recipients],
    };
    let sealed = SealedBlob {
        blob,
        last_chunk: Bytes::from_static(&[0; 4096]),
    };
    Command::Accept(Accept::new(
        spooled,
        sealed,
        "/listeners/mx/connections/1",
        "250 2.0.0 ok",
    ))
}

fn append(number: u64, recipient: u16) -> Command {
    Command::Append(Append {
        tenant: TENANT,
        message: message_id(number),
        recipient: RecipientNumber::new(recipient),
        blob: blob_id(number),
        account: account(),
        mailbox: mailbox(0),
        prefix: Bytes::from_static(b"Return-Path: <user@example.org>\r\n"),
        flags: Flags::default(),
        internal_date: AT,
        parsed: Parsed::Whole,
        structure: Some(Bytes::from_static(&[0; 400])),
        actor: "/tenants/default/queues/local/deliveries/1".to_owned(),
    })
}

fn settle(number: u64, attempt: u32, settlement: Settlement) -> Settle {
    Settle {
        tenant: TENANT,
        message: message_id(number),
        recipient: RecipientNumber::new(0),
        blob: blob_id(number),
        attempt,
        settlement,
        actor: "/tenants/default/queues/local".to_owned(),
    }
}

#[test]
fn the_hot_path_is_lean() {
    let mut map = Map::with_account(0);
    let command = accept(1, 1, 1);
    let result = usize::from(command.keeps_result());
    assert_eq!(
        map.must(command).batch.ops.len() + result,
        7,
        "accept, one recipient, one chunk"
    );
    let command = append(1, 0);
    assert!(!command.keeps_result());
    assert_eq!(map.must(command).batch.ops.len(), 9, "append, last recipient");
    map.must(accept(2, 2, 1));
    assert_eq!(
        map.must(append(2, 0)).batch.ops.len(),
        10,
        "append, not the last recipient"
    );
    map.must(accept(3, 1, 1));
    let command = Command::Settle(settle(
        3,
        1,
        Settlement::Delivered {
            reply: "discarded".to_owned(),
        },
    ));
    assert!(!command.keeps_result());
    assert_eq!(map.must(command).batch.ops.len(), 6, "settle, last recipient");
}

#[test]
fn an_accept_is_prepared_and_its_blob_is_new() {
    let proposal = Proposal::new(Id::MIN.into(), AT, accept(1, 3, 2));
    let mut map = Map::default();
    let first = map.propose(&proposal).expect("accepted");
    let prepared = proposal
        .prepared
        .clone()
        .expect("prepared")
        .0
        .expect("operations");
    let unprepared = Proposal {
        prepared: None,
        ..proposal.clone()
    };
    for proposal in [proposal, unprepared] {
        let applied = Map::default().propose(&proposal).expect("accepted");
        assert_eq!(applied.batch.ops, prepared);
        assert_eq!(applied.changes, first.changes);
        assert_eq!(
            map.propose(&proposal).err(),
            Some(Rejected::Exists(Noun::Message))
        );
    }
}

#[test]
fn an_append_happens_once() {
    let mut map = Map::with_account(0);
    map.must(accept(1, 2, 1));
    let first = map.must(append(1, 0));
    let second = map.must(append(1, 0));
    assert_eq!(first.outcome, second.outcome);
    assert!(second.batch.ops.is_empty() && second.changes.is_empty());
    let state: MailboxState = map.get(&place(0).state());
    assert_eq!(state.usage.messages, 1);
}

#[test]
fn a_settlement_is_repeated_by_its_command_alone() {
    let mut map = Map::with_account(0);
    map.must(accept(1, 1, 1));
    let deferred = Settlement::Deferred {
        next_due: AT,
        why: "later".to_owned(),
    };
    let proposal = Proposal::new(Id::MIN.into(), AT, Command::Settle(settle(1, 1, deferred)));
    let first = map.propose(&proposal).expect("settled");
    let second = map.propose(&proposal).expect("settled again");
    assert_eq!(first.outcome, second.outcome);
    assert!(second.batch.ops.is_empty());
    let bounced = Settlement::Bounced {
        why: "never".to_owned(),
    };
    let late = map.apply(Command::Settle(settle(1, 1, bounced.clone())));
    assert_eq!(late.err(), Some(Rejected::Stale("the attempt is settled")));
    map.must(Command::Settle(settle(1, 2, bounced)));
}

#[test]
fn a_fenced_owner_changes_nothing() {
    let mut map = Map::with_account(0);
    let partition = Partition::new(3);
    let fence = |epoch| Fence { partition, epoch };
    let proposal =
        |number, epoch| Proposal::new(Id::MIN.into(), AT, accept(number, 1, 1)).fenced(fence(epoch));
    map.propose(&proposal(1, 4)).expect("no fence yet");
    map.put(key::directory::fence(TENANT, partition), &FenceRow { epoch: 5 });
    assert_eq!(map.propose(&proposal(2, 4)).err(), Some(Rejected::Fenced(5)));
    map.propose(&proposal(3, 5)).expect("the owner");
    map.propose(&proposal(4, 0)).expect("alone");
}

#[test]
fn a_damaged_record_stops_only_what_needs_it() {
    let mut map = Map::with_account(1);
    map.must(accept(1, 1, 1));
    map.must(accept(2, 1, 1));
    let key = place(0).state();
    map.rows.insert(key.clone(), Bytes::from_static(b"not a record"));
    match map.apply(append(1, 0)) {
        Err(Rejected::Damaged(damaged)) => assert_eq!(damaged.key, key),
        other => panic!("{other:?}"),
    }
    let Command::Append(elsewhere) = append(2, 0) else {
        panic!("an append")
    };
    map.must(Command::Append(Append {
        mailbox: mailbox(1),
        ..elsewhere
    }));
}
