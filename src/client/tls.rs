//! TLS as a client: it trusts one certificate, or any, and says which.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio_rustls::TlsConnector;

/// What a client needs to speak TLS with one server.
#[derive(Clone)]
pub struct Trust {
    pub(super) connector: TlsConnector,
    pub(super) name: ServerName<'static>,
}

impl Trust {
    /// Trusts the certificate in a PEM file, for the name `localhost`.
    ///
    /// # Errors
    /// When the file has no certificate.
    pub fn read(certificate: &Path) -> anyhow::Result<Self> {
        Self::read_for(certificate, "localhost")
    }

    /// Trusts the certificate in a PEM file, for a name.
    ///
    /// # Errors
    /// When the file has no certificate, or the name is none.
    pub fn read_for(certificate: &Path, name: &str) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        let read = CertificateDer::from_pem_file(certificate)
            .with_context(|| format!("the certificate {} cannot be read", certificate.display()))?;
        roots.add(read)?;
        let config = builder()?.with_root_certificates(roots).with_no_client_auth();
        Self::new(config, name)
    }

    /// Trusts whoever answers: for measuring a server of one's own, never for mail.
    ///
    /// # Errors
    /// When the name is none.
    pub fn anybody(name: &str) -> anyhow::Result<Self> {
        let config = builder()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(ring::default_provider())))
            .with_no_client_auth();
        Self::new(config, name)
    }

    fn new(config: ClientConfig, name: &str) -> anyhow::Result<Self> {
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name: ServerName::try_from(name.to_owned())?,
        })
    }
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
}

/// Takes every certificate; the signature of the handshake is checked, so that what is measured is a real one.
#[derive(Debug)]
struct Anybody(CryptoProvider);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
