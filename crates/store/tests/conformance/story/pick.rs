//! Picks what a command of a story is about: mostly something that is there.

use message::{
    address::{DomainName, EmailAddress},
    id::{AccountId, BlobId, MailboxId, MessageId, TenantId},
};
use store::{
    command::DEFAULT_TENANT,
    key::mailbox::MailboxKey,
    record::{
        mailbox::{Flags, Keyword, MailboxName, SystemFlags},
        spool::{RecipientNumber, Route},
        state::Limits,
    },
};

use super::Seed;
use crate::model::Model;

pub(super) fn pick_account(
    [_, a, b, ..]: Seed,
    model: &Model,
) -> ((TenantId, AccountId), Option<&crate::model::Account>) {
    match nth(model.accounts.iter(), b) {
        Some((place, account)) if a < 245 => (*place, Some(account)),
        _ => ((DEFAULT_TENANT, AccountId::from_bytes([b; 16])), None),
    }
}

pub(super) fn pick_alias(number: u8, model: &Model) -> Option<EmailAddress> {
    let (_, named) = nth(model.aliases.keys(), number)?;
    Some(named.parse().expect("an address"))
}

pub(super) fn pick_mailbox(seed: Seed, model: &Model) -> (MailboxKey, Option<&crate::model::Mailbox>) {
    let ((tenant, account), known) = pick_account(seed, model);
    let mailbox = known.and_then(|account| nth(account.mailboxes.iter(), seed[5]));
    let id = mailbox.map_or(MailboxId::from_bytes([seed[5]; 16]), |(id, _)| *id);
    (
        MailboxKey {
            tenant,
            account,
            mailbox: id,
        },
        mailbox.map(|(_, mailbox)| mailbox),
    )
}

pub(super) type Picked = (TenantId, MessageId, RecipientNumber, Option<Route>, BlobId);

/// Mostly a recipient that waits, sometimes one that is done.
pub(super) fn pick_recipient(a: u8, b: u8, model: &Model) -> Picked {
    if let Some((message, spooled)) = nth(model.spool.iter(), a)
        && !a.is_multiple_of(16)
    {
        let recipient = nth(spooled.recipients.iter(), b);
        let (number, recipient) = recipient.expect("a spooled message has a recipient");
        return (
            spooled.tenant,
            *message,
            *number,
            Some(recipient.route.clone()),
            spooled.blob.id,
        );
    }
    let blob = BlobId::from_bytes([a; 16]);
    match nth(model.appended.keys(), b) {
        Some((message, number)) => (DEFAULT_TENANT, *message, *number, None, blob),
        None => (
            DEFAULT_TENANT,
            MessageId::from_bytes([a; 16]),
            RecipientNumber::new(0),
            None,
            blob,
        ),
    }
}

pub(super) fn nth<T>(mut things: impl ExactSizeIterator<Item = T>, number: u8) -> Option<T> {
    let length = things.len();
    things.nth(usize::from(number) % length.max(1))
}

pub(super) fn limits(number: u8, octets: u64) -> Limits {
    match number % 4 {
        0 => Limits {
            octets: Some(octets),
            messages: None,
        },
        1 => Limits {
            octets: None,
            messages: Some(5),
        },
        _ => Limits::default(),
    }
}

pub(super) fn flags(number: u8) -> Flags {
    let all = [
        SystemFlags::SEEN,
        SystemFlags::ANSWERED,
        SystemFlags::FLAGGED,
        SystemFlags::DELETED,
    ];
    let set = all.into_iter().zip(0..).filter(|(_, bit)| number >> bit & 1 == 1);
    let system = set.fold(SystemFlags::NONE, |flags, (flag, _)| flags.with(flag));
    let keywords = (number > 128).then(|| Keyword::new("$Forwarded").unwrap());
    Flags::new(system, keywords)
}

pub(super) fn name(number: u8) -> MailboxName {
    let names = ["a", "a/b", "a/b/c", "ab", "c", "inbox/x", "INBOX", "Sent"];
    MailboxName::new(names[usize::from(number) % names.len()]).unwrap()
}

pub(super) fn domain(number: u8) -> DomainName {
    DomainName::parse(format!("d{number}.test").as_bytes()).unwrap()
}

pub(super) fn address(user: u8, of: u8) -> EmailAddress {
    format!("u{user}@d{of}.test").parse().unwrap()
}
