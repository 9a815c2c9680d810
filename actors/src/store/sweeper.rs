//! Sweeper: removes what deletions left behind and what has been kept for its time, a bounded step at a time.
//!
//! Owner:    /store (static, permanent)
//! Accepts:  Msg::Look
//! Calls:    the pool of readers, the store gate
//! Owns:     nothing; what there is to do is written in the store
//! On death: the step under way is forgotten; the next look finds it again. Steps can be repeated.
//! Limits:   config.store.{trail_retention, audit_retention, command_retention, idempotence_retention,
//!           expunged_retention}, config.limits.ban_memory, INTERVAL, STEP, ACCOUNTS

use std::{collections::VecDeque, sync::Arc, time::Duration};

use message::{
    id::{CommandId, MessageId, TenantId},
    time::Timestamp,
};
use ractor_cluster_derive::RactorMessage;
use store::{
    command::{Command, Proposal, Sweep, SweepRows, job::MAX_SWEEP},
    engine::{Snapshot, StoreError},
    key::mailbox::MailboxKey,
    read::{
        audit,
        ban::lapsed_before,
        directory,
        job::{appended_before, next_reap, results_before},
        mailbox, spool, trail,
    },
    store::Store,
};
use supervision::{Actor, Address, Broken, Context, Settings, Subject, Timer};

use super::gate;
use crate::{clock::Clock, mint::Mint, reads::Reads};

/// How often it is looked for what has become old.
const INTERVAL: Duration = Duration::from_secs(15 * 60);

/// How long to wait when the store had something better to do.
const LATER: Duration = Duration::from_secs(10);

/// Rows that one step removes.
const STEP: usize = MAX_SWEEP;

/// Accounts gone over at once.
const ACCOUNTS: usize = 64;

/// What the sweeper is told.
#[derive(RactorMessage)]
pub enum Msg {
    /// There may be something to remove.
    Look,
}

/// What a sweeper needs.
#[derive(Clone)]
pub struct Args {
    /// Whose records.
    pub tenant: TenantId,
    /// The store, for reading.
    pub store: Store,
    /// The pool of readers.
    pub reads: Reads,
    /// Where proposals go.
    pub gate: Address<gate::Msg>,
    /// The clock of the process.
    pub clock: Clock,
    /// Makes command ids.
    pub mint: Mint,
    /// The current settings.
    pub config: Arc<config::Config>,
}

/// The sweeper.
pub struct Sweeper;

/// What a sweeper holds.
pub struct State {
    args: Args,
    /// What is still to be looked for in this round.
    round: VecDeque<Kind>,
    /// Behind which account the records of expunged messages go on.
    place: Option<Vec<u8>>,
    timer: Timer,
}

/// What there may be to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Deleted,
    Results,
    Appended,
    Trail,
    Expunged,
    Bans,
    Audit,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Deleted,
        Self::Results,
        Self::Appended,
        Self::Trail,
        Self::Expunged,
        Self::Bans,
        Self::Audit,
    ];
}

impl Actor for Sweeper {
    const CLASS: &'static str = "store_sweeper";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        Ok(State {
            args,
            round: VecDeque::new(),
            place: None,
            timer: ctx.after(Duration::ZERO, Msg::Look),
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Look => {
                let pause = state.look().await?;
                state.timer = ctx.after(pause, Msg::Look);
            }
        }
        Ok(())
    }

    async fn configure(_: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        state.args.config = settings.shared_of::<config::Config>();
        Ok(())
    }
}

impl State {
    /// Takes one step, and says how long to wait before the next.
    async fn look(&mut self) -> Result<Duration, Broken> {
        if self.round.is_empty() {
            self.round.extend(Kind::ALL);
        }
        let Some(kind) = self.round.front().copied() else {
            return Ok(INTERVAL);
        };
        let (args, now, place) = (self.args.clone(), self.args.clock.timestamp(), self.place.take());
        let found = self.args.reads.run(move || step(&args, kind, place, now)).await?;
        let (step, place) = match found {
            Ok(found) => found,
            Err(why) => {
                tracing::error!(target: "angarium::store", %why, "what is to be removed cannot be read");
                return Ok(LATER);
            }
        };
        // As long as something goes there may be more behind it; a page of rows that must stay ends the round.
        let more = step.is_some() || place.is_some();
        self.place = place;
        if let Some(command) = step
            && !self.propose(command, now).await
        {
            // What cannot be done now must not keep the others from being done.
            self.round.rotate_left(1);
            return Ok(LATER);
        }
        if !more {
            self.round.pop_front();
        }
        Ok(if self.round.is_empty() {
            INTERVAL
        } else {
            Duration::ZERO
        })
    }

