//! The handle to the store: cheap to clone, shared by everything that reads or proposes.
//!
//! It owns the engine and the committer thread for the whole life of the process; no actor does, so killing an actor
//! never makes a second committer. It is not the state machine: that is [`apply`](crate::apply::apply).

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
    thread::JoinHandle,
};

use message::{
    id::{BlobId, CommandId, TenantId},
    time::Timestamp,
};
use tokio::sync::oneshot;

use crate::{
    apply::Outcome,
    backup::{self, BackupError, Flow, Progress, Taken},
    blob::{BlobReader, BlobRef, BlobWriter, writer},
    command::{Proposal, footprint},
    committer::Committer,
    engine::{DiskUse, Engine, StoreError, memory::MemoryEngine},
    feed::{Changes, Feeder},
    format::{FORMAT, Layout},
    health::Health,
    key::Keyspace,
    lock::Lock,
    mark::Mark,
    open::{self, OpenError, OpenReport, Opened},
    options::{MAX_CHUNK_OCTETS, MIN_CHUNK_OCTETS, Options},
    propose::{Answer, ProposeError},
    quarantine::{BadRecord, Quarantine, Ward},
    queue::{Bounds, Queue, Work},
    sequence,
    space::{Space, SpaceGauge},
    statistics::{Meters, Statistics},
    view::{Source, View},
};

/// What a command takes in memory and in its batch, beside the message bytes that it carries.
const COMMAND_OCTETS: usize = 1024;

/// The store. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

impl Store {
    /// Opens or creates the store of a data directory, and starts its committer. Blocks.
    ///
    /// # Errors
    /// [`OpenError`] says which file is concerned and what an operator can do.
    pub fn open(dir: &Path, options: Options) -> Result<(Self, OpenReport), OpenError> {
        let Opened {
            engine,
            sequence,
            mark,
            gauge,
            lock,
            layout,
            format,
            report,
        } = open::open(dir, &options)?;
        let beside = Beside {
            layout,
            format,
            mark,
            gauge: Arc::new(gauge),
            lock,
        };
        let store = Self::start(engine, sequence, options, Some(beside))
            .map_err(|error| OpenError::io(dir, error))?;
        Ok((store, report))
    }

    /// A store that forgets everything when it is dropped: the model engine under the same committer.
    ///
    /// # Errors
    /// [`StoreError`] when the system gives no thread.
    pub fn memory() -> Result<Self, StoreError> {
        Self::over(MemoryEngine::default(), Options::default())
    }

    /// A store over another engine, empty or not, without files of its own beside it.
    ///
    /// # Errors
    /// [`StoreError`] when the engine cannot be read, or the system gives no thread.
    pub fn over<E: Engine>(engine: E, options: Options) -> Result<Self, StoreError> {
        let sequence = sequence::get(&engine)?;
        Self::start(engine, sequence, options, None)
            .map_err(|error| StoreError::Unreadable(error.to_string()))
    }

    /// Proposes a command; the answer comes when it is durable, or refused.
    ///
    /// It is queued when this is called, not when the future is first polled; dropping the future takes nothing back.
    pub fn propose(&self, proposal: Proposal) -> impl Future<Output = Answer> + Send + use<> {
        let (done, answer) = oneshot::channel();
        self.propose_with(proposal, done);
        async move { answer.await.unwrap_or(Err(ProposeError::Unknown)) }
    }

    /// Proposes a command and never waits: the answer goes to `done`, at once when the store is overloaded. A closed
    /// channel instead of an answer means [`ProposeError::Unknown`].
    pub fn propose_with(&self, proposal: Proposal, done: oneshot::Sender<Answer>) {
        let octets = COMMAND_OCTETS + proposal.command.payload_octets();
        self.inner.queue.push(Work::Propose { proposal, done }, octets);
    }

    /// What became of a command, seen after everything that was proposed before: `None` when nothing was committed
    /// under this id, because it never arrived, was rejected, is older than `keep_results`, or is of a kind that
    /// [keeps no result](crate::command::Command::keeps_result).
    pub fn recall(
        &self,
        id: CommandId,
    ) -> impl Future<Output = Result<Option<Outcome>, ProposeError>> + Send + use<> {
        let (done, answer) = oneshot::channel();
        self.recall_with(id, done);
        async move { answer.await.unwrap_or(Err(ProposeError::Unknown)) }
    }

