//! Slow clients: an octet a minute stretches no limit of time, in whatever phase of a connection. Time is paused once the
//! server is up, so that hours take moments.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::line::Line;
use crate::node::{Home, Node};

/// How long a slow client waits between two octets.
const MINUTE: Duration = Duration::from_secs(60);

/// A server of which nothing waits for the disk any more, with time paused.
async fn paused(settings: &[&str]) -> Node {
    let node = Home::new(settings).await.start().await;
    tokio::time::pause();
    node
}

/// Sends a piece of this a minute, again and again, until the server has closed; gives how long that took, and what it
/// said last.
async fn trickle(line: &mut Line, text: &[u8], piece: usize) -> (Duration, Option<String>) {
    let started = Instant::now();
    let mut last = None;
    for octets in text.chunks(piece).cycle() {
        line.send(octets).await;
        assert!(
            started.elapsed() < Duration::from_secs(24 * 60 * 60),
            "it listens for ever, and last said {last:?}"
        );
        sleep(MINUTE).await;
        while let Some(said) = line.said().await {
            match said {
                Some(reply) => last = Some(reply),
                None => return (started.elapsed(), last),
            }
        }
    }
    panic!(
        "after {:?} it still listens, and last said {last:?}",
        started.elapsed()
    );
}

fn minutes(took: Duration) -> u64 {
    took.as_secs() / 60
}

#[tokio::test]
async fn a_command_must_be_whole_in_its_time() {
    let node = paused(&[]).await;
    let mut line = node.smtp().await;
    let (took, said) = trickle(&mut line, b"MAIL FROM:<alice@example.org>", 1).await;
    assert_eq!(minutes(took), 5);
    assert!(said.unwrap().starts_with("421 4.4.2 "));
}

/// Whole commands, a minute apart, keep a session alive as long as it may live and no longer.
#[tokio::test]
async fn a_session_must_end_in_its_time() {
    let settings = [
        "smtp.max_commands_without_mail=1000000",
        "smtp.session_timeout=4h",
    ];
    let node = paused(&settings).await;
    let mut line = node.smtp().await;
    let (took, said) = trickle(&mut line, b"NOOP\r\n", 2).await;
    assert!((239..=241).contains(&minutes(took)), "{took:?}");
    assert!(said.unwrap().starts_with("421 4.4.2 "));
}

#[tokio::test]
async fn a_text_must_be_whole_in_its_time() {
    let node = paused(&[]).await;
    let mut line = node.smtp().await;
    line.ask("MAIL FROM:<a@client.example>", "250 ").await;
    line.ask("RCPT TO:<alice@example.org>", "250 ").await;
    line.ask("DATA", "354 ").await;
    let (took, said) = trickle(&mut line, b"word word\r\n", 1).await;
    assert!((59..=61).contains(&minutes(took)), "{took:?}");
    assert!(said.unwrap().starts_with("421 4.4.2 "));
}

#[tokio::test]
async fn a_reader_of_mail_must_say_a_command_in_its_time() {
    let node = paused(&[]).await;
    let mut line = node.pop3().await;
    let (took, _) = trickle(&mut line, b"CAPA", 1).await;
    assert!(took <= Duration::from_secs(11 * 60), "{took:?}");
}

#[tokio::test]
async fn a_handshake_must_be_made_in_its_time() {
    let node = paused(&[]).await;
    let mut line = node.smtp().await;
    line.ask("STARTTLS", "220 ").await;
    // The beginning of a record that would be a hello: type, version, length.
    let hello = [&[22, 3, 1, 2, 0][..], &[1; 512]].concat();
    let (took, said) = trickle(&mut line, &hello, 1).await;
    assert!(took <= Duration::from_secs(2 * 60), "{took:?}");
    assert_eq!(said, None);
}

/// A client that has begun to log in must go on with it.
#[tokio::test]
async fn an_exchange_of_auth_must_go_on_in_its_time() {
    let node = paused(&["listeners.submission.plaintext_auth=always"]).await;
    let mut line = Line::to(node.address("submission")).await;
    line.expect("220 ").await;
    line.ask("EHLO client.example", "250 ").await;
    line.ask("AUTH PLAIN", "334").await;
    let (took, said) = trickle(&mut line, b"AGFsaWNl", 1).await;
    assert_eq!(minutes(took), 5);
    assert!(said.unwrap().starts_with("421 4.4.2 "));
}

#[tokio::test]
async fn a_proxy_must_say_for_whom_it_speaks_in_its_time() {
    let node = paused(&["listeners.mx.proxy_from=127.0.0.0/8"]).await;
    let mut line = Line::to(node.address("mx")).await;
    let (took, said) = trickle(&mut line, b"PROXY TCP4 192.0.2.1 192.0.2.9 56324 25", 1).await;
    assert!(took <= Duration::from_secs(2 * 60), "{took:?}");
    assert_eq!(said, None);
}

/// Who does not wait for the greeting hears that, and nothing of what it said is obeyed; who waits is greeted.
#[tokio::test]
async fn a_greeting_may_be_waited_for() {
    let node = paused(&["smtp.greeting_delay=5s"]).await;
    let started = Instant::now();
    let mut patient = Line::to(node.address("mx")).await;
    patient.expect("220 ").await;
    assert_eq!(started.elapsed().as_secs(), 5);
    patient.ask("EHLO client.example", "250 ").await;
    let mut hasty = Line::to(node.address("mx")).await;
    hasty
        .send("EHLO client.example\r\nMAIL FROM:<a@client.example>\r\n")
        .await;
    hasty.expect("554 5.5.1 ").await;
    hasty.closes().await;
}