    async fn propose(&self, command: Command, now: Timestamp) -> bool {
        let id: CommandId = self.args.mint.id();
        let about = Subject::new("sweep", u128::from_be_bytes(id.to_bytes()));
        match gate::propose(&self.args.gate, about, Proposal::new(id, now, command)).await {
            Ok(_) => true,
            Err(why) => {
                tracing::warn!(target: "angarium::store", %why, "nothing was removed");
                false
            }
        }
    }
}

/// The next step of a kind, and behind which place to look for another. Blocks.
fn step(args: &Args, kind: Kind, place: Option<Vec<u8>>, now: Timestamp) -> Result<Found, StoreError> {
    let snapshot = args.store.snapshot();
    let (tenant, store) = (args.tenant, &args.config.store);
    let (before, rows) = match kind {
        Kind::Deleted => return Ok((next_reap(&snapshot, tenant)?.map(Command::Reap), None)),
        Kind::Expunged => {
            let before = earlier(now, store.expunged_retention);
            return expunged(&snapshot, tenant, place, before);
        }
        Kind::Results => {
            let before = earlier(now, store.command_retention);
            (
                before,
                SweepRows::Results(results_before(&snapshot, before, STEP)?),
            )
        }
        Kind::Appended => {
            let before = earlier(now, store.idempotence_retention);
            let mut rows = appended_before(&snapshot, tenant, before, STEP)?;
            rows.retain(|(message, _)| !is_spooled(&snapshot, tenant, *message));
            (before, SweepRows::Appended(rows))
        }
        Kind::Trail => {
            let before = earlier(now, store.trail_retention);
            let mut rows = trail::before(&snapshot, tenant, before, STEP)?;
            rows.retain(|key| !is_spooled(&snapshot, tenant, key.message));
            (before, SweepRows::Trail(rows))
        }
        Kind::Bans => {
            let before = earlier(now, args.config.limits.ban_memory);
            (before, SweepRows::Bans(lapsed_before(&snapshot, before, STEP)?))
        }
        Kind::Audit => {
            let before = earlier(now, store.audit_retention);
            (before, SweepRows::Audit(audit::before(&snapshot, before, STEP)?))
        }
    };
    let is_empty = match &rows {
        SweepRows::Results(rows) => rows.is_empty(),
        SweepRows::Appended(rows) => rows.is_empty(),
        SweepRows::Trail(rows) => rows.is_empty(),
        SweepRows::Vanished { modseqs, .. } => modseqs.is_empty(),
        SweepRows::Bans(networks) => networks.is_empty(),
        SweepRows::Audit(receipts) => receipts.is_empty(),
    };
    let sweep = Command::Sweep(Sweep { tenant, before, rows });
    Ok(((!is_empty).then_some(sweep), None))
}

/// A command to propose, if any, and where to go on.
type Found = (Option<Command>, Option<Vec<u8>>);

/// Goes over some accounts behind a place. A mailbox with old records of expunged messages makes a step, after which
/// the same accounts are gone over again.
fn expunged(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    place: Option<Vec<u8>>,
    before: Timestamp,
) -> Result<Found, StoreError> {
    let page = directory::accounts_page(snapshot, tenant, place.as_deref(), ACCOUNTS)?;
    for (account, _) in page.rows {
        for entry in mailbox::mailboxes(snapshot, tenant, account)? {
            let mailbox = MailboxKey {
                tenant,
                account,
                mailbox: entry.id,
            };
            if entry.state.vanished == 0 {
                continue;
            }
            let records = mailbox::vanished(snapshot, mailbox, STEP)?;
            let old = records
                .into_iter()
                .take_while(|(_, vanished)| vanished.at < before);
            let modseqs: Vec<_> = old.map(|(modseq, _)| modseq).collect();
            if !modseqs.is_empty() {
                let rows = SweepRows::Vanished { mailbox, modseqs };
                return Ok((Some(Command::Sweep(Sweep { tenant, before, rows })), place));
            }
        }
    }
    Ok((None, page.next))
}

/// Whether a message is not done yet: what is known of it must stay. What cannot be read stays too.
fn is_spooled(snapshot: &impl Snapshot, tenant: TenantId, message: MessageId) -> bool {
    !matches!(spool::message(snapshot, tenant, message), Ok(None))
}

fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(by))
}

#[cfg(test)]
mod tests {
    use message::{
        address::ReversePath,
        envelope::{BodyKind, MailOptions, RecipientOptions},
    };
    use store::{
        command::{Accept, Addressee, Append, Expunge, Record, Spooled},
        record::{
            audit::{AuditEntry, AuditOutcome},
            mailbox::{Flags, Parsed, Uid},
            spool::{Arrival, Priority, RecipientNumber, Route},
        },
    };

