//! Compares everything that can be read from a store with the model.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use message::{
    id::{AccountId, BlobId, TenantId},
    time::Timestamp,
};
use store::{
    engine::Snapshot,
    key::{self, Keyspace, mailbox::MailboxKey},
    read::{self, audit, ban, configuration, directory, job, mailbox, spool, trail},
    record::{
        directory::{Address, AddressOwner},
        job::{BlobTombstone, MailboxTombstone},
        mailbox::{ModSeq, Uid},
        spool::{Destination, RecipientState},
    },
    store::Store,
    verify::verify,
};

use crate::model::{Account, Mailbox, Model};

/// More than any story has.
const ALL: usize = 100_000;
const END: Timestamp = Timestamp::from_millis(u64::MAX >> 16);

pub(crate) fn compare(store: &Store, model: &Model) {
    let snapshot = store.snapshot();
    compare_directory(&snapshot, model);
    for ((tenant, account), expected) in &model.accounts {
        compare_account(&snapshot, *tenant, *account, expected);
    }
    compare_spool(&snapshot, model);
    compare_rest(&snapshot, model);
    compare_bans(&snapshot, model);
    compare_audit(&snapshot, model);
    compare_configurations(&snapshot, model);
    let mut findings = Vec::new();
    let bytes = |tenant, blob: &_| {
        let reader = store.blob_reader(tenant, blob);
        reader.whole(1 << 30).map(drop).map_err(|error| error.to_string())
    };
    let summary = verify(&snapshot, bytes, |finding| findings.push(finding.to_string())).unwrap();
    assert_eq!(findings, Vec::<String>::new());
    assert!(summary.records > 0);
    assert_eq!(store.quarantined().met, 0);
}

fn compare_bans(snapshot: &impl Snapshot, model: &Model) {
    let mut bans = BTreeMap::new();
    ban::bans(snapshot, |network, ban| drop(bans.insert(network, ban))).unwrap();
    assert_eq!(bans, model.bans);
    let Some(time) = model.bans.values().filter_map(|ban| ban.until).max() else {
        return;
    };
    let lapsed: BTreeSet<_> = ban::lapsed_before(snapshot, time, ALL)
        .unwrap()
        .into_iter()
        .collect();
    let expected = model.bans.iter();
    let expected = expected.filter(|(_, ban)| ban.until.is_some_and(|until| until < time));
    assert_eq!(lapsed, expected.map(|(network, _)| *network).collect());
    assert!(ban::lapsed_before(snapshot, time, 1).unwrap().len() <= 1);
}

fn compare_configurations(snapshot: &impl Snapshot, model: &Model) {
    let expected: Vec<_> = model.configurations.values().rev().cloned().collect();
    assert_eq!(configuration::configurations(snapshot).unwrap(), expected);
    let receipts: Vec<_> = expected.iter().map(|kept| kept.id).collect();
    assert_eq!(configuration::receipts(snapshot).unwrap(), receipts);
    for kept in &expected {
        let read = configuration::configuration(snapshot, kept.id).unwrap();
        assert_eq!(read.as_ref(), Some(kept));
    }
}

fn compare_audit(snapshot: &impl Snapshot, model: &Model) {
    let (mut listed, mut older_than) = (Vec::new(), None);
    loop {
        let page = audit::newest(snapshot, older_than, 2).unwrap();
        listed.extend(page.rows);
        older_than = page.next;
        if older_than.is_none() {
            break;
        }
    }
    let expected: Vec<_> = model.audit.values().rev().cloned().collect();
    assert_eq!(listed, expected);
    for entry in &expected {
        assert_eq!(audit::entry(snapshot, entry.id).unwrap().as_ref(), Some(entry));
        let older = expected.iter().filter(|other| other.at < entry.at);
        assert_eq!(
            audit::before(snapshot, entry.at, ALL).unwrap(),
            older.map(|other| other.id).collect::<Vec<_>>()
        );
    }
}

