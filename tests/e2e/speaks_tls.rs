//! Who speaks TLS with a server gets the certificate for the name that it means, and who means another server is
//! refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, SanType};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use store::record::trail::TrailEvent;
use tempfile::TempDir;

use crate::line::{Line, trusting};
use crate::node::{Home, Node, accepted, until};
use crate::program::{fail, succeed};

const TEXT: &str = "From: <a@client.example>\r\nSubject: one\r\n\r\nA body.\r\n";

/// Writes a certificate for this name, of a host or a mailbox, which signs itself, and its key.
fn pair(directory: &Path, name: &str) -> (PathBuf, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::default();
    let subject = name.to_owned().try_into().unwrap();
    parameters.subject_alt_names = vec![if name.contains('@') {
        SanType::Rfc822Name(subject)
    } else {
        SanType::DnsName(subject)
    }];
    let made = parameters.self_signed(&key).unwrap();
    let paths = ["pem", "key"].map(|kind| directory.join(format!("{}.{kind}", name.replace('*', "any"))));
    fs::write(&paths[0], made.pem()).unwrap();
    fs::write(&paths[1], key.serialize_pem()).unwrap();
    let [certificate, key] = paths;
    (certificate, key)
}

fn roots(certificates: &[&Path]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots
            .add(CertificateDer::from_pem_file(certificate).unwrap())
            .unwrap();
    }
    roots
}

fn client(certificates: &[&Path], versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots(certificates))
        .with_no_client_auth()
}

/// A client that trusts the server and shows this certificate.
fn showing(node: &Node, certificate: &Path, key: &Path) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = vec![CertificateDer::from_pem_file(certificate).unwrap()];
    let key = rustls::pki_types::PrivateKeyDer::from_pem_file(key).unwrap();
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_root_certificates(roots(&[&node.certificate]))
        .with_client_auth_cert(chain, key)
        .unwrap()
}

