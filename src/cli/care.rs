//! Looking after a store that no server has open: `check store`, `migrate`, `restore`. They are verbs, but the store that they
//! work on cannot be opened as others open it, or is not there yet.

mod entry;

use std::{
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use config::Config;
use shell::{Answer, Block, Call, Exit, Receipt, frame::End};
use store::{
    backup,
    engine::StoreError,
    migrate,
    repair::{Deed, repair},
    store::Store,
    verify::{Finding, NOT_RECORDS, Summary, Verifier, blobs},
};

use self::entry::Entry;
use super::verb::say;
use crate::boot::{open_store, options};

/// How often it is said how far a work is.
const SAY: Duration = Duration::from_millis(300);

/// Records between two looks at how far it is.
const ROWS: usize = 1024;

/// Octets of messages between two.
const OCTETS: u64 = 1 << 20;

/// Does a verb that is done here; `None` for another.
pub(super) fn run(config: &Config, call: &Call) -> Option<anyhow::Result<Exit>> {
    let work = match call.verb().words().as_str() {
        "check store" if call.has("repair") || call.has("apply") => mend,
        "check store" => check,
        "migrate" => raise,
        "restore" => bring_back,
        _ => return None,
    };
    Some(say(call, |show| work(config, call, &mut Teller::new(show))))
}

/// What is shown on the way.
type Show<'s> = &'s mut dyn FnMut(Block) -> std::io::Result<()>;

/// Says how far a work is, and not too often.
struct Teller<'s> {
    show: Show<'s>,
    said: Instant,
}

impl<'s> Teller<'s> {
    fn new(show: Show<'s>) -> Self {
        Self {
            show,
            said: Instant::now(),
        }
    }

    fn line(&mut self, text: impl Into<String>) -> std::io::Result<()> {
        (self.show)(Block::text(text))
    }

    /// Whoever does not listen any more does not end the work.
    fn progress(&mut self, what: &str, done: u64, total: Option<u64>) {
        if done > 0 && self.said.elapsed() >= SAY {
            self.said = Instant::now();
            let block = Block::Progress {
                what: what.to_owned(),
                done,
                total,
            };
            drop((self.show)(block));
        }
    }
}

fn check(config: &Config, call: &Call, tell: &mut Teller<'_>) -> anyhow::Result<End> {
    need_store(config)?;
    let (store, report) = open_store(config, call.has("accept-truncation"))?;
    if let Some(loss) = &report.accepted_loss {
        tell.line(format!("accepted: {loss}"))?;
    }
    let mut lines = Vec::new();
    let checked = go_over(&store, tell, |finding| lines.push(finding.to_string()));
    store.close()?;
    let summary = checked.with_context(|| NOT_RECORDS)?;
    let findings = lines.len();
    for line in lines {
        tell.line(line)?;
    }
    tell.line(format!(
        "{} records and {} messages in {} commands, {findings} findings",
        summary.records, summary.messages, report.sequence,
    ))?;
    Ok(ended(call, None, findings == 0))
}

/// Records first, which counts the messages, and then the octets of those.
fn go_over(
    store: &Store,
    tell: &mut Teller<'_>,
    mut found: impl FnMut(Finding),
) -> Result<Summary, StoreError> {
    let (snapshot, mut verifier) = (store.snapshot(), Verifier::default());
    while !verifier.step(&snapshot, ROWS, &mut |_, _| Ok(()), &mut found)? {
        tell.progress("records", verifier.summary().records, None);
    }
    let summary = verifier.summary();
    let (mut read, mut place) = (0, None);
    loop {
        let step = blobs::step(&snapshot, place.as_deref(), OCTETS, &mut found)?;
        read += step.blobs;
        tell.progress("messages", read, Some(summary.messages));
        place = step.next;
        if place.is_none() {
            return Ok(summary);
        }
    }
}

fn mend(config: &Config, call: &Call, tell: &mut Teller<'_>) -> anyhow::Result<End> {
    need_store(config)?;
    let apply = call.has("apply");
    let entry = Entry::of(config, call, "repairs the store");
    let name = format!("repair-{}", entry.id());
    let options = options(config, call.has("accept-truncation"));
    if apply {
        entry.begun();
    }
    let mended = repair(&config.server.data, &options, apply, &name, |records, total| {
        tell.progress("records", records, total);
    });
    let mended = match mended {
        Ok(mended) => mended,
        Err(why) if apply => return Ok(failed(call, entry, why.into())),
        Err(why) => return Err(why.into()),
    };
    let count = |deed: fn(&Deed) -> bool| mended.actions.iter().filter(|action| deed(&action.deed)).count();
    let aside = count(|deed| *deed == Deed::SetAside);
    let exported = count(|deed| matches!(deed, Deed::Exported(..)));
    let anew = mended.actions.len() - aside - exported;
    for action in &mended.actions {
        tell.line(format!("{}: {} ({})", action.key, action.deed.word(), action.why))?;
    }
    for finding in &mended.left {
        tell.line(format!("{finding}: no repair is known; restore a backup"))?;
    }
    let done = if apply { "were" } else { "would be" };
    let what = format!(
        "{} findings; {aside} records {done} set aside, {anew} made anew or rewritten, {exported} messages exported, {} are left",
        mended.found,
        mended.left.len(),
    );
    if !apply {
        tell.line(what)?;
        if !mended.actions.is_empty() {
            tell.line("nothing was changed: --repair --apply does it")?;
        }
        return Ok(ended(call, None, mended.found == 0));
    }
    let files = mended.files.map(|files| files.display().to_string());
    if let Some(files) = &files {
        tell.line(format!("what went is in {files}"))?;
    }
    let receipt = entry.done(&what, mended.actions.len() as u64, files.unwrap_or_default())?;
    Ok(ended(call, Some(receipt), mended.left.is_empty()))
}

