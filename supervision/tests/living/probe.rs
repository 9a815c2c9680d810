//! Probe: an actor that does whatever a test tells it, and a journal of what all probes of a test did.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ractor_cluster_derive::RactorMessage;
use supervision::{
    Actor, Address, Broken, CallError, Child, Context, Drained, Inspection, Phase, Refusal, Reply, Restart,
    Running, Settings,
};
use tokio::time::Instant;

/// Long enough for everything but a hang.
pub(crate) const SOON: Duration = Duration::from_secs(60);

#[derive(Debug, RactorMessage)]
pub(crate) enum Msg {
    /// Answers with the number of the incarnation.
    Ping(Reply<u32>),
    /// Takes this long, then answers.
    Slow(Duration, Reply<u32>),
    /// Writes the number down.
    Note(u32),
    /// Drops the reply.
    Forget(Reply<u32>),
    Panic,
    Fail,
    Hang,
    /// Blocks its thread until the other end is dropped.
    Block(std::sync::mpsc::Receiver<()>),
    Stop,
    Passivate,
    Drained,
}

/// How the next `pre_start` behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Start {
    Fine,
    Fail,
    Panic,
    Hang,
    /// Takes this long.
    Slow(Duration),
}

/// How a probe answers a drain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Drain {
    Now,
    /// When it is told.
    Told,
    Never,
}

/// How a probe answers new settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Prepare {
    Fine,
    Refuse,
    Fail,
    Panic,
    Hang,
}

#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    lines: Vec<String>,
    alive: BTreeMap<String, u32>,
    incarnations: BTreeMap<String, u32>,
    starts: BTreeMap<String, VecDeque<Start>>,
    drains: BTreeMap<String, Drain>,
    prepares: BTreeMap<String, Prepare>,
}

impl Journal {
    pub(crate) fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().lines.push(line.into());
    }

    /// What was written since the last taking.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().lines)
    }

    /// The next starts of a probe behave like this.
    pub(crate) fn starts(&self, name: &str, starts: &[Start]) {
        self.0
            .lock()
            .unwrap()
            .starts
            .entry(name.to_owned())
            .or_default()
            .extend(starts);
    }

    pub(crate) fn drains(&self, name: &str, drain: Drain) {
        self.0.lock().unwrap().drains.insert(name.to_owned(), drain);
    }

    pub(crate) fn prepares(&self, name: &str, prepare: Prepare) {
        self.0.lock().unwrap().prepares.insert(name.to_owned(), prepare);
    }

    pub(crate) fn incarnations(&self, name: &str) -> u32 {
        self.0
            .lock()
            .unwrap()
            .incarnations
            .get(name)
            .copied()
            .unwrap_or(0)
    }

    fn begin(&self, name: &str) -> (u32, Start) {
        let mut pages = self.0.lock().unwrap();
        let alive = pages.alive.entry(name.to_owned()).or_default();
        *alive += 1;
        assert_eq!(*alive, 1, "two incarnations of {name} at once");
        let incarnation = pages.incarnations.entry(name.to_owned()).or_default();
        *incarnation += 1;
        let incarnation = *incarnation;
        let start = pages
            .starts
            .get_mut(name)
            .and_then(VecDeque::pop_front)
            .unwrap_or(Start::Fine);
        (incarnation, start)
    }

    fn prepare(&self, name: &str) -> Prepare {
        let pages = self.0.lock().unwrap();
        pages.prepares.get(name).copied().unwrap_or(Prepare::Fine)
    }

    fn drain(&self, name: &str) -> Drain {
        self.0
            .lock()
            .unwrap()
            .drains
            .get(name)
            .copied()
            .unwrap_or(Drain::Now)
    }
}

/// Alive from the beginning of `pre_start` until it is dropped.
pub(crate) struct Alive {
    journal: Journal,
    name: String,
}

impl Drop for Alive {
    fn drop(&mut self) {
        let mut pages = self.journal.0.lock().unwrap();
        *pages.alive.get_mut(&self.name).unwrap() -= 1;
        let line = format!("-{}", self.name);
        pages.lines.push(line);
    }
}

pub(crate) struct Probe;

#[derive(Clone)]
pub(crate) struct Args {
    pub(crate) journal: Journal,
    pub(crate) name: String,
    pub(crate) setting: u32,
}

pub(crate) struct State {
    alive: Alive,
    incarnation: u32,
    setting: u32,
    prepared: bool,
}

