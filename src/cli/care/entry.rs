//! Entry: what a work on a stopped store leaves in the audit: that it began, and how it ended, also when it failed.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use actors::{clock::Clock, mint::Mint};
use anyhow::Context as _;
use config::Config;
use message::id::{CommandId, ReceiptId};
use rustix::process::geteuid;
use serde_json::json;
use shell::{Call, Receipt};
use store::{
    command::{Command, Proposal, Record},
    open::OpenError,
    record::audit::{AuditEntry, AuditOutcome},
};

use super::super::runtime;
use crate::boot::open_store;

/// What becomes an entry of the audit.
pub(super) struct Entry<'c> {
    config: &'c Config,
    /// Whether a loss is accepted whenever the store is opened for it.
    accept_truncation: bool,
    mint: Mint,
    clock: Clock,
    verb: String,
    entry: AuditEntry,
}

impl<'c> Entry<'c> {
    /// The entry of a call, on record nowhere yet. `what` is what it does, in a sentence.
    pub(super) fn of(config: &'c Config, call: &Call, what: &str) -> Self {
        let clock = Clock::system();
        let mint = Mint::new(clock, config.server.node);
        let entry = AuditEntry {
            id: mint.id(),
            at: clock.timestamp(),
            who: format!("uid {}", geteuid().as_raw()),
            line: call.to_line(),
            reason: call.reason().map(str::to_owned),
            touches: 0,
            what: what.to_owned(),
            inverse: None,
            outcome: AuditOutcome::Begun,
            ended: None,
            detail: String::new(),
        };
        Self {
            config,
            accept_truncation: call.has("accept-truncation"),
            mint,
            clock,
            verb: call.verb().words().replace(' ', "-"),
            entry,
        }
    }

    /// Its receipt.
    pub(super) const fn id(&self) -> ReceiptId {
        self.entry.id
    }

    /// Puts it on record before the work begins, so that one in which the process dies is known. A store that cannot be
    /// written now is what the work itself fails of, and says better.
    pub(super) fn begun(&self) {
        drop(self.record(&self.entry));
    }

    /// Puts it on record that it is done.
    pub(super) fn done(mut self, what: &str, touches: u64, detail: String) -> anyhow::Result<Receipt> {
        what.clone_into(&mut self.entry.what);
        self.entry.touches = touches;
        self.entry.detail = detail;
        self.entry.outcome = AuditOutcome::Done;
        self.entry.ended = Some(self.clock.timestamp());
        self.record(&self.entry)
            .context("it is done, but cannot be put on record")?;
        Ok(Receipt {
            id: self.entry.id.to_string(),
            at: self.entry.at,
            what: self.entry.what,
            touches,
            inverse: None,
            dry_run: false,
        })
    }

    /// Puts it on record that it failed: in the audit, and where that cannot be written, in a file. Gives what an operator
    /// is to be told: why, and where that stands.
    pub(super) fn failed(mut self, why: &anyhow::Error) -> String {
        let why = format!("{why:#}");
        self.entry.outcome = AuditOutcome::Failed(why.clone());
        self.entry.ended = Some(self.clock.timestamp());
        let data = &self.config.server.data;
        if !data.join("format").exists() && !data.join("store").exists() {
            return format!(
                "{why}\nit is on record nowhere: there is no store in {}",
                data.display()
            );
        }
        let id = self.entry.id;
        let unrecorded = match self.record(&self.entry) {
            Ok(()) => return format!("{why}\non record as {id}"),
            Err(unrecorded) => unrecorded,
        };
        // What another process has open is not ours to write to.
        if matches!(unrecorded.downcast_ref(), Some(OpenError::InUse { .. })) {
            return format!("{why}\nit is on record nowhere: {unrecorded:#}");
        }
        match self.report(&why) {
            Ok(path) => format!("{why}\nthe audit cannot be written; {} says so", path.display()),
            Err(error) => format!("{why}\nit is on record nowhere: {error}"),
        }
    }

    /// Writes a line into the report of this work, which may be there already.
    fn report(&self, why: &str) -> std::io::Result<PathBuf> {
        let quarantine = self.config.server.data.join("quarantine");
        let dir = quarantine.join(format!("{}-{}", self.verb, self.entry.id));
        std::fs::create_dir_all(&dir)?;
        let path = dir.join("report.jsonl");
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)?;
        let line = json!({
            "record": null,
            "done": "failed",
            "why": why,
            "receipt": self.entry.id.to_string(),
            "at": self.entry.at.to_string(),
            "who": self.entry.who,
            "line": self.entry.line,
            "reason": self.entry.reason,
        });
        writeln!(file, "{line}")?;
        file.sync_all()?;
        Ok(path)
    }

    fn record(&self, entry: &AuditEntry) -> anyhow::Result<()> {
        let (store, _) = open_store(self.config, self.accept_truncation)?;
        let entry = entry.clone().fitting();
        let record = Command::Record(Box::new(Record { entry }));
        let id: CommandId = self.mint.id();
        let proposal = Proposal::new(id, self.clock.timestamp(), record);
        runtime()?.block_on(store.propose(proposal))?;
        Ok(store.close()?)
    }
}
