//! Start: how a listener starts its connections: of each a session, and beside it the task that owns the socket.

use std::{net::SocketAddr, sync::Arc};

use message::id::ConnectionId;
use supervision::{Dynamic, Settings};
use tokio::net::TcpStream;

use super::{Ledger, Protocol, Security, carry, dialogue::Dialogues};
use crate::{
    clock::Clock,
    limits::Permit,
    listener::{acceptor::Connect, room::Room},
    mint::Mint,
};

/// What one session needs.
pub struct Args<P: Protocol> {
    /// What it shares with its siblings.
    pub parts: Arc<P::Parts>,
    /// The connection.
    pub connection: ConnectionId,
    /// The other side of the connection.
    pub peer: SocketAddr,
    /// What outlives the session.
    pub ledger: Arc<Ledger<P::Checkpoint>>,
}

/// What the connections of a listener are started with.
pub struct Start<P: Protocol> {
    /// What the sessions share.
    pub parts: Arc<P::Parts>,
    /// Where they live, below the listener's ceiling.
    pub connections: Dynamic<P::Session>,
    /// How the listener treats TLS.
    pub security: Security,
    /// The ceiling over all listeners.
    pub room: Room,
    /// Who listens to what is said.
    pub dialogues: Dialogues,
    /// The clock of the process.
    pub clock: Clock,
    /// Makes the ids of connections.
    pub mint: Mint,
}

impl<P: Protocol> Start<P> {
    /// As the acceptor knows it.
    #[must_use]
    pub fn connect(self) -> Connect {
        Arc::new(move |socket, peer, permit| self.start(socket, peer, permit))
    }

    /// Starts a connection; gives the socket back when there is no room for it.
    fn start(&self, socket: TcpStream, peer: SocketAddr, permit: Permit) -> Result<(), TcpStream> {
        let (Ok(seat), Some(place)) = (self.connections.reserve(), self.room.take()) else {
            return Err(socket);
        };
        let connection: ConnectionId = self.mint.id();
        let ledger = Arc::new(Ledger::new(peer));
        let (parts, shared) = (Arc::clone(&self.parts), Arc::clone(&ledger));
        let make_args = move |_: &Settings| Args {
            parts: Arc::clone(&parts),
            connection,
            peer,
            ledger: Arc::clone(&shared),
        };
        let (security, clock) = (self.security.clone(), self.clock);
        let tap = self.dialogues.tap(P::WIRE, connection, peer, clock);
        let carry = |session| async move {
            carry::<P>(socket, security, clock, ledger, session, tap).await;
            drop((place, permit));
        };
        // What stands against a start now also ends the task that holds the socket.
        drop(seat.start_with(connection.to_string(), make_args, carry));
        Ok(())
    }
}
