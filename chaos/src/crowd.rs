//! Crowd: sessions that send and read mail while something is being killed.

use std::{ops::Range, path::PathBuf, sync::Arc, time::Duration};

use angarium::client::{
    pop3::Pop3,
    smtp::{Sent, Smtp},
    tls::Trust,
};
use anyhow::{Context, ensure};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    console::Console,
    home::{PASSWORD, address},
    ledger::{Entry, Fate, Ledger},
    letter::{Letter, commands},
    promise::{
        Broken, accepted_once,
        others_are_spared::{Complaints, PROMISE},
        uids_grow::Readings,
    },
    server::Addresses,
    wait::pass,
};

/// Letters of one session before it says QUIT and begins another.
const LETTERS: u32 = 25;

/// Between two letters of a session, at most.
const PAUSE: Duration = Duration::from_millis(8);

/// The same when there are so many letters that reading them all would take too long.
const LONG_PAUSE: Duration = Duration::from_millis(100);

/// Between two connections, where connections may fail.
const RETRY: Duration = Duration::from_millis(5);

/// What the members of a crowd may meet without complaining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tolerance {
    /// Nothing: they stand beside what is killed.
    Nothing,
    /// A refusal that asks them to come again: what is killed is on their path.
    TryAgain,
    /// Anything: the whole process is killed.
    Anything,
}

/// What all members know.
#[derive(Clone)]
pub(crate) struct Scene {
    /// Where the server is, when there is one.
    pub(crate) door: watch::Receiver<Option<Addresses>>,
    /// Where every letter is written down.
    pub(crate) ledger: Arc<Ledger>,
    /// Where they complain.
    pub(crate) complaints: Arc<Complaints>,
    /// Senders who have it use TLS in every other session.
    pub(crate) trust: Option<Trust>,
    /// From so many letters on they send slowly.
    pub(crate) many: u64,
    /// Where the shell listens.
    pub(crate) shell: PathBuf,
    /// Whether senders do not pause.
    pub(crate) hurries: bool,
}

/// Sessions that go on until they are told to stop.
pub(crate) struct Crowd {
    scene: Scene,
    stop: watch::Sender<bool>,
    members: JoinSet<()>,
}

impl Crowd {
    /// Nobody yet.
    pub(crate) fn new(scene: Scene) -> Self {
        Self {
            scene,
            stop: watch::Sender::new(false),
            members: JoinSet::new(),
        }
    }

    /// Adds sessions that send letters to these accounts.
    pub(crate) fn senders(
        &mut self,
        count: usize,
        to: &Range<usize>,
        tolerance: Tolerance,
        rng: &mut StdRng,
    ) {
        for _ in 0..count {
            let sender = Sender {
                member: self.member(tolerance),
                rng: StdRng::seed_from_u64(rng.random()),
                to: to.clone(),
            };
            self.members.spawn(sender.run());
        }
    }

    /// Adds a session that reads the mailbox of one account over and over.
    pub(crate) fn reader(&mut self, account: usize, tolerance: Tolerance) {
        let reader = Reader {
            member: self.member(tolerance),
            account,
        };
        self.members.spawn(reader.run());
    }

    /// Adds sessions that look at the server through its shell over and over.
    pub(crate) fn operators(&mut self, count: usize, tolerance: Tolerance) {
        for _ in 0..count {
            let operator = Operator {
                member: self.member(tolerance),
            };
            self.members.spawn(operator.run());
        }
    }

    /// Ends all sessions at their next boundary.
    pub(crate) async fn disperse(mut self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        while let Some(ended) = self.members.join_next().await {
            ended.context("a member of the crowd panicked")?;
        }
        Ok(self.scene.complaints.check()?)
    }

    fn member(&self, tolerance: Tolerance) -> Member {
        Member {
            scene: self.scene.clone(),
            stop: self.stop.subscribe(),
            tolerance,
        }
    }
}

struct Member {
    scene: Scene,
    stop: watch::Receiver<bool>,
    tolerance: Tolerance,
}

impl Member {
    fn is_over(&self) -> bool {
        *self.stop.borrow()
    }

    /// Where the server is; `None` when it is time to go.
    async fn door(&mut self) -> Option<Addresses> {
        tokio::select! {
            open = self.scene.door.wait_for(Option::is_some) => open.ok().and_then(|open| *open),
            _ = self.stop.wait_for(|over| *over) => None,
        }
    }

    /// A session ended with an error.
    async fn failed(&self, who: &str, why: &anyhow::Error) {
        // A broken promise is one whoever saw it.
        if self.tolerance != Tolerance::Anything || why.is::<Broken>() {
            self.scene.complaints.add(format!("{who}: {why:#}"));
        }
        pass(RETRY).await;
    }
}

struct Sender {
    member: Member,
    rng: StdRng,
    to: Range<usize>,
}

impl Sender {
    async fn run(mut self) {
        while !self.member.is_over() {
            let Some(door) = self.member.door().await else {
                return;
            };
            if let Err(why) = self.session(door).await {
                self.member.failed("a sender", &why).await;
            }
        }
    }

