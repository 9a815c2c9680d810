//! StatsdSender: sends what was recorded to a StatsD daemon.
//!
//! Owner:    /telemetry (static, permanent)
//! Accepts:  Msg::{Values, All}
//! Calls:    nobody
//! Owns:     the socket to the daemon
//! On death: what was recorded meanwhile is sent by its successor; values that find the queue full are dropped and counted
//! Limits:   config.statsd.interval, VALUES_EVERY; of the queue, that in unsent.rs

use std::time::Duration;

use config::{Config, Statsd};
use message::id::NodeId;
use ractor_cluster_derive::RactorMessage;
use supervision::{Actor, Broken, Context, Inspection, Settings, Timer};

use super::{STATSD_LINES_DROPPED, recorder, target::Target};

/// How often the values of histograms are sent: rarely enough to fill datagrams, often enough for a short queue.
const VALUES_EVERY: Duration = Duration::from_millis(100);

/// What a sender is told, by its own timers.
#[derive(RactorMessage)]
pub enum Msg {
    /// It is time to send the values of histograms.
    Values,
    /// It is time to send counters and gauges.
    All,
}

/// A sender.
pub struct StatsdSender;

/// What a sender holds.
pub struct State {
    statsd: Statsd,
    node: NodeId,
    target: Option<Target>,
    values: Option<Timer>,
    all: Option<Timer>,
}

impl Actor for StatsdSender {
    const CLASS: &'static str = "statsd_sender";
    type Msg = Msg;
    type Args = ();
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, (): ()) -> Result<State, Broken> {
        recorder::register();
        let settings = ctx.settings();
        let config = settings.of::<Config>();
        let mut state = State {
            statsd: config.statsd.clone(),
            node: config.server.node,
            target: None,
            values: None,
            all: None,
        };
        state.begin(ctx);
        Ok(state)
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Values => state.send_values(ctx),
            Msg::All => state.send_all(ctx),
        }
        Ok(())
    }

    async fn configure(ctx: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        let config = settings.of::<Config>();
        if state.statsd != config.statsd {
            state.end();
            state.statsd = config.statsd.clone();
            state.begin(ctx);
        }
        Ok(())
    }

    fn inspect(state: &State) -> Inspection {
        let address = state.statsd.address.map(|address| address.to_string());
        Inspection::default()
            .with("address", address.unwrap_or_default())
            .with("sending", state.target.is_some())
    }
}

impl State {
    /// Sends to the daemon of the settings from now on, if they have one.
    fn begin(&mut self, ctx: &Context<Msg>) {
        if self.statsd.address.is_none() {
            return;
        }
        recorder::get().unsent().want(true);
        self.values = Some(ctx.after(VALUES_EVERY, Msg::Values));
        // At once, so that every name is there before anything happens.
        self.all = Some(ctx.after(Duration::ZERO, Msg::All));
    }

    /// The daemon is told the rest.
    fn end(&mut self) {
        if let Some(mut target) = self.target.take() {
            target.send_all(recorder::get().unsent());
            target.send_values(recorder::get().unsent());
        }
        recorder::get().unsent().want(false);
        (self.values, self.all) = (None, None);
    }

    fn send_values(&mut self, ctx: &Context<Msg>) {
        if let Some(target) = &mut self.target {
            target.send_values(recorder::get().unsent());
        }
        self.values = Some(ctx.after(VALUES_EVERY, Msg::Values));
    }

    fn send_all(&mut self, ctx: &Context<Msg>) {
        self.open();
        if let Some(target) = &mut self.target {
            target.send_all(recorder::get().unsent());
        }
        self.all = Some(ctx.after(self.statsd.interval, Msg::All));
    }

    /// Tried again at each interval: a network that is away must not cost the server anything.
    fn open(&mut self) {
        let (None, Some(address)) = (&self.target, self.statsd.address) else {
            return;
        };
        match Target::open(address, self.statsd.prefix.as_str(), self.node) {
            Ok(target) => self.target = Some(target),
            Err(why) => {
                STATSD_LINES_DROPPED.count(1);
                tracing::warn!(target: "angarium::telemetry", %address, %why, "StatsD cannot be reached");
            }
        }
    }
}
