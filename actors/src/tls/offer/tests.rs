//! Whole handshakes with a client of the same library, without a socket.

use rcgen::{
    CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, KeyPair, SanType, SignatureAlgorithm,
};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, ServerConnection, SignatureScheme,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    server::Acceptor,
};

use super::*;
use crate::connection::Handshake;

/// An authority that signs for servers and clients alike.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        Arc::new(roots)
    }

    fn server(&self, names: &[&str], algorithm: &'static SignatureAlgorithm) -> Certificate {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = CertificateParams::new(names)
            .unwrap()
            .signed_by(&key, &self.0)
            .unwrap();
        Certificate::read(made.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    }

    fn client(&self, mailbox: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::Rfc822Name(mailbox.try_into().unwrap())];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let made = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        (vec![made.der().clone()], key)
    }
}

const TERMS: Terms = Terms {
    min_version: MinVersion::Tls12,
    protocols: &["smtp"],
    client_roots: None,
    handshake_limit: Duration::from_secs(30),
};

const P256: &SignatureAlgorithm = &rcgen::PKCS_ECDSA_P256_SHA256;

fn offer(certificate: Certificate, others: Vec<Certificate>, terms: &Terms) -> Offer {
    Offer::new(Certificates::new(certificate, others), terms.clone()).unwrap()
}

fn client(authority: &Authority, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(authority.roots())
        .with_no_client_auth()
}

/// Both ends of a connection, and what is known of it.
struct Ends {
    handshake: Handshake,
    server: ServerConnection,
    client: ClientConnection,
}

fn shake(offer: &Offer, config: &Arc<ClientConfig>, name: &str) -> Result<Ends, rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut acceptor = Acceptor::default();
    let mut wire = Vec::new();
    client.write_tls(&mut wire).unwrap();
    acceptor.read_tls(&mut &*wire).unwrap();
    let accepted = acceptor.accept().map_err(|(why, _)| why)?.unwrap();
    let Choice { certificate, config } = offer.choose(&accepted.client_hello()).unwrap();
    let mut server = accepted.into_connection(config).map_err(|(why, _)| why)?;
    for _ in 0..4 {
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut rest = &*wire;
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut rest = &*wire;
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets()?;
        }
    }
    assert!(!server.is_handshaking() && !client.is_handshaking());
    let handshake = Handshake::of(&server, &certificate);
    Ok(Ends {
        handshake,
        server,
        client,
    })
}

fn presented(ends: &Ends) -> &CertificateDer<'static> {
    &ends.client.peer_certificates().unwrap()[0]
}

#[test]
fn a_client_gets_the_certificate_for_the_name_that_it_asks_for() {
    let authority = Authority::new();
    let fallback = authority.server(&["mx.example.org"], P256);
    let exact = authority.server(&["mail.example.net"], P256);
    let wildcard = authority.server(&["*.example.net"], P256);
    let offer = offer(fallback.clone(), vec![wildcard.clone(), exact.clone()], &TERMS);
    let config = Arc::new(client(&authority, &[&TLS13]));
    for (name, expected) in [
        ("mx.example.org", &fallback),
        ("mail.example.net", &exact),
        ("MAIL.example.net", &exact),
        ("pop.example.net", &wildcard),
    ] {
        let ends = shake(&offer, &config, name).unwrap();
        assert_eq!(presented(&ends), &expected.certified().cert[0], "{name}");
        assert_eq!(ends.handshake.server_name.as_deref(), Some(&*name.to_lowercase()));
    }
    // It gets the first, and finds out itself that this is for another name.
    let why = shake(&offer, &config, "a.b.example.net").err().unwrap();
    assert!(matches!(why, rustls::Error::InvalidCertificate(_)), "{why}");
}

#[test]
fn of_two_kinds_a_client_gets_the_one_that_it_understands() {
    let authority = Authority::new();
    let preferred = authority.server(&["mx.example.org"], P256);
    let other = authority.server(&["mx.example.org"], &rcgen::PKCS_ED25519);
    let offer = offer(preferred.clone(), vec![other.clone()], &TERMS);
    // Knows of no signatures but Ed25519 in a handshake.
    let mut only = rustls::crypto::ring::default_provider();
    let mapping = only.signature_verification_algorithms.mapping.iter().copied();
    let mapping: Vec<_> = mapping
        .filter(|(scheme, _)| *scheme == SignatureScheme::ED25519)
        .collect();
    only.signature_verification_algorithms.mapping = mapping.leak();
    for (provider, version, expected) in [
        (provider(), &TLS13, &preferred),
        (provider(), &TLS12, &preferred),
        (Arc::new(only.clone()), &TLS13, &other),
        (Arc::new(only), &TLS12, &other),
    ] {
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_protocol_versions(&[version]).unwrap();
        let config = builder
            .with_root_certificates(authority.roots())
            .with_no_client_auth();
        let ends = shake(&offer, &Arc::new(config), "mx.example.org").unwrap();
        assert_eq!(presented(&ends), &expected.certified().cert[0]);
    }
}

