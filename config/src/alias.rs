//! Short names of keys: variables that other mail servers' containers have taught people (`SMTP_PORT`), and flags of the
//! command line (`--port`).

use crate::found::Found;
use crate::source::Part;

/// A flag of the command line that sets a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// `--data DIR`: `server.data`.
    Data,
    /// `--host ADDRESS`: where `listeners.mx` listens.
    Host,
    /// `-p`, `--port PORT`: the port of `listeners.mx`.
    Port,
    /// `--log-level LEVEL`: `log.level`.
    LogLevel,
    /// `--log-file FILE`: `log.file`.
    LogFile,
    /// `--max-connections NUMBER`: `server.max_connections`.
    MaxConnections,
    /// `--enable-tls`: `tls.enabled` is true.
    EnableTls,
    /// `--disable-tls`: `tls.enabled` is false.
    DisableTls,
    /// `--enable-auth`: `auth.enabled` is true.
    EnableAuth,
    /// `--disable-auth`: `auth.enabled` is false.
    DisableAuth,
}

impl Flag {
    /// The flag as it is typed.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Data => "--data",
            Self::Host => "--host",
            Self::Port => "--port",
            Self::LogLevel => "--log-level",
            Self::LogFile => "--log-file",
            Self::MaxConnections => "--max-connections",
            Self::EnableTls => "--enable-tls",
            Self::DisableTls => "--disable-tls",
            Self::EnableAuth => "--enable-auth",
            Self::DisableAuth => "--disable-auth",
        }
    }

    pub(crate) const fn alias(self) -> Alias {
        match self {
            Self::Data => Alias::text("server", "data"),
            Self::Host => Alias::BindHost,
            Self::Port => Alias::BindPort,
            Self::LogLevel => Alias::text("log", "level"),
            Self::LogFile => Alias::text("log", "file"),
            Self::MaxConnections => Alias::text("server", "max_connections"),
            Self::EnableTls | Self::DisableTls => Alias::text("tls", "enabled"),
            Self::EnableAuth | Self::DisableAuth => Alias::text("auth", "enabled"),
        }
    }

    /// What a flag without a value says.
    pub(crate) const fn word(self) -> Option<&'static str> {
        match self {
            Self::EnableTls | Self::EnableAuth => Some("true"),
            Self::DisableTls | Self::DisableAuth => Some("false"),
            Self::Data | Self::Host | Self::Port | Self::LogLevel | Self::LogFile | Self::MaxConnections => {
                None
            }
        }
    }
}

/// What a short name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alias {
    /// A key.
    Key(&'static str, &'static str),
    /// A key that is a size; a bare number counts bytes.
    Octets(&'static str, &'static str),
    /// The addresses in `listeners.mx.bind`.
    BindHost,
    /// The port in `listeners.mx.bind`.
    BindPort,
    /// Nothing that exists yet: why it is refused.
    Refused(&'static str),
}

/// The variable that names the file of the configuration: for whoever reads files.
pub(crate) const CONFIG_FILE: &str = "SMTP_CONFIG_FILE";

/// The short names among the variables; the earlier is laid down first.
pub(crate) const VARIABLES: [(&str, Alias); 12] = [
    ("SMTP_PROFILE", Alias::text("server", "profile")),
    ("SMTP_HOST", Alias::BindHost),
    ("SMTP_PORT", Alias::BindPort),
    ("SMTP_HOSTNAME", Alias::text("server", "hostname")),
    ("SMTP_MAX_CONNECTIONS", Alias::text("server", "max_connections")),
    ("SMTP_MAX_RECIPIENTS", Alias::text("smtp", "max_recipients")),
    ("SMTP_MAX_MESSAGE_SIZE", Alias::Octets("smtp", "max_message_size")),
    ("SMTP_ENABLE_TLS", Alias::text("tls", "enabled")),
    ("SMTP_ENABLE_AUTH", Alias::text("auth", "enabled")),
    ("SMTP_TLS_CERT", Alias::text("tls", "certificate")),
    ("SMTP_TLS_KEY", Alias::text("tls", "key")),
    (
        "SMTP_WEBHOOK_URL",
        Alias::Refused("there are no webhooks yet, and nobody would be told of anything: unset it"),
    ),
];

impl Alias {
    const fn text(section: &'static str, key: &'static str) -> Self {
        Self::Key(section, key)
    }

    /// The key, what of it is set, and the value; or why there is none.
    pub(crate) fn assign(self, value: &str) -> Result<(Vec<String>, Part, Found), &'static str> {
        let word = Found::Word(value.to_owned());
        let path = |section: &str, key: &str| vec![section.to_owned(), key.to_owned()];
        let bind = || ["listeners", "mx", "bind"].map(str::to_owned).to_vec();
        Ok(match self {
            Self::Key(section, key) => (path(section, key), Part::Whole, word),
            Self::Octets(section, key) => {
                let is_number = !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit());
                let found = if is_number {
                    Found::Word(format!("{value}B"))
                } else {
                    word
                };
                (path(section, key), Part::Whole, found)
            }
            Self::BindHost => (bind(), Part::Host, word),
            Self::BindPort => (bind(), Part::Port, word),
            Self::Refused(why) => return Err(why),
        })
    }
}