fn raise(config: &Config, call: &Call, tell: &mut Teller<'_>) -> anyhow::Result<End> {
    need_store(config)?;
    let (data, apply) = (&config.server.data, !call.is_dry_run());
    let is_newest = migrate::format_of(data).is_ok_and(|format| format == Some(migrate::newest()));
    let entry = Entry::of(config, call, "brings the store to the newest format");
    let is_change = apply && !is_newest;
    if is_change {
        entry.begun();
    }
    let migrated = migrate::migrate(data, &options(config, false), apply, |migrated| {
        tell.progress("records", migrated.records, None);
        ControlFlow::Continue(())
    });
    let migrated = match migrated {
        Ok(migrated) => migrated,
        Err(why) if is_change => return Ok(failed(call, entry, why.into())),
        Err(why) => return Err(why.into()),
    };
    if migrated.to == migrated.from {
        tell.line(format!("the store has format {}, the newest", migrated.from))?;
        return Ok(ended(call, None, true));
    }
    for step in &migrated.steps {
        tell.line(*step)?;
    }
    let (does, do_they) = if apply {
        ("was", "were")
    } else {
        ("would be", "would be")
    };
    let resumed = if migrated.resumed {
        ", going on from where it was interrupted"
    } else {
        ""
    };
    let what = format!(
        "the store {does} brought from format {} to {}: {} of {} records {do_they} written anew{resumed}, {} cannot be understood",
        migrated.from, migrated.to, migrated.changed, migrated.records, migrated.damaged,
    );
    if !apply {
        tell.line(what)?;
        return Ok(ended(call, None, true));
    }
    let receipt = entry.done(&what, migrated.changed, String::new())?;
    Ok(ended(call, Some(receipt), true))
}

fn bring_back(config: &Config, call: &Call, tell: &mut Teller<'_>) -> anyhow::Result<End> {
    let (dir, data) = (Path::new(call.required("directory")?), &config.server.data);
    if call.is_dry_run() {
        let (whole, _) = backup::list(dir)?;
        let name = call.value("name");
        let which = whole
            .iter()
            .rfind(|backup| name.is_none_or(|name| backup.name() == name))
            .context("there is no such backup")?;
        let (name, records) = (which.name(), which.records);
        tell.line(format!(
            "backup {name} with {records} records would become {}",
            data.display()
        ))?;
        return Ok(ended(call, None, true));
    }
    let entry = Entry::of(config, call, "restores a backup");
    let restored = backup::restore(dir, call.value("name"), data, |progress| {
        tell.progress("segments", progress.segments, progress.total);
        ControlFlow::Continue(())
    });
    let restored = match restored {
        Ok(restored) => restored,
        // Over a store nothing is restored: that one is told that somebody tried.
        Err(why) => return Ok(failed(call, entry, why.into())),
    };
    let what = format!(
        "backup {} with {} records became {}",
        restored.manifest.name(),
        restored.manifest.records,
        data.display(),
    );
    let receipt = entry.done(&what, restored.manifest.records, String::new())?;
    Ok(ended(call, Some(receipt), true))
}

/// Looking at a directory does not make a store of it.
fn need_store(config: &Config) -> anyhow::Result<()> {
    let data = &config.server.data;
    anyhow::ensure!(data.is_dir(), "there is no data directory {}", data.display());
    let is_there = data.join("format").exists() || data.join("store").exists();
    anyhow::ensure!(is_there, "there is no store in {}", data.display());
    Ok(())
}

fn ended(call: &Call, receipt: Option<Receipt>, is_good: bool) -> End {
    let mut answer = Answer::new(&call.verb().words());
    answer.receipt = receipt;
    let answer = if is_good {
        answer
    } else {
        answer.exiting(Exit::FAILED)
    };
    answer.into_frames().1
}

/// It failed, and that is put on record where it can be.
fn failed(call: &Call, entry: Entry<'_>, why: anyhow::Error) -> End {
    let mut end = ended(call, None, false);
    end.error = Some(entry.failed(&why));
    end
}
