//! Supervisor: a static supervisor as data, in start order. Its actor, which merely obeys, is in `keeper`.

pub(crate) mod keeper;
pub(crate) mod strategy;
pub(crate) mod varying;
pub(crate) mod ward;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::child::{Below, Child, Node, Restart};
use crate::intensity::Intensity;
use crate::life::{Above, launch};
use crate::order::Order;
use crate::settings::Settings;
use crate::slot::{AnySlot, Phase, Slot};
use keeper::Keeper;
use strategy::Strategy;
use varying::{REMOVAL_DEADLINE, Varying};

/// A supervisor whose children are known beforehand, or follow from the settings. Children start in the order given and
/// are drained in reverse.
pub struct Supervisor {
    name: String,
    strategy: Strategy,
    intensity: Intensity,
    children: Vec<Child>,
    varying: Option<Varying>,
}

/// A supervisor that has found its place: what its actor is started with, every time.
pub(crate) struct Plan {
    pub(crate) slot: Arc<Slot<Order>>,
    pub(crate) strategy: Strategy,
    pub(crate) intensity: Intensity,
    /// As they are now; only its actor changes them.
    children: ArcSwap<Vec<Arc<Child>>>,
    pub(crate) varying: Option<Varying>,
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
            varying: None,
        }
    }

    /// A supervisor whose children are those that the settings want, at every start and after every commit. `wanted`
    /// gives their names and natures in start order; `make` makes the child of a name, and is called when it appears.
    ///
    /// A child that is no longer wanted, or is wanted with another nature, is drained, killed at the
    /// [`Supervisor::removal_deadline`], and removed from the tree. Its name is used again when it has ended. All others
    /// stay: whatever must make a child anew when it changes belongs to its nature.
    #[must_use]
    pub fn varying(
        name: &str,
        strategy: Strategy,
        wanted: impl Fn(&Settings) -> Vec<(String, String)> + Send + Sync + 'static,
        make: impl Fn(&Settings, &str) -> Child + Send + Sync + 'static,
    ) -> Self {
        Self {
            varying: Some(Varying {
                wanted: Box::new(wanted),
                make: Box::new(make),
                removal_deadline: Box::new(|_| REMOVAL_DEADLINE),
            }),
            ..Self::new(name, strategy)
        }
    }

    /// Gives children that are no longer wanted another time to drain than [`REMOVAL_DEADLINE`]. Asked at each removal;
    /// means nothing to a supervisor whose children do not vary.
    #[must_use]
    pub fn removal_deadline(
        mut self,
        deadline: impl Fn(&Settings) -> Duration + Send + Sync + 'static,
    ) -> Self {
        if let Some(varying) = &mut self.varying {
            varying.removal_deadline = Box::new(deadline);
        }
        self
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

    /// Adds a child after those it depends on. Children that vary come after those added. No two have one name.
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
            varying,
        } = self;
        let slot = Arc::new(Slot::new(Arc::from(name), "supervisor", Phase::Waiting, None));
        Arc::new(Plan {
            slot,
            strategy,
            intensity,
            children: ArcSwap::from_pointee(children.into_iter().map(Arc::new).collect()),
            varying,
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
        self.children().iter().for_each(|child| child.node.close());
    }

    pub(crate) fn children(&self) -> Arc<Vec<Arc<Child>>> {
        self.children.load_full()
    }

    pub(crate) fn set_children(&self, children: Vec<Arc<Child>>) {
        self.children.store(Arc::new(children));
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("name", &self.name)
            .field("strategy", &self.strategy)
            .field("intensity", &self.intensity)
            .field("children", &self.children.len())
            .field("varying", &self.varying.is_some())
            .finish()
    }
}
