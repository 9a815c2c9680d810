//! What a command changes ([`Batch`]) and what it may look at ([`ReadSet`]).

use std::collections::HashMap;

use bytes::Bytes;

use crate::key::Key;

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// The key holds this value from now on.
    Put(Key, Bytes),
    /// The key is gone.
    Delete(Key),
}

/// The changes of one command: applied together or not at all, in order; the last change of a key wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The changes.
    pub ops: Vec<Op>,
}

/// The most changes that one command may make; larger work is a tombstone and a resumable job.
pub const MAX_OPERATIONS: usize = 4096;

/// The most octets of values that one command may write.
pub const MAX_BATCH_OCTETS: usize = 8 << 20;

/// The values of the keys of a command's footprint, as they stand at its serial point.
///
/// A key that is absent from the store maps to `None`; a key that was not part of the footprint is not there at all,
/// which is a defect of the footprint (a [`Rejected::Broken`](crate::apply::Rejected)).
#[derive(Clone, Debug, Default)]
pub struct ReadSet {
    /// Values by key.
    pub values: HashMap<Key, Option<Bytes>>,
}
