//! TLS as a client: it trusts the one certificate that the server under test made for itself.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio_rustls::TlsConnector;

/// What a client needs to speak TLS with one server.
#[derive(Clone)]
pub(crate) struct Trust {
    pub(super) connector: TlsConnector,
    pub(super) name: ServerName<'static>,
}

impl Trust {
    /// Trusts the certificate in a PEM file, for the name `localhost`.
    pub(crate) fn read(certificate: &Path) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        let read =
            CertificateDer::from_pem_file(certificate).context("the server's certificate cannot be read")?;
        roots.add(read)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name: ServerName::try_from("localhost")?,
        })
    }
}
