//! Commands on mailboxes as a whole.

use message::id::{AccountId, MailboxId, TenantId};

use crate::{
    key::mailbox::MailboxKey,
    record::mailbox::{MailboxName, ModSeq, SpecialUse},
};

/// How many mailboxes an account may have: one command must be able to delete them all.
pub const MAX_MAILBOXES: usize = 1000;

/// A new mailbox. Levels above it need not exist.
#[derive(Clone, Debug)]
pub struct CreateMailbox {
    /// Whose account.
    pub tenant: TenantId,
    /// Whose mailbox.
    pub account: AccountId,
    /// The mailbox.
    pub mailbox: NewMailbox,
}

/// A mailbox that is to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMailbox {
    /// Its id, minted by the proposer.
    pub id: MailboxId,
    /// Its name.
    pub name: MailboxName,
    /// What it is for.
    pub special_use: Option<SpecialUse>,
    /// Whether its owner's clients show it.
    pub subscribed: bool,
}

impl NewMailbox {
    /// The mailboxes that an account begins with: INBOX, Drafts, Sent, Junk, Trash and Archive, under six minted ids.
    #[must_use]
    pub fn first(ids: [MailboxId; 6]) -> Vec<Self> {
        let uses = [
            ("INBOX", None),
            ("Drafts", Some(SpecialUse::Drafts)),
            ("Sent", Some(SpecialUse::Sent)),
            ("Junk", Some(SpecialUse::Junk)),
            ("Trash", Some(SpecialUse::Trash)),
            ("Archive", Some(SpecialUse::Archive)),
        ];
        let named = uses
            .into_iter()
            .filter_map(|(name, special_use)| MailboxName::new(name).ok().map(|name| (name, special_use)));
        let mailboxes = ids.into_iter().zip(named);
        mailboxes
            .map(|(id, (name, special_use))| Self {
                id,
                name,
                special_use,
                subscribed: true,
            })
            .collect()
    }
}

/// Another name for a mailbox and for those below it. The INBOX cannot be renamed: what RFC 9051 §6.3.6 asks for is a
/// new mailbox and a move.
#[derive(Clone, Debug)]
pub struct RenameMailbox {
    /// Whose account.
    pub tenant: TenantId,
    /// Whose mailbox.
    pub account: AccountId,
    /// The old name.
    pub from: MailboxName,
    /// The new name.
    pub to: MailboxName,
    /// The mailbox and all below it, as the proposer saw them.
    pub mailboxes: Vec<RenamedMailbox>,
    /// The account's `list_modseq` when the proposer looked; `Stale` when mailboxes have changed since.
    pub list_modseq: ModSeq,
}

/// A mailbox that gets another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenamedMailbox {
    /// Which mailbox.
    pub id: MailboxId,
    /// Its old name.
    pub name: MailboxName,
}

/// The end of a mailbox: its name is free and usage no longer counts it, its messages are reaped later. Those below it
/// stay. The INBOX cannot be deleted.
#[derive(Clone, Debug)]
pub struct DeleteMailbox {
    /// Which mailbox.
    pub mailbox: MailboxKey,
    /// Its name.
    pub name: MailboxName,
}
