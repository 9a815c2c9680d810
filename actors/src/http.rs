//! HTTP: health and metrics for programs. It is off unless the settings give it an address.
//!
//! A connection is one request and has one deadline, so that it needs no session actor: a task that holds nothing but
//! its socket is all there is to lose.

pub mod acceptor;
mod answer;
pub mod readiness;
pub mod sockets;

use std::time::Duration;

use message::id::TenantId;
use supervision::{Address, Restart, Strategy, Supervisor, child};

use crate::{shell::desk::Desk, store::gate};

/// The branch of the tree that answers. Its deaths concern nobody else.
#[must_use]
pub fn branch(
    tenant: TenantId,
    desk: &Desk,
    gate: &Address<gate::Msg>,
    sockets: &sockets::Sockets,
) -> Supervisor {
    let (asked, gate) = (desk.clone(), gate.clone());
    let (readiness, address) =
        child::<readiness::Readiness>("readiness", Restart::Permanent, move |_| readiness::Args {
            tenant,
            gate: gate.clone(),
            clock: asked.clock,
            mint: asked.mint.clone(),
        });
    let (desk, sockets) = (desk.clone(), sockets.clone());
    let (acceptor, _) =
        child::<acceptor::HttpAcceptor>("acceptor", Restart::Permanent, move |_| acceptor::Args {
            sockets: sockets.clone(),
            desk: desk.clone(),
            readiness: address.clone(),
        });
    Supervisor::new("http", Strategy::OneForOne)
        .intensity(1_000, Duration::from_secs(60))
        .child(readiness)
        .child(acceptor)
}
