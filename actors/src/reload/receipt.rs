//! Receipt: what came of a reload.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use message::{id::ReceiptId, time::Timestamp};
use store::record::audit::{AuditEntry, AuditOutcome};

use super::plan::Plan;

/// What came of a reload.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Its id. Under it the audit has it, and the configuration, if it came into force.
    pub id: ReceiptId,
    /// When it was asked for.
    pub at: Timestamp,
    /// Who asked: a signal, or an operator.
    pub who: String,
    /// The line as it was given.
    pub line: String,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// What differs and whom that touches; none where the sources have mistakes.
    pub plan: Option<Plan>,
    /// Actors that were told to take it.
    pub told: u64,
    /// Those that have taken it.
    pub acknowledged: u64,
    /// Those that died before: they start with what is in force.
    pub lost: u64,
    /// Some of those that have not answered in time.
    pub unanswered: Vec<String>,
    /// How many of each class were told.
    pub by_class: BTreeMap<&'static str, u64>,
    /// From the request to the end.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
    /// The line that undoes it.
    pub inverse: Option<String>,
}

/// How a reload ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not yet.
    Begun,
    /// It was to be planned only.
    Planned,
    /// It is in force.
    Done,
    /// The sources have mistakes; nothing was changed.
    Invalid(Vec<String>),
    /// Somebody could not take it; nothing was changed.
    Refused(Vec<String>),
    /// It could not be carried out; nothing was changed.
    Failed(String),
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Planned => "planned",
            Self::Done => "done",
            Self::Invalid(_) => "invalid",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }

    /// Everything that stood against it.
    #[must_use]
    pub fn mistakes(&self) -> &[String] {
        match self {
            Self::Invalid(mistakes) | Self::Refused(mistakes) => mistakes,
            Self::Failed(why) => std::slice::from_ref(why),
            Self::Begun | Self::Planned | Self::Done => &[],
        }
    }
}

impl Receipt {
    /// What it does, in one sentence.
    #[must_use]
    pub fn what(&self) -> String {
        let Some(plan) = &self.plan else {
            return "read the configuration anew".to_owned();
        };
        match (plan.differences.len(), plan.renewed.len()) {
            (0, 0) => "read the configuration anew: nothing differs".to_owned(),
            (1, 0) => "change 1 setting".to_owned(),
            (keys, 0) => format!("change {keys} settings"),
            (keys, files) => format!("change {keys} settings and {files} files that settings name"),
        }
    }

    /// How many actors it touches.
    #[must_use]
    pub fn touches(&self) -> u64 {
        self.plan.as_ref().map_or(0, Plan::actors)
    }

    /// Everything else, line by line: for the audit.
    #[must_use]
    pub fn detail(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        for mistake in self.outcome.mistakes() {
            let _ = writeln!(text, "{mistake}");
        }
        if self.told > 0 {
            let Self {
                told,
                acknowledged,
                lost,
                ..
            } = self;
            let _ = writeln!(text, "told {told}, acknowledged {acknowledged}, lost {lost}");
        }
        for path in &self.unanswered {
            let _ = writeln!(text, "no answer in time: {path}");
        }
        for line in self.plan.iter().flat_map(Plan::lines) {
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// The entry of the audit.
    pub(super) fn entry(&self) -> AuditEntry {
        let (outcome, has_ended) = match &self.outcome {
            Outcome::Begun => (AuditOutcome::Begun, false),
            Outcome::Planned | Outcome::Done => (AuditOutcome::Done, true),
            failed @ (Outcome::Invalid(_) | Outcome::Refused(_) | Outcome::Failed(_)) => {
                let first = failed.mistakes().first().cloned().unwrap_or_default();
                (AuditOutcome::Failed(format!("{}: {first}", failed.word())), true)
            }
        };
        let entry = AuditEntry {
            id: self.id,
            at: self.at,
            who: self.who.clone(),
            line: self.line.clone(),
            reason: self.reason.clone(),
            touches: self.touches(),
            what: self.what(),
            inverse: self.inverse.clone(),
            outcome,
            ended: has_ended.then(|| self.at + self.took),
            detail: self.detail(),
        };
        entry.fitting()
    }

    /// Tells the log.
    pub(super) fn log(&self) {
        let (id, who, outcome) = (self.id, self.who.as_str(), self.outcome.word());
        if matches!(self.outcome, Outcome::Done) {
            tracing::info!(
                target: "angarium::reload",
                receipt = %id,
                who,
                outcome,
                differences = self.plan.as_ref().map_or(0, |plan| plan.differences.len()),
                told = self.told,
                acknowledged = self.acknowledged,
                lost = self.lost,
                took = ?self.took,
                "the configuration was read anew",
            );
        } else {
            tracing::error!(target: "angarium::reload", receipt = %id, who, outcome, "the configuration stays as it was");
        }
        for mistake in self.outcome.mistakes() {
            tracing::error!(target: "angarium::reload", receipt = %id, mistake);
        }
        for path in &self.unanswered {
            tracing::warn!(target: "angarium::reload", receipt = %id, path, "no answer in time");
        }
        for line in self.plan.iter().flat_map(Plan::lines) {
            tracing::info!(target: "angarium::reload", receipt = %id, "{line}");
        }
    }
}
