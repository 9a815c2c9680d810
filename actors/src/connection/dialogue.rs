//! Dialogue: what is said on new connections of a peer, for an operator who listens, with all secrets masked.
//!
//! While nobody listens, a new connection asks one atomic number and nothing more. A connection is listened to from its
//! first octet or not at all, so that what is masked never depends on what was not heard. No connection ever waits for a
//! listener: what he does not take in time is counted and left out.

mod mask;

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use message::{id::ConnectionId, time::Timestamp};
use store::record::ban::Network;
use tokio::sync::mpsc;

use crate::clock::Clock;

/// How many may listen at once.
pub const MAX_LISTENERS: usize = 8;
/// Lines that may wait for one who listens.
const WAITING_LINES: usize = 1024;
/// Lines that are shown of what one turn says; a longer reply is counted.
const MAX_REPLY_LINES: usize = 40;

/// A protocol, as far as its secrets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// SMTP, submission and LMTP.
    Smtp,
    /// POP3.
    Pop3,
}

/// What a session makes of the next octets of its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expects {
    /// A command.
    Command,
    /// A line of an exchange behind AUTH: a secret.
    Secret,
    /// Octets of a message, or of what is thrown away.
    Octets,
}

/// A line of a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// On which connection.
    pub connection: ConnectionId,
    /// The other side of it.
    pub peer: SocketAddr,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Speaker,
    /// What; printable, bounded, without secrets.
    pub text: String,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The peer.
    Client,
    /// This server.
    Server,
    /// Nobody: what happened to the connection.
    Note,
}

impl Speaker {
    /// As transcripts have it.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Client => "C:",
            Self::Server => "S:",
            Self::Note => "--",
        }
    }
}

/// Where one asks to listen, and where a new connection finds out whether anybody does. Copies are the same.
#[derive(Clone, Default)]
pub struct Dialogues {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    /// How many listen: what a new connection asks.
    count: AtomicUsize,
    listeners: Mutex<Vec<Listener>>,
    last: AtomicU64,
}

#[derive(Clone)]
struct Listener {
    number: u64,
    wire: Wire,
    networks: Vec<Network>,
    missed: Arc<AtomicU64>,
    sender: mpsc::Sender<Said>,
}

/// One who listens; he stops by being dropped.
pub struct Ear {
    dialogues: Dialogues,
    number: u64,
    missed: Arc<AtomicU64>,
    receiver: mpsc::Receiver<Said>,
}

/// As many listen already as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_LISTENERS} operators listen already")]
pub struct TooMany;

impl Dialogues {
    /// Listens to new connections from these networks.
    ///
    /// # Errors
    /// [`TooMany`] when as many listen already as may.
    pub fn listen(&self, wire: Wire, networks: Vec<Network>) -> Result<Ear, TooMany> {
        let mut listeners = self.listeners();
        if listeners.len() >= MAX_LISTENERS {
            return Err(TooMany);
        }
        let number = self.inner.last.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::channel(WAITING_LINES);
        let missed = Arc::<AtomicU64>::default();
        listeners.push(Listener {
            number,
            wire,
            networks,
            missed: Arc::clone(&missed),
            sender,
        });
        self.inner.count.store(listeners.len(), Ordering::Relaxed);
        drop(listeners);
        Ok(Ear {
            dialogues: self.clone(),
            number,
            missed,
            receiver,
        })
    }

    /// What a new connection tells those who listen to its peer; none when nobody does.
    pub fn tap(&self, wire: Wire, connection: ConnectionId, peer: SocketAddr, clock: Clock) -> Option<Tap> {
        if self.inner.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let listeners = self.listeners();
        let hears = |listener: &&Listener| {
            let mut networks = listener.networks.iter();
            listener.wire == wire && networks.any(|network| network.contains(peer.ip()))
        };
        let listeners: Vec<_> = listeners.iter().filter(hears).cloned().collect();
        (!listeners.is_empty()).then(|| Tap {
            wire,
            connection,
            peer,
            clock,
            listeners,
            octets: 0,
        })
    }

