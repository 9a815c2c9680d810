//! The shell: a Unix socket on which operators ask for verbs. What verbs there are is in the crate `shell`.

pub mod change;
pub mod desk;
pub mod listener;
pub mod output;
pub mod role;
pub mod session;
pub mod silence;
pub mod socket;
pub mod thread;
mod values;
pub mod verb;
mod verbs;

use std::{sync::Arc, time::Duration};

use supervision::{Child, Dynamic, Intensity, Restart, Strategy, Supervisor, child};

use self::{
    desk::Desk,
    listener::{Acceptor, Args, MAX_SESSIONS, SEATS},
    session::Session,
    silence::Silence,
    socket::Socket,
    thread::Thread,
};

/// A session that dies more often than this is parked, and its connection ends.
const SESSION_INTENSITY: Intensity = Intensity::new(10, Duration::from_secs(60));

/// The branch of the tree that hears operators. It lives on a thread of its own, so that they are answered however long
/// mail waits for its turn.
#[must_use]
pub fn branch(desk: Desk, socket: &Socket, thread: &Thread) -> Child {
    let sessions: Dynamic<Session> = Dynamic::new("sessions", SEATS, Restart::Transient, SESSION_INTENSITY);
    let args = Args {
        silence: Silence::of(MAX_SESSIONS),
        socket: socket.clone(),
        sessions: sessions.clone(),
        desk: Arc::new(desk),
    };
    let (acceptor, _) = child::<Acceptor>("acceptor", Restart::Permanent, move |_| args.clone());
    let shell = Supervisor::new("shell", Strategy::OneForOne)
        .intensity(10, Duration::from_secs(10))
        .child(&sessions)
        .child(acceptor);
    Child::from(shell).on(thread.runtime())
}
