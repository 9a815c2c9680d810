//! Variant: a configuration as it may be read at the next reload. Pure.

use std::{fmt::Write as _, net::SocketAddr};

use rand::{Rng as _, rngs::StdRng};

/// Listeners that come and go.
const EXTRAS: [&str; 2] = ["extra1", "extra2"];

/// One variant in so many has a flaw.
const FLAW_IN: u32 = 4;

/// Why a variant is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It cannot be understood.
    Mistake,
    /// It has a listener where somebody else listens.
    Occupied(SocketAddr),
}

/// A configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variant {
    /// Deliveries at once.
    pub(super) workers: u32,
    /// Errors of a session.
    pub(super) errors: u32,
    /// Which of the listeners there are that come and go.
    present: [bool; EXTRAS.len()],
    /// Whether somebody is told what is measured, who is not there.
    statsd: bool,
    /// Why it is not taken.
    pub(super) flaw: Option<Flaw>,
}

impl Variant {
    /// What a server is started with.
    pub(super) const fn first() -> Self {
        Self {
            workers: 8,
            errors: 20,
            present: [false; EXTRAS.len()],
            statsd: false,
            flaw: None,
        }
    }

    /// One without a flaw.
    pub(super) fn whole(rng: &mut StdRng) -> Self {
        Self {
            workers: rng.random_range(2..24),
            errors: rng.random_range(10..1000),
            present: [rng.random(), rng.random()],
            statsd: rng.random(),
            flaw: None,
        }
    }

    /// One that may have a flaw.
    pub(super) fn drawn(occupied: SocketAddr, rng: &mut StdRng) -> Self {
        let flaw = rng.random_ratio(1, FLAW_IN).then(|| {
            if rng.random() {
                Flaw::Mistake
            } else {
                Flaw::Occupied(occupied)
            }
        });
        Self {
            flaw,
            ..Self::whole(rng)
        }
    }

    /// The listeners that come and go, and whether they are there.
    pub(super) fn extras(&self) -> impl Iterator<Item = (&'static str, bool)> {
        EXTRAS.into_iter().zip(self.present)
    }

    /// The file.
    pub(super) fn document(&self) -> String {
        let mut text = format!(
            "[server]\nprofile = \"development\"\n[queue]\nworkers = {}\n[smtp]\nmax_errors = {}\n",
            self.workers, self.errors
        );
        if self.statsd {
            text += "[statsd]\naddress = \"127.0.0.1:9\"\n";
        }
        let present = self.extras().filter(|(_, present)| *present);
        for (name, _) in present {
            listener(&mut text, name, "127.0.0.1:0");
        }
        match self.flaw {
            None => {}
            Some(Flaw::Mistake) => text += "[pop3]\nmax_errors = \"many\"\n",
            Some(Flaw::Occupied(address)) => listener(&mut text, "occupied", &address.to_string()),
        }
        text
    }
}

fn listener(text: &mut String, name: &str, bind: &str) {
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "[listeners.{name}]\nprotocol = \"smtp\"\nbind = [\"{bind}\"]\ntls = \"none\"\n"
    );
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn documents_say_what_they_are() {
        let occupied: SocketAddr = "127.0.0.1:7".parse().unwrap();
        let mut rng = StdRng::seed_from_u64(1);
        let (mut flawed, mut whole) = (0, 0);
        for _ in 0..200 {
            let variant = Variant::drawn(occupied, &mut rng);
            let text = variant.document();
            assert!(
                text.contains(&format!("workers = {}\n", variant.workers)),
                "{text}"
            );
            for (name, present) in variant.extras() {
                assert_eq!(text.contains(name), present, "{text}");
            }
            match variant.flaw {
                None => whole += 1,
                Some(_) => flawed += 1,
            }
        }
        assert!(flawed > 20 && whole > 100, "{flawed} {whole}");
    }
}
