//! Mailbox: publishes what changes in one mailbox, keeps its listing while it does not change, and holds the lock that
//! POP3 asks for.
//!
//! Owner:    /tenants/<t>/mailboxes (dynamic, on demand; idle ones are passivated)
//! Accepts:  Msg::{Open, Release, Subscribe, Changed, Deleted, Idle}
//! Calls:    the pool of readers
//! Owns:     the lock, the subscribers, the listing; the mail is the store's
//! On death: the lock is forgotten. A session that held it goes on, and may find at QUIT that another has removed the
//!           same messages, which does no harm. Subscribers see their channel end, and subscribe again.
//! Limits:   IDLE

use std::{
    fmt,
    sync::{
        Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use message::id::TenantId;
use pop3::{Maildrop, Message};
use ractor_cluster_derive::RactorMessage;
use store::{
    key::mailbox::MailboxKey,
    read::{ReadError, mailbox},
    record::mailbox::{MailboxState, ModSeq},
    store::Store,
};
use supervision::{Actor, Broken, Context, Inspection, Reply, Timer};
use tokio::sync::watch;

use crate::reads::Reads;

/// A mailbox that nobody has used for this long, and in which nobody takes an interest, ends its actor.
const IDLE: Duration = Duration::from_secs(60);

/// Messages read at once for a listing.
const PAGE: usize = 4096;

/// What a mailbox is asked and told.
#[derive(RactorMessage)]
pub enum Msg {
    /// Lock it for a session and list it. RFC 1939 §4
    Open {
        /// The lock is held while this is alive.
        lease: Weak<Lease>,
        /// The listing, or why not.
        reply: Reply<Result<Maildrop, NotOpened>>,
    },
    /// The session has ended.
    Release {
        /// What it held the lock by.
        lease: Weak<Lease>,
    },
    /// Tell me of changes.
    Subscribe {
        /// A channel that holds the newest MODSEQ; changes in between are not told.
        reply: Reply<watch::Receiver<ModSeq>>,
    },
    /// The mailbox changed. A hint, told only to a mailbox that is up.
    Changed(MailboxState),
    /// The mailbox is gone: who has it open is told to end.
    Deleted,
    /// It is time to see whether anybody needs it.
    Idle,
}

/// What a session holds a lock by: as long as it lives, the mailbox is its own. It is revoked when the mailbox goes.
#[derive(Default)]
pub struct Lease {
    revoked: AtomicBool,
    wake: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Lease {
    /// A lease whose holder is woken like this when it is revoked.
    #[must_use]
    pub fn waking(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            revoked: AtomicBool::new(false),
            wake: Some(Box::new(wake)),
        }
    }

    /// Whether the mailbox is gone.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    fn revoke(&self) {
        self.revoked.store(true, Ordering::Release);
        if let Some(wake) = &self.wake {
            wake();
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("revoked", &self.revoked)
            .finish_non_exhaustive()
    }
}

/// Why a mailbox was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// Another session has it.
    InUse,
    /// It cannot be read, or is gone.
    Unavailable,
}

/// What a mailbox needs.
pub struct Args {
    /// Whose mailbox.
    pub tenant: TenantId,
    /// Its name among its siblings.
    pub name: String,
    /// The store, for reading.
    pub store: Store,
    /// The pool of readers.
    pub reads: Reads,
}

/// A mailbox.
pub struct Mailbox;

/// What a mailbox holds.
pub struct State {
    mailbox: MailboxKey,
    store: Store,
    reads: Reads,
    lock: Weak<Lease>,
    newest: watch::Sender<ModSeq>,
    /// The listing as of a MODSEQ.
    view: Option<(ModSeq, Maildrop)>,
    used: bool,
    idle: Timer,
}

impl Actor for Mailbox {
    const CLASS: &'static str = "mailbox";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let Some(mailbox) = parse_name(args.tenant, &args.name) else {
            return Err(Broken::because("a mailbox has a name that names none"));
        };
        Ok(State {
            mailbox,
            store: args.store,
            reads: args.reads,
            lock: Weak::new(),
            newest: watch::Sender::new(ModSeq::default()),
            view: None,
            used: true,
            idle: ctx.after(IDLE, Msg::Idle),
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Open { lease, reply } => reply.send(state.open(lease).await?),
            Msg::Release { lease } => state.release(&lease),
            Msg::Subscribe { reply } => reply.send(state.subscribe()),
            Msg::Changed(changed) => state.changed(&changed),
            Msg::Deleted => state.deleted(),
            Msg::Idle => state.idle(ctx),
        }
        Ok(())
    }

    fn inspect(state: &State) -> Inspection {
        Inspection::default()
            .with("locked", state.is_locked())
            .with("subscribers", state.newest.receiver_count())
            .with(
                "listed",
                state.view.as_ref().map_or(0, |(_, maildrop)| maildrop.len()),
            )
            .with("modseq", state.newest.borrow().get())
    }
}

