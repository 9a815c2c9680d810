//! Limits: what one peer, network, account or sender domain takes of the server, counted in bounded memory.
//!
//! A handle that is copied freely and answers at once: under a lock that is held for a few comparisons, never across an
//! await. Limits are read from the settings when they are applied. Peers on the allow-list are not counted, not limited
//! and not banned; nor are the proxies that speak for others, for theirs is not the address that counts.

mod bans;
pub mod keeper;
mod offence;
mod open;
mod policy;
mod saved;
mod subject;
mod suspects;
mod table;
mod window;

use std::{
    net::IpAddr,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use config::Config;
use message::{address::DomainName, id::AccountId, time::Timestamp};

pub use self::offence::Offence;
use self::{
    bans::Bans,
    offence::FULL,
    open::{Counted, Open},
    policy::{Policy, Tables},
    saved::Saved,
    suspects::{Suspect, Suspects},
    table::{Key, Moments, Slot, Table},
    window::Window,
};
use crate::{clock::Clock, telemetry};

/// The counters of this process. Copies count together.
#[derive(Clone)]
pub struct Limits {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    policy: ArcSwap<Policy>,
    open_addresses: Arc<Open>,
    open_networks: Arc<Open>,
    bans: RwLock<Bans>,
    suspects: Suspects,
    refused: AtomicU64,
    restored: AtomicBool,
}

/// Where connections come in: a listener and the counters.
#[derive(Clone)]
pub struct Door {
    limits: Limits,
    listener: Key,
}

/// A connection that is counted as open until this is dropped.
#[derive(Default)]
pub struct Permit {
    _address: Option<Counted>,
    _network: Option<Counted>,
}

/// Who sends a message.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The other side of the connection.
    pub peer: IpAddr,
    /// Who logged in.
    pub account: Option<AccountId>,
    /// The domain of the reverse-path.
    pub domain: Option<&'a DomainName>,
}

/// Why something is not allowed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// The peer is sent away.
    #[error("the address is banned")]
    Banned,
    /// Too many connections of this address or network are open.
    #[error("too many open connections")]
    Open,
    /// Connections come too fast.
    #[error("too many connections in a short time")]
    Connections,
    /// Messages come too fast.
    #[error("too many messages in a short time")]
    Messages,
    /// Recipients come too fast.
    #[error("too many recipients in a short time")]
    Recipients,
}

