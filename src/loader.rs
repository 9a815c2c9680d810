//! Loader: where the configuration comes from. What it means is the business of `config`.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, Read as _},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use config::{Config, ConfigError, Explained, Flag, MAX_DOCUMENT, Profile, Source, Sourced};
use store::record::configuration::KeptDocument;

/// What the command line of every command says about the configuration.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Overrides {
    /// The configuration file; without one the development profile serves on loopback
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The directory that holds everything durable
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Sets one key over everything else, as smtp.max_errors=5; may be repeated
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<String>,
}

/// Short names of keys that only serving needs. Their values are read by `config`, so that a wrong one is listed with all
/// other mistakes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Shortcuts {
    /// The addresses that the listener mx listens on
    #[arg(long, value_name = "ADDRESS")]
    host: Option<OsString>,
    /// The port that the listener mx listens on; 0 takes a free one
    #[arg(short, long, value_name = "PORT")]
    port: Option<OsString>,
    /// The least important lines that are logged: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<OsString>,
    /// A file that is logged to, besides standard error
    #[arg(long, value_name = "FILE")]
    log_file: Option<OsString>,
    /// Connections open at once over all listeners
    #[arg(long, value_name = "NUMBER")]
    max_connections: Option<OsString>,
    /// Speaks TLS where a listener says so, whatever file and environment say
    #[arg(long, overrides_with = "disable_tls")]
    enable_tls: bool,
    /// Offers no STARTTLS, and opens no listener that speaks TLS from the first byte
    #[arg(long)]
    disable_tls: bool,
    /// Offers AUTH over SMTP, whatever file and environment say
    #[arg(long, overrides_with = "disable_auth")]
    enable_auth: bool,
    /// Offers no AUTH over SMTP, and opens no listener for submission
    #[arg(long)]
    disable_auth: bool,
}

impl Shortcuts {
    fn sources(&self) -> Vec<Source> {
        let values = [
            (Flag::Host, &self.host),
            (Flag::Port, &self.port),
            (Flag::LogLevel, &self.log_level),
            (Flag::LogFile, &self.log_file),
            (Flag::MaxConnections, &self.max_connections),
        ];
        let switches = [
            (Flag::EnableTls, self.enable_tls),
            (Flag::DisableTls, self.disable_tls),
            (Flag::EnableAuth, self.enable_auth),
            (Flag::DisableAuth, self.disable_auth),
        ];
        let values = values
            .into_iter()
            .filter_map(|(flag, value)| Some(Source::flag(flag, value.as_ref()?.as_bytes())));
        let switches = switches
            .into_iter()
            .filter(|(_, is_given)| *is_given)
            .map(|(flag, _)| Source::flag(flag, ""));
        values.chain(switches).collect()
    }
}

impl Overrides {
    /// Reads and checks the whole configuration.
    ///
    /// # Errors
    /// With every mistake in it, a file that cannot be read among them.
    pub fn load(&self) -> anyhow::Result<Config> {
        self.load_with(&Shortcuts::default())
    }

    /// The data directory, whatever mistakes there are.
    #[must_use]
    pub fn data_directory(&self) -> PathBuf {
        let (sources, fallback) = self.sources(&Shortcuts::default());
        config::data_directory(&sources, fallback)
    }

    /// The same, with short names.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_with(&self, shortcuts: &Shortcuts) -> anyhow::Result<Config> {
        let (sources, fallback) = self.sources(shortcuts);
        Ok(config::parse(&sources, fallback).map_err(Mistakes)?)
    }

    /// Where each value comes from.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn explain(&self, shortcuts: &Shortcuts) -> anyhow::Result<Vec<Explained>> {
        let (sources, fallback) = self.sources(shortcuts);
        Ok(config::explain(&sources, fallback).map_err(Mistakes)?)
    }

    /// Reads all sources, the file among them once, and keeps where each value comes from.
    ///
    /// # Errors
    /// Every mistake.
    pub fn read(&self, shortcuts: &Shortcuts) -> Result<(Sourced, Vec<KeptDocument>), Vec<ConfigError>> {
        let variables: Vec<(OsString, OsString)> = env::vars_os().collect();
        let read = self.file(&variables).map(|file| (content(&file), file));
        let document = read.as_ref().and_then(|(content, file)| {
            let content = String::from_utf8(content.as_ref().ok()?.clone()).ok()?;
            let name = file.display().to_string();
            Some(KeptDocument { name, content })
        });
        let file = read.map(|(content, file)| source(&file, content));
        let (sources, fallback) = self.sources_with(shortcuts, &variables, file);
        Ok((
            config::parse_sourced(&sources, fallback)?,
            document.into_iter().collect(),
        ))
    }

    /// The same with a text of before in the place of the file.
    ///
    /// # Errors
    /// Every mistake.
    pub fn reread(
        &self,
        shortcuts: &Shortcuts,
        documents: &[KeptDocument],
    ) -> Result<Sourced, Vec<ConfigError>> {
        let variables: Vec<(OsString, OsString)> = env::vars_os().collect();
        let kept = documents.first();
        let file = kept.map(|kept| Source::file(kept.name.as_str(), kept.content.as_bytes()));
        let (sources, fallback) = self.sources_with(shortcuts, &variables, file);
        config::parse_sourced(&sources, fallback)
    }

    /// Every source there is, and the profile where none of them names one. `--set` is the last word.
    fn sources(&self, shortcuts: &Shortcuts) -> (Vec<Source>, Profile) {
        let variables: Vec<(OsString, OsString)> = env::vars_os().collect();
        let file = self.file(&variables).map(|file| source(&file, content(&file)));
        self.sources_with(shortcuts, &variables, file)
    }

    fn file(&self, variables: &[(OsString, OsString)]) -> Option<PathBuf> {
        self.config.clone().or_else(|| named_file(variables))
    }

    fn sources_with(
        &self,
        shortcuts: &Shortcuts,
        variables: &[(OsString, OsString)],
        file: Option<Source>,
    ) -> (Vec<Source>, Profile) {
        let fallback = match file {
            Some(_) => Profile::Production,
            None => Profile::Development,
        };
        let mut sources: Vec<Source> = file.into_iter().collect();
        sources.extend(config::environment(
            variables
                .iter()
                .map(|(name, value)| (name.as_bytes(), value.as_bytes())),
        ));
        if let Some(data) = &self.data {
            sources.push(Source::flag(Flag::Data, data.as_os_str().as_bytes()));
        }
        sources.extend(shortcuts.sources());
        sources.extend(self.set.iter().map(|set| Source::command_line(set.as_str())));
        (sources, fallback)
    }
}

/// The file that the environment names.
fn named_file(variables: &[(OsString, OsString)]) -> Option<PathBuf> {
    let named = variables
        .iter()
        .find(|(name, value)| config::is_config_file(name.as_bytes()) && !value.is_empty());
    named.map(|(_, value)| value.into())
}

fn source(path: &Path, content: io::Result<Vec<u8>>) -> Source {
    let name = path.display().to_string();
    match content {
        Ok(content) => Source::file(name, content),
        Err(why) => Source::unreadable(name, &why.to_string()),
    }
}

/// A file may be a symbolic link or a pipe; no more of it is read than a configuration has.
fn content(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    // One byte more, so that it is seen to be too long.
    File::open(path)?
        .take(MAX_DOCUMENT as u64 + 1)
        .read_to_end(&mut content)?;
    Ok(content)
}

/// Every mistake of a configuration.
#[derive(Debug)]
pub struct Mistakes(pub Vec<ConfigError>);

impl std::fmt::Display for Mistakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, mistake) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