impl State {
    async fn open(&mut self, lease: Weak<Lease>) -> Result<Result<Maildrop, NotOpened>, Broken> {
        self.used = true;
        if self.is_locked() && !self.lock.ptr_eq(&lease) {
            return Ok(Err(NotOpened::InUse));
        }
        let (store, mailbox, known) = (self.store.clone(), self.mailbox, self.view.clone());
        let view = match self.reads.run(move || view(&store, mailbox, known)).await? {
            Ok(Some(view)) => view,
            Ok(None) => return Ok(Err(NotOpened::Unavailable)),
            Err(why) => {
                tracing::error!(target: "angarium::mailbox", %why, "a mailbox cannot be read");
                return Ok(Err(NotOpened::Unavailable));
            }
        };
        self.lock = lease;
        self.view = Some(view.clone());
        Ok(Ok(view.1))
    }

    fn release(&mut self, lease: &Weak<Lease>) {
        if self.lock.ptr_eq(lease) {
            self.lock = Weak::new();
        }
    }

    fn subscribe(&mut self) -> watch::Receiver<ModSeq> {
        self.used = true;
        self.newest.subscribe()
    }

    fn changed(&mut self, changed: &MailboxState) {
        self.newest.send_if_modified(|newest| {
            let newer = changed.highest_modseq > *newest;
            *newest = changed.highest_modseq.max(*newest);
            newer
        });
    }

    fn deleted(&mut self) {
        self.view = None;
        if let Some(lease) = self.lock.upgrade() {
            lease.revoke();
        }
    }

    fn idle(&mut self, ctx: &Context<Msg>) {
        if !self.is_locked() && self.newest.receiver_count() == 0 && !std::mem::take(&mut self.used) {
            return ctx.passivate();
        }
        self.idle = ctx.after(IDLE, Msg::Idle);
    }

    fn is_locked(&self) -> bool {
        self.lock.strong_count() > 0
    }
}

