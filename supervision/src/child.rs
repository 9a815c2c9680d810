//! Child: what a supervisor must know to start one of its children again and again. Its address exists before it runs.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::runtime::Handle;

use crate::actor::Actor;
use crate::address::Address;
use crate::dynamic::Members;
use crate::life::{Above, launch};
use crate::order::{Exit, Order};
use crate::settings::Settings;
use crate::slot::{AnySlot, Phase, Slot};
use crate::supervisor::Plan;

/// A `pre_start` that takes longer is a failed start: loading an index is quick, waiting for a peer does not belong there.
pub const START_LIMIT: Duration = Duration::from_secs(10);

/// When a child that has ended is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// Always.
    Permanent,
    /// If it ended otherwise than of its own will.
    Transient,
    /// Never.
    Temporary,
}

impl Restart {
    pub(crate) fn wanted(self, exit: &Exit) -> bool {
        match (self, exit) {
            (Self::Permanent, _) | (Self::Transient, Exit::Crashed(_)) => true,
            (Self::Transient, Exit::Stopped) | (Self::Temporary, _) => false,
        }
    }
}

/// A child of a static supervisor: an actor from [`child`], a [`crate::Supervisor`], or a [`crate::Dynamic`].
pub struct Child {
    pub(crate) node: Node,
    pub(crate) restart: Restart,
    launch: Launch,
    limit: Duration,
    /// Of a child that follows the settings: what sort of child the settings want.
    nature: Option<Box<str>>,
}

/// Starts an incarnation below a supervisor, with a limit for its `pre_start`.
pub(crate) type Launch = Box<dyn Fn(&Above, Duration) + Send + Sync>;

/// One place of the tree with what is below it.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) slot: Arc<dyn AnySlot>,
    pub(crate) below: Below,
}

#[derive(Clone)]
pub(crate) enum Below {
    /// An actor: nothing is below it.
    Nothing,
    Children(Arc<Plan>),
    Members(Arc<dyn Members>),
}

/// A child that is one actor, and its address. `make_args` is called at every start with the settings of that time.
#[must_use]
pub fn child<A: Actor>(
    name: &str,
    restart: Restart,
    make_args: impl Fn(&Settings) -> A::Args + Send + Sync + 'static,
) -> (Child, Address<A::Msg>) {
    let slot = Arc::new(Slot::new(Arc::from(name), A::CLASS, Phase::Waiting, None));
    let address = Address::new(Arc::clone(&slot));
    let node = Node {
        slot: Arc::clone(&slot) as Arc<dyn AnySlot>,
        below: Below::Nothing,
    };
    let launch = move |above: &Above, limit: Duration| launch::<A>(&slot, above, limit, &make_args);
    (Child::new(node, restart, Box::new(launch)), address)
}

impl Child {
    pub(crate) fn new(node: Node, restart: Restart, launch: Launch) -> Self {
        Self {
            node,
            restart,
            launch,
            limit: START_LIMIT,
            nature: None,
        }
    }

    /// Allows `pre_start` another time than [`START_LIMIT`].
    #[must_use]
    pub fn start_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Has it live on another runtime, and with it all that is below: whoever has something to do there waits for nobody
    /// here. The runtime must outlive the tree.
    #[must_use]
    pub fn on(self, runtime: Handle) -> Self {
        let launch = self.launch;
        let there = move |above: &Above, limit: Duration| {
            let _there = runtime.enter();
            launch(above, limit);
        };
        Self {
            launch: Box::new(there),
            ..self
        }
    }

    pub(crate) fn of_nature(self, nature: &str) -> Self {
        Self {
            nature: Some(Box::from(nature)),
            ..self
        }
    }

    pub(crate) fn nature(&self) -> Option<&str> {
        self.nature.as_deref()
    }

    pub(crate) fn start(&self, above: &Above) {
        (self.launch)(above, self.limit);
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.node.slot.place().name
    }

    /// Whether it says itself when it is ready: a static supervisor is ready when its children are.
    pub(crate) fn readies_itself(&self) -> bool {
        matches!(self.node.below, Below::Children(_))
    }
}

impl Node {
    /// Tells this place and all below where they stand.
    pub(crate) fn seat(&self, base: &Arc<str>) {
        let place = self.slot.place();
        place.seat(Arc::clone(base));
        let below = place.base_of_children();
        match &self.below {
            Below::Nothing => {}
            Below::Children(plan) => {
                let children = plan.children();
                children.iter().for_each(|child| child.node.seat(&below));
            }
            Below::Members(members) => members.seat(below),
        }
    }

    /// Nothing will ever live here again.
    pub(crate) fn close(&self) {
        self.slot.place().set_phase(Phase::Closed);
        match &self.below {
            Below::Nothing => {}
            Below::Children(plan) => plan.close(),
            Below::Members(members) => members.close(),
        }
    }

    /// How many places are drained one after the other here.
    pub(crate) fn turns(&self) -> u32 {
        match &self.below {
            Below::Nothing => 1,
            // Its children together, then itself.
            Below::Members(_) => 2,
            Below::Children(plan) => plan
                .children()
                .iter()
                .map(|child| child.node.turns())
                .fold(1, u32::saturating_add),
        }
    }

    /// The mailbox of the supervisor that stands here.
    pub(crate) fn orders(&self) -> Option<&Arc<Slot<Order>>> {
        match &self.below {
            Below::Nothing => None,
            Below::Children(plan) => Some(&plan.slot),
            Below::Members(members) => Some(members.orders()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use super::Restart::{Permanent, Temporary, Transient};
    use crate::ledger::{CrashCard, CrashKind};
    use crate::order::Exit;

    #[test]
    fn restarts_as_otp_does() {
        let crashed = Exit::Crashed(Arc::new(CrashCard {
            path: String::new(),
            class: "",
            kind: CrashKind::Killed,
            text: String::new(),
            subject: None,
            alive: Duration::ZERO,
            at: SystemTime::UNIX_EPOCH,
        }));
        let table = [
            (Permanent, Exit::Stopped, true),
            (Permanent, crashed.clone(), true),
            (Transient, Exit::Stopped, false),
            (Transient, crashed.clone(), true),
            (Temporary, Exit::Stopped, false),
            (Temporary, crashed, false),
        ];
        for (restart, exit, expected) in table {
            assert_eq!(restart.wanted(&exit), expected, "{restart:?} {exit:?}");
        }
    }
}
