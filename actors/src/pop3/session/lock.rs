//! The lock of the mailbox that a POP3 session has open. RFC 1939 §4

use std::sync::Arc;

use message::id::{AccountId, MailboxId};
use pop3::Maildrop;
use store::key::mailbox::MailboxKey;
use supervision::Address;

use super::{Checkpoint, OPEN_LIMIT, State};
use crate::{
    connection::Ledger,
    mailbox::{self, Lease, NotOpened},
};

/// A lease whose end is the end of the connection. The ledger holds the session, which holds the lease: not the other
/// way round.
pub(super) fn lease(ledger: &Arc<Ledger<Checkpoint>>) -> Lease {
    let ledger = Arc::downgrade(ledger);
    Lease::waking(move || {
        if let Some(ledger) = ledger.upgrade() {
            ledger.drain();
        }
    })
}

impl State {
    pub(super) async fn lock(&self, inbox: MailboxId, account: AccountId) -> Result<Maildrop, NotOpened> {
        let mailbox = self.mailbox(inbox, account);
        let lease = Arc::downgrade(&self.session.lease);
        let opened = mailbox
            .call(OPEN_LIMIT, |reply| mailbox::Msg::Open { lease, reply })
            .await;
        opened.unwrap_or(Err(NotOpened::Unavailable))
    }

    /// Gives the lock back before the client reads the last reply: it may be back at once. RFC 1939 §6
    pub(super) fn release(&mut self) {
        let Some(opened) = self.session.opened.take() else {
            return;
        };
        let lease = Arc::downgrade(&self.session.lease);
        let _ = self
            .mailbox(opened.mailbox.mailbox, opened.account)
            .cast(mailbox::Msg::Release { lease });
    }

    fn mailbox(&self, inbox: MailboxId, account: AccountId) -> Address<mailbox::Msg> {
        let key = mailbox::name(self.key(inbox, account));
        self.args.parts.mailboxes.address(&key)
    }

    pub(super) fn key(&self, mailbox: MailboxId, account: AccountId) -> MailboxKey {
        MailboxKey {
            tenant: self.args.parts.tenant,
            account,
            mailbox,
        }
    }
}