    fn forget(&self, number: u64) {
        let mut listeners = self.listeners();
        listeners.retain(|listener| listener.number != number);
        self.inner.count.store(listeners.len(), Ordering::Relaxed);
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        // Nothing panics while the list is held; were it so, the list would still be whole.
        self.inner
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Dialogues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialogues")
            .field("listeners", &self.inner.count)
            .finish()
    }
}

impl Ear {
    /// The next line.
    pub async fn next(&mut self) -> Option<Said> {
        self.receiver.recv().await
    }

    /// How many lines were left out because they were not taken in time; asking forgets it.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.dialogues.forget(self.number);
    }
}

/// The end of a connection that tells what is said on it.
pub struct Tap {
    wire: Wire,
    connection: ConnectionId,
    peer: SocketAddr,
    clock: Clock,
    listeners: Vec<Listener>,
    /// Octets of a message that came since the last line.
    octets: u64,
}

impl Tap {
    /// What the session has taken of what the peer said.
    pub fn heard(&mut self, expects: Expects, consumed: &[u8]) {
        if consumed.is_empty() {
            return;
        }
        match expects {
            Expects::Octets => self.octets = self.octets.saturating_add(consumed.len() as u64),
            Expects::Command => self.tell(Speaker::Client, mask::command(self.wire, consumed)),
            Expects::Secret => self.tell(Speaker::Client, mask::MASKED.to_owned()),
        }
    }

    /// What the session answers. `goes_on` says that it is the rest of an answer: mail, as far as POP3 is concerned.
    pub fn said(&mut self, output: &[Bytes], goes_on: bool) {
        let output = output.concat();
        if output.is_empty() {
            return;
        }
        if goes_on && self.wire == Wire::Pop3 {
            return self.tell(Speaker::Server, mask::octets(output.len() as u64));
        }
        let most = match self.wire {
            Wire::Smtp => MAX_REPLY_LINES,
            // What stands behind the first line is mail, or a list as long as the mailbox.
            Wire::Pop3 => 1,
        };
        let mut rest = output.as_slice();
        for _ in 0..most {
            let (line, behind) = mask::first_line(rest);
            self.tell(Speaker::Server, mask::reply(self.wire, line));
            rest = behind;
            if rest.is_empty() {
                return;
            }
        }
        self.tell(Speaker::Server, mask::octets(rest.len() as u64));
    }

    /// What happens to the connection.
    pub fn note(&mut self, text: &str) {
        self.tell(Speaker::Note, text.to_owned());
    }

    fn tell(&mut self, by: Speaker, text: String) {
        let octets = std::mem::take(&mut self.octets);
        if octets > 0 {
            self.send(Speaker::Client, mask::octets(octets));
        }
        self.send(by, text);
    }

