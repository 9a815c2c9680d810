//! The largest commands fit a batch; how many operations and octets that is, [`Map`] sees to.

use super::*;

#[test]
fn the_largest_accept_fits_a_batch() {
    let mut map = Map::with_account(0);
    map.must(accept(1, MAX_RECIPIENTS, 2));
    let too_many = map.apply(accept(2, MAX_RECIPIENTS + 1, 2));
    assert_eq!(
        too_many.err(),
        Some(Rejected::TooLarge {
            what: "recipients",
            limit: MAX_RECIPIENTS
        })
    );
    let recipients = (0..MAX_RECIPIENTS as u16).map(RecipientNumber::new).collect();
    map.must(Command::Remove(Remove {
        tenant: TENANT,
        message: message_id(1),
        blob: blob_id(1),
        recipients,
        why: "x".repeat(MAX_FACT_OCTETS),
        actor: "/shell".to_owned(),
    }));
    assert!(
        map.rows
            .keys()
            .all(|key| key.space != crate::key::Keyspace::Spool)
    );
}

#[test]
fn the_largest_change_of_flags_fits_a_batch() {
    let mut map = Map::with_account(0);
    let keyword = |number: usize| Keyword::new(&format!("{number:064}")).expect("a keyword");
    let mut message = {
        map.must(accept(1, 1, 1));
        map.must(append(1, 0));
        map.get::<MailboxMessage>(&place(0).message(Uid::new(1)))
    };
    message.prefix = Bytes::from(vec![b'x'; MAX_PREFIX_OCTETS]);
    message.structure = Some(Bytes::from(vec![b'x'; MAX_STRUCTURE_OCTETS]));
    let uids: Vec<_> = (1..=MAX_FLAGGED as u32).map(Uid::new).collect();
    for &uid in &uids {
        map.put(place(0).message(uid), &message);
    }
    let flags = Flags::new(SystemFlags::SEEN, (0..MAX_KEYWORDS).map(keyword));
    let mut command = ChangeFlags {
        mailbox: place(0),
        uids,
        change: FlagChange::Replace(flags),
        unchanged_since: None,
    };
    map.must(Command::ChangeFlags(command.clone()));
    command.change = FlagChange::Add(Flags::new(SystemFlags::NONE, [keyword(MAX_KEYWORDS)]));
    let too_many = map.apply(Command::ChangeFlags(command));
    assert_eq!(
        too_many.err(),
        Some(Rejected::TooLarge {
            what: "keywords",
            limit: MAX_KEYWORDS
        })
    );
}

#[test]
fn the_largest_expunge_fits_a_batch_and_leaves_nothing_behind() {
    let mut map = Map::with_account(0);
    // As many chunks as go at once: together they are more than a batch has room for.
    for number in 1..=MAX_EXPUNGED as u64 {
        map.must(accept(number, 1, 16));
        map.must(append(number, 0));
    }
    // Each has changed, so that each has an entry in the index of changes.
    let uids: Vec<_> = (1..=MAX_EXPUNGED as u32).map(Uid::new).collect();
    for uids in uids.chunks(MAX_FLAGGED) {
        map.must(Command::ChangeFlags(ChangeFlags {
            mailbox: place(0),
            uids: uids.to_vec(),
            change: FlagChange::Add(Flags::new(SystemFlags::DELETED, [])),
            unchanged_since: None,
        }));
    }
    let messages = (1..=MAX_EXPUNGED as u32)
        .map(|uid| (Uid::new(uid), blob_id(uid.into())))
        .collect();
    let applied = map.must(Command::Expunge(Expunge {
        mailbox: place(0),
        messages,
    }));
    let indexed = |key: &Key| key.space == crate::key::Keyspace::Mailbox && key.bytes.get(6) == Some(&b'c');
    assert!(!map.rows.keys().any(indexed));
    assert!(applied.changes.contains(&Change::Tombstone(TENANT)));
    let blobs: Vec<_> = (1..=MAX_EXPUNGED as u64).map(blob_id).collect();
    for blob in blobs {
        assert!(!map.rows.contains_key(&key::blob::blob(TENANT, blob)));
        let step = ReapStep::Chunks(blob);
        let reaped = map.must(Command::Reap(Reap { tenant: TENANT, step }));
        assert_eq!(reaped.outcome, Outcome::Reaped { finished: true });
    }
    // Accept wrote only the last chunk of each.
    assert!(map.rows.keys().all(|key| key.space != crate::key::Keyspace::Blob));
}

#[test]
fn the_largest_account_can_be_renamed_and_deleted() {
    let mut map = Map::with_account(MAX_MAILBOXES - 1);
    let too_many = map.apply(Command::CreateMailbox(CreateMailbox {
        tenant: TENANT,
        account: account(),
        mailbox: new_mailbox(MAX_MAILBOXES, "one more"),
    }));
    assert_eq!(
        too_many.err(),
        Some(Rejected::TooLarge {
            what: "mailboxes",
            limit: MAX_MAILBOXES
        })
    );
    let name = |text: &str| MailboxName::new(text).expect("a name");
    let state: AccountState = map.get(&key::mailbox::account_state(TENANT, account()));
    let siblings = (1..MAX_MAILBOXES).map(|number| (mailbox(number), name(&sibling(number))));
    map.must(Command::RenameMailbox(RenameMailbox {
        tenant: TENANT,
        account: account(),
        from: name("top"),
        to: name("bottom"),
        mailboxes: siblings
            .clone()
            .map(|(id, name)| RenamedMailbox { id, name })
            .collect(),
        list_modseq: state.list_modseq,
    }));
    let renamed = siblings.map(|(id, old)| (id, name(&old.as_str().replace("top", "bottom"))));
    let mailboxes = renamed.chain([(mailbox(0), name("INBOX"))]).collect();
    let state: AccountState = map.get(&key::mailbox::account_state(TENANT, account()));
    map.must(Command::DeleteAccount(DeleteAccount {
        tenant: TENANT,
        account: account(),
        address: address(),
        mailboxes,
        list_modseq: state.list_modseq,
    }));
    let left: Vec<_> = map.rows.keys().map(ToString::to_string).collect();
    assert_eq!(
        left.len(),
        5,
        "tenant, its name and state, domain and its name: {left:?}"
    );
}