async fn starttls(node: &Node, config: ClientConfig, name: &str) -> std::io::Result<Line> {
    let mut line = node.smtp().await;
    line.ask("STARTTLS", "220 2.0.0").await;
    line.secure_with(Arc::new(config), name).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_name_has_its_certificate() {
    let directory = TempDir::new().unwrap();
    let (exact, exact_key) = pair(directory.path(), "mail.example.net");
    let (wild, wild_key) = pair(directory.path(), "*.example.com");
    let home = Home::new(&[
        &format!("certificates.net.certificate={}", exact.display()),
        &format!("certificates.net.key={}", exact_key.display()),
        &format!("certificates.com.certificate={}", wild.display()),
        &format!("certificates.com.key={}", wild_key.display()),
    ])
    .await;
    let node = home.start().await;
    for (name, certificate) in [
        ("mail.example.net", &exact),
        ("anything.example.com", &wild),
        ("example.org", &node.certificate),
    ] {
        let mut line = starttls(&node, client(&[certificate], &[&TLS13]), name)
            .await
            .expect(name);
        line.ask("EHLO client.example", "250").await;
        let reply = line
            .deliver("a@client.example", &["alice@example.org"], TEXT)
            .await;
        let trail = node.trail(accepted(&reply));
        let Some(TrailEvent::Accepted { arrival, .. }) = trail.first() else {
            panic!("{trail:?}");
        };
        let tls = arrival.tls.as_deref().unwrap();
        assert_eq!(tls, format!("TLSv1.3 TLS_AES_256_GCM_SHA384 sni={name}"));
    }
    // Nobody has this name: a client that verifies gets the first certificate, and goes away by itself.
    let unknown = starttls(&node, client(&[&exact], &[&TLS13]), "unknown.example.net").await;
    assert!(unknown.is_err());
    node.stop().await;
}

// Attack 26: words meant for a web server are not to be answered by a mail server that has its certificate.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_refused_whatever_it_is_sent_to() {
    let home = Home::new(&[
        "listeners.pop3s.protocol=pop3",
        "listeners.pop3s.bind=127.0.0.1:0",
        "listeners.pop3s.tls=implicit",
        "listeners.smtps.protocol=smtp",
        "listeners.smtps.bind=127.0.0.1:0",
        "listeners.smtps.tls=implicit",
    ])
    .await;
    let node = home.start().await;
    let means = |names: &[&str]| {
        let mut config = client(&[&node.certificate], &[&TLS13, &TLS12]);
        config.alpn_protocols = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        config
    };
    for names in [&["http/1.1"][..], &["h2", "http/1.1"], &["imap"]] {
        for listener in ["pop3s", "smtps"] {
            let line = Line::to(node.address(listener)).await;
            let refused = line.secure_with(Arc::new(means(names)), "example.org").await;
            assert!(refused.is_err(), "{listener} took {names:?}");
        }
        assert!(starttls(&node, means(names), "example.org").await.is_err());
    }
    for (listener, name, greeting) in [("pop3s", "pop3", "+OK"), ("smtps", "smtp", "220")] {
        for names in [&[name][..], &[]] {
            let line = Line::to(node.address(listener)).await;
            let line = line.secure_with(Arc::new(means(names)), "example.org").await;
            line.expect("a handshake").expect(greeting).await;
        }
    }
    // In clear nothing is said to who speaks in clear.
    for listener in ["pop3s", "smtps"] {
        for text in [
            "GET / HTTP/1.1\r\n\r\n",
            "EHLO client.example\r\n",
            "\r\n\r\n\0\r\nQUIT\n",
        ] {
            let mut line = Line::to(node.address(listener)).await;
            line.send(text).await;
            line.ends().await;
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_may_be_stricter_than_the_others() {
    let home = Home::new(&["listeners.mx.min_tls=1.2", "tls.min_version=1.3"]).await;
    let node = home.start().await;
    let old = || client(&[&node.certificate], &[&TLS12]);
    assert!(starttls(&node, old(), "example.org").await.is_ok());
    let mut line = node.pop3().await;
    line.ask("STLS", "+OK").await;
    assert!(line.secure_with(Arc::new(old()), "example.org").await.is_err());
    let mut line = node.pop3().await;
    line.ask("STLS", "+OK").await;
    let new = trusting(&node.certificate);
    assert!(line.secure_with(Arc::new(new), "example.org").await.is_ok());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lies_about_who_it_is_is_refused() {
    let directory = TempDir::new().unwrap();
    let (own, own_key) = pair(directory.path(), "relay.example.org");
    let (other, other_key) = pair(directory.path(), "other.example.org");
    let home = Home::new(&[&format!("listeners.mx.client_ca={}", own.display())]).await;
    let node = home.start().await;
    let mut line = starttls(&node, showing(&node, &own, &own_key), "example.org")
        .await
        .unwrap();
    line.ask("EHLO relay.example.org", "250").await;
    let reply = line
        .deliver("a@client.example", &["alice@example.org"], TEXT)
        .await;
    let trail = node.trail(accepted(&reply));
    assert!(
        format!("{trail:?}").contains("client=relay.example.org"),
        "{trail:?}"
    );
    assert!(
        starttls(&node, showing(&node, &other, &other_key), "example.org")
            .await
            .is_err()
    );
    assert!(
        starttls(&node, client(&[&node.certificate], &[&TLS12]), "example.org")
            .await
            .is_ok()
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_shows_a_certificate_of_a_mailbox_needs_no_password() {
    let directory = TempDir::new().unwrap();
    let (alice, alice_key) = pair(directory.path(), "alice@example.org");
    let (host, host_key) = pair(directory.path(), "relay.example.org");
    let all = directory.path().join("all.pem");
    let both = [&alice, &host].map(|path| fs::read_to_string(path).unwrap());
    fs::write(&all, both.concat()).unwrap();
    let home = Home::new(&[&format!("listeners.submissions.client_ca={}", all.display())]).await;
    let node = home.start().await;
    let connect = async |config: ClientConfig| {
        let line = Line::to(node.address("submissions")).await;
        let mut line = line.secure_with(Arc::new(config), "example.org").await.unwrap();
        line.expect("220").await;
        line.ask("EHLO client.example", "250").await;
        line
    };
    let mut line = connect(showing(&node, &alice, &alice_key)).await;
    line.ask("AUTH EXTERNAL =", "235 2.7.0").await;
    line.ask("MAIL FROM:<bob@example.org>", "553 5.7.1").await;
    line.ask("MAIL FROM:<alice@example.org>", "250").await;
    // One that names a host is nobody's log-in, and without one there is nothing to log in with.
    let mut line = connect(showing(&node, &host, &host_key)).await;
    line.ask("AUTH EXTERNAL =", "535 5.7.8").await;
    let mut line = connect(client(&[&node.certificate], &[&TLS13])).await;
    line.ask("AUTH EXTERNAL =", "504 5.5.4").await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_ends_its_handshake_is_closed() {
    let implicit = [
        "listeners.pop3s.protocol=pop3",
        "listeners.pop3s.bind=127.0.0.1:0",
        "listeners.pop3s.tls=implicit",
    ];
    let node = Home::new(&[&implicit[..], &["tls.handshake_timeout=1s"]].concat())
        .await
        .start()
        .await;
    // A record of which the rest never comes.
    let begun = b"\x16\x03\x01\x02\0\x01\0";
    for sent in [&begun[..], b""] {
        let mut line = Line::to(node.address("pop3s")).await;
        line.send(sent).await;
        line.ends().await;
        let mut line = node.smtp().await;
        line.ask("STARTTLS", "220 2.0.0").await;
        line.send(sent).await;
        line.ends().await;
    }
    node.stop().await;
    // Nor does it keep a server from stopping before its time.
    let settings = [
        &implicit[..],
        &["tls.handshake_timeout=5m", "server.drain_deadline=30s"],
    ]
    .concat();
    let node = Home::new(&settings).await.start().await;
    let mut line = Line::to(node.address("pop3s")).await;
    line.send(begun).await;
    until("there is a session", async || {
        node.server.tree.tree("/listeners/pop3s/connections").len() > 1
    })
    .await;
    node.stop().await;
    line.ends().await;
}

#[test]
fn mistakes_in_files_are_all_named() {
    let home = TempDir::new().unwrap();
    let (certificate, key) = pair(home.path(), "mail.example.net");
    let (_, other) = pair(home.path(), "other.example.net");
    let set = |key: &str, path: &Path| ["--set".to_owned(), format!("{key}={}", path.display())];
    let check = |settings: &[[String; 2]]| {
        let settings = settings.iter().flatten().map(String::as_str);
        ["check", "config"]
            .into_iter()
            .chain(settings)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let wrong = check(&[
        set("tls.certificate", &certificate),
        set("tls.key", &other),
        set("certificates.a.certificate", Path::new("missing.pem")),
        set("certificates.a.key", &key),
        set("certificates.b.certificate", &key),
        set("certificates.b.key", &certificate),
        set("listeners.mx.client_ca", &key),
    ]);
    let wrong: Vec<&str> = wrong.iter().map(String::as_str).collect();
    let said = fail(home.path(), &wrong, 1);
    for expected in [
        "tls: ",
        "the key is not that of the first certificate",
        "certificates.a.certificate: cannot read missing.pem",
        "certificates.b: ",
        "there is no certificate in the file",
        "listeners.mx.client_ca: ",
    ] {
        assert!(said.contains(expected), "no {expected:?} in {said}");
    }
    let odd = check(&[set("tls.certificate", &certificate), set("tls.key", &key)]);
    let odd: Vec<&str> = odd.iter().map(String::as_str).collect();
    let said = succeed(home.path(), &odd, "");
    assert!(
        said.contains("warning: tls: the certificate is not for localhost"),
        "{said}"
    );
    assert!(said.contains("is good"), "{said}");
}
