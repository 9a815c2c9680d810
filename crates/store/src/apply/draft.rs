//! A draft: the batch of one command while it is being made.

use bytes::Bytes;

use crate::{
    apply::{Applied, Change, Outcome, Rejected},
    batch::{Batch, MAX_OPERATIONS, Op, ReadSet},
    key::Key,
    record::{self, Damaged, Record},
};

/// Reads what the footprint named and collects what changes. Reads do not see the draft's own writes: a command decides
/// on what was there before it.
pub(super) struct Draft<'r> {
    read: &'r ReadSet,
    ops: Vec<Op>,
    changes: Vec<Change>,
}

/// Operations that most commands need.
const USUAL_OPERATIONS: usize = 12;

impl<'r> Draft<'r> {
    pub(super) fn new(read: &'r ReadSet) -> Self {
        Self {
            read,
            ops: Vec::with_capacity(USUAL_OPERATIONS),
            changes: Vec::with_capacity(2),
        }
    }

    /// The record at a key, if there is one.
    pub(super) fn find<R: Record>(&self, key: &Key) -> Result<Option<R>, Rejected> {
        match self.octets(key)? {
            Some(octets) => Ok(Some(Damaged::check(key, octets)?)),
            None => Ok(None),
        }
    }

    /// The record at a key; without one the command is rejected like this.
    pub(super) fn need<R: Record>(&self, key: &Key, absent: Rejected) -> Result<R, Rejected> {
        self.find(key)?.ok_or(absent)
    }

    /// The record at a key, where a damaged one must not stop the command: it counts as absent.
    pub(super) fn find_whole<R: Record>(&self, key: &Key) -> Result<Option<R>, Rejected> {
        Ok(self.octets(key)?.and_then(|octets| record::decode(octets).ok()))
    }

    /// Whether there is anything at a key.
    pub(super) fn is_taken(&self, key: &Key) -> Result<bool, Rejected> {
        Ok(self.octets(key)?.is_some())
    }

    pub(super) fn put<R: Record>(&mut self, key: Key, record: &R) -> Result<(), Rejected> {
        let octets = record::encode(record)?;
        self.ops.push(Op::Put(key, octets));
        Ok(())
    }

    pub(super) fn delete(&mut self, key: Key) {
        self.ops.push(Op::Delete(key));
    }

    pub(super) fn extend(&mut self, ops: &[Op]) {
        self.ops.extend_from_slice(ops);
    }

    pub(super) fn tell(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// How many operations may still be added.
    pub(super) fn room(&self) -> usize {
        MAX_OPERATIONS.saturating_sub(self.ops.len())
    }

    pub(super) fn finish(self, outcome: Outcome) -> Applied {
        Applied {
            batch: Batch { ops: self.ops },
            outcome,
            changes: self.changes,
        }
    }

    fn octets(&self, key: &Key) -> Result<Option<&'r Bytes>, Rejected> {
        match self.read.values.get(key) {
            Some(value) => Ok(value.as_ref()),
            None => Err(Rejected::Broken(format!("{key} is not in the footprint"))),
        }
    }
}
