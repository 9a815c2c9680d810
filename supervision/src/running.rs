//! Running: a tree that lives, as the front door and the operator's shell hold it.

use std::collections::HashSet;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::actor::Inspection;
use crate::child::{Below, Node, START_LIMIT};
use crate::commons::{Collapsed, Commons, Stage};
use crate::dynamic::companion::end_pair;
use crate::envelope::Work;
use crate::gauges::Moment;
use crate::ledger::CrashCard;
use crate::life::Above;
use crate::order::Order;
use crate::round::{Roll, Round, Word};
use crate::settings::Settings;
use crate::slot::{AnySlot, Killing};
use crate::subject::Subject;
use crate::supervisor::Supervisor;
use crate::supervisor::keeper::DRAIN_GRACE;
use crate::tally::ClassTally;
use crate::tree::{self, Row, Summary};

/// How long an actor may take to answer [`Running::inspect`], the messages before it included.
pub const INSPECT_LIMIT: Duration = Duration::from_secs(2);

/// A running tree. Cheap to clone; dropping it does not end the tree.
#[derive(Clone)]
pub struct Running {
    root: Node,
    commons: Arc<Commons>,
}

/// Why an operator's wish was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The tree has no such path.
    #[error("no such path")]
    NotFound,
    /// Nobody lives there now.
    #[error("not running")]
    NotRunning,
    /// It is a supervisor: only actors can be suspended, each by its name.
    #[error("a supervisor cannot be suspended, only an actor by its name")]
    Supervisor,
    /// It lives and did not answer in time.
    #[error("no answer")]
    NoAnswer,
}

/// Starts a tree and waits until all of its static children have been up.
///
/// # Errors
/// [`Collapsed`] if it could not be started: a child failed more often than the intensity allows, or two children of one
/// supervisor have one name.
pub async fn start(root: Supervisor, settings: Settings) -> Result<Running, Collapsed> {
    start_seeded(root, settings, None).await
}

/// As [`start`], with a seed for the jitter of backoffs, so that a run can be repeated.
///
/// # Errors
/// As [`start`].
pub async fn start_seeded(
    root: Supervisor,
    settings: Settings,
    seed: Option<u64>,
) -> Result<Running, Collapsed> {
    let plan = root.plan();
    let node = plan.node();
    names_are_unique(&node)?;
    node.seat(&Arc::from(""));
    let commons = Commons::new(settings, seed);
    commons.plant(Arc::downgrade(&plan));
    plan.launch(&Above::Root(Arc::clone(&commons)), START_LIMIT);
    let mut stage = commons.stage();
    let running = Running { root: node, commons };
    match stage
        .wait_for(|stage| !matches!(stage, Stage::Starting))
        .await
        .as_deref()
    {
        Ok(Stage::Ended(Err(collapsed))) => Err(collapsed.clone()),
        _ => Ok(running),
    }
}

pub(crate) fn names_are_unique(root: &Node) -> Result<(), Collapsed> {
    let mut pending = vec![root.clone()];
    while let Some(node) = pending.pop() {
        let Below::Children(plan) = &node.below else {
            continue;
        };
        let mut names = HashSet::new();
        for child in &*plan.children() {
            if !names.insert(Arc::clone(child.name())) {
                return Err(Collapsed(format!(
                    "two children named {:?} below {:?}",
                    child.name(),
                    plan.slot.place().path()
                )));
            }
            pending.push(child.node.clone());
        }
    }
    Ok(())
}

impl Running {
    /// A row for every place at or below a path prefix; `/` is all. Reads atomics only.
    #[must_use]
    pub fn tree(&self, prefix: &str) -> Vec<Row> {
        tree::rows(&self.root, prefix, usize::MAX)
    }

    /// As [`Running::tree`], not deeper than so many levels below the prefix: zero is the place itself.
    #[must_use]
    pub fn tree_to(&self, prefix: &str, depth: usize) -> Vec<Row> {
        tree::rows(&self.root, prefix, depth)
    }