    /// As [`Store::recall`], with the answer going to `done`.
    pub fn recall_with(&self, id: CommandId, done: oneshot::Sender<Result<Option<Outcome>, ProposeError>>) {
        self.inner.queue.push(Work::Recall { id, done }, 0);
    }

    /// Reads what a command will read, so that the committer, for whom all others wait, meets no cold block. What
    /// cannot be read is found out there. Touches the disk.
    pub fn warm(&self, proposal: &Proposal) {
        for key in footprint(proposal) {
            drop(self.inner.source.get(&key));
        }
    }

    /// What is committed now. Reads may touch the disk: not for a thread that must not wait.
    #[must_use]
    pub fn snapshot(&self) -> View {
        self.inner.source.view(Arc::clone(&self.inner.ward))
    }

    /// Begins to write a blob; nothing touches the disk before its first chunk is full.
    #[must_use]
    pub fn blob_writer(&self, tenant: TenantId, id: BlobId) -> BlobWriter {
        let Options {
            chunk_octets,
            compression,
            ..
        } = self.options();
        let chunk_octets = chunk_octets.clamp(MIN_CHUNK_OCTETS, MAX_CHUNK_OCTETS);
        BlobWriter::new(
            Arc::clone(&self.inner.queue),
            tenant,
            id,
            chunk_octets,
            compression,
        )
    }

    /// Reads a blob, chunk by chunk. Reads touch the disk.
    #[must_use]
    pub fn blob_reader(&self, tenant: TenantId, blob: &BlobRef) -> BlobReader {
        BlobReader::new(Arc::clone(&self.inner.source), tenant, blob.clone())
    }

    /// Removes the chunks of a sealed blob that no command will refer to: the accepting command was rejected. Does
    /// nothing when a command did. Never waits.
    pub fn discard_blob(&self, tenant: TenantId, blob: &BlobRef) {
        if blob.chunks > 1 {
            self.inner
                .queue
                .push(writer::sweep(tenant, blob.id, blob.chunks - 1), 0);
        }
    }

