//! Storm: one run of one scenario, with all that is known while it blows.

use std::{path::PathBuf, sync::Arc, time::Duration};

use angarium::client::tls::Trust;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::{sync::watch, time::Instant};

use crate::{
    crowd::{Crowd, Scene},
    home::Home,
    ledger::Ledger,
    liveness,
    promise::{Broken, others_are_spared::Complaints, uids_grow::Readings},
    server::{Addresses, child::Child, inside::Inside},
};

/// How much a run may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// How long faults are made.
    pub(crate) time: Duration,
    /// How many actors are killed at least, by who kills them all, however long it takes.
    pub(crate) kills: u64,
    /// How often a process is killed.
    pub(crate) process_kills: u32,
    /// How many of the offsets of a transaction are tried; `None` is every one.
    pub(crate) offsets: Option<usize>,
    /// From so many letters on the crowd sends slowly.
    pub(crate) letters: u64,
}

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Letters sent, and accepted of them, in data directories that were left behind.
    pub(crate) sent: u64,
    pub(crate) accepted: usize,
    /// Faults made.
    pub(crate) kills: u64,
    /// How long the killed took to be back.
    pub(crate) recoveries: Vec<Duration>,
    /// What else is worth a word.
    pub(crate) notes: Vec<String>,
}

/// One run of one scenario.
pub(crate) struct Storm {
    /// Where the server lives.
    pub(crate) home: Home,
    /// This program, for children.
    pub(crate) program: PathBuf,
    /// Where every draw comes from.
    pub(crate) rng: StdRng,
    /// How much it may cost.
    pub(crate) effort: Effort,
    /// Every letter.
    pub(crate) ledger: Arc<Ledger>,
    /// What came of it.
    pub(crate) tally: Tally,
    door: watch::Sender<Option<Addresses>>,
    complaints: Arc<Complaints>,
    readings: Vec<Readings>,
}

impl Storm {
    /// A new storm in a new home.
    pub(crate) fn new(program: PathBuf, seed: u64, effort: Effort) -> anyhow::Result<Self> {
        Ok(Self {
            home: Home::new()?,
            program,
            rng: StdRng::seed_from_u64(seed),
            effort,
            ledger: Arc::default(),
            tally: Tally::default(),
            door: watch::Sender::new(None),
            complaints: Arc::default(),
            readings: Vec::new(),
        })
    }

    /// Starts a server inside this process, with accounts if it is the first.
    pub(crate) async fn start_inside(&mut self, accounts: usize) -> anyhow::Result<Inside> {
        self.settle(accounts).await?;
        let inside = Inside::start(&self.home).await?;
        self.door.send_replace(Some(inside.addresses()?));
        Ok(inside)
    }

    /// Starts a server in a child, with accounts if it is the first.
    pub(crate) async fn start_child(&mut self, accounts: usize) -> anyhow::Result<Child> {
        self.settle(accounts).await?;
        let mut child = Child::spawn(&self.program, &self.home)?;
        let addresses = child.ready().await?;
        self.door.send_replace(Some(addresses));
        Ok(child)
    }

    /// Goes on with an empty data directory of this name: other letters, other mailboxes.
    pub(crate) fn move_on(&mut self, data: &str) -> anyhow::Result<()> {
        self.close_door();
        self.complaints.check()?;
        self.tally.sent += self.ledger.sent();
        self.tally.accepted += self.ledger.accepted();
        self.ledger = Arc::default();
        self.readings.clear();
        self.home.move_on(data);
        Ok(())
    }

    /// Where the server is.
    pub(crate) fn door(&self) -> Option<Addresses> {
        *self.door.borrow()
    }

    /// The server is gone, or about to be.
    pub(crate) fn close_door(&self) {
        self.door.send_replace(None);
    }

    /// Nobody yet; members join it.
    pub(crate) fn crowd(&self) -> Crowd {
        Crowd::new(self.scene())
    }

    /// A crowd whose senders do not pause between two letters.
    pub(crate) fn hurried_crowd(&self) -> Crowd {
        Crowd::new(Scene {
            many: u64::MAX,
            hurries: true,
            ..self.scene()
        })
    }

    fn scene(&self) -> Scene {
        Scene {
            door: self.door.subscribe(),
            ledger: Arc::clone(&self.ledger),
            complaints: Arc::clone(&self.complaints),
            trust: self.trust().ok(),
            many: self.effort.letters,
            shell: self.home.shell(),
            hurries: false,
        }
    }

    /// Trusts the certificate of this home's server, which has been up.
    pub(crate) fn trust(&self) -> anyhow::Result<Trust> {
        Trust::read(&Home::certificate(&self.home.data()))
    }

    /// When the faults end.
    pub(crate) fn end(&self) -> Instant {
        Instant::now() + self.effort.time
    }

    /// A time between two.
    pub(crate) fn draw(&mut self, least: Duration, most: Duration) -> Duration {
        least + most.saturating_sub(least).mul_f64(self.rng.random())
    }

    /// A fault was made, and this long it took to mend.
    pub(crate) fn killed(&mut self, recovery: Option<Duration>) {
        self.tally.kills += 1;
        self.tally.recoveries.extend(recovery);
    }

    /// The promises about mailboxes, read from the server that is up.
    pub(crate) async fn check_mailboxes(&mut self, door: Addresses) -> anyhow::Result<()> {
        liveness::check(door, &self.ledger, &mut self.readings).await
    }

    /// Whether no actor of a child has crashed: where nothing is killed, whatever a peer does is an outcome.
    pub(crate) fn nobody_crashed(&self, promise: &'static str) -> anyhow::Result<()> {
        let log = self.home.log_text()?;
        match log.lines().find(|line| line.contains("crashed: ")) {
            Some(line) => Err(Broken::new(promise, line).into()),
            None => Ok(()),
        }
    }

    /// The end of a storm inside this process: the tree is whole, the mailboxes hold, and hold after a restart.
    pub(crate) async fn calm(&mut self, inside: Inside) -> anyhow::Result<()> {
        inside.whole().await?;
        self.check_mailboxes(inside.addresses()?).await?;
        self.close_door();
        inside.stop().await?;
        let inside = self.start_inside(0).await?;
        self.check_mailboxes(inside.addresses()?).await?;
        inside.stop().await
    }

    /// The end of a storm around a child: a restart, the mailboxes, a stop in order, and the mailboxes again.
    pub(crate) async fn calm_child(&mut self) -> anyhow::Result<()> {
        for _ in 0..2 {
            let child = self.start_child(0).await?;
            if let Some(addresses) = self.door() {
                self.check_mailboxes(addresses).await?;
            }
            self.close_door();
            child.stop().await?;
        }
        Ok(())
    }

    /// Makes the accounts, if there are none yet. No server runs.
    pub(crate) async fn settle(&mut self, accounts: usize) -> anyhow::Result<()> {
        if self.home.accounts() == 0 {
            self.home.settle(accounts).await?;
            self.readings.resize_with(accounts, Readings::default);
        }
        Ok(())
    }
}
