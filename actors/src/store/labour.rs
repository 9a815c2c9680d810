//! Labour: what is done for long on the store, on a thread of its own: a check, a backup, giving space back.
//!
//! It says how far it is, takes its time so that the disk has some for mail, and ends early when it is told to. It changes
//! nothing in the store: what is to be kept of it, its actor proposes.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use message::time::Timestamp;
use store::{
    backup::{self, Progress},
    key::Keyspace,
    record::upkeep::{Upkeep, UpkeepTask},
    store::Store,
    verify::{Finding, NOT_RECORDS, Verifier, blobs},
};

use crate::telemetry::{STORE_COMPACTIONS_FREED, STORE_COMPACTIONS_MADE, STORE_COMPACTIONS_TIME};

/// Findings that are told; more are only counted.
const MAX_FINDINGS: usize = 100;

/// Rows of a check between two pauses.
const ROWS: usize = 2000;

/// Octets that a row counts for when the pace is kept: reading one is some work whatever its size.
const ROW_OCTETS: u64 = 512;

/// Octets of messages of a check between two pauses.
const OCTETS: u64 = 4 << 20;

/// The longest that is slept at once, so that an end is noticed.
const NAP: Duration = Duration::from_millis(200);

/// How far a labour is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What it is at.
    pub stage: &'static str,
    /// Records, or segments of a backup.
    pub done: u64,
    /// How many there are of those, where that is known.
    pub total: Option<u64>,
    /// Octets that were read, or written to a backup.
    pub octets: u64,
    /// What was not as it must be.
    pub found: u64,
    /// The first of those.
    pub findings: Vec<String>,
    /// How much of that a restart finds again.
    pub again: u64,
    /// Behind which key it goes on after a restart.
    pub place: Option<Vec<u8>>,
}

/// What a labour came to: a sentence, or why it failed. None when it was told to end.
pub type Ended = Option<Result<String, String>>;

/// A labour that is under way, as its actor and its thread both see it.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    standing: Arc<Mutex<Standing>>,
    stop: Arc<AtomicBool>,
}

