//! The section `tls`: the certificate and the versions of every listener that speaks TLS.

use std::path::PathBuf;
use std::time::Duration;

use crate::section::section;
use crate::setting::words;

words! {
    /// A version of TLS.
    pub enum TlsVersion ("one of") {
        /// RFC 5246.
        Tls12 = "1.2",
        /// RFC 8446.
        Tls13 = "1.3",
    }
}

section! {
    /// The certificate and the versions of every listener that speaks TLS.
    pub struct Tls {
        /// Whether TLS is spoken at all. With false a listener offers no STARTTLS, and one that speaks TLS from the
        /// first byte is not opened.
        enabled: bool = true;

        /// The file with the certificate and its chain, PEM. Clients that ask for no name, or for one that is in no
        /// other certificate, get this one. Without it the development profile makes a
        /// self-signed one at the first start; production requires it where a listener offers TLS.
        certificate: Option<PathBuf> = None;

        /// The file with the private key of the certificate, PEM.
        key: Option<PathBuf> = None;

        /// The oldest version spoken: "1.2" or "1.3". Older ones than 1.2 are broken (RFC 8996).
        min_version: TlsVersion = TlsVersion::Tls12;

        /// How long a handshake may take, from its beginning to its end.
        handshake_timeout: Duration = Duration::from_secs(30), Duration::from_secs(1)..=Duration::from_secs(300);
    }
}
