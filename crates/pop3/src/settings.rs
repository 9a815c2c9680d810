//! Settings: what an operator or a listener decides about POP3 sessions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sasl::Mechanisms;

/// What holds for one connection from its greeting on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The name of this host, shown in the greeting.
    pub hostname: String,
    /// TLS as the connection begins.
    pub tls: Tls,
    /// Whether USER and PASS are taken without TLS.
    pub cleartext_login: bool,
    /// What AUTH offers.
    pub mechanisms: Mechanisms,
    /// Octets of a command line with its CRLF. RFC 2449 §4: 255.
    pub line_limit: usize,
    /// Commands that are malformed, unknown or out of place before the connection is closed.
    pub error_limit: u32,
    /// Wrong passwords before the connection is closed.
    pub failed_login_limit: u32,
    /// Silence of the client before the connection is closed. RFC 1939 §3: at least ten minutes.
    pub idle_timeout: Duration,
    /// Time from the greeting to the login.
    pub login_timeout: Duration,
    /// Time from the greeting to the end of the session, whatever happens in it.
    pub session_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self {
            hostname: "localhost".to_owned(),
            tls: Tls::Unavailable,
            cleartext_login: false,
            mechanisms: Mechanisms::default(),
            line_limit: 255,
            error_limit: 20,
            failed_login_limit: 5,
            idle_timeout: MINUTE * 10,
            login_timeout: MINUTE * 3,
            session_timeout: MINUTE * 60 * 24,
        }
    }
}

/// TLS on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tls {
    /// There is none and there will be none.
    Unavailable,
    /// The client may ask for it with STLS.
    Offered,
    /// The connection is under TLS.
    Active,
}