impl Shared {
    /// How far it is.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Tells it to end.
    pub fn stop(&self) {
        self.stop.store(true, Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    fn tell(&self, tell: impl FnOnce(&mut Standing)) {
        tell(&mut self.standing.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Does it, from where it was. Blocks for long.
#[must_use]
pub fn labour(store: &Store, upkeep: &Upkeep, pace: u64, now: Timestamp, shared: &Shared) -> Ended {
    let labour = Labour {
        store,
        shared,
        pace: Pace::new(pace),
    };
    match &upkeep.task {
        UpkeepTask::Check => labour.check(upkeep),
        UpkeepTask::Backup { dir, keep } => labour.backup(Path::new(dir), *keep, now),
        UpkeepTask::Reclaim => labour.reclaim(),
    }
}

struct Labour<'l> {
    store: &'l Store,
    shared: &'l Shared,
    pace: Pace,
}

impl Labour<'_> {
    /// Records over one snapshot, which is let go before the octets of messages are read: that may take hours, and the
    /// engine keeps for a snapshot what was deleted since.
    fn check(mut self, upkeep: &Upkeep) -> Ended {
        let shared = self.shared;
        shared.tell(|standing| {
            standing.stage = "records";
            standing.place.clone_from(&upkeep.place);
            standing.found = upkeep.found;
        });
        let mut found = |finding: Finding| {
            tracing::error!(target: "angarium::store", %finding, "a check found");
            shared.tell(|standing| {
                standing.found += 1;
                if standing.findings.len() < MAX_FINDINGS {
                    standing.findings.push(finding.to_string());
                }
            });
        };
        let snapshot = self.store.snapshot();
        let mut verifier = Verifier::default();
        loop {
            match verifier.step(&snapshot, ROWS, &mut |_, _| Ok(()), &mut found) {
                Ok(true) => break,
                Ok(false) => {}
                Err(why) => return Some(Err(format!("{why}; {NOT_RECORDS}"))),
            }
            shared.tell(|standing| standing.done = verifier.summary().records);
            if !self.pause(ROWS as u64 * ROW_OCTETS) {
                return None;
            }
        }
        drop(snapshot);
        let summary = verifier.summary();
        let records = summary.records;
        shared.tell(|standing| {
            standing.stage = "messages";
            standing.done = upkeep.done;
            standing.total = Some(summary.messages).filter(|total| *total >= upkeep.done);
            standing.again = standing.found.saturating_sub(upkeep.found);
        });
        let mut messages = upkeep.done;
        let mut place = upkeep.place.clone();
        loop {
            let step = match blobs::step(&self.store.snapshot(), place.as_deref(), OCTETS, &mut found) {
                Ok(step) => step,
                Err(why) => return Some(Err(format!("{why}; {NOT_RECORDS}"))),
            };
            messages += step.blobs;
            shared.tell(|standing| {
                standing.done = messages;
                // Mail has come meanwhile.
                standing.total = standing.total.filter(|total| *total >= messages);
                standing.octets += step.octets;
                standing.place.clone_from(&step.next);
            });
            place = step.next;
            if place.is_none() {
                break;
            }
            if !self.pause(step.octets) {
                return None;
            }
        }
        let found = shared.standing().found;
        Some(Ok(format!(
            "{records} records and {messages} messages, {found} findings"
        )))
    }

    fn backup(mut self, dir: &Path, keep: Option<u32>, now: Timestamp) -> Ended {
        let shared = self.shared;
        shared.tell(|standing| standing.stage = "segments");
        let mut last = Progress::default();
        let store = self.store;
        let taken = store.backup(dir, now, |progress| {
            shared.tell(|standing| {
                standing.done = progress.segments + progress.known;
                standing.octets = progress.octets;
            });
            let octets = progress.octets.saturating_sub(last.octets);
            let rows = progress.records.saturating_sub(last.records) * ROW_OCTETS;
            last = *progress;
            if self.pause(octets + rows) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        let taken = match taken {
            Ok(taken) => taken,
            Err(backup::BackupError::Stopped) => return None,
            Err(why) => return Some(Err(why.to_string())),
        };
        let Progress {
            octets,
            segments,
            known,
            ..
        } = taken.progress;
        let mut said = format!(
            "backup {} of {} records: {segments} segments with {octets} octets are new, {known} were there",
            taken.manifest.name(),
            taken.manifest.records,
        );
        if let Some(keep) = keep {
            match backup::prune(dir, keep as usize) {
                Ok((gone, freed)) => {
                    said.push_str(&format!("; {gone} old backups went, with {freed} octets"))
                }
                Err(why) => return Some(Err(format!("{said}; the old ones could not go: {why}"))),
            }
        }
        Some(Ok(said))
    }

    /// Twice over the message bytes: the first compaction finds what is garbage, the second leaves it out.
    fn reclaim(self) -> Ended {
        const ROUND: [Keyspace; 8] = [
            Keyspace::Blob,
            Keyspace::Blob,
            Keyspace::Once,
            Keyspace::Trail,
            Keyspace::Spool,
            Keyspace::Mailbox,
            Keyspace::Directory,
            Keyspace::Meta,
        ];
        let (before, begun) = (self.store.disk_use().octets(), Instant::now());
        for (done, space) in (0..).zip(ROUND) {
            if self.shared.is_stopped() {
                return None;
            }
            self.shared.tell(|standing| {
                standing.stage = space.name();
                standing.done = done;
                standing.total = Some(ROUND.len() as u64);
            });
            if let Err(why) = self.store.compact(space) {
                return Some(Err(why.to_string()));
            }
        }
        if let Err(why) = self.store.give_back() {
            return Some(Err(why.to_string()));
        }
        let after = self.store.disk_use().octets();
        STORE_COMPACTIONS_MADE.count(1);
        STORE_COMPACTIONS_TIME.took(begun.elapsed());
        STORE_COMPACTIONS_FREED.count(before.saturating_sub(after));
        self.shared
            .tell(|standing| standing.octets = before.saturating_sub(after));
        Some(Ok(format!("the store took {before} octets and takes {after}")))
    }

    /// Takes as long as the pace wants for that many octets; says whether to go on.
    fn pause(&mut self, octets: u64) -> bool {
        self.pace.after(octets, || self.shared.is_stopped());
        !self.shared.is_stopped()
    }
}

/// A bound of octets a second. What was slow is not made up for: no burst follows it.
struct Pace {
    octets_a_second: u64,
    free_at: Instant,
}

impl Pace {
    fn new(octets_a_second: u64) -> Self {
        Self {
            octets_a_second: octets_a_second.max(1),
            free_at: Instant::now(),
        }
    }

    fn after(&mut self, octets: u64, is_stopped: impl Fn() -> bool) {
        let now = Instant::now();
        let takes = Duration::from_secs_f64(octets as f64 / self.octets_a_second as f64);
        self.free_at = now.max(self.free_at + takes);
        while let Some(rest) = self.free_at.checked_duration_since(Instant::now()) {
            if rest.is_zero() || is_stopped() {
                return;
            }
            std::thread::sleep(rest.min(NAP));
        }
    }
}
