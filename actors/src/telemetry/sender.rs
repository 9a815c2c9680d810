//! StatsdSender: sends what was recorded to a StatsD daemon.
//!
//! Owner:    /telemetry (static, permanent)
//! Accepts:  Msg::{Values, All, LookUp, Found}
//! Calls:    nobody; the resolver of the system is asked in a task
//! Owns:     the socket to the daemon
//! On death: what was recorded meanwhile is sent by its successor; values that find the queue full are dropped and counted
//! Limits:   config.statsd.interval, VALUES_EVERY, resolution::{AGAIN, SOONER}; of the queue, that in unsent.rs

use std::{net::SocketAddr, time::Duration};

use config::{Config, Endpoint, Statsd};
use message::id::NodeId;
use ractor_cluster_derive::RactorMessage;
use supervision::{Actor, Broken, Context, Inspection, Settings, Timer};
use tokio::task::JoinSet;

use super::{
    STATSD_LINES_DROPPED, recorder,
    resolution::{self, AGAIN, Found, SOONER},
    target::Target,
};

/// How often the values of histograms are sent: rarely enough to fill datagrams, often enough for a short queue.
const VALUES_EVERY: Duration = Duration::from_millis(100);

/// What a sender is told, by its own timers.
#[derive(RactorMessage)]
pub enum Msg {
    /// It is time to send the values of histograms.
    Values,
    /// It is time to send counters and gauges.
    All,
    /// It is time to look the name up.
    LookUp,
    /// It was looked up.
    Found {
        /// For which settings: they may have changed since.
        asked: u64,
        /// Where the daemon is.
        found: Found,
    },
}

/// A sender.
pub struct StatsdSender;

/// What a sender holds.
pub struct State {
    statsd: Statsd,
    node: NodeId,
    target: Option<Target>,
    /// Where the daemon is, as far as that is known; the first that takes a socket is the one.
    addresses: Vec<SocketAddr>,
    values: Option<Timer>,
    all: Option<Timer>,
    look_up: Option<Timer>,
    /// How often the settings have changed.
    asked: u64,
    /// Why the name is not to be had.
    unresolved: Option<String>,
    /// Ends with the actor; the thread that asks for it does not.
    asking: JoinSet<()>,
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
            addresses: Vec::new(),
            values: None,
            all: None,
            look_up: None,
            asked: 0,
            unresolved: None,
            asking: JoinSet::new(),
        };
        state.begin(ctx);
        Ok(state)
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Values => state.send_values(ctx),
            Msg::All => state.send_all(ctx),
            Msg::LookUp => state.look_up(ctx),
            Msg::Found { asked, found } => state.found(ctx, asked, found),
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
        let address = state.statsd.address.as_ref().map(ToString::to_string);
        let daemon = state.target.as_ref().map(|target| target.daemon().to_string());
        Inspection::default()
            .with("address", address.unwrap_or_default())
            .with("daemon", daemon.unwrap_or_default())
            .with("sending", state.target.is_some())
            .with("unresolved", state.unresolved.clone().unwrap_or_default())
    }
}

