//! LocalQueue: decides when a message in the spool is delivered to an account of this server.
//!
//! Owner:    /tenants/<t>/queues/local (static, permanent; its deliveries are restarted with it)
//! Accepts:  Msg::{Accepted, Deferred, Ready, Done, Look, Seen}
//! Calls:    the pool of readers, for the due index
//! Owns:     the active window: what is due, and which delivery works on what
//! On death: the window is forgotten and read again from the due index; deliveries under way are started again, and an
//!           append that had committed is answered with the UID that it gave the first time.
//! Limits:   config.queue.{active_window, workers}, LOOK_INTERVAL

use std::{collections::HashMap, sync::Arc, time::Duration};

use message::{id::TenantId, time::Timestamp};
use ractor_cluster_derive::RactorMessage;
use store::{
    command::Spooled,
    read::spool::{DueRow, due_rows},
    record::spool::{Destination, RecipientNumber, Route},
    store::Store,
};
use supervision::{Actor, Address, Broken, Context, Inspection, Settings, Timer};
use tokio::task::JoinSet;

use super::{
    local_delivery,
    window::{Item, Window},
};
use crate::{
    clock::Clock,
    reads::Reads,
    subject,
    telemetry::{QUEUE_DELIVERIES_DIED, QUEUE_WINDOW_ASSIGNED, QUEUE_WINDOW_WAITING},
};

/// The due index is looked at this often even when nothing is known to fall due: hints may be lost.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);

/// How long to wait before looking again when the store could not be read or took no more.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What the local queue is told.
#[derive(RactorMessage)]
pub enum Msg {
    /// Messages were accepted. A hint: the due index knows them too.
    Accepted(Vec<Arc<Spooled>>),
    /// A recipient of this queue falls due at this time. A hint.
    Deferred(Timestamp),
    /// A delivery has started and is free.
    Ready {
        /// Its number.
        worker: u32,
        /// Where it is.
        address: Address<local_delivery::Msg>,
    },
    /// A delivery is done with an attempt.
    Done {
        /// Its number.
        worker: u32,
        /// What it worked on.
        item: Item,
        /// Whether the store took what came of it. If not, the recipient is still due.
        settled: bool,
    },
    /// It is time to look into the due index.
    Look,
    /// The due index was read.
    Seen(Seen),
}

/// What the due index said.
pub struct Seen {
    /// What is due now.
    due: Vec<DueRow>,
    /// Whether there is more that is due.
    more: bool,
    /// When the next recipient falls due.
    next: Option<Timestamp>,
}

/// What a local queue needs.
pub struct Args {
    /// Whose queue it is.
    pub tenant: TenantId,
    /// The clock of the process.
    pub clock: Clock,
    /// The store of this process.
    pub store: Store,
    /// The pool of readers.
    pub reads: Reads,
    /// The current settings.
    pub config: Arc<config::Config>,
}

/// The local queue.
pub struct LocalQueue;

/// What a local queue holds.
pub struct State {
    tenant: TenantId,
    clock: Clock,
    store: Store,
    reads: Reads,
    window: Window<Option<Arc<Spooled>>>,
    deliveries: HashMap<u32, Address<local_delivery::Msg>>,
    /// How many of them the settings want; those with higher numbers end when they are done.
    workers: u32,
    /// Whether the due index is being read.
    looking: bool,
    /// Whether it must be read again as soon as there is room.
    unread: bool,
    /// When the timer will say `Look`.
    alarm: Timestamp,
    timer: Timer,
    reader: JoinSet<()>,
}

impl Actor for LocalQueue {
    const CLASS: &'static str = "local_queue";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        Ok(State {
            tenant: args.tenant,
            clock: args.clock,
            store: args.store,
            reads: args.reads,
            window: Window::new(args.config.queue.active_window as usize),
            workers: args.config.queue.workers,
            deliveries: HashMap::new(),
            looking: false,
            unread: false,
            alarm: args.clock.timestamp(),
            timer: ctx.after(Duration::ZERO, Msg::Look),
            reader: JoinSet::new(),
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Accepted(messages) => state.accepted(ctx, &messages),
            Msg::Deferred(due) => state.wake_at(ctx, due),
            Msg::Ready { worker, address } => state.ready(worker, address),
            Msg::Done {
                worker,
                item,
                settled,
            } => state.done(ctx, worker, item, settled),
            Msg::Look => state.look(ctx),
            Msg::Seen(seen) => state.seen(ctx, seen),
        }
        state.assign();
        if state.unread && state.window.has_room() {
            state.look(ctx);
        }
        QUEUE_WINDOW_WAITING.set(state.window.waiting() as u64);
        QUEUE_WINDOW_ASSIGNED.set(state.window.assigned() as u64);
        Ok(())
    }

    async fn configure(_: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        let queue = &settings.of::<config::Config>().queue;
        state.window.set_limit(queue.active_window as usize);
        state.workers = queue.workers;
        state.retire();
        state.assign();
        Ok(())
    }

    fn inspect(state: &State) -> Inspection {
        Inspection::default()
            .with("waiting", state.window.waiting())
            .with("assigned", state.window.assigned())
            .with("deliveries", state.deliveries.len())
    }
}