impl Actor for Probe {
    const CLASS: &'static str = "probe";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(_: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let (incarnation, start) = args.journal.begin(&args.name);
        let alive = Alive {
            journal: args.journal.clone(),
            name: args.name.clone(),
        };
        match start {
            Start::Fine => {}
            Start::Fail => return Err(Broken("it cannot start".into())),
            Start::Panic => panic!("panic at the start"),
            Start::Hang => std::future::pending().await,
            Start::Slow(time) => tokio::time::sleep(time).await,
        }
        args.journal.write(format!("+{}", args.name));
        Ok(State {
            alive,
            incarnation,
            setting: args.setting,
            prepared: false,
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Ping(reply) => reply.send(state.incarnation),
            Msg::Slow(time, reply) => {
                tokio::time::sleep(time).await;
                reply.send(state.incarnation);
            }
            Msg::Note(number) => state
                .alive
                .journal
                .write(format!("{}:{number}", state.alive.name)),
            Msg::Forget(reply) => drop(reply),
            Msg::Panic => panic!("boom of {}", state.alive.name),
            Msg::Fail => return Err(Broken(format!("{} is broken", state.alive.name))),
            Msg::Hang => std::future::pending().await,
            Msg::Block(end) => {
                state.alive.journal.write("blocked");
                let _ = end.recv();
            }
            Msg::Stop => ctx.stop(),
            Msg::Passivate => ctx.passivate(),
            Msg::Drained => ctx.drained(),
        }
        Ok(())
    }

    async fn prepare(
        _: &Context<Msg>,
        settings: &Settings,
        state: &mut State,
    ) -> Result<Result<(), Refusal>, Broken> {
        let name = &state.alive.name;
        state.alive.journal.write(format!("{name}?{}", setting(settings)));
        match state.alive.journal.prepare(name) {
            Prepare::Fine => {}
            Prepare::Refuse => return Ok(Err(Refusal::because(format!("{name} cannot")))),
            Prepare::Fail => return Err(Broken(format!("{name} is broken"))),
            Prepare::Panic => panic!("boom of {name}"),
            Prepare::Hang => std::future::pending().await,
        }
        state.prepared = true;
        Ok(Ok(()))
    }

    async fn abandon(_: &Context<Msg>, state: &mut State) {
        if std::mem::take(&mut state.prepared) {
            state.alive.journal.write(format!("{}~", state.alive.name));
        }
    }

    async fn configure(_: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        state.setting = setting(settings);
        state.prepared = false;
        state
            .alive
            .journal
            .write(format!("{}={}", state.alive.name, state.setting));
        Ok(())
    }

    async fn drain(_: &Context<Msg>, _: Instant, state: &mut State) -> Result<Drained, Broken> {
        state.alive.journal.write(format!("drain {}", state.alive.name));
        Ok(match state.alive.journal.drain(&state.alive.name) {
            Drain::Now => Drained::Now,
            Drain::Told | Drain::Never => Drained::Later,
        })
    }

    fn inspect(state: &State) -> Inspection {
        Inspection::default()
            .with("incarnation", state.incarnation)
            .with("setting", state.setting)
            .with(
                "thread",
                std::thread::current().name().unwrap_or_default().to_owned(),
            )
    }
}

/// A probe as a child.
pub(crate) fn probe(name: &str, restart: Restart, journal: &Journal) -> (Child, Address<Msg>) {
    supervision::child::<Probe>(name, restart, args(name, journal))
}

/// Settings are a number, or a list of children that has one.
fn setting(settings: &Settings) -> u32 {
    let list = settings.try_of::<Wanted>().map(|wanted| wanted.0);
    settings.try_of::<u32>().copied().or(list).unwrap_or(0)
}

/// A number, and names and natures of wanted children.
#[derive(Clone, Debug)]
pub(crate) struct Wanted(pub(crate) u32, pub(crate) Vec<(String, String)>);

/// The arguments of a probe, made from settings that may be a number.
pub(crate) fn args(name: &str, journal: &Journal) -> impl Fn(&Settings) -> Args + Send + Sync + 'static {
    let (journal, name) = (journal.clone(), name.to_owned());
    move |settings| Args {
        journal: journal.clone(),
        name: name.clone(),
        setting: setting(settings),
    }
}

/// Waits, in paused time, until something holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..100_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("never came true: {what}");
}

pub(crate) fn phase(running: &Running, path: &str) -> Option<Phase> {
    running.tree(path).first().map(|row| row.phase)
}

/// The number of the incarnation that answers. Asks again when the question was certainly not begun: it may have waited
/// behind a message that crashed.
pub(crate) async fn ping(address: &Address<Msg>) -> u32 {
    for _ in 0..100 {
        match address.call(SOON, Msg::Ping).await {
            Ok(incarnation) => return incarnation,
            Err(CallError::Unavailable) => {}
            Err(CallError::Unknown) => panic!("a ping was begun and not answered"),
        }
    }
    panic!("{address:?} stays unavailable");
}
