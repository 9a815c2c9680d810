//! Sampler: reads what is not counted where it happens: the process, the store, the spool, the classes of actors.
//!
//! Owner:    /telemetry (static, permanent)
//! Accepts:  Msg::{Sample, Upkeep}
//! Calls:    the pool of readers, for the spool, for the tree and for /proc
//! Owns:     what the counts were at the last sample
//! On death: samples are lost, and nothing else; its successor takes the next at once
//! Limits:   config.statsd.interval, UPKEEP_EVERY, MAX_COUNTED

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use config::Config;
use message::{id::TenantId, time::Timestamp};
use ractor_cluster_derive::RactorMessage;
use store::{
    engine::StoreError,
    read::spool::{due_rows, messages, partitions_with_messages},
    record::spool::Destination,
    statistics::Statistics,
    store::Store,
};
use supervision::{Actor, Broken, Context, Settings, Timer};
use tokio::{task::JoinSet, time::Instant};

use super::{
    PROCESS_CLOCK_UPTIME, QUEUE_SPOOL_DUE, QUEUE_SPOOL_HELD, QUEUE_SPOOL_MESSAGES, QUEUE_SPOOL_OLDEST,
    STORE_COMMANDS_COMMITTED, STORE_COMMANDS_REJECTED, STORE_COMMANDS_REPEATED, STORE_DISK_FREE,
    STORE_DISK_GARBAGE, STORE_DISK_USED, STORE_GROUPS_P50, STORE_GROUPS_P99, STORE_JOURNALS_SIZE,
    STORE_MERGES_MADE, STORE_MERGES_MILLISECONDS, STORE_QUEUE_SIZE, STORE_QUEUE_WAITING,
    STORE_RECORDS_QUARANTINED, STORE_SYNCS_LONGEST, STORE_SYNCS_MADE, STORE_SYNCS_P50, STORE_SYNCS_P99,
    STORE_WRITES_SIZE,
    classes::Classes,
    percentile::{grown, percentile},
    process, recorder,
};
use crate::shell::desk::Desk;

/// How often values of histograms go into their buckets: they wait in memory until then.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Messages and recipients of the spool that are counted: what is more is an emergency, and exact enough.
const MAX_COUNTED: usize = 10_000;

/// What a sampler is told, by its own timers.
#[derive(RactorMessage)]
pub enum Msg {
    /// It is time to read everything.
    Sample,
    /// It is time to tidy up.
    Upkeep,
}

/// What a sampler needs.
#[derive(Clone)]
pub struct Args {
    /// Whose spool is read.
    pub tenant: TenantId,
    /// The store, the readers, the clock, and the tree once it runs.
    pub desk: Desk,
    /// When the process started.
    pub started: Instant,
}

/// A sampler.
pub struct Sampler;

/// What a sampler holds.
pub struct State {
    args: Args,
    interval: Duration,
    before: Statistics,
    classes: Arc<Mutex<Classes>>,
    reading: JoinSet<()>,
    sample: Timer,
    upkeep: Timer,
}

impl Actor for Sampler {
    const CLASS: &'static str = "sampler";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        recorder::register();
        Ok(State {
            interval: ctx.settings().of::<Config>().statsd.interval,
            before: args.desk.store.statistics(),
            classes: Arc::default(),
            reading: JoinSet::new(),
            sample: ctx.after(Duration::ZERO, Msg::Sample),
            upkeep: ctx.after(UPKEEP_EVERY, Msg::Upkeep),
            args,
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Sample => state.sample(ctx),
            Msg::Upkeep => state.tidy_up(ctx),
        }
        Ok(())
    }

    async fn configure(ctx: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        let interval = settings.of::<Config>().statsd.interval;
        if interval != state.interval {
            state.interval = interval;
            state.sample = ctx.after(interval, Msg::Sample);
        }
        Ok(())
    }
}

impl State {
    fn sample(&mut self, ctx: &Context<Msg>) {
        self.sample = ctx.after(self.interval, Msg::Sample);
        PROCESS_CLOCK_UPTIME.set_time(self.args.started.elapsed());
        let now = self.args.desk.store.statistics();
        record(&self.before, &now);
        self.before = now;
        self.read();
    }