impl State {
    /// Sends to the daemon of the settings from now on, if they have one.
    fn begin(&mut self, ctx: &Context<Msg>) {
        match &self.statsd.address {
            None => return,
            Some(Endpoint::Address(address)) => self.addresses = vec![*address],
            // Never waited for: neither a start nor a reload hangs on a name service. Only when it has started: what is found
            // earlier finds nobody at its address.
            Some(Endpoint::Name { .. }) => self.look_up = Some(ctx.after(Duration::ZERO, Msg::LookUp)),
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
        (self.values, self.all, self.look_up) = (None, None, None);
        self.addresses.clear();
        self.unresolved = None;
        self.asked += 1;
    }

    fn look_up(&mut self, ctx: &Context<Msg>) {
        let Some(Endpoint::Name { host, port }) = &self.statsd.address else {
            return;
        };
        while self.asking.try_join_next().is_some() {}
        let (me, asked, host, port) = (ctx.address(), self.asked, host.clone(), *port);
        self.asking.spawn(async move {
            let found = resolution::resolve(&host, port).await;
            let _ = me.cast(Msg::Found { asked, found });
        });
    }

    /// Goes where the name points now. One that is not to be found any more leaves all as it is.
    fn found(&mut self, ctx: &Context<Msg>, asked: u64, found: Found) {
        let (true, Some(address)) = (asked == self.asked, &self.statsd.address) else {
            return;
        };
        match found {
            Ok(addresses) => {
                if self.unresolved.take().is_some() {
                    tracing::info!(target: "angarium::telemetry", %address, "the name of the StatsD daemon is found again");
                }
                self.addresses = addresses;
                let is_there = |target: &mut Target| self.addresses.contains(&target.daemon());
                if self.target.is_none() || self.target.take_if(|target| !is_there(target)).is_some() {
                    self.all = Some(ctx.after(Duration::ZERO, Msg::All));
                }
                self.look_up = Some(ctx.after(AGAIN, Msg::LookUp));
            }
            Err(why) => {
                // Once for as long as it lasts, however often it is asked for.
                if self.unresolved.is_none() {
                    tracing::warn!(target: "angarium::telemetry", %address, %why, "the name of the StatsD daemon cannot be resolved");
                }
                self.unresolved = Some(why);
                self.look_up = Some(ctx.after(SOONER, Msg::LookUp));
            }
        }
    }

    fn send_values(&mut self, ctx: &Context<Msg>) {
        // Of a timer that was over when the daemon was taken away: no other begins for it.
        if self.values.is_none() {
            return;
        }
        if let Some(target) = &mut self.target {
            target.send_values(recorder::get().unsent());
        }
        self.values = Some(ctx.after(VALUES_EVERY, Msg::Values));
    }

    fn send_all(&mut self, ctx: &Context<Msg>) {
        if self.all.is_none() {
            return;
        }
        self.open();
        if let Some(target) = &mut self.target {
            target.send_all(recorder::get().unsent());
        }
        self.turn_away();
        self.all = Some(ctx.after(self.statsd.interval, Msg::All));
    }

    /// Of several addresses, the next is tried where nobody listens: a name often stands for one of each family, and a daemon
    /// listens at one of them.
    fn turn_away(&mut self) {
        let Some(target) = self.target.take_if(|target| target.is_refused()) else {
            return;
        };
        let daemon = target.daemon();
        let at = self.addresses.iter().position(|address| *address == daemon);
        let next = at.map_or(0, |at| at + 1) % self.addresses.len().max(1);
        self.addresses.rotate_left(next);
    }

    /// Tried again at each interval: a network that is away must not cost the server anything.
    fn open(&mut self) {
        if self.target.is_some() || self.addresses.is_empty() {
            return;
        }
        for daemon in &self.addresses {
            match Target::open(*daemon, self.statsd.prefix.as_str(), self.node) {
                Ok(target) => {
                    self.target = Some(target);
                    return;
                }
                Err(why) => {
                    tracing::warn!(target: "angarium::telemetry", %daemon, %why, "StatsD cannot be reached");
                }
            }
        }
        STATSD_LINES_DROPPED.count(1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use config::Profile;
    use supervision::{Restart, Strategy, Supervisor, child};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn without_a_daemon_no_timer_goes_on() {
        let (sender, address) = child::<StatsdSender>("statsd", Restart::Permanent, |_| ());
        let root = Supervisor::root(Strategy::OneForOne).child(sender);
        let settings = Settings::shared(Arc::new(Config::of(Profile::Development)));
        let running = supervision::start(root, settings).await.unwrap();
        // As timers have sent them that were over when the settings changed.
        address.cast(Msg::Values).unwrap();
        address.cast(Msg::All).unwrap();
        for _ in 0..100 {
            tokio::time::advance(VALUES_EVERY).await;
            address.inspect().await.unwrap();
        }
        let rows = running.tree_to("/statsd", 0);
        assert_eq!(rows.iter().map(|row| row.handled).collect::<Vec<_>>(), [2]);
    }
}
