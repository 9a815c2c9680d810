//! The table of a dynamic supervisor: who is there, who counts towards the ceiling, who is parked. It is shared between
//! the handle, which admits, and the keeper, which mends; one short lock guards it, and no code of others runs under it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use crate::actor::Actor;
use crate::child::{Restart, START_LIMIT};
use crate::dynamic::{Members, StartError};
use crate::intensity::{Intensity, Window};
use crate::life::{Above, Reign, launch};
use crate::order::Order;
use crate::settings::Settings;
use crate::slot::{AnySlot, Demand, Phase, Slot, Starter};
use crate::timer::Timer;

/// Parked children that are remembered; one more is forgotten at once, and its key may be started again.
pub const PARKED_CHILDREN: usize = 1024;

/// Idle on-demand children that nobody addresses are swept when the table has doubled, and is larger than this.
const SWEEP: usize = 1024;

pub(crate) type MakeArgs<A> = Arc<dyn Fn(&Settings) -> <A as Actor>::Args + Send + Sync>;
type Factory<A> = Box<dyn Fn(&Settings, &str) -> <A as Actor>::Args + Send + Sync>;

pub(crate) struct Pool<A: Actor> {
    orders: Arc<Slot<Order>>,
    pub(crate) restart: Restart,
    pub(crate) intensity: Intensity,
    ceiling: AtomicUsize,
    factory: Option<Factory<A>>,
    base: OnceLock<Arc<str>>,
    table: Mutex<Table<A>>,
    myself: Weak<Pool<A>>,
}

pub(crate) struct Table<A: Actor> {
    pub(crate) standing: Standing,
    /// Which reign this is: a seat of an earlier one is worth nothing.
    era: u64,
    pub(crate) entries: HashMap<Arc<str>, Entry<A>>,
    /// Entries that count towards the ceiling.
    pub(crate) live: usize,
    /// Seats not taken yet.
    reserved: usize,
    parked: usize,
    sweep_at: usize,
}

/// Whether children may be started.
#[derive(Clone)]
pub(crate) enum Standing {
    Down,
    Open(Arc<Reign>),
    Draining,
    Closed,
}

/// One child.
pub(crate) struct Entry<A: Actor> {
    pub(crate) slot: Arc<Slot<A::Msg>>,
    /// Of its own; an on-demand child has the factory.
    make: Option<MakeArgs<A>>,
    /// Allocated at the first crash.
    window: Option<Box<Window>>,
    pub(crate) timer: Option<Timer>,
    /// There is an incarnation, or what is left of one.
    pub(crate) running: bool,
    /// There is a companion.
    pub(crate) companion: bool,
    /// To be started again whatever the rule says.
    pub(crate) forced: bool,
    pub(crate) counted: bool,
    parked: bool,
}

/// Why nobody is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Ceiling,
    Draining,
    Down,
}

impl<A: Actor> Pool<A> {
    pub(crate) fn new(
        name: &str,
        ceiling: usize,
        restart: Restart,
        intensity: Intensity,
        factory: Option<Factory<A>>,
    ) -> Arc<Self> {
        let table = Table {
            standing: Standing::Down,
            era: 0,
            entries: HashMap::new(),
            live: 0,
            reserved: 0,
            parked: 0,
            sweep_at: SWEEP,
        };
        Arc::new_cyclic(|myself| Self {
            orders: Arc::new(Slot::new(
                Arc::from(name),
                "dynamic_supervisor",
                Phase::Waiting,
                None,
            )),
            restart,
            intensity,
            ceiling: AtomicUsize::new(ceiling),
            factory,
            base: OnceLock::new(),
            table: Mutex::new(table),
            myself: myself.clone(),
        })
    }

