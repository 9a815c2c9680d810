//! The session of an SMTP connection dies at every octet of a pipelined transaction, in clear and under TLS. The body
//! is made of commands, so that whatever of it is read as a command answers for itself.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use angarium::client::{
    smtp::{Sent, Smtp},
    tls::Trust,
};
use anyhow::{Context, ensure};
use rand::{Rng, seq::SliceRandom as _};
use smtp::client::Reply;
use tokio::{
    task::{JoinSet, LocalSet},
    time::Instant,
};

use crate::{
    crowd::Tolerance,
    home::address,
    ledger::{Fate, Ledger},
    letter::{Letter, LetterId, commands},
    promise::bodies_stay_bodies::{self, PROMISE},
    server::{Addresses, inside::Inside},
    storm::Storm,
    wait::{pass, until},
};

/// Transactions at once.
const PARALLEL: usize = 6;

/// To whom the letters go; the others are of the bystanders.
const ACCOUNT: usize = 1;

/// What is sent behind the body in the same write: its reply is like no other.
const BEHIND: &[u8] = b"VRFY a0\r\n";

/// The replies to a transaction that nobody disturbs.
const EXPECTED: [u16; 5] = [250, 250, 354, 250, 252];

/// What is said to commands that depend on the one that was interrupted.
const OTHERWISE: [u16; 2] = [503, 554];

/// How long to wait for the server to take what was sent; a piece of a command is taken without a sign.
const TAKEN: Duration = Duration::from_millis(100);

/// One session in so many dies while it may still be at what was sent, not when it has taken it.
const HASTY_IN: u32 = 4;

/// How far a hasty session gets at most: a sync takes about that long.
const HASTE: Duration = Duration::from_millis(4);

/// So often the text of a long letter is repeated: it makes several chunks of the store.
const LONG: usize = 2000;

/// One letter in so many is long, once every place has been tried.
const LONG_IN: u32 = 5;

/// Where and how a session dies.
#[derive(Clone, Copy, Debug)]
struct Cut {
    offset: usize,
    /// How often the text of the letter is repeated.
    times: usize,
    secure: bool,
    /// How long after what was sent; `None` is when the server has taken it.
    after: Option<Duration>,
}

pub(super) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    let inside = Arc::new(storm.start_inside(2).await?);
    let mut crowd = storm.crowd();
    crowd.senders(1, &(0..1), Tolerance::Nothing, &mut storm.rng);
    crowd.reader(0, Tolerance::Nothing);
    let mut cutter = Cutter {
        door: inside.addresses()?,
        trust: storm.trust()?,
        ledger: Arc::clone(&storm.ledger),
        cuts: Mutex::default(),
        inside: Arc::clone(&inside),
    };
    let end = storm.end();
    let mut places = everywhere(storm);
    storm.tally.notes.push(format!("at {} places", places.len()));
    loop {
        cutter.cuts = Mutex::new(places.into());
        cutter = round(cutter, storm).await?;
        if Instant::now() >= end {
            break;
        }
        places = at_the_end(storm);
    }
    drop(cutter);
    crowd.disperse().await?;
    let inside = Arc::into_inner(inside).context("the server is still in use")?;
    storm.calm(inside).await
}

/// Every offset, in clear and under TLS, in an order that is drawn; or as many as the effort allows.
fn everywhere(storm: &mut Storm) -> Vec<Cut> {
    let (envelope, body) = lengths(1);
    let length = envelope + body + BEHIND.len();
    let mut cuts = Vec::with_capacity(2 * length);
    for offset in 0..=length {
        for secure in [false, true] {
            let hasty = storm.rng.random_ratio(1, HASTY_IN);
            let after = hasty.then(|| storm.draw(Duration::ZERO, HASTE));
            cuts.push(Cut {
                offset,
                times: 1,
                secure,
                after,
            });
        }
    }
    cuts.shuffle(&mut storm.rng);
    cuts.truncate(storm.effort.offsets.unwrap_or(usize::MAX));
    cuts
}

/// Where it is decided whether a message is accepted: while its last octets are taken and it is made durable. And
/// somewhere in long letters, of which a part may have been written.
fn at_the_end(storm: &mut Storm) -> Vec<Cut> {
    let mut cut = || {
        let is_long = storm.rng.random_ratio(1, LONG_IN);
        let times = if is_long { LONG } else { 1 };
        let (envelope, body) = lengths(times);
        let from_the_end = storm.rng.random_range(0..if is_long { body } else { 4 });
        Cut {
            offset: envelope + body - from_the_end,
            times,
            secure: storm.rng.random(),
            after: Some(storm.draw(Duration::ZERO, HASTE)),
        }
    };
    (0..50).map(|_| cut()).collect()
}

/// Octets of an envelope and of a body. All letters of commands are equally long.
fn lengths(times: usize) -> (usize, usize) {
    let to = address(ACCOUNT);
    let sample = Letter::of_commands(LetterId(0), &to, times);
    (commands(&to).len(), sample.on_the_wire().len())
}

/// Makes all cuts, several at once.
async fn round(cutter: Cutter, storm: &mut Storm) -> anyhow::Result<Cutter> {
    let cutter = Arc::new(cutter);
    // All on one thread: they wait most of the time, and the other threads are the server's.
    let cutting = async {
        let mut cutters = JoinSet::new();
        for _ in 0..PARALLEL {
            cutters.spawn_local(Arc::clone(&cutter).run());
        }
        let mut recoveries = Vec::new();
        while let Some(ended) = cutters.join_next().await {
            recoveries.extend(ended.context("a cutter panicked")??);
        }
        anyhow::Ok(recoveries)
    };
    for recovery in LocalSet::new().run_until(cutting).await? {
        storm.killed(recovery);
    }
    Arc::into_inner(cutter).context("a cutter goes on")
}

