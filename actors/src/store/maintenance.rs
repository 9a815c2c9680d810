//! Maintenance: long work on the store beside the mail, one at a time: checks, backups, and giving space back off-peak.
//!
//! Owner:    /store (static, permanent)
//! Accepts:  Msg::{Look, Begin, End, Ended, Show}
//! Calls:    the store gate
//! Owns:     the thread of the work that is under way; what the work is, and how far, is written in the store
//! On death: the thread ends soon after; the next incarnation, also of the process, goes on behind the last mark. A
//!           backup finds the segments that it had written.
//! Limits:   config.store.{maintenance, maintenance_load, maintenance_pace}, LOOK, MARK, ENOUGH

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use config::Config;
use message::{
    id::{CommandId, ReceiptId},
    time::Timestamp,
};
use ractor_cluster_derive::RactorMessage;
use store::{
    command::{Command, Proposal, Record, Tend},
    read,
    record::{
        audit::{AuditEntry, AuditOutcome},
        upkeep::{Upkeep, UpkeepTask},
    },
    store::Store,
};
use supervision::{Actor, Address, Broken, Context, Inspection, Reply, Settings, Subject, Timer};
use tokio::{sync::oneshot, task::JoinSet};

use super::{
    gate,
    labour::{Ended, Shared, Standing, labour},
};
use crate::{
    clock::Clock,
    mint::Mint,
    telemetry::{STORE_UPKEEP_DONE, STORE_UPKEEP_FAILED},
};

/// How often it is looked whether there is something to do.
const LOOK: Duration = Duration::from_secs(60);

/// How often it is written down how far a work is: what a restart does again.
const MARK: Duration = Duration::from_secs(10);

/// Octets known to be garbage that are worth a compaction.
const ENOUGH: u64 = 64 << 20;

/// Commands since the last compaction that are worth another: what they deleted is not known before.
const ENOUGH_COMMANDS: u64 = 1000;

/// Who asks for what is done without anybody asking.
const NOBODY: &str = "maintenance";

/// What maintenance is told.
#[derive(RactorMessage)]
pub enum Msg {
    /// There may be something to do.
    Look,
    /// Begin this.
    Begin(Box<Asked>, Reply<Result<ReceiptId, String>>),
    /// End what is under way; says whether anything was.
    End(Reply<bool>),
    /// A work has ended.
    Ended(ReceiptId, Ended),
    /// How far is it?
    Show(Reply<Shown>),
}

/// A work, and who asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What is to be done.
    pub task: UpkeepTask,
    /// Who asks.
    pub who: String,
    /// The line as it was given.
    pub line: String,
    /// Why.
    pub reason: Option<String>,
}

/// What is under way, and what was last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The work that is under way, and how far it is.
    pub now: Option<(Upkeep, Standing)>,
    /// The work that ended last in this incarnation, what it came to, and how far it was.
    pub last: Option<(Upkeep, Result<String, String>, Standing)>,
}

/// What maintenance needs.
#[derive(Clone)]
pub struct Args {
    /// The store.
    pub store: Store,
    /// Where proposals go.
    pub gate: Address<gate::Msg>,
    /// The clock of the process.
    pub clock: Clock,
    /// Makes ids.
    pub mint: Mint,
    /// The current settings.
    pub config: Arc<Config>,
}

/// The actor of maintenance.
pub struct Maintenance;

/// What it holds.
pub struct State {
    args: Args,
    /// What was under way when the last incarnation ended.
    unfinished: Option<Upkeep>,
    work: Option<Work>,
    last: Option<(Upkeep, Result<String, String>, Standing)>,
    /// Commands that were committed when space was last given back, or at the start.
    reclaimed_at: u64,
    /// Commands and time of the last look: how busy the server is.
    seen: (u64, Instant),
    waits: JoinSet<()>,
    timer: Timer,
}

