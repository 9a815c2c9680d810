//! Readiness: finds out whether the store commits, for all who ask at the same time.
//!
//! Owner:    /http (static, permanent)
//! Accepts:  Msg::{Ask, Found}
//! Calls:    the store gate
//! Owns:     those who wait, and the last answer
//! On death: those who wait are told that there is no answer
//! Limits:   config.http.ready_timeout, FRESH; who waits is bounded by config.http.max_connections

use std::time::Duration;

use config::Config;
use message::id::{CommandId, TenantId};
use ractor_cluster_derive::RactorMessage;
use store::command::{Command, Proposal, Sweep, SweepRows};
use supervision::{Actor, Address, Broken, Context, Reply};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{clock::Clock, mint::Mint, store::gate, subject, telemetry};

/// How long an answer holds: so often at most the store is asked.
const FRESH: Duration = Duration::from_secs(1);

/// Whether the store commits, or why not.
pub type Found = Result<(), String>;

/// What it is asked.
#[derive(RactorMessage)]
pub enum Msg {
    /// Does the store commit?
    Ask {
        /// Where the answer goes.
        reply: Reply<Found>,
    },
    /// It was found out.
    Found(Found),
}

/// What it needs.
pub struct Args {
    /// In whose name it asks.
    pub tenant: TenantId,
    /// Where proposals go.
    pub gate: Address<gate::Msg>,
    /// The clock of the process.
    pub clock: Clock,
    /// Makes ids.
    pub mint: Mint,
}

/// Who finds out.
pub struct Readiness;

/// What it holds.
pub struct State {
    args: Args,
    waiting: Vec<Reply<Found>>,
    last: Option<(Instant, Found)>,
    asking: JoinSet<()>,
}

impl Actor for Readiness {
    const CLASS: &'static str = "readiness";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(_: &Context<Msg>, args: Args) -> Result<State, Broken> {
        Ok(State {
            args,
            waiting: Vec::new(),
            last: None,
            asking: JoinSet::new(),
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Ask { reply } => state.ask(ctx, reply),
            Msg::Found(found) => state.found(&found),
        }
        Ok(())
    }
}

impl State {
    fn ask(&mut self, ctx: &Context<Msg>, reply: Reply<Found>) {
        if let Some((at, found)) = &self.last
            && at.elapsed() < FRESH
        {
            return reply.send(found.clone());
        }
        self.waiting.push(reply);
        if self.waiting.len() > 1 {
            return;
        }
        while self.asking.try_join_next().is_some() {}
        let (gate, proposal, me) = (self.args.gate.clone(), self.proposal(), ctx.address());
        let limit = ctx.settings().of::<Config>().http.ready_timeout;
        self.asking.spawn(async move {
            let started = Instant::now();
            let answer = timeout(limit, gate::propose(&gate, subject::readiness(), proposal)).await;
            let found = match answer {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(why)) => Err(format!("the store does not commit: {why}")),
                Err(_) => Err("the store does not commit in time".to_owned()),
            };
            telemetry::HTTP_READINESS_TIME.took(started.elapsed());
            // It goes with those who wait.
            let _ = me.cast(Msg::Found(found));
        });
    }

    /// The smallest command that is written and synced: it removes the result of a command that never was, and leaves
    /// nothing behind.
    fn proposal(&self) -> Proposal {
        let (id, nobody): (CommandId, CommandId) = (self.args.mint.id(), self.args.mint.id());
        let now = self.args.clock.timestamp();
        let sweep = Sweep {
            tenant: self.args.tenant,
            before: now + FRESH,
            rows: SweepRows::Results(vec![nobody]),
        };
        Proposal::new(id, now, Command::Sweep(sweep))
    }

    fn found(&mut self, found: &Found) {
        if found.is_err() {
            telemetry::HTTP_READINESS_FAILED.count(1);
        }
        self.last = Some((Instant::now(), found.clone()));
        self.waiting.drain(..).for_each(|reply| reply.send(found.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use supervision::{Settings, alone};

    use super::*;
    use crate::{fixture::Fixture, store::gate::Gate, tree::DEFAULT_TENANT};

    fn settings(ready_timeout: Duration) -> Settings {
        let mut config = Config::of(config::Profile::Development);
        config.http.ready_timeout = ready_timeout;
        Settings::shared(Arc::new(config))
    }

    fn readiness(fixture: &Fixture, gate: &Address<gate::Msg>, limit: Duration) -> Address<Msg> {
        let args = Args {
            tenant: DEFAULT_TENANT,
            gate: gate.clone(),
            clock: fixture.clock,
            mint: fixture.mint.clone(),
        };
        alone::<Readiness>(settings(limit), args)
    }

    async fn ask(readiness: &Address<Msg>) -> Found {
        let asked = readiness.call(Duration::from_secs(60), |reply| Msg::Ask { reply });
        asked.await.unwrap()
    }

    #[tokio::test]
    async fn many_who_ask_at_once_cost_one_sync() {
        let fixture = Fixture::new().await;
        let store = fixture.store.clone();
        let gate = alone::<Gate>(Settings::default(), gate::Args { store });
        let readiness = readiness(&fixture, &gate, Duration::from_secs(30));
        let before = fixture.store.statistics();
        let mut asking = JoinSet::new();
        for _ in 0..100 {
            let readiness = readiness.clone();
            asking.spawn(async move { ask(&readiness).await });
        }
        while let Some(found) = asking.join_next().await {
            assert_eq!(found.unwrap(), Ok(()));
        }
        let after = fixture.store.statistics();
        assert!(after.syncs > before.syncs, "nothing was synced");
        assert!(after.commands - before.commands <= 3, "{before:?} {after:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_gate_that_is_away_or_silent_is_said_in_time() {
        let fixture = Fixture::new().await;
        let found = ask(&readiness(&fixture, &Address::closed(), Duration::from_secs(2))).await;
        assert!(found.is_err());
        let (silent, _inbox) = Address::detached();
        let found = ask(&readiness(&fixture, &silent, Duration::from_secs(2))).await;
        assert!(found.is_err());
    }
}