    pub(crate) fn table(&self) -> MutexGuard<'_, Table<A>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self) -> usize {
        self.table().live
    }

    pub(crate) fn ceiling(&self) -> usize {
        self.ceiling.load(Ordering::Relaxed)
    }

    pub(crate) fn set_ceiling(&self, ceiling: usize) {
        self.ceiling.store(ceiling, Ordering::Relaxed);
    }

    pub(crate) fn is_on_demand(&self) -> bool {
        self.factory.is_some()
    }

    /// Takes a seat; gives the era in which it is worth something.
    pub(crate) fn reserve(&self) -> Result<u64, Refusal> {
        let mut table = self.table();
        table.standing.open()?;
        table.room(self.ceiling())?;
        table.reserved += 1;
        Ok(table.era)
    }

    pub(crate) fn release(&self, era: u64) {
        let mut table = self.table();
        if table.era == era {
            table.reserved = table.reserved.saturating_sub(1);
        }
    }

    pub(crate) fn new_slot(&self, key: Arc<str>) -> Arc<Slot<A::Msg>> {
        let starter = self
            .is_on_demand()
            .then(|| self.myself.clone() as Weak<dyn Starter>);
        let phase = if self.is_on_demand() {
            Phase::Idle
        } else {
            Phase::Starting
        };
        let slot = Slot::new(key, A::CLASS, phase, starter);
        if let Some(base) = self.base.get() {
            slot.place().seat(Arc::clone(base));
        }
        Arc::new(slot)
    }

    /// Enters a child that takes a seat. On an error the seat is still the caller's.
    pub(crate) fn admit(
        &self,
        slot: &Arc<Slot<A::Msg>>,
        era: u64,
        make: MakeArgs<A>,
        companion: bool,
    ) -> Result<Arc<Reign>, StartError> {
        let mut table = self.table();
        if table.era != era {
            return Err(StartError::Down);
        }
        let reign = table.standing.open()?;
        if let Some(entry) = table.entries.get(&slot.place().name) {
            return Err(if entry.parked {
                StartError::Parked
            } else {
                StartError::Exists
            });
        }
        table.reserved = table.reserved.saturating_sub(1);
        table.live += 1;
        let entry = Entry {
            make: Some(make),
            running: true,
            companion,
            counted: true,
            ..Entry::idle(slot)
        };
        table.entries.insert(Arc::clone(&slot.place().name), entry);
        Ok(reign)
    }

    /// Starts the next incarnation of an entry that is marked as running.
    pub(crate) fn launch(&self, slot: &Arc<Slot<A::Msg>>, reign: &Arc<Reign>) {
        let key = &slot.place().name;
        let make = self.table().entries.get(key).and_then(|entry| entry.make.clone());
        let above = Above::Supervisor(Arc::clone(reign));
        let _there = reign.enter();
        match (make, &self.factory) {
            (Some(make), _) => launch::<A>(slot, &above, START_LIMIT, |settings| make(settings)),
            (None, Some(factory)) => {
                launch::<A>(slot, &above, START_LIMIT, |settings| factory(settings, key))
            }
            // The entry went while we came: its supervisor has died.
            (None, None) => {}
        }
    }

    /// The slot of a key whose child lives or is being restarted.
    pub(crate) fn living(&self, key: &str) -> Option<Arc<Slot<A::Msg>>> {
        let table = self.table();
        table
            .entries
            .get(key)
            .filter(|entry| entry.counted)
            .map(|entry| Arc::clone(&entry.slot))
    }

    /// The slot of a key, entered idle if there is none and children are made on demand.
    pub(crate) fn slot_of(&self, key: &str) -> Arc<Slot<A::Msg>> {
        let mut table = self.table();
        if let Some(entry) = table.entries.get(key) {
            return Arc::clone(&entry.slot);
        }
        let slot = self.new_slot(Arc::from(key));
        if !self.is_on_demand() || matches!(table.standing, Standing::Closed) {
            slot.place().set_phase(Phase::Closed);
            return slot;
        }
        table.sweep();
        table
            .entries
            .insert(Arc::clone(&slot.place().name), Entry::idle(&slot));
        slot
    }
}

impl<A: Actor> Starter for Pool<A> {
    fn start(&self, key: &str) -> Demand {
        let (slot, reign) = {
            let mut table = self.table();
            let reign = match table.standing.open() {
                Ok(reign) => reign,
                Err(Refusal::Down) => return Demand::Coming,
                Err(Refusal::Ceiling | Refusal::Draining) => return Demand::Refused,
            };
            let room = table.room(self.ceiling());
            let Some(entry) = table.entries.get_mut(key) else {
                return Demand::Refused;
            };
            if entry.running {
                return Demand::Coming;
            }
            if room.is_err() {
                return Demand::Refused;
            }
            if !entry
                .slot
                .place()
                .shift(Phase::Starting, |phase| phase == Phase::Idle)
            {
                return Demand::Coming;
            }
            entry.running = true;
            entry.counted = true;
            let slot = Arc::clone(&entry.slot);
            table.live += 1;
            (slot, reign)
        };
        self.launch(&slot, &reign);
        Demand::Coming
    }
}

impl<A: Actor> Members for Pool<A> {
    fn seat(&self, base: Arc<str>) {
        let table = self.table();
        table
            .entries
            .values()
            .for_each(|entry| entry.slot.place().seat(Arc::clone(&base)));
        let _ = self.base.set(base);
    }

    fn orders(&self) -> &Arc<Slot<Order>> {
        &self.orders
    }

    fn find(&self, key: &str) -> Option<Arc<dyn AnySlot>> {
        self.table()
            .entries
            .get(key)
            .map(|entry| Arc::clone(&entry.slot) as Arc<dyn AnySlot>)
    }

    fn all(&self) -> Vec<Arc<dyn AnySlot>> {
        self.table()
            .entries
            .values()
            .map(|entry| Arc::clone(&entry.slot) as Arc<dyn AnySlot>)
            .collect()
    }

