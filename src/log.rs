//! The log: lines on standard error, so that standard output carries only what scripts read.

use config::{Log, LogLevel};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts to log. Does nothing when the process logs already, as tests in one process do.
pub fn start(log: &Log) {
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // Others than ours speak when something is wrong. ractor_cluster logs whole messages at DEBUG: never mail in a log.
    let targets = Targets::new()
        .with_default(LevelFilter::WARN.min(level))
        .with_targets([
            ("angarium", level),
            ("supervision", level),
            ("store", level),
            ("actors", level),
        ]);
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    let _ = tracing_subscriber::registry()
        .with(targets)
        .with(lines)
        .try_init();
}
