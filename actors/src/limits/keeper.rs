//! LimitsKeeper: holds the bans in memory true to the store, bans offenders, and saves the counters.
//!
//! Owner:    / (static, permanent)
//! Accepts:  Msg::{Banned, Read, Suspected, Minute}
//! Calls:    the store gate, the pool of readers
//! Owns:     the writing end of the bans in memory, the file of counters, and the task that waits for suspects
//! On death: bans and counters stay as they were, and connections are counted on; it then reads the bans again. At
//!           worst counters of a minute are lost with the process.
//! Limits:   config.limits, SAVE_EVERY, MAX_AUTOMATIC; suspects wait in a bounded list

use std::{path::PathBuf, sync::Arc, time::Duration};

use config::Config;
use message::{id::CommandId, time::Timestamp};
use ractor_cluster_derive::RactorMessage;
use store::{
    apply::{Rejected, rejected::Noun},
    command::{self, Command, Proposal, Term},
    propose::ProposeError,
    read,
    record::ban::{Ban, Network, Origin},
    store::Store,
};
use supervision::{Actor, Address, Broken, Context, Drained, Inspection, Settings, Subject, Timer};
use tokio::{task::JoinSet, time::Instant};

use super::{Limits, bans::Bans, saved::Saved, suspects::Suspect};
use crate::{clock::Clock, mint::Mint, reads::Reads, store::gate, telemetry::LIMITS_BANS_BEGUN};

/// How often the counters are saved, and lapsed bans leave the memory.
const SAVE_EVERY: Duration = Duration::from_secs(60);

/// Networks that may be banned at once without an operator. Beyond it somebody has more addresses than bans can stop.
const MAX_AUTOMATIC: usize = 100_000;

/// The file of the counters in the data directory.
pub const FILE: &str = "limits";

/// What the keeper is told.
#[derive(RactorMessage)]
pub enum Msg {
    /// A network was banned like this, or its ban was taken back.
    Banned(Network, Option<Ban>),
    /// Bans may have changed: they are to be read again.
    Read,
    /// There may be suspects.
    Suspected,
    /// Time to save.
    Minute,
}

/// What the keeper needs.
pub struct Args {
    /// What it keeps.
    pub limits: Limits,
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
    pub config: Arc<Config>,
}

/// The keeper of the limits.
pub struct LimitsKeeper;

/// What the keeper holds.
pub struct State {
    args: Args,
    timer: Timer,
    _start: Timer,
    /// Ends with the actor.
    watch: JoinSet<()>,
}

impl Actor for LimitsKeeper {
    const CLASS: &'static str = "limits";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let state = State {
            timer: ctx.after(SAVE_EVERY, Msg::Minute),
            // What happened while it could not be told yet.
            _start: ctx.after(Duration::ZERO, Msg::Read),
            watch: JoinSet::new(),
            args,
        };
        // The listeners behind this actor must not open before it knows who is sent away.
        state.read().await?;
        state.load().await?;
        Ok(state)
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Banned(network, ban) => state.banned(network, ban.as_ref()),
            Msg::Read => {
                state.read().await?;
                state.watch(ctx);
            }
            Msg::Suspected => state.suspected().await,
            Msg::Minute => {
                state.lapse();
                state.save().await?;
                state.timer = ctx.after(SAVE_EVERY, Msg::Minute);
            }
        }
        Ok(())
    }

    async fn configure(_: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        state.args.config = settings.shared_of::<Config>();
        state.args.limits.configure(&state.args.config);
        Ok(())
    }

    async fn drain(_: &Context<Msg>, _: Instant, state: &mut State) -> Result<Drained, Broken> {
        state.save().await?;
        Ok(Drained::Now)
    }

    fn inspect(state: &State) -> Inspection {
        Inspection::default()
            .with("bans", state.args.limits.bans().len())
            .with("refused", state.args.limits.refused())
    }
}

/// Tells the keeper of suspects, of many at once.
async fn watch(limits: Limits, keeper: Address<Msg>) {
    loop {
        limits.suspects().came().await;
        // A keeper that is away looks by itself when it is back.
        let _ = keeper.cast(Msg::Suspected);
    }
}

impl State {
    /// Begins to wait for suspects, once the keeper is up and can be told.
    fn watch(&mut self, ctx: &Context<Msg>) {
        if self.watch.is_empty() {
            self.watch.spawn(watch(self.args.limits.clone(), ctx.address()));
            let _ = ctx.address().cast(Msg::Suspected);
        }
    }

    fn banned(&self, network: Network, ban: Option<&Ban>) {
        self.args.limits.bans_mut().put(network, ban);
        if ban.is_some() {
            LIMITS_BANS_BEGUN.count(1);
        }
        match ban {
            Some(ban) => tracing::warn!(
                target: "angarium::security",
                %network,
                reason = ban.reason,
                until = ban.until.map(tracing::field::display),
                automatic = ban.origin == Origin::Automatic,
                count = ban.count,
                "banned"
            ),
            None => tracing::warn!(target: "angarium::security", %network, "a ban was taken back"),
        }
    }

