//! Entries of the audit: begun, ended, and now and then claimed by somebody else; and configurations that come into force.

use message::{
    id::{Id, NodeId, ReceiptId},
    time::Timestamp,
};
use store::{
    command::*,
    record::{
        audit::{AuditEntry, AuditOutcome},
        configuration::{KeptConfiguration, KeptDocument, MAX_KEPT_DOCUMENTS},
    },
};

use super::{START, Seed};
use crate::model::Model;

pub(super) fn tell([_, a, b, c, d, _]: Seed) -> Command {
    let number = u64::from(a % 6);
    let at = Timestamp::from_millis(START.as_millis() + number * 3_000);
    let outcome = match b % 4 {
        0 => AuditOutcome::Begun,
        1 => AuditOutcome::Done,
        2 => AuditOutcome::Unknown,
        _ => AuditOutcome::Failed("x".repeat(usize::from(c) * 5)),
    };
    let entry = AuditEntry {
        id: ReceiptId::new(Id::compose(at, NodeId::new(0), number)),
        at,
        who: if d < 20 { "somebody else" } else { "uid 0" }.to_owned(),
        line: "domain add d1.test".to_owned(),
        reason: (number > 2).then(|| "asked for".to_owned()),
        touches: 1,
        what: "adds a domain".to_owned(),
        inverse: Some("domain delete d1.test".to_owned()),
        outcome,
        ended: (b % 3 > 0).then_some(at),
        detail: String::new(),
    };
    Command::Record(Box::new(Record { entry }))
}

pub(super) fn configure([_, a, b, c, d, _]: Seed, model: &Model) -> Command {
    let number = u64::from(a % 8);
    let at = Timestamp::from_millis(START.as_millis() + number * 3_000);
    let document = |number: usize| KeptDocument {
        name: format!("{number}.toml"),
        content: "x".repeat(usize::from(c)),
    };
    let documents = if d < 20 {
        MAX_KEPT_DOCUMENTS + 1
    } else {
        usize::from(d % 3)
    };
    let oldest = model.configurations.keys().copied();
    Command::KeepConfiguration(Box::new(KeepConfiguration {
        kept: KeptConfiguration {
            id: ReceiptId::new(Id::compose(at, NodeId::new(0), number)),
            at,
            documents: (0..documents).map(document).collect(),
        },
        forget: oldest.take(usize::from(b % 3)).collect(),
    }))
}
