//! Profiles: the settings that suit a kind of use, laid between the defaults and the file.

use crate::setting::words;

words! {
    /// The kind of use. A profile is ordinary settings below those of the file, and a few checks.
    pub enum Profile ("one of") {
        /// To try things out on one machine: loopback listeners, `localhost`, a self-signed certificate.
        Development = "development",
        /// To receive real mail: nothing is guessed that a peer can see, and a certificate is required where TLS is offered.
        Production = "production",
    }
}

impl Profile {
    /// The settings of the profile, as the text of a file.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Development => DEVELOPMENT,
            Self::Production => "",
        }
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

[store]
reserve = "64MiB"
reserve_file = "4MiB"
"#;
