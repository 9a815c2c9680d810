//! ProcessKeeper: what belongs to the process and follows the settings all the same: sockets, certificates, room for
//! connections, the pool of readers, the choices of the store, the log.
//!
//! Owner:    / (static, permanent, the first)
//! Accepts:  nothing; it is prepared and configured
//! Calls:    the pool of readers, for whatever blocks
//! Owns:     nothing; its belongings are the process's
//! On death: everything stands as it was. What was staged stays staged until it is committed or abandoned; with the
//!           settings that the tree has by then it starts, and commits what was staged for them.
//! Limits:   none of its own

use std::sync::Arc;

use config::Config;
use ractor_cluster_derive::RactorMessage;
use supervision::{Actor, Broken, Context, Inspection, Refusal, Settings};

use crate::{listener::ports::Ports, listener::room::Room, reads::Reads};

/// Something of the process that follows the settings. Its functions may block; each may be called again, and what was
/// never prepared may be committed.
pub trait Belonging: Send + Sync + 'static {
    /// Gets what these settings need and may not be had, beside what is in use.
    ///
    /// # Errors
    /// Everything that stands against them.
    fn prepare(&self, config: &Arc<Config>) -> Result<(), Vec<String>>;

    /// Follows these settings from now on.
    fn commit(&self, config: &Arc<Config>);

    /// Gives back what was prepared for others than these settings, which are in force.
    fn abandon(&self, config: &Arc<Config>);
}

/// A belonging that can follow any settings at once.
pub struct Follows<F>(pub F);

impl<F: Fn(&Config) + Send + Sync + 'static> Belonging for Follows<F> {
    fn prepare(&self, _: &Arc<Config>) -> Result<(), Vec<String>> {
        Ok(())
    }

    fn commit(&self, config: &Arc<Config>) {
        (self.0)(config);
    }

    fn abandon(&self, _: &Arc<Config>) {}
}

/// Nobody sends it anything.
#[derive(RactorMessage)]
pub enum Msg {}

/// What it needs.
pub struct Args {
    /// What follows the settings, in this order.
    pub belongings: Arc<[Arc<dyn Belonging>]>,
    /// The listening sockets, to be shown.
    pub ports: Ports,
    /// The room for connections, to be shown.
    pub room: Room,
    /// The pool of readers.
    pub reads: Reads,
    /// The current settings.
    pub config: Arc<Config>,
}

/// The keeper of the process.
pub struct ProcessKeeper;

/// What it holds.
pub struct State {
    args: Args,
}

impl Actor for ProcessKeeper {
    const CLASS: &'static str = "process";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(_: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let state = State { args };
        // One that died between the phases finds here what it was to commit.
        state.commit().await?;
        Ok(state)
    }

    async fn handle(_: &Context<Msg>, msg: Msg, _: &mut State) -> Result<(), Broken> {
        match msg {}
    }

    async fn prepare(
        _: &Context<Msg>,
        settings: &Settings,
        state: &mut State,
    ) -> Result<Result<(), Refusal>, Broken> {
        let (belongings, config) = (Arc::clone(&state.args.belongings), settings.shared_of::<Config>());
        let prepare = move || {
            let refused = belongings.iter().filter_map(|it| it.prepare(&config).err());
            refused.flatten().collect::<Vec<String>>()
        };
        let mistakes = state.args.reads.run(prepare).await?;
        Ok(match mistakes.is_empty() {
            true => Ok(()),
            false => Err(Refusal(mistakes.join("\n"))),
        })
    }

    async fn abandon(ctx: &Context<Msg>, state: &mut State) {
        let (belongings, config) = (
            Arc::clone(&state.args.belongings),
            ctx.settings().shared_of::<Config>(),
        );
        let abandon = move || belongings.iter().for_each(|it| it.abandon(&config));
        // A belonging that panics is a bug that is in the log; what it has staged is replaced by the next reload.
        drop(state.args.reads.run(abandon).await);
    }

    async fn configure(_: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        state.args.config = settings.shared_of::<Config>();
        state.commit().await
    }

    fn inspect(state: &State) -> Inspection {
        Inspection::default()
            .with("sockets", state.args.ports.bound())
            .with("room", state.args.room.most())
            .with("connections", state.args.room.taken())
            .with("readers", state.args.reads.limit())
    }
}

impl State {
    async fn commit(&self) -> Result<(), Broken> {
        let (belongings, config) = (Arc::clone(&self.args.belongings), Arc::clone(&self.args.config));
        let commit = move || belongings.iter().for_each(|it| it.commit(&config));
        self.args.reads.run(commit).await
    }
}