fn compare_directory(snapshot: &impl Snapshot, model: &Model) {
    let decoy_key = directory::decoy_key(snapshot).unwrap();
    assert_eq!(decoy_key.map(|known| known.key), model.decoy_key);
    let tenants: BTreeMap<_, _> = directory::tenants(snapshot).unwrap().into_iter().collect();
    let names = |(id, tenant): (&TenantId, &crate::model::Tenant)| (*id, tenant.name.clone());
    let expected: BTreeMap<_, _> = model.tenants.iter().map(names).collect();
    assert_eq!(
        tenants
            .into_iter()
            .map(|(id, tenant)| (id, tenant.name))
            .collect::<BTreeMap<_, _>>(),
        expected
    );
    for (id, tenant) in &model.tenants {
        let state = directory::tenant_state(snapshot, *id).unwrap().unwrap();
        assert_eq!(state.usage, model.usage(*id));
        assert_eq!(
            (state.limits, state.max_accounts),
            (tenant.limits, tenant.max_accounts)
        );
        assert_eq!(
            (state.accounts, state.domains),
            (model.account_count(*id), model.domain_count(*id))
        );
        assert_eq!(state.next_uid_validity.get(), tenant.floor);

        let mut domains = BTreeSet::new();
        directory::domains(snapshot, *id, |domain| {
            let name = domain.name.to_string();
            assert_eq!(domain.catch_all.as_ref(), model.catch_alls.get(&name));
            let alone = directory::domain(snapshot, *id, &domain.name).unwrap();
            assert_eq!(alone, Some(domain));
            domains.insert(name);
        })
        .unwrap();
        let expected = model
            .domains
            .iter()
            .filter(|(_, of)| *of == id)
            .map(|(name, _)| name.clone());
        assert_eq!(domains, expected.collect());
        compare_addresses(snapshot, *id, model);
    }
}

fn compare_addresses(snapshot: &impl Snapshot, tenant: TenantId, model: &Model) {
    let mut addresses = BTreeMap::new();
    let each = |address: Address| {
        addresses.insert(address.address.lookup_key(), address.owner);
    };
    directory::addresses(snapshot, tenant, each).unwrap();
    let accounts = model.accounts.iter().filter(|((of, _), _)| *of == tenant);
    let accounts =
        accounts.map(|((_, id), account)| (account.address.lookup_key(), AddressOwner::Account(*id)));
    let aliases = model.aliases.iter().filter(|((of, _), _)| *of == tenant);
    let aliases = aliases.map(|((_, key), targets)| (key.clone(), AddressOwner::Alias(targets.clone())));
    assert_eq!(addresses, accounts.chain(aliases).collect());

    let mut accounts = BTreeMap::new();
    directory::accounts(snapshot, tenant, |entry| drop(accounts.insert(entry.id, entry))).unwrap();
    let expected = model.accounts.iter().filter(|((of, _), _)| *of == tenant);
    for ((_, id), account) in expected {
        let entry = accounts.remove(id).expect("the account is there");
        assert_eq!(
            (&entry.account.address, &entry.account.password),
            (&account.address, &account.password)
        );
        let suspended = entry.account.suspended;
        assert_eq!(
            suspended.map(|known| (known.since, known.refuses_mail)),
            account.suspended
        );
        let app_passwords = entry.account.app_passwords.into_iter();
        assert_eq!(
            app_passwords
                .map(|known| (known.name.clone(), known))
                .collect::<BTreeMap<_, _>>(),
            account.app_passwords
        );
        let identities = entry.account.identities.iter();
        assert_eq!(
            identities
                .map(|known| known.to_string().to_lowercase())
                .collect::<BTreeSet<_>>(),
            account.identities
        );
        let inbox = account
            .mailboxes
            .iter()
            .find(|(_, mailbox)| mailbox.name.is_inbox());
        assert_eq!(entry.inbox, inbox.map(|(id, _)| *id));
    }
    assert!(accounts.is_empty());
}

fn compare_account(snapshot: &impl Snapshot, tenant: TenantId, id: AccountId, account: &Account) {
    let state = directory::account_state(snapshot, tenant, id).unwrap().unwrap();
    assert_eq!(state.usage, account.usage());
    assert_eq!(state.limits, account.limits);
    assert_eq!(
        (state.modseq.get(), state.list_modseq.get()),
        (account.modseq, account.list_modseq)
    );
    assert_eq!(state.next_uid_validity.get(), account.next_validity);
    assert_eq!(state.mailboxes as usize, account.mailboxes.len());
    let entries = mailbox::mailboxes(snapshot, tenant, id).unwrap();
    assert_eq!(entries.len(), account.mailboxes.len());
    for entry in entries {
        let expected = &account.mailboxes[&entry.id];
        assert_eq!(
            (&entry.mailbox.name, entry.mailbox.special_use),
            (&expected.name, expected.special_use)
        );
        assert_eq!(
            mailbox::by_name(snapshot, tenant, id, &expected.name).unwrap(),
            Some(entry.id)
        );
        assert_eq!(entry.state.uid_validity.get(), expected.validity);
        assert_eq!(entry.state.uid_next.get(), expected.next_uid);
        assert_eq!(entry.state.highest_modseq.get(), expected.highest);
        assert_eq!(
            (entry.state.usage, entry.state.unseen),
            (expected.usage(), expected.unseen())
        );
        assert_eq!(entry.state.vanished_floor.get(), expected.floor);
        compare_messages(
            snapshot,
            MailboxKey {
                tenant,
                account: id,
                mailbox: entry.id,
            },
            expected,
        );
    }
}

