//! The sections `certificates.<name>`: certificates beside the one of `tls`, for the names that are in them.

use std::path::PathBuf;

use crate::section::section;

section! {
    /// A certificate beside that of `[tls]`. A client that asks for one of its names (SNI) gets it; wildcards in it count.
    /// Two for the same names, one with an ECDSA and one with an RSA key, serve clients of either kind.
    pub struct Certificate {
        /// The file with the certificate and its chain, PEM. Required.
        certificate: Option<PathBuf> = None;

        /// The file with the private key of the certificate, PEM. Required.
        key: Option<PathBuf> = None;
    }
}
