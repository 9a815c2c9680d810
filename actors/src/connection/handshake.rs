//! Handshake: what is known of a connection's TLS once that is done.

use std::{borrow::Cow, fmt};

use rustls::{ProtocolVersion, ServerConnection};
use zeroize::Zeroizing;

use crate::tls::{Certificate, ClientIdentity};

/// RFC 9266 §4.2: the label with which its binding is exported, and the octets that it has.
const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";
const EXPORTER_OCTETS: usize = 32;

/// What was negotiated. It stays with the connection, shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The version, as `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite, by its registered name.
    pub cipher: Cow<'static, str>,
    /// The name that the client asked for (SNI, RFC 6066 §3); a domain in lower case.
    pub server_name: Option<Box<str>>,
    /// The protocol that was agreed on by name (ALPN, RFC 7301).
    pub alpn: Option<Box<str>>,
    /// What ties an authentication to this connection.
    pub channel_bindings: ChannelBindings,
    /// Who the client is, if it proved that with a certificate of an authority that the listener trusts.
    pub client: Option<ClientIdentity>,
}

/// What ties an authentication to a connection, so that nobody between the two ends can pass it on (RFC 5056).
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelBindings {
    /// `tls-exporter`: under TLS 1.3. Under 1.2 it needs the extended master secret (RFC 9266 §2), of which our
    /// library does not say whether a client had it.
    pub exporter: Option<Zeroizing<[u8; EXPORTER_OCTETS]>>,
    /// `tls-server-end-point` (RFC 5929 §4): the hash of the certificate that was presented.
    pub server_end_point: Option<Box<[u8]>>,
}

impl fmt::Debug for ChannelBindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelBindings")
            .field("exporter", &self.exporter.is_some())
            .field("server_end_point", &self.server_end_point.is_some())
            .finish()
    }
}

impl Handshake {
    /// What there is to say of a handshake in which this certificate was presented.
    pub(crate) fn of(session: &ServerConnection, certificate: &Certificate) -> Self {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into();
        Self {
            version: session.protocol_version().map_or("TLS", version),
            cipher: session
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .map_or(Cow::Borrowed("unknown"), cipher),
            server_name: session
                .server_name()
                .map(|name| name.to_ascii_lowercase().into_boxed_str()),
            alpn: session.alpn_protocol().map(text),
            channel_bindings: ChannelBindings {
                exporter: exporter(session),
                server_end_point: certificate.end_point().map(Into::into),
            },
            client: session
                .peer_certificates()
                .and_then(|chain| chain.first())
                .and_then(ClientIdentity::of),
        }
    }

    /// What of it is kept on the trail of a message: `TLSv1.3 TLS_AES_256_GCM_SHA384 sni=mx.example.org`. The length is
    /// bounded by those of names.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut shown = format!("{} {}", self.version, self.cipher);
        let client = self.client.as_ref().map(ClientIdentity::shown);
        for (word, value) in [
            ("sni", self.server_name.as_deref()),
            ("alpn", self.alpn.as_deref()),
            ("client", client),
        ] {
            if let Some(value) = value {
                shown.extend([" ", word, "=", value]);
            }
        }
        shown
    }
}

fn exporter(session: &ServerConnection) -> Option<Zeroizing<[u8; EXPORTER_OCTETS]>> {
    if session.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return None;
    }
    let mut octets = Zeroizing::new([0; EXPORTER_OCTETS]);
    session
        .export_keying_material(&mut *octets, EXPORTER_LABEL, Some(b""))
        .ok()?;
    Some(octets)
}

/// A version of TLS as people write it; rustls says `TLSv1_3`.
fn version(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2",
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        other => other.as_str().unwrap_or("TLS"),
    }
}

/// A cipher suite as it is registered; rustls says `TLS13_…` for those of TLS 1.3. RFC 8446 §B.4
fn cipher(name: &'static str) -> Cow<'static, str> {
    match name.strip_prefix("TLS13_") {
        Some(rest) => Cow::Owned(format!("TLS_{rest}")),
        None => Cow::Borrowed(name),
    }
}
