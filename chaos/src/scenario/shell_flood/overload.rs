//! Overload: how many sessions saturate the server, and what five times as many do to its shell.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, anyhow};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    time::Instant,
};

use crate::{
    console::Console,
    crowd::Tolerance,
    promise::shell_answers::{self, Measured, Spread},
    storm::Storm,
    wait::{pass, until},
};

/// So many times the sessions that saturate the server.
const TIMES: usize = 5;

/// Sessions that are tried, each twice as many as before.
const TRIED: [usize; 5] = [2, 4, 8, 16, 32];

/// How many percent more letters twice the sessions must bring, or it was saturated before.
const GAIN: usize = 110;

/// The longest that one number of sessions is tried, and that the overload lasts: every letter is read again.
const TRIAL: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(12);

/// The longest that is waited for answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an operator asks under load.
const LOOKS: [&str; 2] = ["tree", "status"];

/// Between two questions.
const APART: Duration = Duration::from_millis(4);

/// What was measured.
pub(super) struct Overload {
    /// How many sent.
    pub(super) sessions: usize,
    /// What came of each question.
    pub(super) looks: Vec<(&'static str, Measured)>,
    /// What an echo took among all that the server has to do, for who wants to know how long mail waits for its turn.
    pub(super) among: Spread,
}

/// Measures.
pub(super) async fn measure(storm: &mut Storm, time: Duration) -> anyhow::Result<Overload> {
    let sessions = TIMES * saturating(storm, (time / 10).min(TRIAL)).await?;
    let mut crowd = storm.hurried_crowd();
    crowd.senders(sessions, &(0..4), Tolerance::TryAgain, &mut storm.rng);
    let over = Arc::new(AtomicBool::new(false));
    let (apart, among) = (Echo::bind(storm, "apart.sock")?, Echo::bind(storm, "among.sock")?);
    // One has a thread for itself: it waits for nothing but the machine. The other is on the runtime of the server.
    let answering = (
        alone(apart.answer(Arc::clone(&over))?)?,
        tokio::spawn(among.answer(Arc::clone(&over))?),
    );
    let answers = Arc::new(AtomicUsize::new(0));
    let shell = alone(ask(storm.home.shell(), Arc::clone(&over), Arc::clone(&answers)))?;
    let echoed = (
        alone(ask_echo(apart.path.clone(), Arc::clone(&over)))?,
        alone(ask_echo(among.path.clone(), Arc::clone(&over)))?,
    );
    pass((time / 2).clamp(TRIAL, LONGEST)).await;
    // A machine that others use may need longer for as many answers as say something; too few are found out below.
    until(PATIENCE, async || {
        Ok((answers.load(Ordering::Relaxed) >= LOOKS.len() * shell_answers::FEWEST).then_some(()))
    })
    .await?;
    over.store(true, Ordering::Relaxed);
    let asked = tokio::task::spawn_blocking(move || (joined(shell), joined(echoed.0), joined(echoed.1)));
    let (shell, of_apart, of_among) = asked.await?;
    crowd.disperse().await?;
    apart.end().await?;
    among.end().await?;
    let answered = tokio::task::spawn_blocking(move || joined(answering.0));
    answered.await??;
    answering.1.await??;
    let (mut shell, of_apart, mut of_among) = (shell?, of_apart?, of_among?);
    let mut looks = Vec::new();
    for look in LOOKS {
        let times = shell.remove(look).unwrap_or_default();
        looks.push((look, shell_answers::check(look, times, &of_apart)?));
    }
    Ok(Overload {
        sessions,
        looks,
        among: Spread::of(&mut of_among),
    })
}

/// The fewest sessions that twice as many do not send much more than.
async fn saturating(storm: &mut Storm, trial: Duration) -> anyhow::Result<usize> {
    let (mut best, mut saturating) = (0, 0);
    for sessions in TRIED {
        let mut crowd = storm.hurried_crowd();
        crowd.senders(sessions, &(0..4), Tolerance::TryAgain, &mut storm.rng);
        let before = storm.ledger.accepted();
        pass(trial).await;
        let accepted = storm.ledger.accepted() - before;
        crowd.disperse().await?;
        if accepted * 100 < best * GAIN {
            break;
        }
        (best, saturating) = (accepted, sessions);
    }
    Ok(saturating.max(1))
}

/// A thread and a runtime of its own, so that the load that this process makes is not what is measured.
fn alone<T: Send + 'static>(
    work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
) -> anyhow::Result<JoinHandle<anyhow::Result<T>>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(thread::spawn(move || runtime.block_on(work)))
}

fn joined<T>(thread: JoinHandle<anyhow::Result<T>>) -> anyhow::Result<T> {
    thread.join().map_err(|_| anyhow!("a thread panicked"))?
}

/// How long each answer took, the connection included, by question.
async fn ask(
    path: PathBuf,
    over: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
) -> anyhow::Result<BTreeMap<&'static str, Vec<Duration>>> {
    let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for look in LOOKS.into_iter().cycle() {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let start = Instant::now();
        Console::connect(&path).await?.insist(look).await?;
        times.entry(look).or_default().push(start.elapsed());
        answers.fetch_add(1, Ordering::Relaxed);
        pass(APART).await;
    }
    Ok(times)
}

/// The same, of the echo.
async fn ask_echo(path: PathBuf, over: Arc<AtomicBool>) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let start = Instant::now();
        echoes(&path).await.context("the echo")?;
        times.push(start.elapsed());
        pass(APART).await;
    }
    Ok(times)
}

async fn echoes(path: &Path) -> anyhow::Result<()> {
    let mut stream = BufReader::new(UnixStream::connect(path).await?);
    stream.get_mut().write_all(b"echo\n").await?;
    stream.read_line(&mut String::new()).await?;
    Ok(())
}

/// A socket on which is said back what is told, one connection after the other.
struct Echo {
    path: PathBuf,
    listener: std::os::unix::net::UnixListener,
}

impl Echo {
    fn bind(storm: &Storm, name: &str) -> anyhow::Result<Self> {
        let path = storm.home.data().join(name);
        let listener = std::os::unix::net::UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        Ok(Self { path, listener })
    }

    /// What answers until it is over.
    fn answer(
        &self,
        over: Arc<AtomicBool>,
    ) -> anyhow::Result<impl Future<Output = anyhow::Result<()>> + Send + use<>> {
        let listener = self.listener.try_clone()?;
        Ok(async move {
            let listener = UnixListener::from_std(listener)?;
            while !over.load(Ordering::Relaxed) {
                let (stream, _) = listener.accept().await?;
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                stream.read_line(&mut line).await?;
                stream.get_mut().write_all(line.as_bytes()).await?;
            }
            Ok(())
        })
    }

    /// It waits for another connection before it looks whether it is over.
    async fn end(&self) -> anyhow::Result<()> {
        drop(UnixStream::connect(&self.path).await);
        Ok(std::fs::remove_file(&self.path)?)
    }
}