struct Cutter {
    door: Addresses,
    trust: Trust,
    ledger: Arc<Ledger>,
    cuts: Mutex<VecDeque<Cut>>,
    inside: Arc<Inside>,
}

impl Cutter {
    async fn run(self: Arc<Self>) -> anyhow::Result<Vec<Option<Duration>>> {
        let mut recoveries = Vec::new();
        while let Some(cut) = self.next() {
            let recovery = self.cut(cut).await;
            recoveries.push(recovery.with_context(|| format!("at {cut:?}"))?);
        }
        Ok(recoveries)
    }

    fn next(&self) -> Option<Cut> {
        self.cuts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }

    /// One connection, one kill: the letter is accepted at the second attempt at the latest.
    async fn cut(&self, cut: Cut) -> anyhow::Result<Option<Duration>> {
        let mut smtp = Smtp::connect(self.door.mx).await?;
        smtp.hello().await?;
        if cut.secure {
            smtp = smtp.start_tls(&self.trust).await?;
        }
        let path = self.inside.session_of(smtp.local()).await?;
        let to = address(ACCOUNT);
        let letter = self
            .ledger
            .write(ACCOUNT, |id| Letter::of_commands(id, &to, cut.times));
        let mut victim = Victim {
            inside: &self.inside,
            path: &path,
            smtp: &mut smtp,
            cut: Some(cut),
            recovery: None,
            replies: Vec::new(),
        };
        victim.transact(&to, &letter).await?;
        let (replies, recovery) = (victim.replies, victim.recovery);
        let due = EXPECTED
            .get(..replies.len())
            .context("more replies than commands")?;
        bodies_stay_bodies::check(&replies, due, &OTHERWISE)?;
        if replies.get(3).is_some_and(|reply| reply.code() == 250) {
            self.ledger.decide(letter.id, Fate::Accepted);
        } else {
            self.again(&mut smtp, &to).await?;
        }
        smtp.quit().await?;
        Ok(recovery)
    }

    /// The same connection goes on as if nothing had happened.
    async fn again(&self, smtp: &mut Smtp, to: &str) -> anyhow::Result<()> {
        let reset = smtp.command("RSET").await?;
        ensure!(reset.code() == 250, "{PROMISE}: RSET was answered {reset}");
        let letter = self.ledger.write(ACCOUNT, |id| Letter::of_commands(id, to, 1));
        let sent = smtp.send(&commands(to), &letter.on_the_wire()).await?;
        ensure!(
            sent == Sent::Accepted,
            "{PROMISE}: the second attempt ended with {sent:?}"
        );
        self.ledger.decide(letter.id, Fate::Accepted);
        Ok(())
    }
}

/// A transaction during which its session is killed.
struct Victim<'a> {
    inside: &'a Inside,
    path: &'a str,
    smtp: &'a mut Smtp,
    /// Still to come.
    cut: Option<Cut>,
    recovery: Option<Duration>,
    replies: Vec<Reply>,
}

impl Victim<'_> {
    async fn transact(&mut self, to: &str, letter: &Letter) -> anyhow::Result<()> {
        let envelope = commands(to);
        let ends = envelope
            .match_indices('\n')
            .map(|(end, _)| end + 1)
            .collect::<Vec<_>>();
        self.flight(envelope.as_bytes(), 0, &ends).await?;
        if self.replies.last().is_none_or(|data| data.code() != 354) {
            return Ok(());
        }
        let mut body = letter.on_the_wire();
        let end = body.len();
        body.extend_from_slice(BEHIND);
        let ends = [end, body.len()];
        self.flight(&body, envelope.len(), &ends).await
    }

    /// Sends octets that begin at this offset of the transaction, and reads the replies that fall due at these ends.
    async fn flight(&mut self, octets: &[u8], begin: usize, ends: &[usize]) -> anyhow::Result<()> {
        let end = begin + octets.len();
        let last = ends.len() == 2;
        let Some(cut) = self.cut.take_if(|cut| cut.offset <= end || last) else {
            self.smtp.write(octets).await?;
            return self.read(ends.len()).await;
        };
        let at = cut.offset.saturating_sub(begin).min(octets.len());
        let (before, after) = octets
            .split_at_checked(at)
            .context("a cut outside of the transaction")?;
        let handled = self.idle().await?;
        self.smtp.write(before).await?;
        let due = ends.iter().filter(|end| **end <= at).count();
        let mut read = 0;
        match cut.after {
            Some(after) => pass(after).await,
            None => {
                self.read(due).await?;
                read = due;
                if due == 0 && at > 0 {
                    self.taken(handled).await?;
                }
            }
        }
        self.recovery = self.inside.kill(self.path).await?;
        self.smtp.write(after).await?;
        self.read(ends.len() - read).await
    }

    async fn read(&mut self, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            let reply = self.smtp.reply().await;
            let so_far = || format!("after {:?}", self.replies);
            let reply = reply.with_context(so_far)?;
            self.replies.push(reply);
        }
        Ok(())
    }

    /// Waits until the session has nothing to do, and says how much it has done.
    async fn idle(&self) -> anyhow::Result<u64> {
        let look = async || {
            let standing = self.inside.standing(self.path);
            Ok(standing.and_then(|standing| (standing.depth == 0).then_some(standing.handled)))
        };
        until(TAKEN, look).await.map(Option::unwrap_or_default)
    }

    /// Waits until the session has done more than this, if it does.
    async fn taken(&self, handled: u64) -> anyhow::Result<()> {
        let look = async || {
            let standing = self.inside.standing(self.path);
            Ok(standing.and_then(|now| (now.depth == 0 && now.handled > handled).then_some(())))
        };
        until(TAKEN, look).await.map(|_| ())
    }
}