    fn send(&self, by: Speaker, text: String) {
        let said = Said {
            connection: self.connection,
            peer: self.peer,
            at: self.clock.timestamp(),
            by,
            text,
        };
        for listener in &self.listeners {
            if let Err(mpsc::error::TrySendError::Full(_)) = listener.sender.try_send(said.clone()) {
                listener.missed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ear(dialogues: &Dialogues, wire: Wire, network: &str) -> Ear {
        dialogues.listen(wire, vec![network.parse().unwrap()]).unwrap()
    }

    fn tap(dialogues: &Dialogues, wire: Wire) -> Option<Tap> {
        let peer = SocketAddr::from(([192, 0, 2, 7], 4711));
        dialogues.tap(wire, ConnectionId::from_bytes([1; 16]), peer, Clock::system())
    }

    fn all(ear: &mut Ear) -> Vec<String> {
        std::iter::from_fn(|| ear.receiver.try_recv().ok())
            .map(|said| format!("{} {}", said.by.mark(), said.text))
            .collect()
    }

    #[test]
    fn only_new_connections_of_the_network_and_protocol_are_heard() {
        let dialogues = Dialogues::default();
        assert!(tap(&dialogues, Wire::Smtp).is_none());
        let inside = ear(&dialogues, Wire::Smtp, "192.0.2.0/24");
        let _outside = ear(&dialogues, Wire::Pop3, "198.51.100.1");
        assert!(tap(&dialogues, Wire::Smtp).is_some());
        assert!(tap(&dialogues, Wire::Pop3).is_none());
        drop(inside);
        assert!(tap(&dialogues, Wire::Smtp).is_none());
    }

    #[test]
    fn no_more_listen_than_may() {
        let dialogues = Dialogues::default();
        let mut ears: Vec<_> = (0..MAX_LISTENERS)
            .map(|_| ear(&dialogues, Wire::Smtp, "::/0"))
            .collect();
        let listen = || dialogues.listen(Wire::Smtp, vec!["::/0".parse().unwrap()]);
        assert!(listen().is_err());
        ears.pop();
        assert!(listen().is_ok());
    }

    #[test]
    fn a_dialogue_is_told_without_its_secrets() {
        let dialogues = Dialogues::default();
        let mut ear = ear(&dialogues, Wire::Smtp, "192.0.2.7");
        let mut tap = tap(&dialogues, Wire::Smtp).unwrap();
        tap.note("connected");
        tap.said(&[Bytes::from_static(b"220 mx ESMTP\r\n")], false);
        tap.heard(Expects::Command, b"auth plain AGFubmEAc2VjcmV0\r\n");
        tap.said(
            &[Bytes::from_static(b"235-a\r\n"), Bytes::from_static(b"235 b\r\n")],
            false,
        );
        tap.heard(Expects::Command, b"DATA\r\n");
        tap.heard(Expects::Octets, &[b'x'; 100]);
        tap.heard(Expects::Octets, &[b'x'; 50]);
        tap.said(&[Bytes::from_static(b"250 Ok\r\n")], false);
        tap.heard(Expects::Secret, b"c2VjcmV0\r\n");
        tap.heard(Expects::Command, b"");
        tap.said(&[], false);
        assert_eq!(
            all(&mut ear),
            [
                "-- connected",
                "S: 220 mx ESMTP",
                "C: auth plain ***",
                "S: 235-a",
                "S: 235 b",
                "C: DATA",
                "C: <150 octets>",
                "S: 250 Ok",
                "C: ***",
            ]
        );
    }

    #[test]
    fn of_pop3_no_mail_is_told() {
        let dialogues = Dialogues::default();
        let mut ear = ear(&dialogues, Wire::Pop3, "192.0.2.7");
        let mut tap = tap(&dialogues, Wire::Pop3).unwrap();
        tap.heard(Expects::Command, b"RETR 1\r\n");
        tap.said(
            &[
                Bytes::from_static(b"+OK 20 octets\r\n"),
                Bytes::from_static(b"Subject: x\r\n\r\n"),
            ],
            false,
        );
        tap.said(&[Bytes::from_static(b"+OK this is mail\r\n.\r\n")], true);
        assert_eq!(
            all(&mut ear),
            [
                "C: RETR 1",
                "S: +OK 20 octets",
                "S: <14 octets>",
                "S: <21 octets>"
            ]
        );
    }

    #[test]
    fn a_listener_who_sleeps_misses_lines_and_holds_nobody_up() {
        let dialogues = Dialogues::default();
        let mut ear = ear(&dialogues, Wire::Smtp, "192.0.2.7");
        let mut tap = tap(&dialogues, Wire::Smtp).unwrap();
        for _ in 0..WAITING_LINES + 5 {
            tap.heard(Expects::Command, b"NOOP\r\n");
        }
        assert_eq!(all(&mut ear).len(), WAITING_LINES);
        assert_eq!((ear.missed(), ear.missed()), (5, 0));
        // A long reply is cut, not told by the thousand.
        tap.said(&[Bytes::from(b"250-x\r\n".repeat(1000))], false);
        assert_eq!(all(&mut ear).len(), MAX_REPLY_LINES + 1);
    }
}
