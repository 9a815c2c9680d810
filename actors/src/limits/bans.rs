//! Bans in memory: who is sent away now. The keeper holds them true to the store; a door asks for each connection.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use message::time::Timestamp;
use store::record::ban::{Ban, Network};

/// The bans of the store, by network.
#[derive(Default)]
pub(super) struct Bans {
    networks: HashMap<Network, Option<Timestamp>>,
    /// How many there are of each size: a look-up asks once for every size, and there are few.
    sizes: BTreeMap<u8, usize>,
}

impl Bans {
    /// Whether an address is in a network that is banned; `now` is asked only when that depends on it.
    pub(super) fn holds(&self, peer: IpAddr, now: impl FnOnce() -> Timestamp) -> bool {
        let mut untils = self.sizes.keys().filter_map(|size| {
            let network = Network::around(peer, *size)?;
            self.networks.get(&network).copied()
        });
        let Some(first) = untils.next() else {
            return false;
        };
        let now = now();
        std::iter::once(first)
            .chain(untils)
            .any(|until| until.is_none_or(|until| now < until))
    }

    /// A network is banned like this, or not any more.
    pub(super) fn put(&mut self, network: Network, ban: Option<&Ban>) {
        let size = network.shared_bits();
        let before = match ban {
            Some(ban) => self.networks.insert(network, ban.until),
            None => self.networks.remove(&network),
        };
        match (before.is_some(), ban.is_some()) {
            (false, true) => *self.sizes.entry(size).or_default() += 1,
            (true, false) => self.forget(size),
            (true, true) | (false, false) => {}
        }
    }

    /// Lapsed bans go; says which.
    pub(super) fn lapse(&mut self, now: Timestamp) -> Vec<Network> {
        let is_over = |until: &Option<Timestamp>| until.is_some_and(|until| until <= now);
        let lapsed = self.networks.iter().filter(|(_, until)| is_over(until));
        let lapsed: Vec<_> = lapsed.map(|(network, _)| *network).collect();
        lapsed.iter().for_each(|network| self.put(*network, None));
        lapsed
    }

    pub(super) fn len(&self) -> usize {
        self.networks.len()
    }

    fn forget(&mut self, size: u8) {
        if let Some(count) = self.sizes.get_mut(&size) {
            *count -= 1;
            if *count == 0 {
                self.sizes.remove(&size);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use store::record::ban::Origin;

    use super::*;

    fn ban(until: Option<u64>) -> Ban {
        Ban {
            since: Timestamp::from_secs(0),
            until: until.map(Timestamp::from_secs),
            reason: String::new(),
            origin: Origin::Operator,
            count: 0,
        }
    }

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn the_largest_that_holds_decides() {
        let mut bans = Bans::default();
        bans.put(network("192.0.2.0/24"), Some(&ban(Some(100))));
        bans.put(network("192.0.2.7"), Some(&ban(Some(10))));
        bans.put(network("2001:db8::/64"), Some(&ban(None)));
        let holds =
            |bans: &Bans, peer: &str, at| bans.holds(peer.parse().unwrap(), || Timestamp::from_secs(at));
        for (peer, at, expected) in [
            ("192.0.2.7", 5, true),
            ("192.0.2.7", 50, true),
            ("::ffff:192.0.2.8", 99, true),
            ("192.0.2.7", 100, false),
            ("192.0.3.7", 5, false),
            ("2001:db8::1", 1_000_000, true),
            ("2001:db8:0:1::1", 5, false),
        ] {
            assert_eq!(holds(&bans, peer, at), expected, "{peer} {at}");
        }
        assert_eq!(bans.lapse(Timestamp::from_secs(10)), [network("192.0.2.7")]);
        assert_eq!((bans.len(), bans.sizes.len()), (2, 2));
        bans.put(network("192.0.2.0/24"), None);
        bans.put(network("192.0.2.0/24"), None);
        assert!(!holds(&bans, "192.0.2.7", 5));
        assert_eq!((bans.len(), bans.sizes.len()), (1, 1));
    }
}
