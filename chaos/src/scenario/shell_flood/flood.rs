//! Flood: clients of the shell that no operator would be.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use crate::wait::pass;

/// Clients that never stop.
const RESTLESS: usize = 12;

/// A line that is longer than any request may be.
const HUGE: usize = 1 << 20;

/// How deep nested JSON is.
const DEPTH: usize = 100_000;

/// Requests of which nobody reads an answer.
const DEAF: usize = 200;

/// The longest that one client of the flood takes for one thing.
const PATIENCE: Duration = Duration::from_secs(2);

/// Before a connection that was closed is made again.
const AGAIN: Duration = Duration::from_millis(100);

/// What a client does.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Octets that are nothing.
    Garbage,
    /// A line without an end.
    Huge,
    /// JSON in which no bottom is found.
    Nested,
    /// Half of a request.
    Half,
    /// Nothing at all, and at once.
    Hasty,
    /// Much is asked, and no answer is read.
    Deaf,
    /// A request with a verb that there is not.
    Unknown,
}

const MANNERS: [Manner; 7] = [
    Manner::Garbage,
    Manner::Huge,
    Manner::Nested,
    Manner::Half,
    Manner::Hasty,
    Manner::Deaf,
    Manner::Unknown,
];

/// Clients that go on until they are told to stop.
pub(super) struct Flood {
    stop: watch::Sender<bool>,
    clients: JoinSet<()>,
    done: Arc<AtomicU64>,
}

impl Flood {
    /// Begins, with so many who say nothing.
    pub(super) fn begin(path: &Path, silent: usize, rng: &mut StdRng) -> Self {
        let (stop, done) = (watch::Sender::new(false), Arc::new(AtomicU64::new(0)));
        let mut clients = JoinSet::new();
        for _ in 0..silent {
            clients.spawn(idle(path.to_owned(), stop.subscribe(), Arc::clone(&done)));
        }
        for _ in 0..RESTLESS {
            let rng = StdRng::seed_from_u64(rng.random());
            clients.spawn(restless(
                path.to_owned(),
                stop.subscribe(),
                Arc::clone(&done),
                rng,
            ));
        }
        Self { stop, clients, done }
    }

    /// Ends it, and says how many connections it made.
    pub(super) async fn end(mut self) -> anyhow::Result<u64> {
        self.stop.send_replace(true);
        while let Some(ended) = self.clients.join_next().await {
            ended.context("a client of the flood panicked")?;
        }
        Ok(self.done.load(Ordering::Relaxed))
    }
}

/// Holds a connection and says nothing; when it is closed it makes another.
async fn idle(path: PathBuf, mut stop: watch::Receiver<bool>, done: Arc<AtomicU64>) {
    let hold = async {
        loop {
            if let Ok(mut stream) = UnixStream::connect(&path).await {
                done.fetch_add(1, Ordering::Relaxed);
                // What is said before it is closed is for nobody.
                drop(stream.read_to_end(&mut Vec::new()).await);
            }
            pass(AGAIN).await;
        }
    };
    tokio::select! {
        () = hold => {}
        _ = stop.wait_for(|over| *over) => {}
    }
}

/// Does one thing after the other.
async fn restless(path: PathBuf, stop: watch::Receiver<bool>, done: Arc<AtomicU64>, mut rng: StdRng) {
    while !*stop.borrow() {
        let Some(manner) = MANNERS.choose(&mut rng).copied() else {
            return;
        };
        // Whatever becomes of it is right, but that it hangs: then the operator hangs as well, and says so.
        let _ = timeout(PATIENCE, one(&path, manner, &mut rng)).await;
        done.fetch_add(1, Ordering::Relaxed);
        pass(Duration::from_millis(rng.random_range(0..20))).await;
    }
}

async fn one(path: &Path, manner: Manner, rng: &mut StdRng) -> std::io::Result<()> {
    let mut stream = UnixStream::connect(path).await?;
    match manner {
        Manner::Garbage => {
            let length = rng.random_range(1..4096);
            let garbage: Vec<u8> = (0..length).map(|_| rng.random()).collect();
            stream.write_all(&garbage).await?;
            stream.write_all(b"\n").await?;
        }
        Manner::Huge => stream.write_all(&vec![b'x'; HUGE]).await?,
        Manner::Nested => {
            stream.write_all(&vec![b'['; DEPTH]).await?;
            stream.write_all(b"\n").await?;
        }
        Manner::Half => {
            stream.write_all(br#"{"version":1,"line":"tr"#).await?;
            return Ok(());
        }
        Manner::Hasty => return Ok(()),
        Manner::Deaf => {
            let requests = "{\"version\":1,\"line\":\"tree\",\"secret\":null}\n".repeat(DEAF);
            stream.write_all(requests.as_bytes()).await?;
            pass(Duration::from_millis(rng.random_range(0..500))).await;
            return Ok(());
        }
        Manner::Unknown => {
            stream
                .write_all(b"{\"version\":1,\"line\":\"frobnicate --all\",\"secret\":\"x\"}\n")
                .await?;
            stream.read_u8().await?;
            return Ok(());
        }
    }
    stream.read_to_end(&mut Vec::new()).await.map(drop)
}