fn compare_messages(snapshot: &impl Snapshot, key: MailboxKey, mailbox: &Mailbox) {
    // In pages of two, so that pages are tried too.
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = mailbox::listing(snapshot, key, after, 2).unwrap();
        listed.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(
        listed.iter().map(|row| row.uid).collect::<Vec<_>>(),
        mailbox.messages.keys().copied().collect::<Vec<_>>()
    );
    for row in &listed {
        let expected = &mailbox.messages[&row.uid];
        assert_eq!(
            (row.message, row.blob, row.size),
            (expected.message, expected.blob, expected.size)
        );
        assert_eq!((&row.flags, row.modseq.get()), (&expected.flags, expected.modseq));
    }
    for since in (0..=mailbox.highest).rev().take(12) {
        let changed = mailbox::changed_since(snapshot, key, ModSeq::new(since)).unwrap();
        let expected = mailbox
            .messages
            .iter()
            .filter(|(_, message)| message.modseq > since);
        assert_eq!(
            changed,
            expected.map(|(uid, _)| *uid).collect(),
            "changed since {since}"
        );
        let vanished = mailbox::vanished_since(snapshot, key, ModSeq::new(since)).unwrap();
        let expected = mailbox
            .vanished
            .range(since + 1..)
            .flat_map(|(_, (_, uids))| uids.iter().copied());
        let expected = (since >= mailbox.floor).then(|| expected.collect::<BTreeSet<_>>());
        assert_eq!(vanished.map(expand), expected, "vanished since {since}");
    }
}

fn expand(runs: Vec<(Uid, Uid)>) -> BTreeSet<Uid> {
    runs.into_iter()
        .flat_map(|(first, last)| (first.get()..=last.get()).map(Uid::new))
        .collect()
}

fn compare_spool(snapshot: &impl Snapshot, model: &Model) {
    let tenants: BTreeSet<_> = model.spool.values().map(|spooled| spooled.tenant).collect();
    let mut counted = 0;
    for tenant in tenants {
        for partition in spool::partitions_with_messages(snapshot, tenant).unwrap() {
            let page = spool::messages(snapshot, tenant, partition, None, ALL).unwrap();
            counted += page.rows.len();
        }
        compare_due(snapshot, tenant, model);
    }
    assert_eq!(counted, model.spool.len());
    for (id, expected) in &model.spool {
        let message = spool::message(snapshot, expected.tenant, *id)
            .unwrap()
            .expect("the message is there");
        assert_eq!(
            (&message.blob, message.priority, &message.options),
            (&expected.blob, expected.priority, &expected.options)
        );
        assert_eq!(usize::from(message.pending), expected.recipients.len());
        let recipients = spool::recipients(snapshot, expected.tenant, *id).unwrap();
        assert_eq!(recipients.len(), expected.recipients.len());
        for (number, recipient) in recipients {
            let expected = &expected.recipients[&number];
            assert_eq!(
                (&recipient.route, &recipient.options, &recipient.state),
                (&expected.route, &expected.options, &expected.state)
            );
            assert_eq!(recipient.attempts, expected.attempts);
        }
    }
}

