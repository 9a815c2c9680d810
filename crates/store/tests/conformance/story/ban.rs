//! Commands on bans of a few networks.

use std::{net::Ipv4Addr, time::Duration};

use message::time::Timestamp;
use store::{command::*, record::ban::Network};

use super::{Seed, Teller};

impl Teller {
    pub(super) fn ban(&self, [_, a, b, c, d, _]: Seed) -> Command {
        let network = network(a);
        if b % 4 == 0 {
            return Command::Unban(Unban { network });
        }
        // Stories move by half a second: some bans lapse within them, some do not.
        let until = Timestamp::from_millis(self.now().as_millis() + u64::from(c) * 100);
        let term = match b % 4 {
            1 => Term::Operator((c % 8 != 0).then_some(until)),
            _ => Term::Growing {
                first: Duration::from_millis(u64::from(c % 16) * 400),
                longest: Duration::from_millis(u64::from(d % 16) * 1_000),
            },
        };
        let reason = "x".repeat(if d == 255 { 257 } else { usize::from(d) });
        Command::Ban(Ban {
            network,
            reason,
            term,
        })
    }
}

pub(super) fn network(number: u8) -> Network {
    let address = Ipv4Addr::new(192, 0, 2, number % 4);
    Network::of(address.into(), if number.is_multiple_of(3) { 24 } else { 32 })
}