    /// Reads all bans. What cannot be read now stays as it was.
    async fn read(&self) -> Result<(), Broken> {
        let (store, now) = (self.args.store.clone(), self.args.clock.timestamp());
        let read = self.args.reads.run(move || bans(&store, now)).await?;
        *self.args.limits.bans_mut() = read.map_err(Broken::because)?;
        Ok(())
    }

    fn lapse(&self) {
        let lapsed = self.args.limits.bans_mut().lapse(self.args.clock.timestamp());
        for network in lapsed {
            tracing::info!(target: "angarium::security", %network, "a ban has ended");
        }
    }

    async fn suspected(&self) {
        for suspect in self.args.limits.suspects().take() {
            self.suspect(suspect).await;
        }
    }

    /// Bans somebody, unless that is not to be.
    async fn suspect(&self, suspect: Suspect) {
        let (limits, network) = (&self.args.config.limits, suspect.network);
        if !limits.ban {
            tracing::warn!(target: "angarium::security", %network, reason = suspect.offence.name(), "would be banned, but limits.ban is off");
            return;
        }
        if self.args.limits.bans().len() >= MAX_AUTOMATIC {
            tracing::error!(target: "angarium::security", %network, "there are too many bans for another");
            return;
        }
        let command = Command::Ban(command::Ban {
            network,
            reason: suspect.offence.name().to_owned(),
            term: Term::Growing {
                first: limits.ban_first,
                longest: limits.ban_longest,
            },
        });
        let id: CommandId = self.args.mint.id();
        let about = Subject::new("ban", u128::from_be_bytes(id.to_bytes()));
        let proposal = Proposal::new(id, self.args.clock.timestamp(), command);
        match gate::propose(&self.args.gate, about, proposal).await {
            Ok(_) | Err(ProposeError::Rejected(Rejected::Exists(Noun::Ban))) => {}
            // It offends again, and is then proposed again.
            Err(why) => {
                tracing::error!(target: "angarium::security", %network, %why, "a ban was not made");
            }
        }
    }

    fn file(&self) -> PathBuf {
        self.args.config.server.data.join(FILE)
    }

    async fn load(&self) -> Result<(), Broken> {
        let (file, limits) = (self.file(), self.args.limits.clone());
        let now = self.args.clock.timestamp();
        let load = move || match Saved::read(&file) {
            Ok(None) => {}
            Ok(Some(saved)) => limits.restore(&saved, now),
            Err(why) => {
                tracing::warn!(target: "angarium::limits", file = %file.display(), %why, "counters begin anew");
            }
        };
        self.args.reads.run(load).await
    }

    async fn save(&self) -> Result<(), Broken> {
        let (file, limits) = (self.file(), self.args.limits.clone());
        let now = self.args.clock.timestamp();
        let save = move || {
            if let Err(why) = limits.saved(now).write(&file) {
                tracing::warn!(target: "angarium::limits", file = %file.display(), %why, "counters cannot be saved");
            }
        };
        self.args.reads.run(save).await
    }
}