impl Limits {
    /// Counters of nothing yet.
    #[must_use]
    pub fn new(config: &Config, clock: Clock) -> Self {
        let tables = Arc::new(Tables::new(&config.limits));
        let shared = Shared {
            clock,
            policy: ArcSwap::from_pointee(Policy::of(config, tables)),
            open_addresses: Arc::new(Open::new()),
            open_networks: Arc::new(Open::new()),
            bans: RwLock::default(),
            suspects: Suspects::default(),
            refused: AtomicU64::new(0),
            restored: AtomicBool::new(false),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The settings have changed. What was counted goes on to count, also in windows of another length and in memory of
    /// another size; of more subjects than are saved, those who tell most.
    pub fn configure(&self, config: &Config) {
        let before = self.shared.policy.load_full();
        let tick = self.shared.clock.tick();
        let tables = if before.counts_as(&config.limits) {
            Arc::clone(&before.tables)
        } else {
            Arc::new(Tables::new(&config.limits))
        };
        let policy = Policy::of(config, tables);
        if !Arc::ptr_eq(&before.tables, &policy.tables) {
            let (then, now) = (before.now(tick), policy.now(tick));
            for (from, to) in before.tables.all().into_iter().zip(policy.tables.all()) {
                saved::restore(to, &saved::rows(from, then), now, Duration::ZERO);
            }
        }
        self.shared.policy.store(Arc::new(policy));
    }

    /// The way into a listener.
    #[must_use]
    pub fn door(&self, listener: &str) -> Door {
        Door {
            limits: self.clone(),
            listener: subject::listener(listener),
        }
    }

    /// Counts a message that begins, unless it is one too many for somebody: then it counts for nobody.
    ///
    /// # Errors
    /// [`Exceeded::Messages`], or [`Exceeded::Banned`] when the peer was banned since it came.
    pub fn message(&self, sender: Sender<'_>) -> Result<(), Exceeded> {
        let policy = self.shared.policy.load();
        if self.is_sent_away(&policy, sender.peer) {
            return Err(self.refuse(Exceeded::Banned));
        }
        let limits = &policy.limits;
        let now = policy.now(self.shared.clock.tick());
        let caps = Caps {
            address: limits.messages_per_address,
            network: limits.messages_per_network,
            account: limits.messages_per_account,
            domain: limits.messages_per_sender_domain,
        };
        if self.take(&policy, sender, caps, now, |slot| &mut slot.messages) {
            return Ok(());
        }
        Err(self.refuse(Exceeded::Messages))
    }

    /// Counts a recipient that is named, unless it is one too many for somebody: then it counts for nobody.
    ///
    /// # Errors
    /// [`Exceeded::Recipients`].
    pub fn recipient(&self, sender: Sender<'_>) -> Result<(), Exceeded> {
        let policy = self.shared.policy.load();
        let limits = &policy.limits;
        let now = policy.now(self.shared.clock.tick());
        let caps = Caps {
            address: limits.recipients_per_address,
            network: limits.recipients_per_network,
            account: limits.recipients_per_account,
            domain: limits.recipients_per_sender_domain,
        };
        if self.take(&policy, sender, caps, now, |slot| &mut slot.recipients) {
            return Ok(());
        }
        Err(self.refuse(Exceeded::Recipients))
    }

    /// A peer did what an honest one does rarely. With enough of it the keeper bans it, unless somebody has logged in
    /// from there lately.
    pub fn offence(&self, peer: IpAddr, offence: Offence) {
        self.offences(peer, offence, 1);
    }

    /// The same, so many times at once.
    pub fn offences(&self, peer: IpAddr, offence: Offence, times: u32) {
        offence.counter().count(u64::from(times));
        let policy = self.shared.policy.load();
        let points = offence.points(&policy.limits).saturating_mul(times);
        if points == 0 || policy.is_exempt(peer) {
            return;
        }
        let now = policy.now(self.shared.clock.tick());
        let network = policy.offender(peer);
        let key = subject::address(network.first());
        let is_enough = policy.tables.addresses.change(&key, now, |slot| {
            let is_enough =
                slot.offences.add(now.offences, points) >= FULL && slot.logins.is_idle(now.logins);
            if is_enough {
                // It is told once; what comes after the ban counts anew.
                slot.offences = Window::default();
            }
            is_enough
        });
        if is_enough == Some(true) {
            self.shared.suspects.add(Suspect { network, offence });
        }
    }

    /// Somebody has logged in from this address: it is not banned for a while.
    pub fn authenticated(&self, peer: IpAddr) {
        let policy = self.shared.policy.load();
        if policy.is_exempt(peer) {
            return;
        }
        let now = policy.now(self.shared.clock.tick());
        let key = subject::address(policy.offender(peer).first());
        policy.tables.addresses.change(&key, now, |slot| {
            // Once is enough, and one window is refreshed by the next.
            if slot.logins.count(now.logins) == 0 {
                slot.logins.add(now.logins, 1);
            }
        });
    }

    /// Whether a peer is sent away. The allow-list wins over every ban.
    #[must_use]
    pub fn is_banned(&self, peer: IpAddr) -> bool {
        self.is_sent_away(&self.shared.policy.load(), peer)
    }

    /// How often something was one too many, since the start.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    fn is_sent_away(&self, policy: &Policy, peer: IpAddr) -> bool {
        !policy.is_allowed(peer) && self.bans().holds(peer, || self.shared.clock.timestamp())
    }

    fn bans(&self) -> RwLockReadGuard<'_, Bans> {
        self.shared.bans.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn bans_mut(&self) -> RwLockWriteGuard<'_, Bans> {
        self.shared.bans.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn suspects(&self) -> &Suspects {
        &self.shared.suspects
    }

    /// The counters, to be written. Takes each lock for a short while.
    fn saved(&self, at: Timestamp) -> Saved {
        let shared = &*self.shared;
        let policy = shared.policy.load();
        let (now, tables) = (policy.now(shared.clock.tick()), &policy.tables);
        let rows = |table: &Table| saved::rows(table, now);
        Saved {
            at,
            addresses: rows(&tables.addresses),
            networks: rows(&tables.networks),
            accounts: rows(&tables.accounts),
            domains: rows(&tables.domains),
        }
    }

    /// Takes up counters that were written before the start. Once: later ones count already.
    fn restore(&self, saved: &Saved, at: Timestamp) {
        let shared = &*self.shared;
        if shared.restored.swap(true, Ordering::Relaxed) {
            return;
        }
        let policy = shared.policy.load();
        let now = policy.now(shared.clock.tick());
        let age = at.since(saved.at);
        for (table, rows) in [
            (&policy.tables.addresses, &saved.addresses),
            (&policy.tables.networks, &saved.networks),
            (&policy.tables.accounts, &saved.accounts),
            (&policy.tables.domains, &saved.domains),
        ] {
            saved::restore(table, rows, now, age);
        }
    }

    fn refuse(&self, why: Exceeded) -> Exceeded {
        self.shared.refused.fetch_add(1, Ordering::Relaxed);
        match why {
            Exceeded::Banned => telemetry::LIMITS_REFUSED_BANNED.count(1),
            Exceeded::Open => telemetry::LIMITS_REFUSED_OPEN.count(1),
            Exceeded::Connections => telemetry::LIMITS_REFUSED_RATE.count(1),
            Exceeded::Messages => telemetry::LIMITS_REFUSED_MESSAGES.count(1),
            Exceeded::Recipients => telemetry::LIMITS_REFUSED_RECIPIENTS.count(1),
        }
        why
    }

    /// Counts one more of something for everybody concerned, or for nobody.
    fn take(
        &self,
        policy: &Policy,
        sender: Sender<'_>,
        caps: Caps,
        now: Moments,
        window: impl Fn(&mut Slot) -> &mut Window,
    ) -> bool {
        let tables = &policy.tables;
        let (address, network) = (subject::address(sender.peer), policy.network(sender.peer));
        let peer = (!policy.is_exempt(sender.peer)).then_some(());
        let subjects = [
            peer.map(|()| (&tables.addresses, address, caps.address)),
            peer.map(|()| (&tables.networks, network, caps.network)),
            sender
                .account
                .map(|id| (&tables.accounts, subject::account(id), caps.account)),
            peer.and(sender.domain)
                .map(|name| (&tables.domains, subject::domain(name), caps.domain)),
        ];
        // What has no limit is not counted: nobody would ask.
        let subjects = subjects.into_iter().flatten().filter(|(.., limit)| *limit != 0);
        let has_room = |(table, key, limit): (&Table, Key, u32)| {
            let mut slot = table.look(&key);
            window(&mut slot).has_room(now.messages, 1, limit)
        };
        if !subjects.clone().all(has_room) {
            return false;
        }
        for (table, key, _) in subjects {
            table.change(&key, now, |slot| window(slot).add(now.messages, 1));
        }
        true
    }
}

impl Door {
    /// Lets a connection in, or says why not. What a listener may have open at all is not decided here.
    ///
    /// # Errors
    /// [`Exceeded`]; the connection then counts for nobody.
    pub fn admit(&self, peer: IpAddr) -> Result<Permit, Exceeded> {
        let shared = &*self.limits.shared;
        let policy = shared.policy.load();
        let limits = &policy.limits;
        let now = policy.now(shared.clock.tick());
        if self.limits.is_sent_away(&policy, peer) {
            return Err(self.limits.refuse(Exceeded::Banned));
        }
        if policy.is_exempt(peer) {
            return Ok(Permit::default());
        }
        let (address, network) = (subject::address(peer), policy.network(peer));
        let rates = [
            (&policy.tables.addresses, address, limits.connections_per_address),
            (&policy.tables.networks, network, limits.connections_per_network),
            (
                &policy.tables.listeners,
                self.listener,
                limits.connections_per_listener,
            ),
        ];
        let mut rates = rates.into_iter().filter(|(.., limit)| *limit != 0);
        let has_room = |(table, key, limit): (&Table, Key, u32)| {
            table.look(&key).connections.has_room(now.connections, 1, limit)
        };
        if !rates.clone().all(has_room) {
            return Err(self.limits.refuse(Exceeded::Connections));
        }
        let open = |open: &Arc<Open>, key, limit| {
            open.one_more(key, limit)
                .ok_or_else(|| self.limits.refuse(Exceeded::Open))
        };
        let permit = Permit {
            _address: Some(open(
                &shared.open_addresses,
                address,
                limits.max_connections_per_address,
            )?),
            _network: Some(open(
                &shared.open_networks,
                network,
                limits.max_connections_per_network,
            )?),
        };
        rates.by_ref().for_each(|(table, key, _)| {
            table.change(&key, now, |slot| slot.connections.add(now.connections, 1));
        });
        Ok(permit)
    }
}

/// How much one subject of each kind may have.
#[derive(Clone, Copy)]
struct Caps {
    address: u32,
    network: u32,
    account: u32,
    domain: u32,
}

#[cfg(test)]
mod tests;
