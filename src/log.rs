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

use std::{io::IsTerminal, time::SystemTime};

use anyhow::Context as _;
use config::{Log, LogFormat};
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
    outputs: Vec<Output>,
}

impl Drop for Logging {
    fn drop(&mut self) {
        self.outputs.iter().for_each(Output::finish);
    }
}

/// Starts to log. Changes nothing when the process logs already, as tests in one process do.
///
/// # Errors
/// When the file cannot be opened, or there is no journal.
pub fn start(log: &Log) -> anyhow::Result<Logging> {
    let format = match log.format {
        LogFormat::Text => Format::Text { colour: false },
        LogFormat::Json => Format::Json,
    };
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
    if let Some(path) = &log.file {
        let opened = file::LogFile::open(path, log.file_size.as_bytes(), log.file_count);
        let opened = opened.with_context(|| format!("cannot log to {} (log.file)", path.display()))?;
        outputs.push(Output::start("file", format, opened)?);
    }
    if log.journald {
        let journal = journal::Journal::open(journal::SOCKET)
            .with_context(|| format!("cannot log to the journal at {} (log.journald)", journal::SOCKET))?;
        outputs.push(Output::start("journal", Format::Journal, journal)?);
    }
    let lines = Lines {
        outputs: outputs.clone(),
    };
    let _ = tracing_subscriber::registry()
        .with(Levels::start(log))
        .with(lines)
        .try_init();
    Ok(Logging { outputs })
}

/// A terminal shows colours, unless whoever sits there does not want them (no-color.org).
fn is_colourful() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
}

/// Makes a line of every event, for each output in its format.
struct Lines {
    outputs: Vec<Output>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let now = SystemTime::now();
        for output in &self.outputs {
            output.write(&line(output.format(), now, event));
        }
    }
}
