//! Pace: how fast log-ins are tried. Who fails often is slowed, and who is at home is not.
//!
//! Failures are counted by address, by network and by account, and are forgotten one after the other. An address that
//! has failed too often tries again only after a pause that doubles, however many connections it has. An account at
//! which many fail delays strangers, but never for longer than a bound: its owner comes in from anywhere, and at once from
//! an address from which it has come in before. Nothing is counted for an address that an account comes in from, until
//! too much fails there, too.
//!
//! Memory is bounded: without room, what has failed least makes way.

mod fading;
mod source;

use std::net::IpAddr;
use std::time::Duration;

use message::Tick;

use crate::claimant::Claimant;
use fading::Fading;
pub use source::Source;

/// Addresses and networks that have failed, at most: about 150 octets each.
pub const MAX_SOURCES: usize = 100_000;
/// Accounts, or names of none, at which somebody has failed, at most: about 120 octets each.
pub const MAX_ACCOUNTS: usize = 100_000;
/// Accounts with an address from which they came in, at most: about 180 octets each.
pub const MAX_HOMES: usize = 100_000;

/// How long it is remembered that an account came in from an address.
const HOME_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Failures of an account at home that are not counted.
const HOME_FAILURES: u32 = 10;
/// How many times as much a network may fail as an address.
const NETWORK_FACTOR: u32 = 8;
/// A pause is one second at first, and doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Failures that are remembered beyond the free ones: enough for the longest pause.
const REMEMBERED_FAILURES: u32 = 12;
/// An attempt that would have to wait longer is not taken.
pub const MAX_WAIT: Duration = Duration::from_secs(10);

/// How attempts are slowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaceLimits {
    /// Failures that slow nobody.
    pub free_failures: u32,
    /// How long until one failure is forgotten.
    pub forget: Duration,
    /// The longest pause between two attempts of an address.
    pub address_pause: Duration,
    /// The longest delay of a stranger at an account.
    pub account_delay: Duration,
}

/// When an attempt is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// At once, before all strangers: the account has come in from this address before.
    AtHome,
    /// After so long, which may be no time.
    After(Duration),
    /// Not now: the address must wait for longer than anybody waits.
    TooSoon,
}

/// The pace of all.
#[derive(Debug)]
pub struct Pace {
    limits: PaceLimits,
    sources: Fading<Source, Failures>,
    accounts: Fading<AccountKey, Failures>,
    homes: Fading<(Source, AccountKey), Failures>,
}

/// A hash of the name: names are as long as a guesser likes.
type AccountKey = [u8; 16];

/// Failures that fade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Failures {
    /// When the last of them is forgotten: the nearer, the fewer they are.
    fade: Tick,
    /// When the source may try again.
    next: Tick,
}

impl Pace {
    /// Nobody has failed yet.
    #[must_use]
    pub fn new(limits: PaceLimits) -> Self {
        Self {
            limits,
            sources: Fading::new(MAX_SOURCES),
            accounts: Fading::new(MAX_ACCOUNTS),
            homes: Fading::new(MAX_HOMES),
        }
    }

    /// Takes other limits; what has failed stays remembered.
    pub const fn limit(&mut self, limits: PaceLimits) {
        self.limits = limits;
    }

    /// When an attempt may be made. One that is admitted must be made.
    pub fn admit(&mut self, now: Tick, peer: IpAddr, claimant: &Claimant) -> Admission {
        let account = account_key(claimant);
        if self.is_home(now, peer, account) {
            return Admission::AtHome;
        }
        let free = self.limits.free_failures;
        let mut at = now;
        for (source, _) in self.sources_of(peer) {
            at = at.max(self.sources.find(now, &source).map_or(now, |known| known.next));
        }
        if at - now > MAX_WAIT {
            return Admission::TooSoon;
        }
        for (source, free) in self.sources_of(peer) {
            if let Some(known) = self.sources.find(now, &source) {
                let pause = pause(self.score(now, known), free, self.limits.address_pause);
                let next = at + pause;
                self.sources
                    .keep(now, source, known.fade.max(next), Failures { next, ..known });
            }
        }
        let fails = self.accounts.find(now, &account);
        let delay = fails.map_or(Duration::ZERO, |known| {
            pause(self.score(now, known), free, self.limits.account_delay)
        });
        Admission::After(delay.max(at - now))
    }

    /// An attempt has failed.
    pub fn fail(&mut self, now: Tick, peer: IpAddr, claimant: &Claimant) {
        let account = account_key(claimant);
        let home = (Source::address(peer), account);
        if let Some(known) = self.homes.find(now, &home) {
            let is_home = self.is_home(now, peer, account);
            let known = self.counted(now, Some(known), HOME_FAILURES);
            self.homes.keep(now, home, now + HOME_LIFETIME, known);
            if is_home {
                return;
            }
        }
        let free = self.limits.free_failures;
        for (source, free) in self.sources_of(peer) {
            let known = self.counted(now, self.sources.find(now, &source), free);
            self.sources.keep(now, source, known.fade.max(known.next), known);
        }
        let known = self.counted(now, self.accounts.find(now, &account), free);
        self.accounts.keep(now, account, known.fade, known);
    }

    /// An attempt has succeeded: the account is at home there. What has failed stays counted, or a guesser with an
    /// account of his own would have a way to clear it.
    pub fn succeed(&mut self, now: Tick, peer: IpAddr, claimant: &Claimant) {
        let home = (Source::address(peer), account_key(claimant));
        let nothing = Failures { fade: now, next: now };
        let known = self.homes.find(now, &home).unwrap_or(nothing);
        self.homes.keep(now, home, now + HOME_LIFETIME, known);
    }

    /// How many addresses and networks are remembered for their failures.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.sources.len()
    }

    fn is_home(&self, now: Tick, peer: IpAddr, account: AccountKey) -> bool {
        self.homes
            .find(now, &(Source::address(peer), account))
            .is_some_and(|known| self.score(now, known) <= HOME_FAILURES)
    }

    /// Where a peer is counted, and how much may fail there.
    fn sources_of(&self, peer: IpAddr) -> [(Source, u32); 2] {
        let free = self.limits.free_failures;
        [
            (Source::address(peer), free),
            (Source::network(peer), free.saturating_mul(NETWORK_FACTOR)),
        ]
    }

    /// Failures that are not forgotten yet.
    fn score(&self, now: Tick, known: Failures) -> u32 {
        let left = (known.fade - now).as_micros();
        let each = self.limits.forget.as_micros().max(1);
        u32::try_from(left.div_ceil(each)).unwrap_or(u32::MAX)
    }

    fn counted(&self, now: Tick, known: Option<Failures>, free: u32) -> Failures {
        let forget = self.limits.forget;
        let most = now + forget.saturating_mul(free.saturating_add(REMEMBERED_FAILURES));
        Failures {
            fade: (known.map_or(now, |known| known.fade.max(now)) + forget).min(most),
            next: known.map_or(now, |known| known.next),
        }
    }
}

fn pause(failures: u32, free: u32, longest: Duration) -> Duration {
    match failures.checked_sub(free) {
        None | Some(0) => Duration::ZERO,
        Some(more) => FIRST_PAUSE
            .saturating_mul(2_u32.saturating_pow(more - 1))
            .min(longest),
    }
}

fn account_key(claimant: &Claimant) -> AccountKey {
    let hash = blake3::hash(claimant.key().as_bytes());
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