/// Lists a mailbox, unless what is known of it is still true. Blocks.
fn view(
    store: &Store,
    key: MailboxKey,
    known: Option<(ModSeq, Maildrop)>,
) -> Result<Option<(ModSeq, Maildrop)>, ReadError> {
    let snapshot = store.snapshot();
    let Some(state) = mailbox::state(&snapshot, key)? else {
        return Ok(None);
    };
    if let Some(view) = known
        && view.0 == state.highest_modseq
    {
        return Ok(Some(view));
    }
    let mut messages = Vec::new();
    let mut after = None;
    loop {
        let page = mailbox::listing(&snapshot, key, after, PAGE)?;
        messages.extend(page.rows.iter().map(|listed| Message {
            uid: listed.uid.get(),
            octets: listed.size,
        }));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(Some((
        state.highest_modseq,
        Maildrop::new(state.uid_validity.get(), messages),
    )))
}

/// The name of a mailbox's actor among its siblings: its account and its id.
#[must_use]
pub fn name(key: MailboxKey) -> String {
    format!("{}.{}", key.account, key.mailbox)
}

/// The mailbox that has a name.
#[must_use]
pub fn parse_name(tenant: TenantId, name: &str) -> Option<MailboxKey> {
    let (account, mailbox) = name.split_once('.')?;
    Some(MailboxKey {
        tenant,
        account: account.parse().ok()?,
        mailbox: mailbox.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use supervision::{Address, Settings, alone};

    use super::*;
    use crate::fixture::Fixture;

    const LIMIT: Duration = Duration::from_secs(60);

    fn up(fixture: &Fixture, name: String) -> Address<Msg> {
        let args = Args {
            tenant: fixture.inbox.tenant,
            name,
            store: fixture.store.clone(),
            reads: Reads::new(1),
        };
        alone::<Mailbox>(Settings::default(), args)
    }

    async fn open(mailbox: &Address<Msg>, lease: &Arc<Lease>) -> Result<usize, NotOpened> {
        let lease = Arc::downgrade(lease);
        let opened = mailbox.call(LIMIT, |reply| Msg::Open { lease, reply }).await;
        opened.unwrap().map(|maildrop| maildrop.len())
    }

    #[tokio::test]
    async fn one_session_at_a_time_has_the_lock() {
        let fixture = Fixture::new().await;
        let mailbox = up(&fixture, name(fixture.inbox));
        let (first, second) = (Arc::new(Lease::default()), Arc::new(Lease::default()));
        assert_eq!(open(&mailbox, &first).await, Ok(0));
        assert_eq!(open(&mailbox, &second).await, Err(NotOpened::InUse));
        // Who has it may ask again, as a session does that was restarted.
        assert_eq!(open(&mailbox, &first).await, Ok(0));
        // Only its holder can give it back.
        let release = |lease: &Arc<Lease>| Msg::Release {
            lease: Arc::downgrade(lease),
        };
        mailbox.cast(release(&second)).unwrap();
        assert_eq!(open(&mailbox, &second).await, Err(NotOpened::InUse));
        mailbox.cast(release(&first)).unwrap();
        assert_eq!(open(&mailbox, &second).await, Ok(0));
        // A connection that ends without a word lets go of it, too.
        drop(second);
        assert_eq!(open(&mailbox, &first).await, Ok(0));
    }

    #[tokio::test]
    async fn a_mailbox_that_is_not_in_the_store_is_not_opened() {
        let fixture = Fixture::new().await;
        let elsewhere = MailboxKey {
            mailbox: fixture.mint.id(),
            ..fixture.inbox
        };
        let mailbox = up(&fixture, name(elsewhere));
        let lease = Arc::new(Lease::default());
        assert_eq!(open(&mailbox, &lease).await, Err(NotOpened::Unavailable));
        // What was not opened is not locked.
        assert_eq!(
            open(&mailbox, &Arc::new(Lease::default())).await,
            Err(NotOpened::Unavailable)
        );
    }

    #[tokio::test]
    async fn who_has_a_mailbox_open_that_goes_is_told() {
        let fixture = Fixture::new().await;
        let mailbox = up(&fixture, name(fixture.inbox));
        let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
        let lease = Arc::new(Lease::waking(move || sender.send(()).unwrap()));
        assert_eq!(open(&mailbox, &lease).await, Ok(0));
        assert!(!lease.is_revoked());
        mailbox.cast(Msg::Deleted).unwrap();
        told.recv().await.unwrap();
        assert!(lease.is_revoked());
    }

    #[tokio::test]
    async fn subscribers_hear_of_the_newest_change_and_never_of_an_older_one() {
        let fixture = Fixture::new().await;
        let mailbox = up(&fixture, name(fixture.inbox));
        let mut newest = mailbox
            .call(LIMIT, |reply| Msg::Subscribe { reply })
            .await
            .unwrap();
        let state = mailbox::state(&fixture.store.snapshot(), fixture.inbox)
            .unwrap()
            .unwrap();
        let at = |modseq| {
            Msg::Changed(MailboxState {
                highest_modseq: ModSeq::new(modseq),
                ..state
            })
        };
        for modseq in [5, 9, 7] {
            mailbox.cast(at(modseq)).unwrap();
        }
        newest.wait_for(|newest| *newest == ModSeq::new(9)).await.unwrap();
        // A call behind the last change: it has been handled, and is no news.
        drop(
            mailbox
                .call(LIMIT, |reply| Msg::Subscribe { reply })
                .await
                .unwrap(),
        );
        assert!(!newest.has_changed().unwrap());
    }

    #[test]
    fn a_name_that_names_no_mailbox_is_none() {
        for name in ["", ".", "a.b", "00000000000000000000000000"] {
            assert_eq!(parse_name(TenantId::new(1), name), None, "{name:?}");
        }
    }
}
