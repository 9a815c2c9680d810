//! Dynamic: a supervisor whose children come and go: connections, mailboxes, deliveries. This is the handle that others
//! hold; it is usable before the tree is started. The children are in `table`, the actor that obeys in `keeper`.

pub(crate) mod companion;
pub(crate) mod keeper;
pub(crate) mod mend;
pub(crate) mod table;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::actor::Actor;
use crate::address::Address;
use crate::child::{Below, Child, Node, Restart};
use crate::intensity::Intensity;
use crate::life::{Above, launch};
use crate::order::Order;
use crate::settings::Settings;
use crate::slot::{AnySlot, Slot};
use keeper::DynamicKeeper;
use table::{Pool, Refusal};

/// A supervisor of any number of children of one kind, up to a ceiling. Each has an intensity of its own; a child that
/// exceeds it is parked with its crash card, and nothing else suffers. Cheap to clone.
pub struct Dynamic<A: Actor> {
    pool: Arc<Pool<A>>,
}

/// Why a dynamic child was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// As many children as are allowed.
    #[error("at the ceiling")]
    Ceiling,
    /// The child of this key crashed too often; an operator may restart it.
    #[error("parked after too many crashes")]
    Parked,
    /// There is a child of this key.
    #[error("there is one already")]
    Exists,
    /// The supervisor is being drained, or has been.
    #[error("draining")]
    Draining,
    /// The supervisor is not running: not yet, or not again yet.
    #[error("the supervisor is not running")]
    Down,
}

impl<A: Actor> Dynamic<A> {
    /// A supervisor whose children are started by [`Dynamic::start`] and [`Dynamic::start_with`].
    #[must_use]
    pub fn new(name: &str, ceiling: usize, restart: Restart, intensity: Intensity) -> Self {
        Self {
            pool: Pool::new(name, ceiling, restart, intensity, None),
        }
    }

    /// A supervisor whose children are made on demand from their key: [`Dynamic::address`] is the address of any key,
    /// and the first call to it starts the child. Such a child ends by [`crate::Context::passivate`].
    #[must_use]
    pub fn on_demand(
        name: &str,
        ceiling: usize,
        restart: Restart,
        intensity: Intensity,
        make_args: impl Fn(&Settings, &str) -> A::Args + Send + Sync + 'static,
    ) -> Self {
        Self {
            pool: Pool::new(name, ceiling, restart, intensity, Some(Box::new(make_args))),
        }
    }

    /// Starts a child. Returns at once: calls to the address wait for its `pre_start`, and a failed start is treated as
    /// any crash. `make_args` is called again at every restart; the key is the last part of its path.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started then.
    pub fn start(
        &self,
        key: impl Into<Arc<str>>,
        make_args: impl Fn(&Settings) -> A::Args + Send + Sync + 'static,
    ) -> Result<Address<A::Msg>, StartError> {
        self.reserve()?.start(key, make_args)
    }

    /// Starts a child with a companion: a task that lives as long as the child's slot and survives its restarts. It
    /// owns, say, the socket, and the actor the session on it.
    ///
    /// When the companion ends, the actor is stopped and the slot removed. When the actor ends for good, the address
    /// answers [`crate::CallError::Unavailable`] at once and the companion is expected to end. When the supervisor
    /// dies, or the deadline of a drain passes, the companion is aborted.
    ///
    /// # Errors
    /// [`StartError`]; the companion was not made, or was dropped without being run. Who must keep what the companion
    /// captures asks [`Dynamic::reserve`] first.
    pub fn start_with<F>(
        &self,
        key: impl Into<Arc<str>>,
        make_args: impl Fn(&Settings) -> A::Args + Send + Sync + 'static,
        companion: impl FnOnce(Address<A::Msg>) -> F,
    ) -> Result<Address<A::Msg>, StartError>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.reserve()?.start_with(key, make_args, companion)
    }

    /// Takes a seat under the ceiling before there is a child to sit on it.
    ///
    /// # Errors
    /// [`StartError::Ceiling`], [`StartError::Draining`] or [`StartError::Down`].
    pub fn reserve(&self) -> Result<Seat<A>, StartError> {
        let era = self.pool.reserve()?;
        Ok(Seat {
            pool: Arc::clone(&self.pool),
            era,
            taken: false,
        })
    }

    /// The address of the on-demand child of a key, running or not. For a supervisor without a factory it is that of a
    /// running child, or one that answers [`crate::CallError::Unavailable`].
    #[must_use]
    pub fn address(&self, key: &str) -> Address<A::Msg> {
        Address::new(self.pool.slot_of(key))
    }

    /// The address of the child of a key if there is one that lives or is being restarted. Starts nothing and remembers
    /// nothing: for hints to those who happen to be there.
    #[must_use]
    pub fn living(&self, key: &str) -> Option<Address<A::Msg>> {
        self.pool.living(key).map(Address::new)
    }

    /// Children that live or are being restarted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pool.count()
    }

    /// The most children there may be.
    #[must_use]
    pub fn ceiling(&self) -> usize {
        self.pool.ceiling()
    }

    /// Allows another number of children. Those above it live on; no new one is started until there is room.
    pub fn set_ceiling(&self, ceiling: usize) {
        self.pool.set_ceiling(ceiling);
    }
}

