//! LocalDelivery: puts one message into the mailbox of one account.
//!
//! Owner:    /tenants/<t>/queues/local/deliveries (static, permanent)
//! Accepts:  Msg::{Start, Ping, Work}
//! Calls:    the store gate, the directory's snapshot, the pool of readers
//! Owns:     the attempt at one recipient
//! On death: the attempt is forgotten; the queue hands the recipient to the next delivery. An append that had
//!           committed is answered with its first UID, so the mailbox never holds the message twice.
//! Limits:   MAX_CRASHES_PARSING, MAX_CRASHES, config.queue.{retry_first, retry_longest, retry_for}

mod parse;
mod steps;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use message::{
    address::ReversePath,
    envelope::MailOptions,
    id::{AccountId, CommandId, TenantId},
    received::return_path_line,
    time::Timestamp,
};
use ractor_cluster_derive::RactorMessage;
use store::{
    apply::Rejected,
    blob::BlobRef,
    command::{Append, Command, Proposal, Settle, Spooled},
    propose::{Answer, ProposeError},
    read::spool::{SpoolView, recipient as read_recipient},
    record::{
        mailbox::{Flags, Parsed},
        spool::{Route, SpoolMessage},
        trail::Settlement,
    },
    store::Store,
};
use supervision::{Actor, Address, Broken, Context, Settings, Timer};
use tokio::time::Instant;

use super::{
    local,
    why::{CRASHED, TRIED, VANISHED},
    window::Item,
};
use crate::{
    clock::Clock, directory::Directory, mint::Mint, reads::Reads, store::gate, subject,
    telemetry::QUEUE_ATTEMPTS_TIME,
};

/// After this many deliveries died on a message it is appended without being parsed.
const MAX_CRASHES_PARSING: u32 = 2;

/// After this many crashes on a message it is held for an operator: it is not the parser that deliveries die of.
const MAX_CRASHES: u32 = 4;

/// How often a proposal whose answer was lost is repeated under its id before the recipient waits for another attempt.
const MAX_PROPOSALS: u32 = 3;

/// What a local delivery is told.
#[derive(RactorMessage)]
pub enum Msg {
    /// It has started and can be reached: it asks for work.
    Start,
    /// Nothing is asked: whoever sends it learns whether somebody is there.
    Ping,
    /// Deliver this.
    Work {
        /// To whom.
        item: Item,
        /// The message, when the queue has it in memory; otherwise it is read from the spool.
        spooled: Option<Arc<Spooled>>,
        /// How many deliveries died on this message before.
        crashes: u32,
    },
}

/// What a local delivery needs.
#[derive(Clone)]
pub struct Args {
    /// Its number among its siblings.
    pub worker: u32,
    /// Whose queue it works for.
    pub tenant: TenantId,
    /// Who hands out the work.
    pub queue: Address<local::Msg>,
    /// Where proposals go.
    pub gate: Address<gate::Msg>,
    /// Who has which mailbox.
    pub directory: Directory,
    /// The store, for reading.
    pub store: Store,
    /// The pool of readers.
    pub reads: Reads,
    /// The clock of the process.
    pub clock: Clock,
    /// Makes command ids.
    pub mint: Mint,
    /// The current settings.
    pub config: Arc<config::Config>,
}

/// A local delivery.
pub struct LocalDelivery;

/// What a local delivery holds.
pub struct State {
    args: Args,
    path: String,
    _start: Timer,
}

impl Actor for LocalDelivery {
    const CLASS: &'static str = "local_delivery";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        // Not before it can be reached: the queue answers at once.
        let start = ctx.after(Duration::ZERO, Msg::Start);
        Ok(State {
            path: ctx.path(),
            args,
            _start: start,
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Start => state.start(ctx),
            Msg::Ping => {}
            Msg::Work {
                item,
                spooled,
                crashes,
            } => state.work(ctx, item, spooled, crashes).await?,
        }
        Ok(())
    }

    async fn configure(_: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        state.args.config = settings.shared_of::<config::Config>();
        Ok(())
    }
}

/// Everything about one recipient of one message.
struct Attempt {
    item: Item,
    number: u32,
    fresh: bool,
    crashes: u32,
    message: Facts,
    route: Route,
}

/// What a delivery needs to know of a message.
struct Facts {
    reverse_path: ReversePath,
    blob: BlobRef,
    arrived: Timestamp,
    /// When it could be tried at first.
    first_due: Timestamp,
}

impl Facts {
    fn of(message: &SpoolMessage) -> Self {
        Self {
            reverse_path: message.reverse_path.clone(),
            blob: message.blob.clone(),
            arrived: message.arrival.at,
            first_due: first_due(&message.options, message.arrival.at),
        }
    }
}

