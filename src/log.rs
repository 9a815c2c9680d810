//! The log: lines on standard error, in a file, in the journal of systemd; never on standard output, which carries only
//! what scripts read.
//!
//! Whoever logs hands a finished line to the thread of each output and never waits for it. A line is made from the fields
//! of an event alone, each of them escaped and cut: what a peer said cannot become a line of its own.

mod file;
mod journal;
mod levels;
mod line;
mod output;

use std::{
    io::IsTerminal,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use actors::process::Belonging;
use anyhow::Context as _;
use arc_swap::ArcSwap;
use config::{Config, Log, LogFormat};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

pub use levels::{Levels, levels};
use line::{Format, line};
use output::Output;

/// A log that is written. When it is dropped, what was logged until then is written out.
#[must_use = "lines that wait are written when this is dropped"]
pub struct Logging {
    shared: Arc<Shared>,
}

/// What follows the settings: another level, other outputs, and each time its file opened again.
#[derive(Clone)]
pub struct Followed {
    shared: Arc<Shared>,
}

struct Shared {
    outputs: ArcSwap<Vec<Output>>,
    stands: Mutex<Standing>,
}

struct Standing {
    log: Log,
    /// Opened for settings that are not in force yet.
    staged: Option<(Arc<Config>, Vec<Output>)>,
}

impl Shared {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.stands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        self.shared.outputs.load().iter().for_each(Output::finish);
    }
}

/// Starts to log. Changes nothing when the process logs already, as tests in one process do.
///
/// # Errors
/// When the file cannot be opened, or there is no journal.
pub fn start(log: &Log) -> anyhow::Result<(Logging, Followed)> {
    let shared = Arc::new(Shared {
        outputs: ArcSwap::from_pointee(open(log)?),
        stands: Mutex::new(Standing {
            log: log.clone(),
            staged: None,
        }),
    });
    let lines = Lines(Arc::clone(&shared));
    let _ = tracing_subscriber::registry()
        .with(Levels::start(log))
        .with(lines)
        .try_init();
    let followed = Followed {
        shared: Arc::clone(&shared),
    };
    Ok((Logging { shared }, followed))
}

/// Opens every output.
fn open(log: &Log) -> anyhow::Result<Vec<Output>> {
    let format = match log.format {
        LogFormat::Text => Format::Text { colour: false },
        LogFormat::Json => Format::Json,
    };
    // What may fail comes first: an output that has begun has a thread.
    let file = log.file.as_ref().map(|path| {
        let opened = file::LogFile::open(path, log.file_size.as_bytes(), log.file_count);
        opened.with_context(|| format!("cannot log to {} (log.file)", path.display()))
    });
    let file = file.transpose()?;
    let journal = log.journald.then(|| {
        journal::Journal::open(journal::SOCKET)
            .with_context(|| format!("cannot log to the journal at {} (log.journald)", journal::SOCKET))
    });
    let journal = journal.transpose()?;
    let mut outputs = Vec::new();
    if log.stderr {
        let format = match format {
            Format::Text { .. } => Format::Text {
                colour: is_colourful(),
            },
            other => other,
        };
        let stderr = std::io::BufWriter::with_capacity(output::ENOUGH, std::io::stderr());
        outputs.push(Output::start("stderr", format, stderr)?);
    }
    if let Some(file) = file {
        outputs.push(Output::start("file", format, file)?);
    }
    if let Some(journal) = journal {
        outputs.push(Output::start("journal", Format::Journal, journal)?);
    }
    Ok(outputs)
}

impl Belonging for Followed {
    fn prepare(&self, config: &Arc<Config>) -> Result<(), Vec<String>> {
        let opened = open(&config.log).map_err(|why| vec![format!("{why:#}")])?;
        let staged = self
            .shared
            .standing()
            .staged
            .replace((Arc::clone(config), opened));
        close(staged);
        Ok(())
    }

    fn commit(&self, config: &Arc<Config>) {
        let mut stands = self.shared.standing();
        let staged = stands.staged.take_if(|(of, _)| Arc::ptr_eq(of, config));
        let opened = match staged {
            Some((_, opened)) => Ok(opened),
            None if stands.log == config.log => return,
            // Settings that nobody prepared.
            None => open(&config.log),
        };
        match opened {
            Ok(opened) => {
                let is_other = std::mem::replace(&mut stands.log, config.log.clone()) != config.log;
                drop(stands);
                let former = self.shared.outputs.swap(Arc::new(opened));
                former.iter().for_each(Output::close);
                // What an operator said of the levels counts until the configuration says something else.
                if let (Some(levels), true) = (levels(), is_other) {
                    levels.configure(&config.log);
                }
            }
            Err(why) => {
                drop(stands);
                tracing::error!(target: "angarium", why = format!("{why:#}"), "the log stays as it was");
            }
        }
    }

    fn abandon(&self, config: &Arc<Config>) {
        let staged = self
            .shared
            .standing()
            .staged
            .take_if(|(of, _)| !Arc::ptr_eq(of, config));
        close(staged);
    }
}

fn close(staged: Option<(Arc<Config>, Vec<Output>)>) {
    let outputs = staged.iter().flat_map(|(_, outputs)| outputs);
    outputs.for_each(Output::close);
}

/// A terminal shows colours, unless whoever sits there does not want them (no-color.org).
fn is_colourful() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
}

/// Makes a line of every event, for each output in its format.
struct Lines(Arc<Shared>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let now = SystemTime::now();
        for output in self.0.outputs.load().iter() {
            output.write(&line(output.format(), now, event));
        }
    }
}
