//! Looking after a store that no server has open: `check store`, `migrate`, `restore`. They are verbs, but the store that they
//! work on cannot be opened as others open it, or is not there yet.

use std::{
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant},
};

use actors::{clock::Clock, mint::Mint};
use anyhow::Context as _;
use config::Config;
use message::id::{CommandId, ReceiptId};
use rustix::process::geteuid;
use shell::{Answer, Block, Call, Exit, Receipt, frame::End};
use store::{
    backup,
    command::{Command, Proposal, Record},
    migrate,
    record::audit::{AuditEntry, AuditOutcome},
    repair::{Deed, repair},
    verify::verify,
};

use super::{runtime, verb::say};
use crate::boot::{open_store, options};

/// How often it is said how far a work is.
const SAY: Duration = Duration::from_millis(300);

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
    fn progress(&mut self, what: &str, done: u64) {
        if self.said.elapsed() >= SAY {
            self.said = Instant::now();
            let block = Block::Progress {
                what: what.to_owned(),
                done,
                total: None,
            };
            drop((self.show)(block));
        }
    }
}

fn check(config: &Config, call: &Call, tell: &mut Teller<'_>) -> anyhow::Result<End> {
    need_data(config)?;
    let (store, report) = open_store(config, call.has("accept-truncation"))?;
    if let Some(loss) = &report.accepted_loss {
        tell.line(format!("accepted: {loss}"))?;
    }
    let mut lines = Vec::new();
    let checked = verify(
        &store.snapshot(),
        |tenant, blob| {
            tell.progress("messages", 0);
            let read = store.blob_reader(tenant, blob).verify();
            read.map_err(|why| why.to_string())
        },
        |finding| lines.push(finding.to_string()),
    );
    store.close()?;
    let summary = checked?;
    for line in lines {
        tell.line(line)?;
    }
    tell.line(format!(
        "{} records in {} commands, {} findings",
        summary.records, report.sequence, summary.findings,
    ))?;
    Ok(ended(call, None, summary.findings == 0))
}

fn mend(config: &Config, call: &Call, tell: &mut Teller<'_>) -> anyhow::Result<End> {
    need_data(config)?;
    let apply = call.has("apply");
    let entry = Entry::begin(config, call);
    let name = format!("repair-{}", entry.id);
    let options = options(config, call.has("accept-truncation"));
    let mended = repair(&config.server.data, &options, apply, &name, |records| {
        tell.progress("records", records);
    })?;
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
    tell.line(what.clone())?;
    let Some(files) = &mended.files else {
        if !apply && !mended.actions.is_empty() {
            tell.line("nothing was changed: --repair --apply does it")?;
        }
        return Ok(ended(
            call,
            None,
            mended.left.is_empty() && (apply || mended.found == 0),
        ));
    };
    tell.line(format!("what went is in {}", files.display()))?;
    let receipt = entry.end(
        config,
        &what,
        mended.actions.len() as u64,
        files.display().to_string(),
    )?;
    Ok(ended(call, Some(receipt), mended.left.is_empty()))
}

fn raise(config: &Config, call: &Call, tell: &mut Teller<'_>) -> anyhow::Result<End> {
    need_data(config)?;
    let (data, apply) = (&config.server.data, !call.is_dry_run());
    let entry = Entry::begin(config, call);
    let migrated = migrate::migrate(data, &options(config, false), apply, |migrated| {
        tell.progress("records", migrated.records);
        ControlFlow::Continue(())
    })?;
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
    tell.line(what.clone())?;
    if !apply {
        return Ok(ended(call, None, true));
    }
    let receipt = entry.end(config, &what, migrated.changed, String::new())?;
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
    let entry = Entry::begin(config, call);
    let restored = backup::restore(dir, call.value("name"), data, |progress| {
        tell.progress("segments", progress.segments);
        ControlFlow::Continue(())
    })?;
    let what = format!(
        "backup {} with {} records became {}",
        restored.manifest.name(),
        restored.manifest.records,
        data.display(),
    );
    tell.line(what.clone())?;
    let receipt = entry.end(config, &what, restored.manifest.records, String::new())?;
    Ok(ended(call, Some(receipt), true))
}

fn need_data(config: &Config) -> anyhow::Result<()> {
    let data = &config.server.data;
    anyhow::ensure!(data.is_dir(), "there is no data directory {}", data.display());
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

/// What goes into the audit when the work is done: before, there may be no store to write it to.
struct Entry {
    id: ReceiptId,
    mint: Mint,
    clock: Clock,
    at: message::time::Timestamp,
    line: String,
    reason: Option<String>,
}

impl Entry {
    fn begin(config: &Config, call: &Call) -> Self {
        let clock = Clock::system();
        let mint = Mint::new(clock, config.server.node);
        Self {
            id: mint.id(),
            mint,
            clock,
            at: clock.timestamp(),
            line: call.to_line(),
            reason: call.reason().map(str::to_owned),
        }
    }

    fn end(self, config: &Config, what: &str, touches: u64, detail: String) -> anyhow::Result<Receipt> {
        let entry = AuditEntry {
            id: self.id,
            at: self.at,
            who: format!("uid {}", geteuid().as_raw()),
            line: self.line,
            reason: self.reason,
            touches,
            what: what.to_owned(),
            inverse: None,
            outcome: AuditOutcome::Done,
            ended: Some(self.clock.timestamp()),
            detail,
        };
        let (store, _) = open_store(config, false).context("it is done, but cannot be put on record")?;
        let record = Command::Record(Box::new(Record {
            entry: entry.fitting(),
        }));
        let id: CommandId = self.mint.id();
        runtime()?
            .block_on(store.propose(Proposal::new(id, self.clock.timestamp(), record)))
            .context("it is done, but cannot be put on record")?;
        store.close()?;
        Ok(Receipt {
            id: self.id.to_string(),
            at: self.at,
            what: what.to_owned(),
            touches,
            inverse: None,
            dry_run: false,
        })
    }
}