#[test]
fn who_means_another_protocol_is_refused() {
    let authority = Authority::new();
    let offer = offer(authority.server(&["mx.example.org"], P256), vec![], &TERMS);
    let agreed = |names: &[&str]| {
        let mut config = client(&authority, &[&TLS13, &TLS12]);
        config.alpn_protocols = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        let ends = shake(&offer, &Arc::new(config), "mx.example.org")?;
        Ok(ends.handshake.alpn)
    };
    assert_eq!(agreed(&[]), Ok(None));
    assert_eq!(agreed(&["smtp"]), Ok(Some("smtp".into())));
    assert_eq!(agreed(&["http/1.1", "smtp"]), Ok(Some("smtp".into())));
    for foreign in [&["http/1.1"][..], &["h2", "http/1.1"], &["pop3"], &["imap"]] {
        assert_eq!(
            agreed(foreign),
            Err(rustls::Error::NoApplicationProtocol),
            "{foreign:?}"
        );
    }
}

#[test]
fn nothing_older_than_the_lowest_version_is_spoken() {
    let authority = Authority::new();
    let certificate = authority.server(&["mx.example.org"], P256);
    let old = Arc::new(client(&authority, &[&TLS12]));
    let version = |min_version| {
        let terms = Terms { min_version, ..TERMS };
        shake(
            &offer(certificate.clone(), vec![], &terms),
            &old,
            "mx.example.org",
        )
        .map(|ends| ends.handshake.version)
    };
    assert_eq!(version(MinVersion::Tls12), Ok("TLSv1.2"));
    assert!(version(MinVersion::Tls13).is_err());
}

#[test]
fn both_ends_have_the_same_bindings() {
    let authority = Authority::new();
    let offer = offer(authority.server(&["mx.example.org"], P256), vec![], &TERMS);
    let config = Arc::new(client(&authority, &[&TLS13]));
    let mut seen = Vec::new();
    for _ in 0..2 {
        let ends = shake(&offer, &config, "mx.example.org").unwrap();
        let exported = ends
            .client
            .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", None)
            .unwrap();
        let bindings = &ends.handshake.channel_bindings;
        assert_eq!(bindings.exporter.as_deref(), Some(&exported));
        let hash = ring::digest::digest(&ring::digest::SHA256, presented(&ends));
        assert_eq!(bindings.server_end_point.as_deref(), Some(hash.as_ref()));
        assert!(!format!("{:?}", ends.handshake).contains(&format!("{exported:?}")));
        seen.push(exported);
    }
    assert_ne!(seen[0], seen[1]);
    let old = Arc::new(client(&authority, &[&TLS12]));
    let handshake = shake(&offer, &old, "mx.example.org").unwrap().handshake;
    assert_eq!(handshake.channel_bindings.exporter, None);
    assert!(handshake.channel_bindings.server_end_point.is_some());
}

#[test]
fn a_client_may_prove_who_it_is() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let certificate = authority.server(&["mx.example.org"], P256);
    let asking = Terms {
        client_roots: Some(authority.roots()),
        ..TERMS
    };
    let with = |by: &Authority| {
        let (chain, key) = by.client("alice@example.org");
        let builder = ClientConfig::builder_with_provider(provider());
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(authority.roots());
        Arc::new(builder.with_client_auth_cert(chain, key).unwrap())
    };
    let asks = offer(certificate.clone(), vec![], &asking);
    let handshake = shake(&asks, &with(&authority), "mx.example.org")
        .unwrap()
        .handshake;
    let client_of = handshake.client.as_ref().unwrap();
    assert_eq!(&*client_of.mailboxes, ["alice@example.org".into()]);
    assert_eq!(
        handshake.shown(),
        "TLSv1.3 TLS_AES_256_GCM_SHA384 sni=mx.example.org client=alice@example.org"
    );
    // Nobody has to, but a lie ends the handshake; and where nobody asks, nobody is believed.
    let without = Arc::new(client(&authority, &[&TLS13]));
    assert_eq!(
        shake(&asks, &without, "mx.example.org").unwrap().handshake.client,
        None
    );
    assert!(shake(&asks, &with(&stranger), "mx.example.org").is_err());
    let deaf = offer(certificate, vec![], &TERMS);
    assert_eq!(
        shake(&deaf, &with(&authority), "mx.example.org")
            .unwrap()
            .handshake
            .client,
        None
    );
}

#[test]
fn a_session_is_taken_up_again_only_where_it_was_begun() {
    let authority = Authority::new();
    let certificate = authority.server(&["mx.example.org"], P256);
    for version in [&TLS13, &TLS12] {
        let first = offer(certificate.clone(), vec![], &TERMS);
        let config = Arc::new(client(&authority, &[version]));
        let kind = |offer: &Offer| {
            shake(offer, &config, "mx.example.org")
                .unwrap()
                .server
                .handshake_kind()
        };
        assert_eq!(kind(&first), Some(HandshakeKind::Full));
        assert_eq!(kind(&first), Some(HandshakeKind::Resumed));
        let elsewhere = offer(certificate.clone(), vec![], &TERMS);
        assert_eq!(kind(&elsewhere), Some(HandshakeKind::Full), "another listener");
        assert_eq!(kind(&elsewhere), Some(HandshakeKind::Resumed));
        let renewed = authority.server(&["mx.example.org"], P256);
        elsewhere.replace(Certificates::new(renewed, [])).unwrap();
        assert_eq!(kind(&elsewhere), Some(HandshakeKind::Full), "another certificate");
        let asking = Terms {
            client_roots: Some(authority.roots()),
            ..TERMS
        };
        let asks = offer(certificate.clone(), vec![], &asking);
        assert_eq!(kind(&asks), Some(HandshakeKind::Full));
        assert_eq!(
            kind(&asks),
            Some(HandshakeKind::Full),
            "who asks who it is asks each time"
        );
    }
}