    async fn session(&mut self, door: Addresses) -> anyhow::Result<()> {
        let mut smtp = Smtp::connect(door.mx).await?;
        smtp.hello().await?;
        if let Some(trust) = &self.member.scene.trust
            && self.rng.random()
        {
            smtp = smtp.start_tls(trust).await?;
        }
        for _ in 0..LETTERS {
            if self.member.is_over() {
                break;
            }
            self.letter(&mut smtp).await?;
            pass(self.pause()).await;
        }
        smtp.quit().await
    }

    async fn letter(&mut self, smtp: &mut Smtp) -> anyhow::Result<()> {
        let (scene, to) = (&self.member.scene, self.rng.random_range(self.to.clone()));
        let letter = scene.ledger.write(to, |id| Letter::drawn(id, &mut self.rng));
        match smtp.send(&commands(&address(to)), &letter.on_the_wire()).await? {
            Sent::Accepted => scene.ledger.decide(letter.id, Fate::Accepted),
            // A sender that is told 5yz gives up and tells its user: no fault of ours may end so.
            Sent::Refused(reply) if reply.is_permanent() => {
                let how = format!("letter {} is refused for good: {reply}", letter.id.0);
                return Err(Broken::new(PROMISE, how).into());
            }
            Sent::Refused(reply) => {
                let expected = match self.member.tolerance {
                    Tolerance::Nothing => false,
                    Tolerance::TryAgain | Tolerance::Anything => reply.code() == 451,
                };
                ensure!(expected, "letter {} was answered {reply}", letter.id.0);
            }
        }
        Ok(())
    }

    fn pause(&mut self) -> Duration {
        if self.member.scene.hurries {
            return Duration::ZERO;
        }
        if self.member.scene.ledger.sent() > self.member.scene.many {
            return LONG_PAUSE;
        }
        PAUSE.mul_f64(self.rng.random())
    }
}

struct Reader {
    member: Member,
    account: usize,
}

impl Reader {
    async fn run(mut self) {
        let readings = Readings::default();
        while !self.member.is_over() {
            let Some(door) = self.member.door().await else {
                return;
            };
            if let Err(why) = self.session(door, &readings).await {
                // RFC 3206 §4: a client asks its user for another password.
                let why = match format!("{why:#}") {
                    text if text.contains("[AUTH]") => Broken::new(PROMISE, text).into(),
                    _ => why,
                };
                if self.member.tolerance == Tolerance::TryAgain && !why.is::<Broken>() {
                    pass(RETRY).await;
                } else {
                    self.member.failed("a reader", &why).await;
                }
            }
        }
    }

    /// One session that uses every command but DELE.
    async fn session(&self, door: Addresses, readings: &Readings) -> anyhow::Result<()> {
        let mut pop3 = Pop3::login(door.pop3, &address(self.account), PASSWORD).await?;
        for _ in 0..LETTERS {
            if self.member.is_over() {
                break;
            }
            let count = pop3.count().await?;
            let uids = pop3.uids().await?;
            ensure!(uids.len() == count, "STAT says {count}, UIDL {}", uids.len());
            readings.listed(&uids)?;
            if count > 0 {
                let message = pop3.retrieve(count).await?;
                self.whole(&message)?;
            }
            pop3.noop().await?;
            pass(PAUSE).await;
        }
        pop3.quit().await
    }

    /// A message that came to its end is a letter to this account, and all of it.
    fn whole(&self, message: &[u8]) -> Result<(), Broken> {
        let letter = Letter::id_of(message).and_then(|id| self.member.scene.ledger.letter(id));
        let is_whole =
            |entry: &Entry| entry.account == self.account && accepted_once::is_same(message, &entry.octets);
        if letter.as_ref().is_some_and(is_whole) {
            return Ok(());
        }
        let how = format!("a reader got {} octets that are no letter", message.len());
        Err(Broken::new(accepted_once::PROMISE, how))
    }
}

/// What an operator asks.
const LOOKS: [&str; 3] = ["status", "tree", "tree /listeners"];

struct Operator {
    member: Member,
}

impl Operator {
    async fn run(mut self) {
        while !self.member.is_over() && self.member.door().await.is_some() {
            if let Err(why) = self.session().await {
                if self.member.tolerance == Tolerance::TryAgain {
                    pass(RETRY).await;
                } else {
                    self.member.failed("an operator", &why).await;
                }
            }
        }
    }

    async fn session(&self) -> anyhow::Result<()> {
        let mut console = Console::connect(&self.member.scene.shell).await?;
        for look in LOOKS.into_iter().cycle().take(LETTERS as usize) {
            if self.member.is_over() {
                break;
            }
            let answer = console.insist(look).await?;
            ensure!(!answer.blocks.is_empty(), "{look:?} was answered with nothing");
            pass(PAUSE).await;
        }
        Ok(())
    }
}
