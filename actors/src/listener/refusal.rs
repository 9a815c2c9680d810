//! Refusal: who is not let in, what it is told, and how the log hears of it. It must cost as little as can be.

use std::{
    io::Write as _,
    net::{IpAddr, Shutdown},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{net::TcpStream, time::Instant};

use crate::{limits::Exceeded, telemetry::LIMITS_REFUSED_ROOM};

/// How often the log says that peers are refused: a flood must not become one of lines.
const NOTICE: Duration = Duration::from_secs(10);

/// What a peer is told that is not let in; whole lines.
#[derive(Clone, Copy, Debug)]
pub struct Refusals {
    /// There is no room, or it takes too much of it.
    pub too_busy: &'static [u8],
    /// It is sent away.
    pub banned: &'static [u8],
    /// Nobody listens here any more.
    pub closing: &'static [u8],
}

/// Why a connection was refused.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Refused {
    /// Listener or server hold as many as they may.
    #[error("no room")]
    NoRoom,
    /// The peer takes too much.
    #[error(transparent)]
    Exceeded(Exceeded),
    /// The listener is closing.
    #[error("closing")]
    Closing,
}

impl Refusals {
    /// Says why and closes, all at once: the buffer of a new socket takes a line, and nobody waits for a peer that is
    /// not wanted. No task, no memory.
    pub(super) fn refuse(self, socket: TcpStream, why: Refused) {
        let Ok(mut socket) = socket.into_std() else {
            return;
        };
        // Who does not get the line sees that the connection ends.
        drop(socket.write(self.words(why)));
        drop(socket.shutdown(Shutdown::Write));
    }

    const fn words(self, why: Refused) -> &'static [u8] {
        match why {
            Refused::Exceeded(Exceeded::Banned) => self.banned,
            Refused::Exceeded(_) | Refused::NoRoom => self.too_busy,
            Refused::Closing => self.closing,
        }
    }
}

/// How many were refused.
pub(super) struct Count(Mutex<State>);

struct State {
    refused: u64,
    /// How many the log knows of.
    told: u64,
    /// When it may hear of more.
    next: Instant,
}

impl Count {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            refused: 0,
            told: 0,
            next: Instant::now(),
        }))
    }

    /// One more, of which the log hears now or later.
    pub(super) fn one_more(&self, peer: IpAddr, why: Refused) {
        if matches!(why, Refused::NoRoom) {
            LIMITS_REFUSED_ROOM.count(1);
        }
        let now = Instant::now();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.refused += 1;
        if now < state.next {
            return;
        }
        let count = state.refused - state.told;
        state.told = state.refused;
        state.next = now + NOTICE;
        drop(state);
        tracing::warn!(target: "angarium::security", %peer, %why, count, "connections are refused; this was the last");
    }

    pub(super) fn get(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).refused
    }
}
