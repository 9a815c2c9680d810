//! Feed: tells the live actors what was committed, in the order of the commits.
//!
//! Owner:    / (static, permanent)
//! Accepts:  Msg::{Start, Committed, Lagged}
//! Calls:    the directory, the local queue, the sweeper, the limits, the mailboxes that are up
//! Owns:     its place among the committed changes, and the task that waits for them
//! On death: it begins again with what is committed from then on; whoever it may have told less is told to read again.
//! Limits:   config.store.max_feed: who falls behind further is told that it lags

use std::sync::Arc;

use message::time::Timestamp;
use ractor_cluster_derive::RactorMessage;
use store::{
    apply::{
        Change,
        change::{MailboxChange, MailboxEvent},
    },
    feed::{Changes, Committed, Feed as Fed},
    key::mailbox::MailboxKey,
    record::ban::{Ban, Network},
    store::Store,
};
use supervision::{Actor, Address, Broken, Context, Dynamic, Reply, Timer};
use tokio::task::JoinSet;

use super::sweeper;
use crate::{
    directory, limits,
    mailbox::{self, Mailbox},
    queue::local,
};

/// How long the feed may take for one group before its task gives up: nothing in it waits.
const TELL_LIMIT: std::time::Duration = std::time::Duration::from_secs(60);

/// What the feed is told by its task.
#[derive(RactorMessage)]
pub enum Msg {
    /// It has started, and so have those whom it tells.
    Start,
    /// A group was committed.
    Committed(Arc<Vec<Committed>>, Reply<()>),
    /// Groups were missed.
    Lagged,
}

/// What a feed needs.
#[derive(Clone)]
pub struct Args {
    /// The store of this process.
    pub store: Store,
    /// Told of accounts, domains and aliases.
    pub directory: Address<directory::Msg>,
    /// Told of messages.
    pub local_queue: Address<local::Msg>,
    /// Told of deletions.
    pub sweeper: Address<sweeper::Msg>,
    /// Told of bans.
    pub limits: Address<limits::keeper::Msg>,
    /// Told of mailboxes.
    pub mailboxes: Dynamic<Mailbox>,
}

/// The feed.
pub struct Feed;

/// What a feed holds.
pub struct State {
    args: Args,
    _start: Timer,
    task: JoinSet<()>,
}

impl Actor for Feed {
    const CLASS: &'static str = "store_feed";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let changes = args.store.changes();
        let mut task = JoinSet::new();
        task.spawn(follow(changes, ctx.address()));
        Ok(State {
            args,
            _start: ctx.after(std::time::Duration::ZERO, Msg::Start),
            task,
        })
    }

    async fn handle(_: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Start => state.lagged(),
            Msg::Committed(group, reply) => {
                state.committed(&group);
                reply.send(());
            }
            Msg::Lagged => state.lagged(),
        }
        if state.task.try_join_next().is_some() {
            return Err(Broken::because("the task that follows the store has ended"));
        }
        Ok(())
    }
}

/// Hands over one group after the other: the feed's queue never holds more than one.
async fn follow(mut changes: Changes, feed: Address<Msg>) {
    while let Some(fed) = changes.next().await {
        match fed {
            Fed::Committed(group) => {
                if feed
                    .call(TELL_LIMIT, |reply| Msg::Committed(group, reply))
                    .await
                    .is_err()
                {
                    let _ = feed.cast(Msg::Lagged);
                }
            }
            Fed::Lagged(groups) => {
                tracing::info!(target: "angarium::store", groups, "the change feed fell behind");
                let _ = feed.cast(Msg::Lagged);
            }
        }
    }
}

impl State {
    fn committed(&self, group: &[Committed]) {
        let mut accepted = Vec::new();
        let mut directory_changed = false;
        for change in group.iter().flat_map(|committed| &committed.changes) {
            match change {
                Change::Accepted(spooled) => accepted.push(Arc::clone(spooled)),
                Change::Deferred { due, .. } => self.deferred(*due),
                Change::Mailbox(changed) => self.mailbox(changed),
                Change::Tenant(_) | Change::Domain(..) | Change::Account(..) | Change::Address(..) => {
                    directory_changed = true;
                }
                Change::Tombstone(_) => self.tombstone(),
                Change::Ban(network, ban) => self.ban(*network, ban.clone()),
                // Nobody waits for these yet: a queue asks the store, a listing is read when it is opened.
                _ => {}
            }
        }
        if !accepted.is_empty() {
            let _ = self.args.local_queue.cast(local::Msg::Accepted(accepted));
        }
        if directory_changed {
            let _ = self.args.directory.cast(directory::Msg::Changed);
        }
    }

    fn tombstone(&self) {
        let _ = self.args.sweeper.cast(sweeper::Msg::Look);
    }

    fn ban(&self, network: Network, ban: Option<Ban>) {
        let _ = self.args.limits.cast(limits::keeper::Msg::Banned(network, ban));
    }

    fn deferred(&self, due: Timestamp) {
        let _ = self.args.local_queue.cast(local::Msg::Deferred(due));
    }

    /// A mailbox that is not up reads the store when somebody wants it.
    fn mailbox(&self, changed: &MailboxChange) {
        if self.args.mailboxes.count() == 0 {
            return;
        }
        let key = MailboxKey {
            tenant: changed.tenant,
            account: changed.state.owner,
            mailbox: changed.mailbox,
        };
        if let Some(mailbox) = self.args.mailboxes.living(&mailbox::name(key)) {
            let _ = mailbox.cast(match changed.what {
                MailboxEvent::Deleted => mailbox::Msg::Deleted,
                MailboxEvent::Appended { .. } | MailboxEvent::FlagsChanged(_) | MailboxEvent::Expunged(_) => {
                    mailbox::Msg::Changed(changed.state)
                }
            });
        }
    }

    fn lagged(&self) {
        let _ = self.args.directory.cast(directory::Msg::Changed);
        let _ = self.args.local_queue.cast(local::Msg::Look);
        let _ = self.args.limits.cast(limits::keeper::Msg::Read);
    }
}