    /// The committed changes from now on.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.inner.feed.subscribe()
    }

    /// Waits until a write or a sync failed, or the committer panicked, and says why. The process must then end with
    /// a non-zero code. Never ready on a store that closes cleanly.
    pub fn poisoned(&self) -> impl Future<Output = String> + Send + use<> {
        self.inner.health.poisoned()
    }

    /// Whether there is room for new messages. At most once a second this asks the system.
    #[must_use]
    pub fn space(&self) -> Space {
        self.inner
            .gauge
            .as_ref()
            .map_or(Space::Enough, |gauge| gauge.space())
    }

    /// What the store measured about itself.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let (queued, queued_octets) = self.inner.queue.depth();
        Statistics {
            queued,
            queued_octets,
            free_octets: self.inner.gauge.as_ref().map(|gauge| gauge.free()),
            quarantined: self.inner.ward.met(),
            compactions: self.inner.source.compactions(),
            ..self.inner.meters.read()
        }
    }

    /// What each keyspace takes on the disk.
    #[must_use]
    pub fn disk_use(&self) -> DiskUse {
        self.inner.source.disk_use()
    }

    /// Rewrites a keyspace without what was deleted. Blocks for long; the committer goes on until the memtables are full.
    ///
    /// # Errors
    /// [`StoreError::Uncompacted`] when it could not; nothing is lost.
    pub fn compact(&self, space: Keyspace) -> Result<(), StoreError> {
        self.inner.source.compact(space)
    }

    /// Lets go of the files that nothing needs any more. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] when it could not.
    pub fn give_back(&self) -> Result<(), StoreError> {
        self.inner.source.give_back()
    }

    /// Takes a backup of what is committed now into a directory. Blocks for long; the committer goes on, but space is not
    /// given back meanwhile.
    ///
    /// # Errors
    /// [`BackupError`]; what was backed up before is never harmed.
    pub fn backup(
        &self,
        dir: &Path,
        at: Timestamp,
        watch: impl FnMut(&Progress) -> Flow,
    ) -> Result<Taken, BackupError> {
        backup::take(&self.snapshot(), self.inner.format, dir, at, watch)
    }

    /// The number of the format of its files.
    #[must_use]
    pub fn format(&self) -> u32 {
        self.inner.format
    }

    /// What the store goes by now.
    #[must_use]
    pub fn options(&self) -> Options {
        let options = self.inner.options.read();
        options.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes by other options from now on: blobs that are begun, groups that are gathered, work that comes, the length of
    /// the feed, free space. The cache stays as it was when it was opened. May touch the disk.
    pub fn configure(&self, options: &Options) {
        let mut current = self.inner.options.write().unwrap_or_else(PoisonError::into_inner);
        *current = Options {
            cache_octets: current.cache_octets,
            ..options.clone()
        };
        self.inner.queue.limit(Bounds::of(&current));
        self.inner.feed.keep(current.max_feed);
        drop(current);
        if let Some(gauge) = &self.inner.gauge {
            gauge.keep(options.reserve_octets, options.reserve_file_octets);
        }
    }

    /// Sets a record of ours aside that cannot be understood, and reports it. Writes a small file.
    pub fn quarantine(&self, record: BadRecord) {
        self.inner.ward.take(record);
    }

    /// The records that were set aside since the start.
    #[must_use]
    pub fn quarantined(&self) -> Quarantine {
        self.inner.ward.list()
    }

    /// Stops: refuses new proposals, finishes those that wait, syncs. Blocks. Later calls do nothing more.
    ///
    /// The files are given back when the last clone, view and blob reader of the store is dropped.
    ///
    /// # Errors
    /// [`StoreError::Poisoned`] when a write failed.
    pub fn close(&self) -> Result<(), StoreError> {
        self.inner.stop();
        self.inner
            .health
            .failure()
            .map_or(Ok(()), |why| Err(StoreError::Poisoned(why)))
    }

    fn start<E: Engine>(
        engine: E,
        sequence: u64,
        options: Options,
        beside: Option<Beside>,
    ) -> std::io::Result<Self> {
        let engine = Arc::new(engine);
        let queue = Arc::new(Queue::new(Bounds::of(&options)));
        let feed = Arc::new(Feeder::new(options.max_feed));
        let health = Arc::new(Health::new());
        let meters = Arc::new(Meters::starting_at(sequence));
        let format = beside.as_ref().map_or(FORMAT, |beside| beside.format);
        let (layout, mark, gauge, lock) = match beside {
            Some(Beside {
                layout,
                format: _,
                mark,
                gauge,
                lock,
            }) => (Some(layout), Some(mark), Some(gauge), Some(lock)),
            None => (None, None, None, None),
        };
        let committer = Committer {
            engine: Arc::clone(&engine),
            queue: Arc::clone(&queue),
            feed: Arc::clone(&feed),
            health: Arc::clone(&health),
            meters: Arc::clone(&meters),
            gauge: gauge.clone(),
            mark,
            sequence,
        };
        let thread = std::thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || committer.run())?;
        let inner = Inner {
            queue,
            source: engine,
            feed,
            health,
            meters,
            gauge,
            ward: Arc::new(Ward::new(layout.map(|layout| layout.quarantine))),
            options: RwLock::new(options),
            format,
            thread: Mutex::new(Some(thread)),
            _lock: lock,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("health", &self.inner.health)
            .finish_non_exhaustive()
    }
}

/// What stands beside an engine that has files.
struct Beside {
    layout: Layout,
    format: u32,
    mark: Mark,
    gauge: Arc<SpaceGauge>,
    lock: Lock,
}

struct Inner {
    queue: Arc<Queue>,
    source: Arc<dyn Source>,
    feed: Arc<Feeder>,
    health: Arc<Health>,
    meters: Arc<Meters>,
    gauge: Option<Arc<SpaceGauge>>,
    ward: Arc<Ward>,
    options: RwLock<Options>,
    format: u32,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Last: the directory is ours until the engine's files are closed.
    _lock: Option<Lock>,
}

impl Inner {
    fn stop(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A panic of the committer was reported when it happened.
        drop(thread.map(JoinHandle::join));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}
