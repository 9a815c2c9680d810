//! Sweeper: removes what deletions left behind and what has been kept for its time, a bounded step at a time.
//!
//! Owner:    /store (static, permanent)
//! Accepts:  Msg::Look
//! Calls:    the pool of readers, the store gate
//! Owns:     nothing; what there is to do is written in the store
//! On death: the step under way is forgotten; the next look finds it again. Steps can be repeated.
//! Limits:   config.store.{trail_retention, command_retention, idempotence_retention}, INTERVAL, STEP

use std::{collections::VecDeque, sync::Arc, time::Duration};

use message::{
    id::{CommandId, MessageId, TenantId},
    time::Timestamp,
};
use ractor_cluster_derive::RactorMessage;
use store::{
    command::{Command, Proposal, Sweep, SweepRows, job::MAX_SWEEP},
    engine::{Snapshot, StoreError},
    read::{
        job::{appended_before, next_reap, results_before},
        spool, trail,
    },
    store::Store,
};
use supervision::{Actor, Address, Broken, Context, Settings, Subject, Timer};

use super::gate;
use crate::{clock::Clock, mint::Mint, reads::Reads};

/// How often it is looked for what has become old.
const INTERVAL: Duration = Duration::from_secs(15 * 60);

/// How long to wait when the store had something better to do.
const LATER: Duration = Duration::from_secs(10);

/// Rows that one step removes.
const STEP: usize = MAX_SWEEP;

/// What the sweeper is told.
#[derive(RactorMessage)]
pub enum Msg {
    /// There may be something to remove.
    Look,
}

/// What a sweeper needs.
#[derive(Clone)]
pub struct Args {
    /// Whose records.
    pub tenant: TenantId,
    /// The store, for reading.
    pub store: Store,
    /// The pool of readers.
    pub reads: Reads,
    /// Where proposals go.
    pub gate: Address<gate::Msg>,
    /// The clock of the process.
    pub clock: Clock,
    /// Makes command ids.
    pub mint: Mint,
    /// The current settings.
    pub config: Arc<config::Config>,
}

/// The sweeper.
pub struct Sweeper;

/// What a sweeper holds.
pub struct State {
    args: Args,
    /// What is still to be looked for in this round.
    round: VecDeque<Kind>,
    timer: Timer,
}

/// What there may be to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Deleted,
    Results,
    Appended,
    Trail,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Deleted, Self::Results, Self::Appended, Self::Trail];
}

/// A step, and whether more of its kind may follow.
struct Step {
    command: Command,
    more: bool,
}

impl Actor for Sweeper {
    const CLASS: &'static str = "store_sweeper";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        Ok(State {
            args,
            round: VecDeque::new(),
            timer: ctx.after(Duration::ZERO, Msg::Look),
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Look => {
                let pause = state.look().await?;
                state.timer = ctx.after(pause, Msg::Look);
            }
        }
        Ok(())
    }

    async fn configure(_: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        state.args.config = settings.shared_of::<config::Config>();
        Ok(())
    }
}

impl State {
    /// Takes one step, and says how long to wait before the next.
    async fn look(&mut self) -> Result<Duration, Broken> {
        if self.round.is_empty() {
            self.round.extend(Kind::ALL);
        }
        let Some(kind) = self.round.front().copied() else {
            return Ok(INTERVAL);
        };
        let (args, now) = (self.args.clone(), self.args.clock.timestamp());
        let step = match self.args.reads.run(move || step(&args, kind, now)).await? {
            Ok(step) => step,
            Err(why) => {
                tracing::error!(target: "angarium::store", %why, "what is to be removed cannot be read");
                return Ok(LATER);
            }
        };
        let more = step.as_ref().is_some_and(|step| step.more);
        if let Some(step) = step
            && !self.propose(step.command, now).await
        {
            // What cannot be done now must not keep the others from being done.
            self.round.rotate_left(1);
            return Ok(LATER);
        }
        if !more {
            self.round.pop_front();
        }
        Ok(if self.round.is_empty() {
            INTERVAL
        } else {
            Duration::ZERO
        })
    }

    async fn propose(&self, command: Command, now: Timestamp) -> bool {
        let id: CommandId = self.args.mint.id();
        let about = Subject::new("sweep", u128::from_be_bytes(id.to_bytes()));
        match gate::propose(&self.args.gate, about, Proposal::new(id, now, command)).await {
            Ok(_) => true,
            Err(why) => {
                tracing::warn!(target: "angarium::store", %why, "nothing was removed");
                false
            }
        }
    }
}

/// The next step of a kind. Blocks.
fn step(args: &Args, kind: Kind, now: Timestamp) -> Result<Option<Step>, StoreError> {
    let snapshot = args.store.snapshot();
    let (tenant, store) = (args.tenant, &args.config.store);
    let (before, rows) = match kind {
        Kind::Deleted => {
            let reap = next_reap(&snapshot, tenant)?;
            return Ok(reap.map(|reap| Step {
                command: Command::Reap(reap),
                more: true,
            }));
        }
        Kind::Results => {
            let before = earlier(now, store.command_retention);
            (
                before,
                SweepRows::Results(results_before(&snapshot, before, STEP)?),
            )
        }
        Kind::Appended => {
            let before = earlier(now, store.idempotence_retention);
            let mut rows = appended_before(&snapshot, tenant, before, STEP)?;
            rows.retain(|(message, _)| !is_spooled(&snapshot, tenant, *message));
            (before, SweepRows::Appended(rows))
        }
        Kind::Trail => {
            let before = earlier(now, store.trail_retention);
            let mut rows = trail::before(&snapshot, tenant, before, STEP)?;
            rows.retain(|key| !is_spooled(&snapshot, tenant, key.message));
            (before, SweepRows::Trail(rows))
        }
    };
    let count = match &rows {
        SweepRows::Results(rows) => rows.len(),
        SweepRows::Appended(rows) => rows.len(),
        SweepRows::Trail(rows) => rows.len(),
        SweepRows::Vanished { modseqs, .. } => modseqs.len(),
    };
    // As long as something goes there may be more behind it; a page of rows that must stay ends the round.
    let step = Step {
        command: Command::Sweep(Sweep { tenant, before, rows }),
        more: true,
    };
    Ok((count > 0).then_some(step))
}

/// Whether a message is not done yet: what is known of it must stay. What cannot be read stays too.
fn is_spooled(snapshot: &impl Snapshot, tenant: TenantId, message: MessageId) -> bool {
    !matches!(spool::message(snapshot, tenant, message), Ok(None))
}

fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(by))
}
