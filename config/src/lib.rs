//! The settings: typed, validated, pure data. Text comes in, a [`Config`] or all its mistakes come out; nothing is
//! read from disk or environment here, and nobody's use of a setting is known.
//!
//! ```
//! use config::{Profile, Source, parse};
//!
//! let file = Source::file("angarium.toml", "[smtp]\nmax_recipients = 500\n");
//! let argument = Source::command_line("listeners.mx.bind=127.0.0.1:0");
//! let config = parse(&[file, argument], Profile::Development).unwrap();
//! assert_eq!(config.smtp.max_recipients, 500);
//! assert_eq!(config.listeners["mx"].bind[0].port(), 0);
//!
//! let file = Source::file("angarium.toml", "[smtp]\nmax_recipient = 500\n");
//! let errors = parse(&[file], Profile::Development).unwrap_err();
//! assert_eq!(
//!     errors[0].to_string(),
//!     "angarium.toml:2:1: smtp.max_recipient: unknown key; did you mean smtp.max_recipients?"
//! );
//! ```

mod alias;
mod auth;
mod byte_size;
mod certificate;
mod check;
mod config;
mod difference;
mod document;
mod draft;
mod duration;
mod endpoint;
mod environment;
mod error;
mod explain;
mod found;
mod http;
mod limits;
mod listener;
mod log;
mod nearest;
mod network;
mod pop3;
mod profile;
mod queue;
mod route;
mod sample;
mod section;
mod server;
mod setting;
mod shell;
mod smtp;
mod source;
mod statsd;
mod store;
mod tables;
mod tls;
mod window;

pub use alias::Flag;
pub use auth::Auth;
pub use byte_size::{ByteSize, NotAByteSize};
pub use certificate::Certificate;
pub use config::{Config, Sourced, data_directory, parse, parse_bytes, parse_sourced};
pub use difference::{Difference, Side, difference, needs_restart, restart_keys};
pub use document::MAX_DOCUMENT;
pub use duration::{parse_duration, print_duration};
pub use endpoint::Endpoint;
pub use environment::{environment, is_config_file};
pub use error::{ConfigError, Mistake, Place};
pub use explain::{Explained, Origin, explain};
pub use http::Http;
pub use limits::Limits;
pub use listener::{Listener, PlaintextAuth, Protocol, TlsMode};
pub use log::{Log, LogFormat, LogLevel, LogTarget, NotALogTarget};
pub use network::{Network, NotANetwork};
pub use pop3::Pop3;
pub use profile::Profile;
pub use queue::Queue;
pub use route::{Route, RouteKind};
pub use sample::{SAMPLE, sample};
pub use server::Server;
pub use shell::Shell;
pub use smtp::{EarlyTalkers, Smtp};
pub use source::Source;
pub use statsd::{MetricPrefix, Statsd};
pub use store::Store;
pub use tls::{Tls, TlsVersion};
pub use window::Window;
