//! Profiles: the settings that suit a kind of use, laid between the defaults and the file.

use crate::setting::words;

words! {
    /// The kind of use. A profile is ordinary settings below those of the file, and a few checks.
    pub enum Profile ("one of") {
        /// To try things out on one machine: loopback listeners, `localhost`, a self-signed certificate.
        Development = "development",
        /// To be tested by programs: ports that the system chooses, cheap passwords, little room, and no data directory
        /// that two could share.
        Testing = "testing",
        /// To try out what production will be: the same, but a self-signed certificate is made where there is none.
        Staging = "staging",
        /// To receive real mail: nothing is guessed that a peer can see, and a certificate is required where TLS is offered.
        Production = "production",
    }
}

impl Profile {
    /// The settings of the profile, as the text of a file.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Development => DEVELOPMENT,
            Self::Testing => TESTING,
            Self::Staging | Self::Production => "",
        }
    }

    /// Whether strangers meet the server: then nothing that they see is guessed.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Staging | Self::Production)
    }

    /// Whether a self-signed certificate is made where there is none.
    #[must_use]
    pub const fn makes_certificate(self) -> bool {
        !matches!(self, Self::Production)
    }
}

const DEVELOPMENT: &str = r#"
[server]
profile = "development"
hostname = "localhost"

[listeners.mx]
protocol = "smtp"
bind = "127.0.0.1:2525"
tls = "starttls"

[listeners.pop3]
protocol = "pop3"
bind = "127.0.0.1:2110"
tls = "starttls"
plaintext_auth = "loopback"

[listeners.submission]
protocol = "submission"
bind = "127.0.0.1:2587"
tls = "starttls"
plaintext_auth = "loopback"

[listeners.submissions]
protocol = "submission"
bind = "127.0.0.1:2465"
tls = "implicit"

[store]
reserve = "64MiB"
reserve_file = "4MiB"
"#;

const TESTING: &str = r#"
[server]
profile = "testing"
hostname = "localhost"
max_connections = 4096

[listeners.mx]
protocol = "smtp"
bind = "127.0.0.1:0"
tls = "starttls"

[listeners.pop3]
protocol = "pop3"
bind = "127.0.0.1:0"
tls = "starttls"
plaintext_auth = "loopback"

[listeners.submission]
protocol = "submission"
bind = "127.0.0.1:0"
tls = "starttls"
plaintext_auth = "loopback"

[listeners.submissions]
protocol = "submission"
bind = "127.0.0.1:0"
tls = "implicit"

[auth]
argon2_memory = "64KiB"
argon2_iterations = 1
failure_delay = "0s"

[store]
cache = "4MiB"
reserve = "1MiB"
reserve_file = "0B"
"#;
