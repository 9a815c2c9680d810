//! The sections `listeners.<name>`: the addresses that are served.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::network::Network;
use crate::section::section;
use crate::setting::words;
use crate::tls::TlsVersion;

words! {
    /// What is spoken on a listener.
    pub enum Protocol ("one of") {
        /// Mail from other servers (RFC 5321).
        Smtp = "smtp",
        /// Mail from those who write it, once they have logged in (RFC 6409).
        Submission = "submission",
        /// Mail from a neighbour who keeps the queue (RFC 2033).
        Lmtp = "lmtp",
        /// Mailboxes for reading (RFC 1939).
        Pop3 = "pop3",
    }
}

impl Protocol {
    /// Whether who connects has to log in.
    #[must_use]
    pub const fn wants_login(self) -> bool {
        matches!(self, Self::Submission | Self::Pop3)
    }
}

impl Listener {
    /// Whether it is opened: not without TLS if it speaks nothing else, not without AUTH if nobody gets on without.
    pub(crate) fn is_opened(&self, has_tls: bool, has_auth: bool) -> bool {
        let needs_tls = self.tls == TlsMode::Implicit;
        let needs_auth = self.protocol == Protocol::Submission;
        self.enabled && (has_tls || !needs_tls) && (has_auth || !needs_auth)
    }
}

words! {
    /// When a connection is encrypted.
    pub enum TlsMode ("one of") {
        /// Never; STARTTLS or STLS is not offered.
        None = "none",
        /// When the client asks with STARTTLS or STLS.
        Starttls = "starttls",
        /// From the first byte.
        Implicit = "implicit",
    }
}

words! {
    /// Where a password may cross the connection without TLS.
    pub enum PlaintextAuth ("one of") {
        /// Nowhere.
        Never = "never",
        /// From a peer on this machine (an address of 127.0.0.0/8 or ::1).
        Loopback = "loopback",
        /// From everywhere.
        Always = "always",
    }
}

section! {
    /// An address that is served. The name of the table is the name of the listener in the log, in the tree
    /// (`/listeners/mx`) and in the line `ready mx=127.0.0.1:2525`.
    pub struct Listener {
        /// Whether it is opened. With false a listener of the profile is left out.
        enabled: bool = true;

        /// What is spoken: "smtp" (mail from other servers), "submission" (from those who log in), "lmtp" (from a
        /// neighbour who keeps the queue) or "pop3". Required.
        protocol: Protocol = Protocol::Smtp;

        /// The addresses and ports to listen on, one or a list; port 0 takes a free one. An address of IPv6 takes
        /// IPv6 alone, so everywhere is `["0.0.0.0:25", "[::]:25"]`. Required.
        bind: Vec<SocketAddr> = Vec::new();

        /// When the connection is encrypted: "none", "starttls" (the client asks; STLS in POP3) or "implicit".
        tls: TlsMode = TlsMode::Starttls;

        /// The oldest version of TLS spoken here, "1.2" or "1.3"; without it that of tls.min_version.
        min_tls: Option<TlsVersion> = None;

        /// The file with the authorities whose certificates clients may log in with (EXTERNAL), PEM. Without it no
        /// client is asked for one; with it none needs to have one, but one of another authority is refused.
        client_ca: Option<PathBuf> = None;

        /// Networks of proxies that speak the PROXY protocol, version 1 or 2. A connection from there must begin with
        /// its header, and is taken for one of the peer that the header names. From elsewhere a header ends it.
        proxy_from: Vec<Network> = Vec::new();

        /// Where a password may cross the connection without TLS: "never", "loopback" or "always".
        plaintext_auth: PlaintextAuth = PlaintextAuth::Never;

        /// Networks of proxies that may tell with XCLIENT for whom they speak, such as ["10.0.0.2"]: the address that
        /// they give counts everywhere, and the account without a password. Others who say it are closed.
        xclient_from: Vec<Network> = Vec::new();

        /// Connections of this listener open at once; more are answered 421 (SMTP, LMTP) or -ERR (POP3).
        max_connections: u32 = 16_384, 1..=1_000_000;

        /// Connections that the kernel holds until they are taken; the kernel may allow fewer (somaxconn).
        backlog: u32 = 1_024, 1..=65_535;
    }
}
