//! Policy: what the settings say of limits, and the counters in the shape that they want.

use std::{net::IpAddr, sync::Arc};

use config::{Config, Network};
use message::time::Tick;
use store::record::ban::Network as Banned;

use super::{
    subject,
    table::{Key, Moments, Table},
    window::Moment,
};

/// What the settings say.
pub(super) struct Policy {
    pub(super) limits: config::Limits,
    /// The counters, as large as the settings want them and in their windows.
    pub(super) tables: Arc<Tables>,
    /// Networks of proxies, which speak for others: by the PROXY protocol, or by XCLIENT.
    pub(super) spared: Vec<Network>,
}

/// The counters of each kind of subject.
pub(super) struct Tables {
    pub(super) addresses: Table,
    pub(super) networks: Table,
    pub(super) accounts: Table,
    pub(super) domains: Table,
    pub(super) listeners: Table,
}

/// A part of the memory for each kind of subject, in sixteenths: addresses are the many. What everybody can invent,
/// the sender domain, has a part of its own and pushes out nothing else.
const ADDRESSES: usize = 8;
const NETWORKS: usize = 4;
const ACCOUNTS: usize = 2;
const DOMAINS: usize = 2;
const PARTS: usize = 16;

impl Tables {
    pub(super) fn new(limits: &config::Limits) -> Self {
        let part = limits.memory.as_usize() / PARTS;
        Self {
            addresses: Table::new(ADDRESSES * part),
            networks: Table::new(NETWORKS * part),
            accounts: Table::new(ACCOUNTS * part),
            domains: Table::new(DOMAINS * part),
            // As many as the configuration has, which are few.
            listeners: Table::new(0),
        }
    }

    pub(super) const fn all(&self) -> [&Table; 5] {
        [
            &self.addresses,
            &self.networks,
            &self.accounts,
            &self.domains,
            &self.listeners,
        ]
    }
}

impl Policy {
    pub(super) fn of(config: &Config, tables: Arc<Tables>) -> Self {
        Self {
            tables,
            limits: config.limits.clone(),
            spared: config
                .listeners
                .values()
                .flat_map(|listener| listener.proxy_from.iter().chain(&listener.xclient_from))
                .copied()
                .collect(),
        }
    }

    /// Whether the counters can stay as they are.
    pub(super) fn counts_as(&self, limits: &config::Limits) -> bool {
        let shape = |limits: &config::Limits| {
            (
                limits.memory,
                limits.connection_window,
                limits.message_window,
                limits.offence_window,
                limits.login_grace,
                // Keys of networks and of offenders are made with these.
                limits.ipv4_network,
                limits.ipv6_network,
            )
        };
        shape(&self.limits) == shape(limits)
    }

    pub(super) fn now(&self, tick: Tick) -> Moments {
        let limits = &self.limits;
        Moments {
            connections: Moment::of(tick, limits.connection_window),
            messages: Moment::of(tick, limits.message_window),
            offences: Moment::of(tick, limits.offence_window),
            logins: Moment::of(tick, limits.login_grace),
        }
    }

    pub(super) fn is_allowed(&self, peer: IpAddr) -> bool {
        Network::any_contains(&self.limits.allow, peer)
    }

    pub(super) fn is_exempt(&self, peer: IpAddr) -> bool {
        self.is_allowed(peer) || Network::any_contains(&self.spared, peer)
    }

    pub(super) fn network(&self, peer: IpAddr) -> Key {
        subject::network(peer, self.limits.ipv4_network, self.limits.ipv6_network)
    }

    /// Whom an offence is counted for: an address of IPv4, or the network of one of IPv6, in which a host has as many
    /// addresses as it likes.
    pub(super) fn offender(&self, peer: IpAddr) -> Banned {
        match peer.to_canonical() {
            v4 @ IpAddr::V4(_) => Banned::one(v4),
            v6 @ IpAddr::V6(_) => Banned::of(v6, u8::try_from(self.limits.ipv6_network).unwrap_or(u8::MAX)),
        }
    }
}