/// How an attempt ended.
enum End {
    /// The recipient is done, or waits with a reason on record.
    Settled,
    /// Nothing could be written: the recipient is as due as before.
    Unsettled,
}

impl State {
    fn start(&self, ctx: &Context<Msg>) {
        let ready = local::Msg::Ready {
            worker: self.args.worker,
            address: ctx.address(),
        };
        // A queue that is down restarts its deliveries when it is back.
        let _ = self.args.queue.cast(ready);
    }

    async fn work(
        &mut self,
        ctx: &Context<Msg>,
        item: Item,
        spooled: Option<Arc<Spooled>>,
        crashes: u32,
    ) -> Result<(), Broken> {
        let started = Instant::now();
        let end = match self.attempt(item, spooled, crashes).await? {
            Some(attempt) => self.deliver(ctx, attempt).await?,
            None => End::Settled,
        };
        QUEUE_ATTEMPTS_TIME.took(started.elapsed());
        let done = local::Msg::Done {
            worker: self.args.worker,
            item,
            settled: matches!(end, End::Settled),
        };
        // A queue that is down forgets its window, and this delivery is restarted with it.
        let _ = self.args.queue.cast(done);
        Ok(())
    }

    /// Finds out what there is to do; `None` when the recipient is no longer in the spool or is held.
    async fn attempt(
        &self,
        item: Item,
        spooled: Option<Arc<Spooled>>,
        crashes: u32,
    ) -> Result<Option<Attempt>, Broken> {
        if let Some(spooled) = spooled {
            let Some(addressee) = spooled.recipients.get(usize::from(item.recipient.get())) else {
                return Err(Broken::because(format!(
                    "message {} has no such recipient",
                    item.message
                )));
            };
            let route = addressee.route.clone();
            let message = Facts {
                reverse_path: spooled.reverse_path.clone(),
                blob: spooled.blob.clone(),
                arrived: spooled.arrival.at,
                first_due: first_due(&spooled.options, spooled.arrival.at),
            };
            return Ok(Some(Attempt {
                item,
                number: 1,
                fresh: true,
                crashes,
                message,
                route,
            }));
        }
        let (store, tenant) = (self.args.store.clone(), self.args.tenant);
        let read = self
            .args
            .reads
            .run(move || read_recipient(&store.snapshot(), tenant, item.message, item.recipient))
            .await?;
        match read {
            Ok(Some(SpoolView { message, recipient })) => Ok(Some(Attempt {
                item,
                number: recipient.attempts.saturating_add(1),
                fresh: false,
                crashes,
                message: Facts::of(&message),
                route: recipient.route,
            })),
            Ok(None) => Ok(None),
            Err(why) => {
                tracing::error!(target: "angarium::queue", message = %item.message, %why, "the spool cannot be read");
                Ok(None)
            }
        }
    }

    async fn deliver(&self, ctx: &Context<Msg>, attempt: Attempt) -> Result<End, Broken> {
        // Those that were killed are not counted: that was not the message's doing.
        let crashes = ctx.crashes(subject::message(attempt.item.message));
        if crashes >= MAX_CRASHES {
            let why = format!("{crashes}{CRASHED}");
            return self.hold(&attempt, &why).await;
        }
        match attempt.route {
            Route::Local(account) => self.append(&attempt, account).await,
            Route::Discard => {
                let reply = "discarded, as the configuration says of this domain".to_owned();
                self.settle(&attempt, Settlement::Delivered { reply }).await
            }
            Route::Remote(_) => Err(Broken::because("a remote recipient is in the local queue")),
        }
    }

    async fn append(&self, attempt: &Attempt, account: AccountId) -> Result<End, Broken> {
        let Some(mailbox) = self.args.directory.snapshot().inbox(account) else {
            return self.hold(attempt, VANISHED).await;
        };
        let (parsed, structure) = self.parse(attempt).await?;
        let command = Command::Append(Append {
            tenant: self.args.tenant,
            message: attempt.item.message,
            recipient: attempt.item.recipient,
            blob: attempt.message.blob.id,
            account,
            mailbox,
            prefix: Bytes::from(return_path_line(&attempt.message.reverse_path)),
            flags: Flags::default(),
            internal_date: attempt.message.arrived,
            parsed,
            structure,
            actor: self.path.clone(),
        });
        match self.propose(attempt, command).await {
            Ok(_) => {
                steps::appended(attempt, account, mailbox, self.args.clock.timestamp());
                Ok(End::Settled)
            }
            Err(ProposeError::Rejected(why)) => self.rejected(attempt, &why).await,
            Err(_) => Ok(End::Unsettled),
        }
    }

