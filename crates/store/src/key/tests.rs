use message::{
    address::DomainName,
    id::{BlobId, CommandId, MailboxId, NodeId},
    time::Timestamp,
};
use proptest::prelude::*;

use super::{mailbox::MailboxKey, spool::DueKey, trail::TrailKey, *};
use crate::record::{
    mailbox::{MailboxName, ModSeq, Uid},
    spool::{Destination, Priority, RecipientNumber},
};

#[test]
fn the_key_after_a_prefix() {
    let check = |prefix: &[u8], expected: Option<&[u8]>| {
        assert_eq!(after_prefix(prefix).as_deref(), expected);
    };
    check(&[1, 2], Some(&[1, 3]));
    check(&[1, 255], Some(&[2]));
    check(&[255, 255], None);
    check(&[], None);
}

#[test]
fn partitions_are_part_of_the_format() {
    let account = |byte| Partition::of_account(AccountId::from_bytes([byte; ID_LENGTH])).get();
    // The CRC-32 of sixteen zeros is ecbb4b55.
    assert_eq!((account(0), account(7)), (0x55, 121));
    let message = MessageId::from_bytes([0, 0, 0, 0, 0, 0, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(Partition::of_message(message).get(), 5);
}

#[test]
fn keys_are_golden() {
    let check = |key: Key, expected: &str| assert_eq!(key.to_string(), expected);
    let tenant = TenantId::new(1);
    let id = Id::compose(Timestamp::from_millis(0x0102), NodeId::new(2), 3);
    let account = AccountId::new(id);
    check(directory::tenant(tenant), "directory:00000001000074");
    check(directory::tenant_name("a"), "directory:0000000000006e61");
    check(
        directory::address(tenant, "a@b"),
        "directory:00000001000040614062",
    );
    check(
        spool::message(tenant, id.into()),
        "spool:0000000100026d00000000010200020000000000000003",
    );
    check(
        configuration::configuration(id.into()),
        "trail:00000000000067fffffffffefdfffdfffffffffffffffc",
    );
    check(
        audit::audit(id.into()),
        "trail:00000000000075fffffffffefdfffdfffffffffffffffc",
    );
    check(upkeep::upkeep(), "directory:00000000000077");
    check(
        ban::ban(&"192.0.2.0/24".parse().unwrap()),
        "directory:0000000000006200000000000000000000ffffc000020078",
    );
    let place = MailboxKey {
        tenant,
        account,
        mailbox: id.into(),
    };
    let partition = format!("{:04x}", Partition::of_account(account).get());
    let message = place.message(Uid::new(9));
    check(
        message,
        &format!("mailbox:00000001{partition}6d0000000001020002000000000000000300000009"),
    );
    check(
        once::result(id.into()),
        "once:0000000000007200000000010200020000000000000003",
    );
    check(
        blob::blob(tenant, id.into()),
        "blob:0000000100006200000000010200020000000000000003",
    );
}

#[test]
fn what_is_due_first_comes_first() {
    let key = |priority, due, destination: &Destination| DueKey {
        tenant: TenantId::new(1),
        destination: destination.clone(),
        priority,
        due: Timestamp::from_millis(due),
        message: MessageId::from_bytes([0; ID_LENGTH]),
        recipient: RecipientNumber::new(0),
    };
    let elsewhere = Destination::Remote(DomainName::parse(b"example.org").expect("a name"));
    let order = [
        key(Priority::High, 9, &Destination::Local),
        key(Priority::Normal, 1, &Destination::Local),
        key(Priority::Normal, 300, &Destination::Local),
        key(Priority::Low, 0, &Destination::Local),
        key(Priority::High, 0, &elsewhere),
    ];
    assert!(order.map(|due| due.key()).is_sorted());
}

prop_compose! {
    fn any_id()(bytes in any::<[u8; ID_LENGTH]>()) -> Id { Id::from_bytes(bytes) }
}

proptest! {
    #[test]
    fn keys_parse_back(tenant in any::<u32>(), id in any_id(), other in any_id(), number in 0_u16..u16::MAX, big in any::<u64>(), small in any::<u32>(), local in any::<bool>()) {
        let tenant = TenantId::new(tenant);
        let (message, recipient) = (MessageId::new(id), RecipientNumber::new(number));
        let destination = if local { Destination::Local } else { Destination::Remote(DomainName::parse(b"example.org").expect("a name")) };
        let due = DueKey { tenant, destination, priority: Priority::Low, due: Timestamp::from_millis(big), message, recipient };
        prop_assert_eq!(DueKey::parse(&due.key().bytes), Some(due));
        prop_assert_eq!(spool::parse_message(&spool::message(tenant, message).bytes), Some((tenant, message)));
        prop_assert_eq!(spool::parse_recipient(&spool::recipient(tenant, message, recipient).bytes), Some((tenant, message, recipient)));
        let step = TrailKey::of_recipient(tenant, message, recipient, small);
        prop_assert_eq!(TrailKey::parse(&step.key().bytes), Some(step));
        let step = TrailKey::accepted(tenant, message);
        prop_assert_eq!(TrailKey::parse(&step.key().bytes), Some(step));
        prop_assert_eq!(once::parse_appended(&once::appended(tenant, message, recipient).bytes), Some((tenant, message, recipient)));
        prop_assert_eq!(
            configuration::parse_configuration(&configuration::configuration(id.into()).bytes),
            Some(id.into())
        );
        prop_assert_eq!(audit::parse_audit(&audit::audit(id.into()).bytes), Some(id.into()));
        prop_assert_eq!(once::parse_result(&once::result(CommandId::new(id)).bytes), Some(CommandId::new(id)));
        prop_assert_eq!(blob::parse_blob(&blob::blob(tenant, BlobId::new(id)).bytes), Some((tenant, BlobId::new(id))));
        let (account, mailbox) = (AccountId::new(other), MailboxId::new(id));
        let place = MailboxKey { tenant, account, mailbox };
        let (uid, modseq) = (Uid::new(small), ModSeq::new(big));
        prop_assert_eq!(mailbox::parse_message(&place.message(uid).bytes), Some((tenant, mailbox, uid)));
        prop_assert_eq!(mailbox::parse_changed(&place.changed(modseq, uid).bytes), Some((tenant, mailbox, modseq, uid)));
        prop_assert_eq!(mailbox::parse_vanished(&place.vanished(modseq).bytes), Some((tenant, mailbox, modseq)));
        let name = MailboxName::new("a/b").expect("a name");
        prop_assert_eq!(mailbox::parse_name(&mailbox::name(tenant, account, &name).bytes), Some((tenant, account, name)));
        prop_assert_eq!(directory::parse_account(&directory::account(tenant, account).bytes), Some(account));
    }

    #[test]
    fn arbitrary_octets_are_no_panic(key in proptest::collection::vec(any::<u8>(), 0..60)) {
        // Whatever is read as a key of a message on its way is written as the same octets.
        if let Some(due) = DueKey::parse(&key) {
            let again = DueKey::parse(&due.key().bytes);
            prop_assert_eq!(again, Some(due));
        }
        let understood = [
            TrailKey::parse(&key).is_some(),
            mailbox::parse_name(&key).is_some(),
            mailbox::parse_changed(&key).is_some(),
            once::parse_appended(&key).is_some(),
            directory::parse_account(&key).is_some(),
        ];
        prop_assert!(understood.iter().filter(|parsed| **parsed).count() <= 1);
    }
}
