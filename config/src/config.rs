//! Config: every setting of a server, and how it comes out of its sources.

use std::{collections::BTreeMap, path::PathBuf};

use message::DomainName;

use crate::auth::Auth;
use crate::certificate::Certificate;
use crate::check::check;
use crate::draft::Draft;
use crate::error::{ConfigError, Mistake};
use crate::explain::{Explained, explain_draft};
use crate::http::Http;
use crate::limits::Limits;
use crate::listener::{Listener, TlsMode};
use crate::log::Log;
use crate::pop3::Pop3;
use crate::profile::Profile;
use crate::queue::Queue;
use crate::route::Route;
use crate::section::Section;
use crate::server::Server;
use crate::setting::Setting;
use crate::shell::Shell;
use crate::smtp::Smtp;
use crate::source::{Reading, Source};
use crate::statsd::Statsd;
use crate::store::Store;
use crate::tables::Tables;
use crate::tls::Tls;

/// Mistakes that are listed; a file with more is not one that somebody wrote.
pub(crate) const MAX_ERRORS: usize = 100;

/// Declares the configuration: `name: Type;` is a section, `name: Type, tables;` are tables with names.
macro_rules! sections {
    (@section $field:expr) => { Some($field) };
    (@section $field:expr, tables) => { None };
    (@tables $field:expr) => { None };
    (@tables $field:expr, tables) => { Some($field) };
    (@named $name:expr) => { false };
    (@named $name:expr, tables) => { true };
    (
        $(#[doc = $about:literal])+
        pub struct $config:ident {
            $( $(#[doc = $doc:literal])+ $name:ident: $type:ty $(, $kind:ident)?; )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $config {
            $( $(#[doc = $doc])+ pub $name: $type, )+
        }

        impl $config {
            /// The names of all sections, in the order of the sample.
            pub(crate) const SECTIONS: &[&str] = &[$(stringify!($name)),+];

            /// The defaults below every profile.
            pub(crate) fn bare() -> Self {
                Self { $( $name: Default::default(), )+ }
            }

            /// Whether the tables of a section have names: `[listeners.mx]`.
            pub(crate) fn is_named(section: &str) -> bool {
                match section {
                    $( stringify!($name) => sections!(@named $name $(, $kind)?), )+
                    _ => false,
                }
            }

            /// The section with this name; none where its tables have names.
            pub(crate) fn section(&self, name: &str) -> Option<&dyn Section> {
                match name {
                    $( stringify!($name) => sections!(@section &self.$name $(, $kind)?), )+
                    _ => None,
                }
            }

            /// The same, to be written.
            pub(crate) fn section_mut(&mut self, name: &str) -> Option<&mut dyn Section> {
                match name {
                    $( stringify!($name) => sections!(@section &mut self.$name $(, $kind)?), )+
                    _ => None,
                }
            }

            /// The tables with names of this section.
            pub(crate) fn tables(&self, name: &str) -> Option<&dyn Tables> {
                match name {
                    $( stringify!($name) => sections!(@tables &self.$name $(, $kind)?), )+
                    _ => None,
                }
            }

            /// The same, to be written.
            pub(crate) fn tables_mut(&mut self, name: &str) -> Option<&mut dyn Tables> {
                match name {
                    $( stringify!($name) => sections!(@tables &mut self.$name $(, $kind)?), )+
                    _ => None,
                }
            }
        }
    };
}

sections! {
    /// Every setting of a server.
    pub struct Config {
        /// The node as a whole.
        server: Server;
        /// What is logged.
        log: Log;
        /// Where metrics are sent.
        statsd: Statsd;
        /// Health and metrics for programs.
        http: Http;
        /// The addresses that are served, by name; only those that are enabled.
        listeners: BTreeMap<String, Listener>, tables;
        /// Sessions that bring mail.
        smtp: Smtp;
        /// Sessions that read a mailbox over POP3.
        pop3: Pop3;
        /// The certificate and the versions of TLS.
        tls: Tls;
        /// Certificates beside it, by names that mean nothing.
        certificates: BTreeMap<String, Certificate>, tables;
        /// The cost of a password.
        auth: Auth;
        /// What one peer, account or sender may take.
        limits: Limits;
        /// Who may ask a running server.
        shell: Shell;
        /// Disk and memory of what is durable.
        store: Store;
        /// When an accepted message is delivered.
        queue: Queue;
        /// Domains that are not delivered in the ordinary way.
        routes: BTreeMap<DomainName, Route>, tables;
    }
}

/// Reads all sources: the command line wins over the environment, the environment over a file, a file over the profile,
/// the profile over the defaults; among sources of one kind the later wins. Their order is otherwise of no matter.
///
/// The profile is `server.profile` of the winning source that names one, else `fallback`.
///
/// # Errors
/// Every mistake of every source, in their order; at most a hundred, and then [`Mistake::TooMany`].
pub fn parse(sources: &[Source], fallback: Profile) -> Result<Config, Vec<ConfigError>> {
    let mut draft = settle(sources, fallback);
    all_errors(&mut draft)?;
    Ok(in_effect(draft.config))
}

/// A configuration, and where each of its values comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced {
    /// The configuration, as [`parse`] gives it.
    pub config: Config,
    /// Its values in the order of the sample, as [`crate::explain`] gives them.
    pub values: Vec<Explained>,
}

/// Reads all sources as [`parse`] does, and keeps where each value comes from.
///
/// # Errors
/// As [`parse`].
pub fn parse_sourced(sources: &[Source], fallback: Profile) -> Result<Sourced, Vec<ConfigError>> {
    let mut draft = settle(sources, fallback);
    all_errors(&mut draft)?;
    Ok(Sourced {
        values: explain_draft(&draft),
        config: in_effect(draft.config),
    })
}

/// The data directory that these sources name, as far as they can be understood: whoever looks for a server that runs need
/// not wait until the file of the next one is free of mistakes.
#[must_use]
pub fn data_directory(sources: &[Source], fallback: Profile) -> PathBuf {
    settle(sources, fallback).config.server.data
}

/// Lays all sources over each other.
pub(crate) fn settle(sources: &[Source], fallback: Profile) -> Draft {
    let mut sources: Vec<&Source> = sources.iter().collect();
    sources.sort_by_key(|source| source.layer());
    let readings: Vec<Reading> = sources.iter().map(|source| source.read()).collect();
    let profile = chosen_profile(&readings).unwrap_or(fallback);

    let mut draft = Draft::of(profile);
    for (source, reading) in sources.iter().zip(readings) {
        draft.take(source, reading);
    }
    let file = sources.first().map(|source| source.name());
    check(&mut draft, file);
    draft
}

/// Reads one file of unknown content over its profile.
///
/// # Errors
/// As [`parse`]; what is not UTF-8 is a mistake with its place.
pub fn parse_bytes(name: &str, content: &[u8], fallback: Profile) -> Result<Config, Vec<ConfigError>> {
    parse(&[Source::file(name, content)], fallback)
}

impl Config {
    /// The settings of a profile without any file. Those of production lack what only the operator knows.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        Draft::of(profile).config
    }
}

/// The profile that the strongest source names.
fn chosen_profile(readings: &[Reading]) -> Option<Profile> {
    let mut assignments = readings.iter().flat_map(|reading| &reading.assignments).rev();
    let named = assignments.find(|assignment| assignment.path == ["server", "profile"])?;
    Profile::read(&named.found)
}

/// Leaves out what is not to be opened, and TLS where there is to be none.
fn in_effect(mut config: Config) -> Config {
    let (has_tls, has_auth) = (config.tls.enabled, config.auth.enabled);
    config
        .listeners
        .retain(|_, listener| listener.is_opened(has_tls, has_auth));
    if !has_tls {
        for listener in config.listeners.values_mut() {
            listener.tls = TlsMode::None;
        }
    }
    config
}

/// All mistakes, if there are any.
pub(crate) fn all_errors(draft: &mut Draft) -> Result<(), Vec<ConfigError>> {
    let mut errors = draft.sorted_errors();
    if errors.is_empty() {
        return Ok(());
    }
    if errors.len() > MAX_ERRORS {
        errors.truncate(MAX_ERRORS);
        if let Some(last) = errors.last() {
            let (place, mistake) = (last.place.clone(), Mistake::TooMany(MAX_ERRORS));
            errors.push(ConfigError {
                place,
                key: String::new(),
                mistake,
            });
        }
    }
    Err(errors)
}