    async fn parse(&self, attempt: &Attempt) -> Result<(Parsed, Option<Bytes>), Broken> {
        if attempt.crashes >= MAX_CRASHES_PARSING {
            tracing::error!(
                target: "angarium::queue",
                message = %attempt.item.message,
                "deliveries die on this message: it is appended unparsed",
            );
            return Ok((Parsed::Not, None));
        }
        let (store, tenant, blob) = (
            self.args.store.clone(),
            self.args.tenant,
            attempt.message.blob.clone(),
        );
        if attempt.fresh && blob.chunks == 1 {
            // It was written a moment ago and is still in memory: a hop to the pool would cost more than the read.
            return Ok(parse::structure(&store, tenant, &blob));
        }
        self.args
            .reads
            .run(move || parse::structure(&store, tenant, &blob))
            .await
    }

    async fn rejected(&self, attempt: &Attempt, why: &Rejected) -> Result<End, Broken> {
        match why {
            // An earlier attempt, whose answer was lost, did it.
            Rejected::NoSuchMessage | Rejected::NoSuchRecipient => Ok(End::Settled),
            Rejected::OverQuota { .. } => self.defer(attempt, &why.to_string()).await,
            Rejected::NoSuchAccount | Rejected::NoSuchMailbox => self.hold(attempt, VANISHED).await,
            Rejected::Broken(why) => Err(Broken::because(why)),
            other => self.hold(attempt, &other.to_string()).await,
        }
    }

    async fn defer(&self, attempt: &Attempt, why: &str) -> Result<End, Broken> {
        let queue = &self.args.config.queue;
        let now = self.args.clock.timestamp();
        if now >= attempt.message.first_due + queue.retry_for {
            let why = format!("{why}{TRIED}{} seconds", queue.retry_for.as_secs());
            return self.hold(attempt, &why).await;
        }
        let next_due = now + backoff(queue.retry_first, queue.retry_longest, attempt.number);
        self.settle(
            attempt,
            Settlement::Deferred {
                next_due,
                why: why.to_owned(),
            },
        )
        .await
    }

    async fn hold(&self, attempt: &Attempt, why: &str) -> Result<End, Broken> {
        self.settle(attempt, Settlement::Held { why: why.to_owned() })
            .await
    }

    async fn settle(&self, attempt: &Attempt, settlement: Settlement) -> Result<End, Broken> {
        let command = Command::Settle(Settle {
            tenant: self.args.tenant,
            message: attempt.item.message,
            recipient: attempt.item.recipient,
            blob: attempt.message.blob.id,
            attempt: attempt.number,
            settlement: settlement.clone(),
            actor: self.path.clone(),
        });
        match self.propose(attempt, command).await {
            Ok(_) => {
                steps::settled(attempt, &settlement, self.args.clock.timestamp());
                Ok(End::Settled)
            }
            // Somebody else settled this attempt, or took the message out of the spool.
            Err(ProposeError::Rejected(
                Rejected::Stale(_) | Rejected::NoSuchMessage | Rejected::NoSuchRecipient,
            )) => Ok(End::Settled),
            Err(ProposeError::Rejected(why)) => Err(Broken::because(why)),
            Err(_) => Ok(End::Unsettled),
        }
    }

    /// Proposes a command, again under the same id when its answer was lost.
    async fn propose(&self, attempt: &Attempt, command: Command) -> Answer {
        let about = subject::message(attempt.item.message);
        let id: CommandId = self.args.mint.id();
        let proposal = Proposal::new(id, self.args.clock.timestamp(), command);
        let mut answer = gate::propose(&self.args.gate, about, proposal.clone()).await;
        for _ in 1..MAX_PROPOSALS {
            if !matches!(answer, Err(ProposeError::Unknown)) {
                break;
            }
            answer = gate::propose(&self.args.gate, about, proposal.clone()).await;
        }
        answer
    }
}

/// When a message may be tried at first: its sender may want it held back.
fn first_due(options: &MailOptions, arrived: Timestamp) -> Timestamp {
    options.hold.map_or(arrived, |hold| hold.due(arrived))
}

/// The wait before the next attempt: doubled each time, up to the longest.
fn backoff(first: Duration, longest: Duration, attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(31);
    first.saturating_mul(1 << doublings).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_longest() {
        let (first, longest) = (Duration::from_secs(30), Duration::from_secs(100));
        for (attempt, expected) in [(1, 30), (2, 60), (3, 100), (40, 100), (u32::MAX, 100)] {
            assert_eq!(
                backoff(first, longest, attempt),
                Duration::from_secs(expected),
                "attempt {attempt}"
            );
        }
    }
}
