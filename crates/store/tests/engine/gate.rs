//! Engines that misbehave on purpose, over the model engine.

use std::sync::{
    Arc, Condvar, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use bytes::Bytes;
use store::{
    batch::Op,
    engine::{
        Engine, StoreError,
        memory::{MemoryEngine, MemorySnapshot},
    },
    key::Key,
};

/// An engine whose writes wait at a gate, can fail, and can panic; and which counts them.
#[derive(Clone, Default)]
pub(crate) struct GatedEngine {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    memory: MemoryEngine,
    gate: Mutex<bool>,
    moved: Condvar,
    waiting: AtomicBool,
    writes: AtomicUsize,
    synced: AtomicUsize,
    fail_at: AtomicUsize,
    panic_at: AtomicUsize,
}

impl GatedEngine {
    /// Lets the n-th write (from 1) fail.
    pub(crate) fn failing_at(n: usize) -> Self {
        let engine = Self::default();
        engine.inner.fail_at.store(n, SeqCst);
        engine
    }

    /// Lets the n-th write (from 1) panic.
    pub(crate) fn panicking_at(n: usize) -> Self {
        let engine = Self::default();
        engine.inner.panic_at.store(n, SeqCst);
        engine
    }

    /// From now on writes wait.
    pub(crate) fn shut(&self) {
        *self.inner.gate.lock().unwrap() = true;
    }

    /// Lets waiting writes go on.
    pub(crate) fn open(&self) {
        *self.inner.gate.lock().unwrap() = false;
        self.inner.moved.notify_all();
    }

    /// Waits until a write stands at the gate.
    pub(crate) fn wait_for_writer(&self) {
        let mut shut = self.inner.gate.lock().unwrap();
        while !self.inner.waiting.load(SeqCst) {
            shut = self.inner.moved.wait(shut).unwrap();
        }
    }

    /// Writes so far, and how many of them were to be synced.
    pub(crate) fn writes(&self) -> (usize, usize) {
        (self.inner.writes.load(SeqCst), self.inner.synced.load(SeqCst))
    }
}

impl Engine for GatedEngine {
    type Snapshot = MemorySnapshot;

    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        Engine::get(&self.inner.memory, key)
    }

    fn write(&self, ops: Vec<Op>, sync: bool) -> Result<(), StoreError> {
        let inner = &*self.inner;
        let mut shut = inner.gate.lock().unwrap();
        while *shut {
            inner.waiting.store(true, SeqCst);
            inner.moved.notify_all();
            shut = inner.moved.wait(shut).unwrap();
        }
        inner.waiting.store(false, SeqCst);
        drop(shut);
        let n = inner.writes.fetch_add(1, SeqCst) + 1;
        inner.synced.fetch_add(usize::from(sync), SeqCst);
        assert_ne!(n, inner.panic_at.load(SeqCst), "the engine panics as told");
        if n == inner.fail_at.load(SeqCst) {
            return Err(StoreError::Poisoned("no space left on device".to_owned()));
        }
        inner.memory.write(ops, sync)
    }

    fn snapshot(&self) -> MemorySnapshot {
        self.inner.memory.snapshot()
    }
}