    /// As [`Running::tree_to`], one row after the other, until `see` breaks off: who looks at a hundred thousand need not hold
    /// them all.
    pub fn survey(&self, prefix: &str, depth: usize, mut see: impl FnMut(Row) -> ControlFlow<()>) {
        tree::survey(&self.root, prefix, depth, &mut see);
    }

    /// How all places stand together. Reads atomics only.
    #[must_use]
    pub fn summary(&self) -> Summary {
        tree::summary(&self.root)
    }

    /// The rows of all places whose oldest message has waited for longer than that: who hangs, who is overrun, and who is
    /// suspended. Reads atomics only.
    #[must_use]
    pub fn stuck(&self, older_than: Duration) -> Vec<Row> {
        tree::stuck(&self.root, older_than)
    }

    /// What the actors of each class did and where they stand, by class. Reads atomics only.
    #[must_use]
    pub fn classes(&self) -> Vec<ClassTally> {
        tree::classes(&self.root, &self.commons)
    }

    /// Phase one of a change: asks every living actor whether it can take these settings. Nothing is stored. It is a yes
    /// if there are no refusals and everybody told has acknowledged; after any other answer comes [`Running::abandon`].
    pub async fn prepare(&self, settings: &Settings, deadline: Duration) -> Round {
        self.round(Word::Prepare(settings.clone()), deadline).await
    }

    /// The change is off: whoever prepared gives back what it holds.
    pub async fn abandon(&self, deadline: Duration) -> Round {
        self.round(Word::Abandon, deadline).await
    }

    /// Phase two: stores these settings for every start from now on, then sends them down the tree. Who is starting
    /// meanwhile gets them when it is up, and is not counted.
    pub async fn commit(&self, settings: &Settings, deadline: Duration) -> Round {
        let stored = self.commons.configure(settings);
        self.round(Word::Commit(stored), deadline).await
    }