/// A work that is under way. Its thread ends when this is dropped.
struct Work {
    upkeep: Upkeep,
    shared: Shared,
    /// Whether somebody wants it to end for good, and not to go on after a restart.
    is_ended: bool,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl Actor for Maintenance {
    const CLASS: &'static str = "store_maintenance";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let sequence = args.store.statistics().sequence;
        // One record. A damaged one is a work that nobody knows any more.
        let unfinished = read::upkeep::upkeep(&args.store.snapshot()).ok().flatten();
        Ok(State {
            args,
            unfinished,
            work: None,
            last: None,
            reclaimed_at: sequence,
            seen: (sequence, Instant::now()),
            waits: JoinSet::new(),
            timer: ctx.after(Duration::ZERO, Msg::Look),
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Look => state.look(ctx).await,
            Msg::Begin(asked, reply) => {
                reply.send(state.begin(ctx, *asked).await?);
                Ok(())
            }
            Msg::End(reply) => {
                reply.send(state.end());
                Ok(())
            }
            Msg::Ended(receipt, ended) => {
                state.ended(receipt, ended).await;
                Ok(())
            }
            Msg::Show(reply) => {
                reply.send(state.show());
                Ok(())
            }
        }
    }

    async fn configure(_: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        state.args.config = settings.shared_of::<Config>();
        Ok(())
    }

    fn inspect(state: &State) -> Inspection {
        let Some(work) = &state.work else {
            return Inspection::default().with("work", "none");
        };
        let standing = work.shared.standing();
        Inspection::default()
            .with("work", word(&work.upkeep.task))
            .with("stage", standing.stage)
            .with("done", standing.done)
            .with("found", standing.found)
    }
}

impl State {
    async fn look(&mut self, ctx: &Context<Msg>) -> Result<(), Broken> {
        let is_busy = self.is_busy();
        if let Some(upkeep) = self.unfinished.take() {
            self.work(ctx, upkeep)?;
        }
        if self.work.is_some() {
            self.mark().await;
        } else if !is_busy && self.is_time() && self.is_worthwhile() {
            let asked = Asked {
                task: UpkeepTask::Reclaim,
                who: NOBODY.to_owned(),
                line: "space reclaim".to_owned(),
                reason: None,
            };
            if let Err(why) = self.begin(ctx, asked).await? {
                tracing::warn!(target: "angarium::store", %why, "space is not given back");
            }
        }
        let pause = if self.work.is_some() { MARK } else { LOOK };
        self.timer = ctx.after(pause, Msg::Look);
        Ok(())
    }

    /// Whether more was committed since the last look than a server has to do that has little to do.
    fn is_busy(&mut self) -> bool {
        let (sequence, now) = (self.args.store.statistics().sequence, Instant::now());
        let (before, then) = std::mem::replace(&mut self.seen, (sequence, now));
        let commands = sequence.saturating_sub(before) as f64;
        let seconds = now.duration_since(then).as_secs_f64().max(1.0);
        commands / seconds >= f64::from(self.args.config.store.maintenance_load)
    }

    fn is_time(&self) -> bool {
        let seconds = self.args.clock.timestamp().as_millis() / 1000;
        self.args.config.store.maintenance.contains(seconds)
    }

    fn is_worthwhile(&self) -> bool {
        let commands = self
            .args
            .store
            .statistics()
            .sequence
            .saturating_sub(self.reclaimed_at);
        commands >= ENOUGH_COMMANDS || (commands > 0 && self.args.store.disk_use().garbage() >= ENOUGH)
    }

    /// Begins a work: written down first, so that a restart goes on with it.
    async fn begin(&mut self, ctx: &Context<Msg>, asked: Asked) -> Result<Result<ReceiptId, String>, Broken> {
        let under_way = self
            .work
            .as_ref()
            .map(|work| &work.upkeep)
            .or(self.unfinished.as_ref());
        if let Some(upkeep) = under_way {
            let (word, receipt) = (word(&upkeep.task), upkeep.receipt);
            return Ok(Err(format!("a {word} is under way ({receipt})")));
        }
        let upkeep = Upkeep {
            receipt: self.args.mint.id(),
            at: self.args.clock.timestamp(),
            who: asked.who,
            line: asked.line,
            reason: asked.reason,
            task: asked.task,
            place: None,
            done: 0,
            found: 0,
        };
        let tend = Command::Tend(Tend {
            upkeep: Some(upkeep.clone()),
        });
        if let Err(why) = self.propose(&upkeep, tend).await {
            return Ok(Err(why));
        }
        let begun = entry(&upkeep, AuditOutcome::Begun, None, String::new());
        if let Err(why) = self.propose(&upkeep, begun).await {
            tracing::warn!(target: "angarium::store", %why, "the beginning of a work is not on record");
        }
        let receipt = upkeep.receipt;
        self.work(ctx, upkeep)?;
        self.timer = ctx.after(MARK, Msg::Look);
        Ok(Ok(receipt))
    }

    /// Starts the thread of a work. It is not one of the pool: it may take hours.
    fn work(&mut self, ctx: &Context<Msg>, upkeep: Upkeep) -> Result<(), Broken> {
        tracing::info!(
            target: "angarium::store", receipt = %upkeep.receipt, from = upkeep.done, "{} begins", word(&upkeep.task)
        );
        let shared = Shared::default();
        let (done, ended) = oneshot::channel();
        let (store, now) = (self.args.store.clone(), self.args.clock.timestamp());
        let pace = self.args.config.store.maintenance_pace.as_bytes();
        let (its, task) = (shared.clone(), upkeep.clone());
        let thread = move || {
            // Whoever waited has died, and this was told to end.
            drop(done.send(labour(&store, &task, pace, now, &its)));
        };
        std::thread::Builder::new()
            .name("maintenance".to_owned())
            .spawn(thread)
            .map_err(|why| Broken::because(format!("there is no thread for maintenance: {why}")))?;
        let (me, receipt) = (ctx.address(), upkeep.receipt);
        while self.waits.try_join_next().is_some() {}
        self.waits.spawn(async move {
            let ended = ended.await.unwrap_or_else(|_| Some(Err("it died".to_owned())));
            // This task ends with the actor: there is nobody else to tell.
            let _ = me.cast(Msg::Ended(receipt, ended));
        });
        self.work = Some(Work {
            upkeep,
            shared,
            is_ended: false,
        });
        Ok(())
    }