    /// What may take a while is read elsewhere, one reading at a time.
    fn read(&mut self) {
        while self.reading.try_join_next().is_some() {}
        if !self.reading.is_empty() {
            return;
        }
        let Args { tenant, desk, .. } = self.args.clone();
        let (reads, classes) = (desk.reads.clone(), Arc::clone(&self.classes));
        self.reading.spawn(async move {
            let read = reads.run(move || {
                process::sample();
                let on_disk = desk.store.disk_use();
                STORE_DISK_USED.set(on_disk.octets());
                STORE_DISK_GARBAGE.set(on_disk.garbage());
                STORE_JOURNALS_SIZE.set(on_disk.journals);
                let tallies = desk.running().map(|tree| tree.classes()).unwrap_or_default();
                classes
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .record(tallies);
                look(&desk.store, tenant, desk.clock.timestamp())
            });
            match read.await {
                Ok(Ok(spool)) => spool.record(),
                Ok(Err(why)) => {
                    tracing::warn!(target: "angarium::telemetry", %why, "the spool cannot be counted")
                }
                Err(why) => tracing::error!(target: "angarium::telemetry", %why, "a sample was lost"),
            }
        });
    }

    fn tidy_up(&mut self, ctx: &Context<Msg>) {
        self.upkeep = ctx.after(UPKEEP_EVERY, Msg::Upkeep);
        recorder::upkeep();
    }
}

/// What the store measured about itself since the last time.
fn record(before: &Statistics, now: &Statistics) {
    STORE_COMMANDS_COMMITTED.reached(now.commands);
    STORE_COMMANDS_REJECTED.reached(now.rejected);
    STORE_COMMANDS_REPEATED.reached(now.repeated);
    STORE_SYNCS_MADE.reached(now.syncs);
    STORE_WRITES_SIZE.reached(now.octets);
    STORE_RECORDS_QUARANTINED.reached(now.quarantined);
    STORE_MERGES_MADE.reached(now.compactions.made);
    STORE_MERGES_MILLISECONDS.reached(now.compactions.time.as_millis() as u64);
    STORE_QUEUE_WAITING.set(now.queued as u64);
    STORE_QUEUE_SIZE.set(now.queued_octets as u64);
    STORE_SYNCS_LONGEST.set_time(now.longest_write);
    now.free_octets.iter().for_each(|free| STORE_DISK_FREE.set(*free));
    let groups = grown(&before.group_sizes, &now.group_sizes);
    STORE_GROUPS_P50.set(percentile(&groups, 0.5));
    STORE_GROUPS_P99.set(percentile(&groups, 0.99));
    let syncs = grown(&before.sync_times, &now.sync_times);
    STORE_SYNCS_P50.set_time(Duration::from_micros(percentile(&syncs, 0.5)));
    STORE_SYNCS_P99.set_time(Duration::from_micros(percentile(&syncs, 0.99)));
}

/// What the spool holds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Spool {
    messages: usize,
    due: usize,
    held: usize,
    oldest: Duration,
}

impl Spool {
    fn record(&self) {
        QUEUE_SPOOL_MESSAGES.set(self.messages as u64);
        QUEUE_SPOOL_DUE.set(self.due as u64);
        QUEUE_SPOOL_HELD.set(self.held as u64);
        QUEUE_SPOOL_OLDEST.set_time(self.oldest);
    }
}

/// Counts the spool.
fn look(store: &Store, tenant: TenantId, now: Timestamp) -> Result<Spool, StoreError> {
    let snapshot = store.snapshot();
    let mut spool = Spool::default();
    let mut pending = 0;
    for partition in partitions_with_messages(&snapshot, tenant)? {
        let room = MAX_COUNTED - spool.messages;
        if room == 0 {
            break;
        }
        for (_, message) in messages(&snapshot, tenant, partition, None, room)?.rows {
            spool.messages += 1;
            pending += usize::from(message.pending);
            spool.oldest = spool.oldest.max(now.since(message.arrival.at));
        }
    }
    // Who is not done is in the due index, now or later, or held.
    let ever = Timestamp::from_millis(u64::MAX);
    let indexed = due_rows(&snapshot, tenant, &Destination::Local, ever, MAX_COUNTED)?;
    spool.due = indexed.rows.iter().filter(|row| row.due <= now).count();
    if !indexed.more && spool.messages < MAX_COUNTED {
        spool.held = pending.saturating_sub(indexed.rows.len());
    }
    Ok(spool)
}
