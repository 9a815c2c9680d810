//! TLS: what a listener presents, made of certificate and key in PEM. One provider: ring.

use std::sync::Arc;

use rustls::{
    ServerConfig, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    version::{TLS12, TLS13},
};
pub use tokio_rustls::TlsAcceptor;

/// Why no TLS can be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file holds no readable certificate chain.
    #[error("the certificate cannot be read")]
    Certificate(#[source] pem::Error),
    /// The certificate file holds none.
    #[error("there is no certificate in the file")]
    NoCertificate,
    /// The key file holds no readable private key.
    #[error("the key cannot be read")]
    Key(#[source] pem::Error),
    /// Certificate and key do not go together, or the key is of an unknown kind.
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

/// Makes an acceptor of a certificate chain and its key, both in PEM.
///
/// # Errors
/// [`TlsError`] when either cannot be read or they do not go together.
pub fn acceptor(certificate: &[u8], key: &[u8], min_version: MinVersion) -> Result<TlsAcceptor, TlsError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<_, _>>()
        .map_err(TlsError::Certificate)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsError::Key)?;
    let versions: &[&SupportedProtocolVersion] = match min_version {
        MinVersion::Tls12 => &[&TLS13, &TLS12],
        MinVersion::Tls13 => &[&TLS13],
    };
    // Named, never taken from the process: a second provider in the build would make the default panic.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn self_signed() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn a_pair_that_belongs_together_is_taken() {
        let (certificate, key) = self_signed();
        assert!(acceptor(certificate.as_bytes(), key.as_bytes(), MinVersion::Tls12).is_ok());
    }

    #[test]
    fn anything_else_is_named() {
        let (certificate, key) = self_signed();
        let (_, other) = self_signed();
        let made = |certificate: &str, key: &str| {
            acceptor(certificate.as_bytes(), key.as_bytes(), MinVersion::Tls13)
                .map(|_| ())
                .unwrap_err()
        };
        assert!(matches!(made("", &key), TlsError::NoCertificate));
        assert!(matches!(made(&certificate, ""), TlsError::Key(_)));
        assert!(matches!(made(&certificate, &other), TlsError::Unusable(_)));
        let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        assert!(matches!(made(broken, &key), TlsError::Certificate(_)));
    }
}