    /// Writes down how far the work is.
    async fn mark(&mut self) {
        let Some(work) = &mut self.work else { return };
        let standing = work.shared.standing();
        // Only a place can be gone on from.
        if standing.place.is_none() || standing.place == work.upkeep.place {
            return;
        }
        work.upkeep.place = standing.place;
        work.upkeep.done = standing.done;
        work.upkeep.found = standing.found.saturating_sub(standing.again);
        let upkeep = work.upkeep.clone();
        let tend = Command::Tend(Tend {
            upkeep: Some(upkeep.clone()),
        });
        if let Err(why) = self.propose(&upkeep, tend).await {
            tracing::warn!(target: "angarium::store", %why, "it is not written down how far a work is");
        }
    }

    fn end(&mut self) -> bool {
        let Some(work) = &mut self.work else {
            return false;
        };
        work.is_ended = true;
        work.shared.stop();
        true
    }

    /// The receipt of a work that has ended, and the end of what a restart would go on with.
    async fn ended(&mut self, receipt: ReceiptId, ended: Ended) {
        // One that an earlier incarnation had told to end.
        let Some(work) = self.work.take_if(|work| work.upkeep.receipt == receipt) else {
            return;
        };
        let result = match ended {
            Some(result) => result,
            None if work.is_ended => Err("it was told to end".to_owned()),
            // It ended with nobody's leave: it is gone on with after a restart.
            None => return,
        };
        let standing = work.shared.standing();
        let upkeep = work.upkeep.clone();
        if upkeep.task == UpkeepTask::Reclaim {
            self.reclaimed_at = self.args.store.statistics().sequence;
        }
        let outcome = match &result {
            Ok(said) => {
                STORE_UPKEEP_DONE.count(1);
                tracing::info!(target: "angarium::store", %receipt, "{} has ended: {said}", word(&upkeep.task));
                AuditOutcome::Done
            }
            Err(why) => {
                STORE_UPKEEP_FAILED.count(1);
                tracing::error!(target: "angarium::store", %receipt, %why, "{} has failed", word(&upkeep.task));
                AuditOutcome::Failed(why.clone())
            }
        };
        let mut detail = result.clone().unwrap_or_default();
        for finding in &standing.findings {
            detail.push('\n');
            detail.push_str(finding);
        }
        let record = entry(&upkeep, outcome, Some(self.args.clock.timestamp()), detail);
        for command in [record, Command::Tend(Tend { upkeep: None })] {
            if let Err(why) = self.propose(&upkeep, command).await {
                tracing::warn!(target: "angarium::store", %why, "the end of a work is not on record");
            }
        }
        self.last = Some((upkeep, result, standing));
    }

    fn show(&self) -> Shown {
        Shown {
            now: self
                .work
                .as_ref()
                .map(|work| (work.upkeep.clone(), work.shared.standing())),
            last: self.last.clone(),
        }
    }

    async fn propose(&self, upkeep: &Upkeep, command: Command) -> Result<(), String> {
        let id: CommandId = self.args.mint.id();
        let about = Subject::new("upkeep", u128::from_be_bytes(upkeep.receipt.to_bytes()));
        let proposal = Proposal::new(id, self.args.clock.timestamp(), command);
        let proposed = gate::propose(&self.args.gate, about, proposal).await;
        proposed.map(drop).map_err(|why| why.to_string())
    }
}

/// What a work is called.
#[must_use]
pub const fn word(task: &UpkeepTask) -> &'static str {
    match task {
        UpkeepTask::Check => "check",
        UpkeepTask::Backup { .. } => "backup",
        UpkeepTask::Reclaim => "reclamation of space",
    }
}

/// What a work does, in a sentence.
#[must_use]
pub fn what(task: &UpkeepTask) -> String {
    match task {
        UpkeepTask::Check => "verifies every record and every message".to_owned(),
        UpkeepTask::Backup { dir, .. } => format!("takes a backup into {dir}"),
        UpkeepTask::Reclaim => "gives space back that deleted mail has left".to_owned(),
    }
}

/// How many things a work touches: a check none.
#[must_use]
pub const fn touches(task: &UpkeepTask) -> u64 {
    match task {
        UpkeepTask::Check => 0,
        UpkeepTask::Backup { .. } | UpkeepTask::Reclaim => 1,
    }
}

fn entry(upkeep: &Upkeep, outcome: AuditOutcome, ended: Option<Timestamp>, detail: String) -> Command {
    let entry = AuditEntry {
        id: upkeep.receipt,
        at: upkeep.at,
        who: upkeep.who.clone(),
        line: upkeep.line.clone(),
        reason: upkeep.reason.clone(),
        touches: touches(&upkeep.task),
        what: what(&upkeep.task),
        inverse: None,
        outcome,
        ended,
        detail,
    };
    Command::Record(Box::new(Record {
        entry: entry.fitting(),
    }))
}

#[cfg(test)]
mod tests;