/// The bans that hold. Blocks.
fn bans(store: &Store, now: Timestamp) -> Result<Bans, store::engine::StoreError> {
    let mut bans = Bans::default();
    read::ban::bans(&store.snapshot(), |network, ban| {
        if ban.holds(now) {
            bans.put(network, Some(&ban));
        }
    })?;
    Ok(bans)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use store::{apply::Change, feed::Feed};
    use supervision::alone;

    use super::*;
    use crate::{fixture::Fixture, limits::Offence};

    const PEER: &str = "192.0.2.7";

    /// A keeper with a store, its file in a directory of its own.
    struct Kept {
        fixture: Fixture,
        limits: Limits,
        keeper: Address<Msg>,
        changes: store::feed::Changes,
        _dir: tempfile::TempDir,
    }

    impl Kept {
        async fn new(change: impl FnOnce(&mut config::Limits)) -> Self {
            let mut fixture = Fixture::new().await;
            let dir = tempfile::tempdir().unwrap();
            let config = Arc::make_mut(&mut fixture.config);
            config.server.data = dir.path().to_owned();
            change(&mut config.limits);
            let limits = Limits::new(&fixture.config, fixture.clock);
            let changes = fixture.store.changes();
            let keeper = keeper(&fixture, &limits);
            Self {
                fixture,
                limits,
                keeper,
                changes,
                _dir: dir,
            }
        }

        /// Passes on the next ban, as the feed does.
        async fn fed(&mut self) -> (Network, Option<Ban>) {
            loop {
                let Some(Feed::Committed(group)) = self.changes.next().await else {
                    continue;
                };
                for change in group.iter().flat_map(|committed| &committed.changes) {
                    if let Change::Ban(network, ban) = change {
                        let _ = self.keeper.cast(Msg::Banned(*network, ban.clone()));
                        return (*network, ban.clone());
                    }
                }
            }
        }

        async fn wait_until_banned(&self, expected: bool) {
            until(|| self.limits.is_banned(peer()) == expected).await;
        }

        async fn propose(&self, command: Command) {
            let proposal = self.fixture.proposal(command);
            self.fixture.store.propose(proposal).await.unwrap();
        }
    }

    fn keeper(fixture: &Fixture, limits: &Limits) -> Address<Msg> {
        let gate = gate::Args {
            store: fixture.store.clone(),
        };
        let args = Args {
            limits: limits.clone(),
            store: fixture.store.clone(),
            reads: Reads::new(1),
            gate: alone::<gate::Gate>(Settings::default(), gate),
            clock: fixture.clock,
            mint: fixture.mint.clone(),
            config: Arc::clone(&fixture.config),
        };
        alone::<LimitsKeeper>(Settings::default(), args)
    }

    async fn until(mut holds: impl FnMut() -> bool) {
        let waits = async {
            while !holds() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waits)
            .await
            .unwrap();
    }

    fn peer() -> IpAddr {
        PEER.parse().unwrap()
    }

    #[tokio::test]
    async fn an_offender_is_banned_by_a_command_with_its_reason() {
        let mut kept = Kept::new(|limits| limits.auth_failures = 3).await;
        kept.limits.offences(peer(), Offence::AuthFailure, 2);
        assert!(!kept.limits.is_banned(peer()));
        kept.limits.offence(peer(), Offence::AuthFailure);
        let (network, ban) = kept.fed().await;
        let ban = ban.unwrap();
        assert_eq!(network.to_string(), PEER);
        assert_eq!((ban.origin, &*ban.reason), (Origin::Automatic, "wrong passwords"));
        assert_eq!(
            ban.until.map(|until| until - ban.since),
            Some(kept.fixture.config.limits.ban_first)
        );
        kept.wait_until_banned(true).await;
        // It goes on, as a session that stands can, and is not banned twice.
        kept.limits.offences(peer(), Offence::AuthFailure, 3);
        kept.limits
            .offences("192.0.2.8".parse().unwrap(), Offence::AuthFailure, 3);
        assert_eq!(kept.fed().await.0.to_string(), "192.0.2.8");
    }

    #[tokio::test]
    async fn nobody_is_banned_where_bans_are_off() {
        let mut kept = Kept::new(|limits| limits.ban = false).await;
        kept.limits.offences(peer(), Offence::AuthFailure, 10_000);
        let _ = kept.keeper.cast(Msg::Suspected);
        until(|| kept.limits.suspects().take().is_empty()).await;
        let network = "198.51.100.0/24".parse().unwrap();
        let ban = command::Ban {
            network,
            reason: "spam".to_owned(),
            term: Term::Operator(None),
        };
        kept.propose(Command::Ban(ban)).await;
        assert_eq!(kept.fed().await.0, network);
    }

    #[tokio::test]
    async fn bans_hold_again_after_a_restart_and_so_do_counters() {
        let mut kept = Kept::new(|limits| limits.messages_per_address = 2).await;
        let network = "192.0.2.0/24".parse().unwrap();
        let ban = command::Ban {
            network,
            reason: "spam".to_owned(),
            term: Term::Operator(None),
        };
        kept.propose(Command::Ban(ban)).await;
        kept.fed().await;
        kept.wait_until_banned(true).await;
        let sender = super::super::Sender {
            peer: "198.51.100.1".parse().unwrap(),
            account: None,
            domain: None,
        };
        assert!(kept.limits.message(sender).is_ok());
        assert!(kept.limits.message(sender).is_ok());
        until(|| kept.keeper.cast(Msg::Minute).is_ok()).await;
        let file = kept.fixture.config.server.data.join(FILE);
        until(|| file.exists()).await;
        // Another process.
        let limits = Limits::new(&kept.fixture.config, kept.fixture.clock);
        let _next = keeper(&kept.fixture, &limits);
        until(|| limits.is_banned(peer())).await;
        until(|| limits.saved(Timestamp::default()).addresses.len() == 1).await;
        assert!(limits.message(sender).is_err());
        kept.propose(Command::Unban(command::Unban { network })).await;
        kept.fed().await;
        kept.wait_until_banned(false).await;
    }

    #[tokio::test]
    async fn a_damaged_file_is_as_good_as_none() {
        let kept = Kept::new(|_| {}).await;
        let file = kept.fixture.config.server.data.join(FILE);
        std::fs::write(&file, b"nonsense").unwrap();
        let limits = Limits::new(&kept.fixture.config, kept.fixture.clock);
        let next = keeper(&kept.fixture, &limits);
        until(|| next.cast(Msg::Minute).is_ok()).await;
        until(|| std::fs::read(&file).unwrap() != b"nonsense").await;
        assert!(Saved::read(&file).unwrap().is_some());
    }
}