    fn close(&self) {
        let mut table = self.table();
        table.standing = Standing::Closed;
        table
            .entries
            .drain()
            .for_each(|(_, entry)| entry.slot.place().set_phase(Phase::Closed));
    }
}

impl Standing {
    fn open(&self) -> Result<Arc<Reign>, Refusal> {
        match self {
            Self::Open(reign) => Ok(Arc::clone(reign)),
            Self::Down => Err(Refusal::Down),
            Self::Draining | Self::Closed => Err(Refusal::Draining),
        }
    }
}

impl<A: Actor> Table<A> {
    /// A new reign: what is left of the last one has ended.
    pub(crate) fn open(&mut self, reign: &Arc<Reign>) {
        self.standing = Standing::Open(Arc::clone(reign));
        for entry in self.entries.values_mut() {
            entry.slot.place().set_phase(Phase::Idle);
        }
    }

    /// The reign has ended: gives all who were there, and keeps only what can be started on demand.
    pub(crate) fn fall(&mut self) -> Vec<Arc<dyn AnySlot>> {
        self.standing = match self.standing {
            Standing::Draining | Standing::Closed => Standing::Closed,
            Standing::Down | Standing::Open(_) => Standing::Down,
        };
        self.era = self.era.wrapping_add(1);
        (self.live, self.reserved, self.parked) = (0, 0, 0);
        let closed = matches!(self.standing, Standing::Closed);
        let slots = self
            .entries
            .values()
            .map(|entry| Arc::clone(&entry.slot) as Arc<dyn AnySlot>)
            .collect();
        self.entries.retain(|_, entry| {
            let keep = entry.slot.on_demand() && entry.make.is_none() && !closed;
            if keep {
                *entry = Entry::idle(&entry.slot);
                entry.slot.place().shift(Phase::Waiting, |phase| {
                    matches!(phase, Phase::Idle | Phase::Parked)
                });
            } else {
                entry.slot.place().set_phase(Phase::Closed);
            }
            keep
        });
        slots
    }

    fn room(&self, ceiling: usize) -> Result<(), Refusal> {
        if self.live.saturating_add(self.reserved) >= ceiling {
            Err(Refusal::Ceiling)
        } else {
            Ok(())
        }
    }

    /// Forgets idle children that nobody holds an address of. Amortised: at most one visit per child entered.
    fn sweep(&mut self) {
        if self.entries.len() < self.sweep_at {
            return;
        }
        self.entries.retain(|_, entry| {
            let idle = entry.slot.place().phase() == Phase::Idle && !entry.running;
            !idle || Arc::strong_count(&entry.slot) > 1
        });
        self.sweep_at = self.entries.len().saturating_mul(2).max(SWEEP);
    }

    /// The child no longer counts.
    pub(crate) fn discount(&mut self, key: &str) {
        if let Some(entry) = self.entries.get_mut(key)
            && std::mem::take(&mut entry.counted)
        {
            self.live = self.live.saturating_sub(1);
        }
    }

    /// The child is gone for good.
    pub(crate) fn remove(&mut self, key: &str) {
        self.discount(key);
        if let Some(entry) = self.entries.remove(key) {
            self.parked = self.parked.saturating_sub(usize::from(entry.parked));
            entry.slot.place().set_phase(Phase::Closed);
        }
    }

    /// The child has crashed too often.
    pub(crate) fn park(&mut self, key: &str) {
        let full = self.parked >= PARKED_CHILDREN;
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        entry.slot.place().set_phase(Phase::Parked);
        if full && !entry.companion {
            self.remove(key);
            return;
        }
        entry.parked = true;
        let companion = entry.companion;
        self.parked += 1;
        if !companion {
            self.discount(key);
        }
    }

    /// The child may be started again. Tells whether it was parked.
    pub(crate) fn unpark(&mut self, key: &str) -> bool {
        let Some(entry) = self.entries.get_mut(key) else {
            return false;
        };
        if !std::mem::take(&mut entry.parked) {
            return false;
        }
        entry.window = None;
        if !std::mem::replace(&mut entry.counted, true) {
            self.live += 1;
        }
        self.parked = self.parked.saturating_sub(1);
        true
    }
}

impl<A: Actor> Entry<A> {
    fn idle(slot: &Arc<Slot<A::Msg>>) -> Self {
        Self {
            slot: Arc::clone(slot),
            make: None,
            window: None,
            timer: None,
            running: false,
            companion: false,
            forced: false,
            counted: false,
            parked: false,
        }
    }

    pub(crate) fn window(&mut self) -> &mut Window {
        self.window.get_or_insert_default()
    }

    pub(crate) fn has_factory(&self) -> bool {
        self.make.is_none()
    }
}