/// A seat under the ceiling of a [`Dynamic`]; given back when it is dropped unused.
#[must_use = "a seat that is dropped is given back"]
pub struct Seat<A: Actor> {
    pool: Arc<Pool<A>>,
    era: u64,
    taken: bool,
}

impl<A: Actor> Seat<A> {
    /// As [`Dynamic::start`].
    ///
    /// # Errors
    /// As [`Dynamic::start`], without the ceiling.
    pub fn start(
        mut self,
        key: impl Into<Arc<str>>,
        make_args: impl Fn(&Settings) -> A::Args + Send + Sync + 'static,
    ) -> Result<Address<A::Msg>, StartError> {
        let slot = self.pool.new_slot(key.into());
        let reign = self.pool.admit(&slot, self.era, Arc::new(make_args), false)?;
        self.taken = true;
        self.pool.launch(&slot, &reign);
        Ok(Address::new(slot))
    }

    /// As [`Dynamic::start_with`].
    ///
    /// # Errors
    /// As [`Dynamic::start_with`], without the ceiling.
    pub fn start_with<F>(
        mut self,
        key: impl Into<Arc<str>>,
        make_args: impl Fn(&Settings) -> A::Args + Send + Sync + 'static,
        companion: impl FnOnce(Address<A::Msg>) -> F,
    ) -> Result<Address<A::Msg>, StartError>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let slot = self.pool.new_slot(key.into());
        let address = Address::new(Arc::clone(&slot));
        let companion = companion(address.clone());
        let reign = self.pool.admit(&slot, self.era, Arc::new(make_args), true)?;
        self.taken = true;
        companion::accompany(&slot, &reign, companion);
        self.pool.launch(&slot, &reign);
        Ok(address)
    }
}

impl<A: Actor> Drop for Seat<A> {
    fn drop(&mut self) {
        if !self.taken {
            self.pool.release(self.era);
        }
    }
}

impl<A: Actor> fmt::Debug for Seat<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").finish_non_exhaustive()
    }
}

/// What the tree and operators may do with the children of a [`Dynamic`], whatever they are.
pub(crate) trait Members: Send + Sync {
    fn seat(&self, base: Arc<str>);
    fn orders(&self) -> &Arc<Slot<Order>>;
    fn find(&self, key: &str) -> Option<Arc<dyn AnySlot>>;
    fn all(&self) -> Vec<Arc<dyn AnySlot>>;
    fn close(&self);
}

impl<A: Actor> From<Dynamic<A>> for Child {
    fn from(dynamic: Dynamic<A>) -> Self {
        Self::from(&dynamic)
    }
}

impl<A: Actor> From<&Dynamic<A>> for Child {
    fn from(dynamic: &Dynamic<A>) -> Self {
        let pool = Arc::clone(&dynamic.pool);
        let node = Node {
            slot: Arc::clone(pool.orders()) as Arc<dyn AnySlot>,
            below: Below::Members(Arc::clone(&pool) as Arc<dyn Members>),
        };
        let start = move |above: &Above, limit: Duration| {
            launch::<DynamicKeeper<A>>(pool.orders(), above, limit, |_| Arc::clone(&pool));
        };
        Self::new(node, Restart::Permanent, Box::new(start))
    }
}

impl<A: Actor> Clone for Dynamic<A> {
    fn clone(&self) -> Self {
        Self {
            pool: Arc::clone(&self.pool),
        }
    }
}

impl<A: Actor> fmt::Debug for Dynamic<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dynamic")
            .field("class", &A::CLASS)
            .field("count", &self.count())
            .field("ceiling", &self.ceiling())
            .finish()
    }
}

impl From<Refusal> for StartError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Ceiling => Self::Ceiling,
            Refusal::Draining => Self::Draining,
            Refusal::Down => Self::Down,
        }
    }
}
