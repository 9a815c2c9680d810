//! Log-ins by every mechanism, over sockets, with and without TLS.

use auth::Secret;
use auth::sasl::ScramClient;
use base64ct::{Base64, Encoding};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::line::Line;
use crate::node::{DOMAIN, Home, Node, PASSWORD};

/// How a protocol carries an exchange.
struct Carrier {
    challenge: &'static str,
    success: &'static str,
}

const POP3: Carrier = Carrier {
    challenge: "+ ",
    success: "+OK ",
};

fn encoded(text: &str) -> String {
    Base64::encode_string(text.as_bytes())
}

/// What follows a challenge, decoded; or the reply that ended the exchange.
fn heard(carrier: &Carrier, reply: String) -> Result<String, String> {
    let Some(text) = reply.strip_prefix(carrier.challenge) else {
        return Err(reply);
    };
    Ok(String::from_utf8(Base64::decode_vec(text).unwrap()).unwrap())
}

/// An exchange of SCRAM; gives the reply to its end.
async fn scram(
    line: &mut Line,
    carrier: &Carrier,
    mechanism: &str,
    client: &ScramClient,
    password: &str,
) -> String {
    let begun = line
        .say(&format!("AUTH {mechanism} {}", encoded(&client.first())))
        .await;
    let challenge = match heard(carrier, begun) {
        Ok(challenge) => challenge,
        Err(reply) => return reply,
    };
    let proof = client
        .prove(&challenge, &Secret::new(password))
        .expect("a challenge");
    let last = match heard(carrier, line.say(&encoded(&proof.message)).await) {
        Ok(last) => last,
        Err(reply) => return reply,
    };
    assert!(proof.is_answered_by(&last), "the server does not know it");
    line.say("").await
}

async fn under_tls(node: &Node) -> Line {
    let mut line = node.pop3().await;
    line.ask("STLS", "+OK").await;
    line.secure(&node.certificate, DOMAIN).await
}