    /// The settings as stored.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.commons.settings()
    }

    /// The small picture an actor gives of its own state.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn inspect(&self, path: &str) -> Result<Inspection, ControlError> {
        let (_, node) = self.find(path)?;
        let (reply, answer) = oneshot::channel();
        if !node.slot.inspect(reply) {
            return Err(ControlError::NotRunning);
        }
        match timeout(INSPECT_LIMIT, answer).await {
            Ok(Ok(inspection)) => Ok(inspection),
            Ok(Err(_)) => Err(ControlError::NotRunning),
            Err(_) => Err(ControlError::NoAnswer),
        }
    }

    /// Kills what lives at a path, with everything below it, in the middle of whatever it does. Its supervisor answers
    /// as to any crash.
    ///
    /// # Errors
    /// [`ControlError::NotFound`].
    pub fn kill(&self, path: &str) -> Result<(), ControlError> {
        let (_, node) = self.find(path)?;
        node.slot.place().kill(Killing::Ordered);
        Ok(())
    }

    /// Lets the actor at a path handle nothing after its current message until it is resumed: what is sent to it waits,
    /// and calls to it meet their deadlines. It is still inspected, configured, drained (which resumes it), killed, and
    /// restarted (whose successor is not suspended).
    ///
    /// # Errors
    /// [`ControlError`]; supervisors cannot be suspended, nor can who is not running or is about to end.
    pub fn suspend(&self, path: &str) -> Result<(), ControlError> {
        let (_, node) = self.find(path)?;
        if !matches!(node.below, Below::Nothing) {
            return Err(ControlError::Supervisor);
        }
        if node.slot.suspend() {
            Ok(())
        } else {
            Err(ControlError::NotRunning)
        }
    }

    /// Lets a suspended actor go on with what was sent to it, in that order. Nothing if it is not suspended.
    ///
    /// # Errors
    /// [`ControlError::NotFound`].
    pub fn resume(&self, path: &str) -> Result<(), ControlError> {
        let (_, node) = self.find(path)?;
        if node.slot.place().is_suspended() {
            node.slot.resume();
        }
        Ok(())
    }

    /// Ends what lives at a path and starts it afresh, without counting that; a parked child is no longer parked.
    ///
    /// # Errors
    /// [`ControlError::NotFound`], also for the root; [`ControlError::NotRunning`] if its supervisor does not live.
    pub fn restart(&self, path: &str) -> Result<(), ControlError> {
        let (above, node) = self.find(path)?;
        let above = above.ok_or(ControlError::NotFound)?;
        let orders = above.orders().ok_or(ControlError::NotFound)?;
        let order = Order::Restart {
            child: Arc::clone(&node.slot.place().name),
        };
        let work = Work::new(order, Moment::now());
        orders
            .send(work)
            .map(|_| ())
            .map_err(|_| ControlError::NotRunning)
    }

    /// Asks one dynamic child to end in order by a deadline, as a drain of the tree does. What is not done by then lives
    /// on: [`Running::expel`].
    ///
    /// # Errors
    /// [`ControlError::NotFound`], also for what is no dynamic child; [`ControlError::NotRunning`].
    pub fn dismiss(&self, path: &str, deadline: Instant) -> Result<(), ControlError> {
        match self.member(path)?.slot.drain(deadline) {
            true => Ok(()),
            false => Err(ControlError::NotRunning),
        }
    }

    /// Ends one dynamic child and its companion at once and for good. That is no crash.
    ///
    /// # Errors
    /// [`ControlError::NotFound`], also for what is no dynamic child.
    pub fn expel(&self, path: &str) -> Result<(), ControlError> {
        end_pair(&*self.member(path)?.slot, Killing::Expected);
        Ok(())
    }

    fn member(&self, path: &str) -> Result<Node, ControlError> {
        match self.find(path)? {
            (Some(above), node) if matches!(above.below, Below::Members(_)) => Ok(node),
            _ => Err(ControlError::NotFound),
        }
    }

    /// Ends the tree: children are drained in reverse start order, each told to be done by `deadline`, and killed if it
    /// is not. Returns when nothing lives any more.
    ///
    /// # Errors
    /// [`Collapsed`] if the tree fell on the way, or if something cannot even be killed: code that never awaits.
    pub async fn drain(&self, deadline: Instant) -> Result<(), Collapsed> {
        if !self.root.slot.drain(deadline) {
            self.root.slot.place().kill(Killing::Ordered);
        }
        let graces = DRAIN_GRACE.saturating_mul(self.root.turns().saturating_add(2));
        let last = deadline.max(Instant::now()) + graces;
        match timeout_at(last, self.ended()).await {
            Ok(end) => end,
            Err(_) => Err(Collapsed("something cannot be killed".to_owned())),
        }
    }

    /// Waits until nothing of the tree lives any more. An error is a collapse: the process exits with a non-zero code.
    ///
    /// # Errors
    /// [`Collapsed`] says why.
    pub async fn ended(&self) -> Result<(), Collapsed> {
        let mut stage: watch::Receiver<Stage> = self.commons.stage();
        match stage
            .wait_for(|stage| matches!(stage, Stage::Ended(_)))
            .await
            .as_deref()
        {
            Ok(Stage::Ended(end)) => end.clone(),
            _ => Ok(()),
        }
    }

    /// The latest crashes of the whole tree, the last one last; see [`crate::CRASH_CARDS`].
    #[must_use]
    pub fn crash_cards(&self) -> Vec<CrashCard> {
        self.commons
            .ledger
            .cards()
            .iter()
            .map(|card| CrashCard::clone(card))
            .collect()
    }

    /// Forgets the crashes on a subject: an operator has dealt with it.
    pub fn forgive(&self, subject: Subject) {
        self.commons.ledger.forgive(subject);
    }

    /// How often any actor crashed on this subject lately.
    #[must_use]
    pub fn crashes(&self, subject: Subject) -> u32 {
        self.commons.ledger.crashes(subject)
    }

    async fn round(&self, word: Word, deadline: Duration) -> Round {
        let roll = Roll::new();
        roll.tell(&self.root.slot, &word);
        roll.over(deadline).await
    }

    fn find(&self, path: &str) -> Result<(Option<Node>, Node), ControlError> {
        tree::find(&self.root, path).ok_or(ControlError::NotFound)
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}
