//! Offer: what one listener presents to clients, and asks of them.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::ring::Ticketer,
    server::{ClientHello, NoServerSessionStorage, WebPkiClientVerifier},
    sign::SingleCertAndKey,
    version::{TLS12, TLS13},
};

use super::{Certificate, Certificates, MinVersion, TlsError, provider};

/// What a listener wants of every TLS connection, whichever certificate it is with.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The lowest version that is spoken.
    pub min_version: MinVersion,
    /// The protocols by their names in ALPN. A client that names others only means another server (RFC 7301 §3.2), or
    /// is sent here by somebody who wants our words taken for those of another protocol; a client may name none.
    pub protocols: &'static [&'static str],
    /// Whose certificates are taken from clients; without them none is asked for. A client need not have one.
    pub client_roots: Option<Arc<RootCertStore>>,
    /// How long a handshake may take.
    pub handshake_limit: Duration,
}

/// What a listener presents. Its certificates may be replaced while it stands: handshakes that come later have the new.
#[derive(Debug)]
pub struct Offer {
    terms: Terms,
    made: ArcSwap<Made>,
}

/// One configuration for each certificate, in their order. Each has keys of its own for its tickets, so that no session
/// is taken up again under another certificate, on another listener, or by a server that asks more of its clients.
#[derive(Debug)]
struct Made {
    certificates: Certificates,
    configs: Vec<Arc<ServerConfig>>,
}

/// What was chosen for one client.
pub(crate) struct Choice {
    pub(crate) certificate: Certificate,
    pub(crate) config: Arc<ServerConfig>,
}

impl PartialEq for Terms {
    fn eq(&self, other: &Self) -> bool {
        let roots = |terms: &Self| terms.client_roots.as_ref().map(|roots| roots.roots.clone());
        self.min_version == other.min_version
            && self.protocols == other.protocols
            && self.handshake_limit == other.handshake_limit
            && roots(self) == roots(other)
    }
}

impl Offer {
    /// What a listener on these terms makes of the certificates.
    ///
    /// # Errors
    /// [`TlsError::Unusable`] when the authorities of clients cannot be used or there is no randomness.
    pub fn new(certificates: Certificates, terms: Terms) -> Result<Self, TlsError> {
        let made = Made::new(certificates, &terms)?;
        Ok(Self {
            terms,
            made: ArcSwap::from_pointee(made),
        })
    }

    /// Takes other certificates from now on. Tickets of those before open nothing any more.
    ///
    /// # Errors
    /// As [`Offer::new`]; then the former stay.
    pub fn replace(&self, certificates: Certificates) -> Result<(), TlsError> {
        let made = Made::new(certificates, &self.terms)?;
        self.made.store(Arc::new(made));
        Ok(())
    }

    /// How long a handshake may take.
    pub(crate) const fn handshake_limit(&self) -> Duration {
        self.terms.handshake_limit
    }

    /// The certificate for the name that a client asks for, and of several the first of whose kind of key it can make
    /// something.
    pub(crate) fn choose(&self, hello: &ClientHello<'_>) -> Option<Choice> {
        let made = self.made.load();
        let all = made.certificates.all();
        let asked = made.certificates.asked(hello.server_name());
        let suiting = asked
            .iter()
            .filter(|_| asked.len() > 1)
            .find(|index| all.get(**index).is_some_and(|one| one.suits(hello)));
        let index = *suiting.or(asked.first())?;
        Some(Choice {
            certificate: all.get(index)?.clone(),
            config: Arc::clone(made.configs.get(index)?),
        })
    }
}

impl Made {
    fn new(certificates: Certificates, terms: &Terms) -> Result<Self, TlsError> {
        let configs = certificates.all().iter().map(|one| config(one, terms));
        Ok(Self {
            configs: configs.collect::<Result<_, _>>()?,
            certificates,
        })
    }
}

fn config(certificate: &Certificate, terms: &Terms) -> Result<Arc<ServerConfig>, TlsError> {
    let versions: &[&SupportedProtocolVersion] = match terms.min_version {
        MinVersion::Tls12 => &[&TLS13, &TLS12],
        MinVersion::Tls13 => &[&TLS13],
    };
    let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions)?;
    let builder = match &terms.client_roots {
        None => builder.with_no_client_auth(),
        Some(roots) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider())
                .allow_unauthenticated()
                .build()
                .map_err(|why| rustls::Error::General(why.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let resolver = SingleCertAndKey::from(Arc::clone(certificate.certified()));
    let mut config = builder.with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = terms
        .protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    // Ours begins with what is fastest where AES is in the processor, as it is in servers.
    config.ignore_client_order = true;
    // Sessions are kept by clients alone, in tickets: nothing here grows with their number.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if terms.client_roots.is_none() {
        // New keys every six hours; a ticket opens for twelve at most.
        config.ticketer = Ticketer::new()?;
        // One is enough for who comes one connection at a time, as mail does.
        config.send_tls13_tickets = 1;
    } else {
        // A ticket would carry the client's certificate past its end, and past that of its authority.
        config.send_tls13_tickets = 0;
    }
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests;