/// What the client knows of the certificate that it was shown. RFC 5929 §4.1
fn end_point(node: &Node) -> Vec<u8> {
    let certificate = CertificateDer::from_pem_file(&node.certificate).unwrap();
    ring::digest::digest(&ring::digest::SHA256, &certificate)
        .as_ref()
        .to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_pop3_by_every_mechanism() {
    let node = Home::new(&[]).await.start().await;
    let alice = format!("alice@{DOMAIN}");
    let plain = encoded(&format!("\0{alice}\0{PASSWORD}"));
    let mut line = node.pop3().await;
    line.ask(&format!("AUTH PLAIN {plain}"), POP3.success).await;
    line.ask("QUIT", "+OK").await;
    let mut line = node.pop3().await;
    line.ask("AUTH PLAIN", POP3.challenge).await;
    line.ask(&plain, POP3.success).await;
    line.ask("QUIT", "+OK").await;
    let mut line = node.pop3().await;
    line.ask("AUTH LOGIN", POP3.challenge).await;
    line.ask(&encoded("ALICE+tag@Example.org"), POP3.challenge).await;
    line.ask(&encoded(PASSWORD), POP3.success).await;
    line.ask("QUIT", "+OK").await;

    let client = ScramClient::new(&alice, "clientnonce", None);
    let mut line = node.pop3().await;
    let said = scram(&mut line, &POP3, "SCRAM-SHA-256", &client, PASSWORD).await;
    assert!(said.starts_with(POP3.success), "{said}");
    line.ask("QUIT", "+OK").await;
    let mut line = under_tls(&node).await;
    let said = scram(&mut line, &POP3, "SCRAM-SHA-256", &client, PASSWORD).await;
    assert!(said.starts_with(POP3.success), "{said}");
    line.ask("QUIT", "+OK").await;
    let hash = end_point(&node);
    let bound = ScramClient::new(&alice, "clientnonce", Some(("tls-server-end-point", &hash)));
    let mut line = under_tls(&node).await;
    let said = scram(&mut line, &POP3, "SCRAM-SHA-256-PLUS", &bound, PASSWORD).await;
    assert!(said.starts_with(POP3.success), "{said}");
    line.ask("QUIT", "+OK").await;
    node.stop().await;
}

/// Attacks 13 and 29: nobody comes in with less, and nobody learns who is here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_pop3_with_nothing_proven() {
    let node = Home::new(&["auth.free_failures=100"]).await.start().await;
    let alice = format!("alice@{DOMAIN}");
    let refused = "-ERR [AUTH] wrong name or password";
    let mut line = under_tls(&node).await;
    for (name, password) in [
        (&*alice, "wrong"),
        ("nobody@example.org", PASSWORD),
        ("no name", PASSWORD),
    ] {
        let client = ScramClient::new(name, "clientnonce", None);
        let said = scram(&mut line, &POP3, "SCRAM-SHA-256", &client, password).await;
        assert_eq!(said, refused, "{name}");
    }
    // Bound to another channel, and talked down by somebody between us.
    let mut line = under_tls(&node).await;
    let bound = ScramClient::new(&alice, "clientnonce", Some(("tls-server-end-point", &[7; 32])));
    let said = scram(&mut line, &POP3, "SCRAM-SHA-256-PLUS", &bound, PASSWORD).await;
    assert_eq!(said, refused);
    let could = encoded(&format!("y,,n={alice},r=clientnonce"));
    let said = line.say(&format!("AUTH SCRAM-SHA-256 {could}")).await;
    assert_eq!(said, refused);
    // A certificate was not asked for, so nobody has one.
    let said = line.say("AUTH EXTERNAL =").await;
    assert_eq!(said, "-ERR unknown mechanism");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_domain() {
    let settings = ["auth.default_domain=example.org"];
    let node = Home::new(&settings).await.start().await;
    let mut line = node.pop3().await;
    line.ask("USER Alice+tag", "+OK").await;
    line.ask(&format!("PASS {PASSWORD}"), "+OK").await;
    node.stop().await;
}

const SMTP: Carrier = Carrier {
    challenge: "334 ",
    success: "235 2.7.0 ",
};

/// A server that takes submissions, behind STARTTLS and under TLS from the first octet.
async fn submission(settings: &[&str]) -> Node {
    let ours = ["listeners.submission.plaintext_auth=never"];
    Home::new(&[&ours[..], settings].concat()).await.start().await
}

/// A connection to `submission` behind STARTTLS and EHLO.
async fn submitter(node: &Node) -> Line {
    let mut line = Line::to(node.address("submission")).await;
    line.expect("220 ").await;
    line.ask("EHLO client.example", "250 ").await;
    line.ask("STARTTLS", "220").await;
    let mut line = line.secure(&node.certificate, DOMAIN).await;
    line.ask("EHLO client.example", "250 ").await;
    line
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_submit_by_every_mechanism() {
    let node = submission(&[]).await;
    let alice = format!("alice@{DOMAIN}");
    let plain = encoded(&format!("\0{alice}\0{PASSWORD}"));
    let mut line = submitter(&node).await;
    line.ask("MAIL FROM:<alice@example.org>", "530 5.7.0").await;
    line.ask(&format!("AUTH PLAIN {plain}"), SMTP.success).await;
    let mut line = submitter(&node).await;
    line.ask("AUTH LOGIN", SMTP.challenge).await;
    line.ask(&encoded(&alice), SMTP.challenge).await;
    line.ask(&encoded(PASSWORD), SMTP.success).await;
    let client = ScramClient::new(&alice, "clientnonce", None);
    let mut line = submitter(&node).await;
    let said = scram(&mut line, &SMTP, "SCRAM-SHA-256", &client, PASSWORD).await;
    assert!(said.starts_with(SMTP.success), "{said}");
    let hash = end_point(&node);
    let bound = ScramClient::new(&alice, "clientnonce", Some(("tls-server-end-point", &hash)));
    let mut line = submitter(&node).await;
    let said = scram(&mut line, &SMTP, "SCRAM-SHA-256-PLUS", &bound, PASSWORD).await;
    assert!(said.starts_with(SMTP.success), "{said}");
    node.stop().await;
}

/// Attacks 8, 27 and 31.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_submit_with_nothing_proven_or_as_another() {
    let node = submission(&["auth.free_failures=100"]).await;
    let alice = format!("alice@{DOMAIN}");
    let mut clear = Line::to(node.address("submission")).await;
    clear.expect("220 ").await;
    clear.ask("EHLO client.example", "250 ").await;
    let plain = encoded(&format!("\0{alice}\0{PASSWORD}"));
    clear.ask(&format!("AUTH PLAIN {plain}"), "538 5.7.11").await;
    let mut line = submitter(&node).await;
    for (message, expected) in [
        ("\0alice@example.org\0wrong", "535 5.7.8"),
        ("\0nobody@example.org\0secret", "535 5.7.8"),
        ("bob@example.org\0alice@example.org\0secret", "535 5.7.8"),
        ("alice@example.org\0secret", "501 5.5.2"),
        ("\0alice@example.org\0secret\0", "501 5.5.2"),
    ] {
        line.ask(&format!("AUTH PLAIN {}", encoded(message)), expected)
            .await;
    }
    line.ask("AUTH EXTERNAL =", "504 5.5.4").await;
    line.ask(&format!("AUTH PLAIN {plain}"), SMTP.success).await;
    line.ask("MAIL FROM:<bob@example.org>", "553 5.7.1").await;
    line.ask("MAIL FROM:<alice+tag@example.org>", "250").await;
    line.ask("RCPT TO:<somebody@elsewhere.example>", "550 5.7.1")
        .await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_what_is_submitted_says_so() {
    let node = submission(&[]).await;
    let socket = Line::to(node.address("submissions")).await;
    let mut line = socket.secure(&node.certificate, DOMAIN).await;
    line.expect("220 ").await;
    line.ask("EHLO client.example", "250 ").await;
    let plain = encoded(&format!("\0alice@{DOMAIN}\0{PASSWORD}"));
    line.ask(&format!("AUTH PLAIN {plain}"), SMTP.success).await;
    let text = "From: alice@example.org\r\nSubject: x\r\n\r\nbody\r\n";
    let reply = line
        .deliver("alice@example.org", &["bob@example.org"], text)
        .await;
    let message = crate::node::accepted(&reply);
    let mail = node.mail("bob", 1).await;
    let received = String::from_utf8_lossy(&mail[0]).into_owned();
    assert!(received.contains("with ESMTPSA"), "{received}");
    let (alice, _) = crate::node::account(&node.server.store.snapshot(), "alice@example.org");
    let trail = format!("{:?}", node.trail(message));
    assert!(trail.contains(&format!("{alice:?}")), "{trail}");
    node.stop().await;
}