    use super::*;
    use crate::{
        fixture::{Fixture, LOGIN},
        tree::DEFAULT_TENANT,
    };

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// Puts a message into the INBOX and takes it out again; gives its id and that of its accepting command.
    async fn come_and_go(fixture: &Fixture) -> (MessageId, CommandId) {
        let (message, blob) = (fixture.mint.id(), fixture.mint.id());
        let now = fixture.clock.timestamp();
        let sealed = fixture.store.blob_writer(DEFAULT_TENANT, blob).seal();
        let addressee = Addressee {
            address: message::address::EmailAddress::parse(LOGIN.as_bytes()).unwrap(),
            original: LOGIN.to_owned(),
            route: Route::Local(fixture.account),
            options: RecipientOptions::default(),
        };
        let spooled = Spooled {
            tenant: DEFAULT_TENANT,
            message,
            reverse_path: ReversePath::Null,
            body: BodyKind::SevenBit,
            blob: sealed.blob.clone(),
            arrival: Arrival::new(now),
            priority: Priority::Normal,
            due: now,
            options: MailOptions::default(),
            recipients: vec![addressee],
        };
        let accept = fixture.proposal(Command::Accept(Accept::new(spooled, sealed, "/test", "250")));
        let accepted = accept.id;
        let append = Append {
            tenant: DEFAULT_TENANT,
            message,
            recipient: RecipientNumber::new(0),
            blob,
            account: fixture.account,
            mailbox: fixture.inbox.mailbox,
            prefix: bytes::Bytes::new(),
            flags: Flags::default(),
            internal_date: now,
            parsed: Parsed::Not,
            structure: None,
            actor: "/test".to_owned(),
        };
        let expunge = Expunge {
            mailbox: fixture.inbox,
            messages: vec![(Uid::new(1), blob)],
        };
        fixture.store.propose(accept).await.unwrap();
        for command in [Command::Append(append), Command::Expunge(expunge)] {
            fixture.store.propose(fixture.proposal(command)).await.unwrap();
        }
        (message, accepted)
    }

    /// Takes every step that there is at a time, and counts them.
    async fn sweep(fixture: &Fixture, now: Timestamp) -> usize {
        let args = Args {
            tenant: DEFAULT_TENANT,
            store: fixture.store.clone(),
            reads: Reads::new(1),
            gate: Address::closed(),
            clock: fixture.clock,
            mint: fixture.mint.clone(),
            config: fixture.config.clone(),
        };
        let mut steps = 0;
        for kind in Kind::ALL {
            let mut place = None;
            loop {
                let (found, next) = step(&args, kind, place, now).unwrap();
                place = next;
                let is_done = found.is_none() && place.is_none();
                if let Some(command) = found {
                    fixture.store.propose(fixture.proposal(command)).await.unwrap();
                    steps += 1;
                    assert!(steps < 100, "{kind:?} never ends");
                }
                if is_done {
                    break;
                }
            }
        }
        steps
    }

    #[tokio::test]
    async fn what_is_old_goes_and_what_is_not_stays() {
        let fixture = Fixture::new().await;
        let (message, accepted) = come_and_go(&fixture).await;
        let now = fixture.clock.timestamp();
        let vanished = || {
            mailbox::vanished(&fixture.store.snapshot(), fixture.inbox, 10)
                .unwrap()
                .len()
        };
        let trail = || {
            trail::of_message(&fixture.store.snapshot(), DEFAULT_TENANT, message)
                .unwrap()
                .len()
        };

        assert_eq!(sweep(&fixture, now).await, 0);
        assert_eq!((vanished(), trail()), (1, 2));
        assert!(fixture.store.recall(accepted).await.unwrap().is_some());

        assert!(sweep(&fixture, now + DAY * 31).await >= 4);
        assert_eq!((vanished(), trail()), (0, 0));
        assert_eq!(fixture.store.recall(accepted).await.unwrap(), None);
        assert_eq!(sweep(&fixture, now + DAY * 31).await, 0);
    }

    #[tokio::test]
    async fn the_audit_is_kept_for_its_own_time() {
        let fixture = Fixture::new().await;
        let now = fixture.clock.timestamp();
        let entry = AuditEntry {
            id: fixture.mint.id(),
            at: now,
            who: "uid 0".to_owned(),
            line: "ban add 192.0.2.1".to_owned(),
            reason: None,
            touches: 1,
            what: "bans 192.0.2.1".to_owned(),
            inverse: None,
            outcome: AuditOutcome::Begun,
            ended: None,
            detail: String::new(),
        };
        let record = Command::Record(Box::new(Record { entry: entry.clone() }));
        fixture.store.propose(fixture.proposal(record)).await.unwrap();
        let kept = || audit::newest(&fixture.store.snapshot(), None, 10).unwrap().rows;

        sweep(&fixture, now + DAY * 399).await;
        assert_eq!(kept(), [entry]);
        sweep(&fixture, now + DAY * 401).await;
        assert_eq!(kept(), []);
    }
}
