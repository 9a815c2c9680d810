//! TLS: what a listener presents, and what it asks of clients. One provider: ring.
//!
//! A [`Certificate`] is a chain with its key; [`Certificates`] are all of them, found by name; an [`Offer`] is what one
//! listener makes of them. Files, and what they are called in the configuration, are the business of the program.

mod certificate;
mod certificates;
mod client;
mod offer;

use std::sync::Arc;

pub use rustls::RootCertStore;
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem, pem::PemObject},
};

pub(crate) use self::offer::Choice;
pub use self::{
    certificate::{Certificate, Standing},
    certificates::Certificates,
    client::ClientIdentity,
    offer::{Offer, Terms},
};

/// Why no TLS can be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file holds no readable certificate chain.
    #[error("the certificate cannot be read")]
    Certificate(#[source] pem::Error),
    /// The first certificate of the file is not one.
    #[error("the certificate cannot be understood")]
    Malformed,
    /// The certificate file holds none.
    #[error("there is no certificate in the file")]
    NoCertificate,
    /// The key file holds no readable private key.
    #[error("the key cannot be read")]
    Key(#[source] pem::Error),
    /// The key is protected by a passphrase, which nobody is there to type.
    #[error("the key is encrypted with a passphrase")]
    EncryptedKey,
    /// Certificate and key do not go together.
    #[error("the key is not that of the first certificate in the file")]
    Mismatch,
    /// The key is of an unknown kind, or what TLS needs cannot be made.
    #[error("certificate and key cannot be used")]
    Unusable(#[from] rustls::Error),
}

/// The lowest version that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinVersion {
    /// TLS 1.2 (RFC 8996 forbids less).
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// Reads the authorities whose certificates are taken from clients, in PEM.
///
/// # Errors
/// [`TlsError`] when there is none, or one that cannot be understood.
pub fn roots(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots
            .add(certificate.map_err(TlsError::Certificate)?)
            .map_err(|_| TlsError::Malformed)?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    Ok(roots)
}

/// Named, never taken from the process: a second provider in the build would make the default panic.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
