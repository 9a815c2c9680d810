//! Supervisor: a static supervisor as data, in start order. Its actor, which merely obeys, is in `keeper`.

pub(crate) mod keeper;
pub(crate) mod strategy;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::child::{Below, Child, Node, Restart};
use crate::intensity::Intensity;
use crate::life::{Above, launch};
use crate::order::Order;
use crate::slot::{AnySlot, Phase, Slot};
use keeper::Keeper;
use strategy::Strategy;

/// A supervisor whose children are known beforehand. Children start in the order given and are drained in reverse.
pub struct Supervisor {
    name: String,
    strategy: Strategy,
    intensity: Intensity,
    children: Vec<Child>,
}

/// A supervisor that has found its place: what its actor is started with, every time.
pub(crate) struct Plan {
    pub(crate) slot: Arc<Slot<Order>>,
    pub(crate) strategy: Strategy,
    pub(crate) intensity: Intensity,
    pub(crate) children: Vec<Child>,
}

impl Supervisor {
    /// A supervisor without children, of the default [`Intensity`].
    #[must_use]
    pub fn new(name: &str, strategy: Strategy) -> Self {
        Self {
            name: name.to_owned(),
            strategy,
            intensity: Intensity::default(),
            children: Vec::new(),
        }
    }

    /// The root of a tree, whose path is `/`.
    #[must_use]
    pub fn root(strategy: Strategy) -> Self {
        Self::new("", strategy)
    }

    /// Allows so many restarts in a period; one more ends this supervisor with all its children, and its own supervisor
    /// counts that. Upper levels allow fewer.
    #[must_use]
    pub fn intensity(self, restarts: u32, period: Duration) -> Self {
        Self {
            intensity: Intensity::new(restarts, period),
            ..self
        }
    }

    /// Adds a child after those it depends on. Of two children of one name only the first can be reached by its path.
    #[must_use]
    pub fn child(mut self, child: impl Into<Child>) -> Self {
        self.children.push(child.into());
        self
    }

    pub(crate) fn plan(self) -> Arc<Plan> {
        let Self {
            name,
            strategy,
            intensity,
            children,
        } = self;
        let slot = Arc::new(Slot::new(Arc::from(name), "supervisor", Phase::Waiting, None));
        Arc::new(Plan {
            slot,
            strategy,
            intensity,
            children,
        })
    }
}

impl From<Supervisor> for Child {
    fn from(supervisor: Supervisor) -> Self {
        let plan = supervisor.plan();
        let node = plan.node();
        let launch = move |above: &Above, limit: Duration| plan.launch(above, limit);
        Self::new(node, Restart::Permanent, Box::new(launch))
    }
}

impl Plan {
    pub(crate) fn node(self: &Arc<Self>) -> Node {
        Node {
            slot: Arc::clone(&self.slot) as Arc<dyn AnySlot>,
            below: Below::Children(Arc::clone(self)),
        }
    }

    pub(crate) fn launch(self: &Arc<Self>, above: &Above, limit: Duration) {
        launch::<Keeper>(&self.slot, above, limit, |_| Arc::clone(self));
    }

    pub(crate) fn close(&self) {
        self.children.iter().for_each(|child| child.node.close());
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("name", &self.name)
            .field("strategy", &self.strategy)
            .field("intensity", &self.intensity)
            .field("children", &self.children.len())
            .finish()
    }
}