fn compare_due(snapshot: &impl Snapshot, tenant: TenantId, model: &Model) {
    let mut queues: BTreeMap<Destination, Vec<_>> = BTreeMap::from([(Destination::Local, Vec::new())]);
    for (id, spooled) in model.spool.iter().filter(|(_, spooled)| spooled.tenant == tenant) {
        for (number, recipient) in &spooled.recipients {
            if let RecipientState::Due(due) = recipient.state {
                let queue = queues.entry(recipient.route.destination()).or_default();
                queue.push((spooled.priority, due, *id, *number));
            }
        }
    }
    for (destination, mut expected) in queues {
        expected.sort_unstable();
        let page = spool::due_rows(snapshot, tenant, &destination, END, ALL).unwrap();
        let rows: Vec<_> = page
            .rows
            .iter()
            .map(|row| (row.priority, row.due, row.message, row.recipient))
            .collect();
        assert_eq!(rows, expected);
        assert!(!page.more && page.next.is_none());
        // As of a time in between, and few at once.
        let Some(now) = expected.get(expected.len() / 2).map(|(_, due, ..)| *due) else {
            continue;
        };
        let page = spool::due_rows(snapshot, tenant, &destination, now, 2).unwrap();
        let due: Vec<_> = expected
            .iter()
            .copied()
            .filter(|(_, due, ..)| *due <= now)
            .collect();
        let rows: Vec<_> = page
            .rows
            .iter()
            .map(|row| (row.priority, row.due, row.message, row.recipient))
            .collect();
        assert_eq!(rows, due.iter().copied().take(2).collect::<Vec<_>>());
        assert_eq!(page.more, due.len() > 2);
        assert_eq!(
            page.next,
            expected
                .iter()
                .map(|(_, due, ..)| *due)
                .filter(|due| *due > now)
                .min()
        );
    }
}

fn compare_rest(snapshot: &impl Snapshot, model: &Model) {
    let traced = model.trail.values().map(|(tenant, _)| *tenant);
    let tenants: BTreeSet<_> = traced
        .chain(model.appended.values().map(|(tenant, _)| *tenant))
        .collect();
    let mut steps = BTreeMap::new();
    let mut appended = BTreeSet::new();
    for tenant in tenants {
        for key in trail::before(snapshot, tenant, END, ALL).unwrap() {
            steps.insert((key.message, key.recipient, key.step), tenant);
        }
        appended.extend(job::appended_before(snapshot, tenant, END, ALL).unwrap());
    }
    let expected: BTreeMap<_, _> = model
        .trail
        .iter()
        .map(|(place, (tenant, _))| (*place, *tenant))
        .collect();
    assert_eq!(steps, expected);
    for ((message, ..), tenant) in expected {
        let told = trail::of_message(snapshot, tenant, message).unwrap();
        assert_eq!(
            told.len(),
            model.trail.keys().filter(|(of, ..)| *of == message).count()
        );
        assert!(told.is_sorted_by_key(|(_, step)| step.at));
    }
    assert_eq!(appended, model.appended.keys().copied().collect());
    let results: BTreeSet<_> = job::results_before(snapshot, END, ALL)
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(results, model.results.keys().copied().collect());

    for (mailbox, grave) in &model.graves {
        let key = key::mailbox::tombstone(grave.tenant, *mailbox);
        let rest: MailboxTombstone = read::record(snapshot, &key).unwrap().expect("a tombstone");
        assert_eq!(
            (rest.owner, rest.messages as usize),
            (grave.owner, grave.messages.len())
        );
        assert_eq!(rest.vanished as usize, grave.vanished.len());
    }
    for (blob, (tenant, chunks)) in &model.rests {
        let key = key::mailbox::blob_tombstone(*tenant, *blob);
        let rest: BlobTombstone = read::record(snapshot, &key).unwrap().expect("a tombstone");
        assert_eq!((rest.next, rest.chunks), (0, *chunks));
    }
    compare_blobs(snapshot, model);
}

fn compare_blobs(snapshot: &impl Snapshot, model: &Model) {
    let rows = snapshot
        .scan(Keyspace::Blob, Bound::Unbounded, Bound::Unbounded, ALL)
        .unwrap();
    let there: BTreeSet<BlobId> = rows
        .iter()
        .filter_map(|(key, _)| key::blob::parse_blob(key))
        .map(|(_, blob)| blob)
        .collect();
    assert_eq!(there, model.references().into_keys().collect());
    let kept: u64 = model.chunks.values().map(|(_, chunks)| u64::from(*chunks)).sum();
    let left: u64 = model.rests.values().map(|(_, chunks)| u64::from(*chunks)).sum();
    assert_eq!(
        rows.len() as u64,
        there.len() as u64 + kept + left,
        "blob rows and chunks"
    );
}
