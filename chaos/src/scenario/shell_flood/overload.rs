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
    promise::shell_answers::{self, Measured},
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

/// Measures; says how many sessions there were, and what came of each question.
pub(super) async fn measure(
    storm: &mut Storm,
    time: Duration,
) -> anyhow::Result<(usize, Vec<(&'static str, Measured)>)> {
    let sessions = TIMES * saturating(storm, (time / 10).min(TRIAL)).await?;
    let mut crowd = storm.hurried_crowd();
    crowd.senders(sessions, &(0..4), Tolerance::TryAgain, &mut storm.rng);
    let over = Arc::new(AtomicBool::new(false));
    let echo_path = storm.home.data().join("echo.sock");
    let listener = std::os::unix::net::UnixListener::bind(&echo_path)?;
    // On the runtime of the server, among all that it has to do.
    let answering = tokio::spawn(echo(listener, Arc::clone(&over)));
    let answers = Arc::new(AtomicUsize::new(0));
    let shell = alone(ask(storm.home.shell(), Arc::clone(&over), Arc::clone(&answers)))?;
    let echoed = alone(ask_echo(echo_path.clone(), Arc::clone(&over)))?;
    pass((time / 2).clamp(TRIAL, LONGEST)).await;
    // A machine that others use may need longer for as many answers as say something; too few are found out below.
    until(PATIENCE, async || {
        Ok((answers.load(Ordering::Relaxed) >= LOOKS.len() * shell_answers::FEWEST).then_some(()))
    })
    .await?;
    over.store(true, Ordering::Relaxed);
    let (shell, echoed) = tokio::task::spawn_blocking(move || (joined(shell), joined(echoed))).await?;
    crowd.disperse().await?;
    // It waits for another connection before it looks whether it is over.
    drop(UnixStream::connect(&echo_path).await);
    answering.await??;
    std::fs::remove_file(&echo_path)?;
    let (mut shell, echoed) = (shell?, echoed?);
    let mut measured = Vec::new();
    for look in LOOKS {
        let times = shell.remove(look).unwrap_or_default();
        measured.push((look, shell_answers::check(look, times, &echoed)?));
    }
    Ok((sessions, measured))
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

/// Says back what it is told, one connection after the other.
async fn echo(listener: std::os::unix::net::UnixListener, over: Arc<AtomicBool>) -> anyhow::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    while !over.load(Ordering::Relaxed) {
        let (stream, _) = listener.accept().await?;
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        stream.get_mut().write_all(line.as_bytes()).await?;
    }
    Ok(())
}
