//! Runs a repair on the store of a stopped server.

use std::path::{Path, PathBuf};

use super::{Action, ReportError, plan, report};
use crate::{
    batch::{MAX_BATCH_OCTETS, MAX_OPERATIONS, Op},
    engine::{Engine, StoreError},
    open::{self, OpenError, OpenReport},
    options::Options,
    verify::{Finding, NOT_RECORDS},
};

/// What a repair did, or would do.
#[derive(Debug)]
pub struct Repaired {
    /// What opening the store found.
    pub opened: OpenReport,
    /// What was found to be wrong.
    pub found: u64,
    /// What was done about it, or would be.
    pub actions: Vec<Action>,
    /// What no rule can mend.
    pub left: Vec<Finding>,
    /// Where the old octets of the records are; `None` when nothing was done.
    pub files: Option<PathBuf>,
}

/// Why a store cannot be repaired.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// It cannot be opened: the engine's own files are damaged, and there is nothing to repair records in. The text says
    /// what to do.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be read or written.
    #[error("{0}; {NOT_RECORDS}")]
    Store(#[from] StoreError),
    /// What is set aside cannot be written; the store was not changed.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// Repairs the store of a data directory that no server has open, or only says what it would do. `name` is that of the
/// directory below `quarantine/` that the report goes to. Blocks.
///
/// # Errors
/// [`RepairError`]; after one the store is as it was, or a repeat does the rest.
pub fn repair(
    dir: &Path,
    options: &Options,
    apply: bool,
    name: &str,
    look: impl FnMut(u64, Option<u64>),
) -> Result<Repaired, RepairError> {
    let opened = open::open(dir, options)?;
    let plan = plan(opened.engine.snapshot(), look)?;
    let mut files = None;
    if apply && !plan.actions.is_empty() {
        let place = opened.layout.quarantine.join(name);
        report::write(&plan, &place)?;
        write(&opened.engine, plan.operations())?;
        files = Some(place);
    }
    Ok(Repaired {
        opened: opened.report,
        found: plan.found,
        actions: plan.actions,
        left: plan.left,
        files,
    })
}

/// Writes what is changed, each batch durable before the next.
fn write(engine: &impl Engine, operations: impl Iterator<Item = Op>) -> Result<(), StoreError> {
    let (mut ops, mut octets) = (Vec::new(), 0);
    for op in operations {
        octets += match &op {
            Op::Put(key, value) => key.bytes.len() + value.len(),
            Op::Delete(key) => key.bytes.len(),
        };
        ops.push(op);
        if ops.len() == MAX_OPERATIONS || octets >= MAX_BATCH_OCTETS / 2 {
            engine.write(std::mem::take(&mut ops), true)?;
            octets = 0;
        }
    }
    engine.write(ops, true)
}