impl State {
    fn accepted(&mut self, ctx: &Context<Msg>, messages: &[Arc<Spooled>]) {
        let now = self.clock.timestamp();
        for spooled in messages {
            // Its sender wants it held back: the due index has it.
            if spooled.due > now {
                self.wake_at(ctx, spooled.due);
                continue;
            }
            for (number, addressee) in (0_u16..).zip(&spooled.recipients) {
                if matches!(addressee.route, Route::Remote(_)) {
                    continue;
                }
                let recipient = RecipientNumber::new(number);
                self.window.add(
                    Item {
                        message: spooled.message,
                        recipient,
                    },
                    Some(Arc::clone(spooled)),
                );
            }
        }
        self.unread |= self.window.take_overflow();
    }

    fn ready(&mut self, worker: u32, address: Address<local_delivery::Msg>) {
        if let Some(item) = self.window.ready(worker) {
            QUEUE_DELIVERIES_DIED.count(1);
            tracing::warn!(target: "angarium::queue", message = %item.message, worker, "a local delivery died");
        }
        self.deliveries.insert(worker, address);
    }

    fn done(&mut self, ctx: &Context<Msg>, worker: u32, item: Item, settled: bool) {
        self.window.done(worker, item);
        self.retire();
        if !settled {
            self.wake_in(ctx, LOOK_AGAIN);
        }
    }

    /// Gives nothing more to deliveries that the settings do not want any more, and takes back what one had that has
    /// ended.
    fn retire(&mut self) {
        let workers = self.workers;
        let window = &mut self.window;
        self.deliveries.retain(|worker, delivery| {
            if *worker <= workers {
                return true;
            }
            window.retire(*worker);
            let is_there = delivery.cast(local_delivery::Msg::Ping).is_ok();
            if !is_there {
                window.take_back(*worker);
            }
            is_there
        });
    }

    fn assign(&mut self) {
        while let Some(assignment) = self.window.assign() {
            let Some(delivery) = self.deliveries.get(&assignment.worker) else {
                continue;
            };
            let work = local_delivery::Msg::Work {
                item: assignment.item,
                spooled: assignment.payload,
                crashes: assignment.crashes,
            };
            // A delivery that is down now says `Ready` when it is back, and gets its item again.
            let _ = delivery
                .subject(subject::message(assignment.item.message))
                .cast(work);
        }
    }

    fn look(&mut self, ctx: &Context<Msg>) {
        self.retire();
        if self.looking {
            self.unread = true;
            return;
        }
        self.looking = true;
        self.unread = false;
        let (store, tenant, now) = (self.store.clone(), self.tenant, self.clock.timestamp());
        let (reads, me) = (self.reads.clone(), ctx.address());
        // A whole window's worth: what is known already must not hide what is behind it.
        let limit = self.window.limit();
        while self.reader.try_join_next().is_some() {}
        self.reader.spawn(async move {
            let read = reads.run(move || look(&store, tenant, now, limit)).await;
            let seen = match read {
                Ok(Ok(seen)) => seen,
                Ok(Err(why)) => unreadable(&why, now),
                Err(why) => unreadable(&why, now),
            };
            // The queue is restarted with this task: there is nobody else to tell.
            let _ = me.cast(Msg::Seen(seen));
        });
    }

    fn seen(&mut self, ctx: &Context<Msg>, seen: Seen) {
        self.looking = false;
        self.unread |= seen.more;
        for row in seen.due {
            self.window.add(
                Item {
                    message: row.message,
                    recipient: row.recipient,
                },
                None,
            );
        }
        self.unread |= self.window.take_overflow();
        match seen.next {
            Some(next) => self.wake_at(ctx, next),
            None => self.wake_in(ctx, LOOK_INTERVAL),
        }
    }

    fn wake_in(&mut self, ctx: &Context<Msg>, after: Duration) {
        self.wake_at(ctx, self.clock.timestamp() + after);
    }

    /// Sees to it that `Look` comes at `due` at the latest.
    fn wake_at(&mut self, ctx: &Context<Msg>, due: Timestamp) {
        let now = self.clock.timestamp();
        let due = due.min(now + LOOK_INTERVAL);
        if self.alarm > now && self.alarm <= due {
            return;
        }
        self.alarm = due;
        let wait = Duration::from_millis(due.as_millis().saturating_sub(now.as_millis()));
        self.timer = ctx.after(wait, Msg::Look);
    }
}

fn look(
    store: &Store,
    tenant: TenantId,
    now: Timestamp,
    limit: usize,
) -> Result<Seen, store::engine::StoreError> {
    let snapshot = store.snapshot();
    let page = due_rows(&snapshot, tenant, &Destination::Local, now, limit)?;
    Ok(Seen {
        more: page.more,
        next: page.next,
        due: page.rows,
    })
}

fn unreadable(why: &dyn std::fmt::Display, now: Timestamp) -> Seen {
    tracing::error!(target: "angarium::queue", %why, "the due index cannot be read");
    Seen {
        due: Vec::new(),
        more: false,
        next: Some(now + LOOK_AGAIN),
    }
}
