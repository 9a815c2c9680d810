//! Window: what a queue has in memory of its due recipients, and who works on what. Pure; no actor, no clock.

use std::collections::{HashMap, VecDeque};

use message::id::MessageId;
use store::record::spool::RecipientNumber;

/// One recipient of one message that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// The message.
    pub message: MessageId,
    /// The recipient's place in its envelope.
    pub recipient: RecipientNumber,
}

/// An item handed to a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment<P> {
    /// Who is to work.
    pub worker: u32,
    /// On what.
    pub item: Item,
    /// How many deliveries have died on this message in this window.
    pub crashes: u32,
    /// What came with the item.
    pub payload: P,
}

/// Due recipients, waiting and assigned, bounded by a number.
///
/// An item is in the window at most once, so no two deliveries ever work on one recipient.
#[derive(Debug)]
pub struct Window<P> {
    limit: usize,
    waiting: VecDeque<Item>,
    known: HashMap<Item, P>,
    idle: Vec<u32>,
    assigned: HashMap<u32, Item>,
    crashes: HashMap<MessageId, u32>,
    overflowed: bool,
}

impl<P: Clone> Window<P> {
    /// A window that holds at most `limit` recipients.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            waiting: VecDeque::new(),
            known: HashMap::new(),
            idle: Vec::new(),
            assigned: HashMap::new(),
            crashes: HashMap::new(),
            overflowed: false,
        }
    }

    /// Takes up a due recipient, unless it is known or the window is full; a full window remembers that it left some
    /// in the spool.
    pub fn add(&mut self, item: Item, payload: P) {
        if self.known.contains_key(&item) {
            return;
        }
        if self.known.len() >= self.limit {
            self.overflowed = true;
            return;
        }
        self.known.insert(item, payload);
        self.waiting.push_back(item);
    }

    /// A delivery is free: it has just started. What it had been working on, it died on; that waits again, behind the
    /// others, so that a message on which deliveries die holds up nobody.
    pub fn ready(&mut self, worker: u32) -> Option<Item> {
        let died_on = self.assigned.remove(&worker);
        if let Some(item) = died_on {
            *self.crashes.entry(item.message).or_default() += 1;
            self.waiting.push_back(item);
        }
        if !self.idle.contains(&worker) {
            self.idle.push(worker);
        }
        died_on
    }

    /// A delivery is done with its item; the due index knows whether it comes again. Says `false` when the item
    /// was not assigned to it.
    pub fn done(&mut self, worker: u32, item: Item) -> bool {
        if self.assigned.get(&worker) != Some(&item) {
            return false;
        }
        self.assigned.remove(&worker);
        self.known.remove(&item);
        self.crashes.remove(&item.message);
        self.idle.push(worker);
        true
    }

    /// A delivery gets nothing more; what it works on it may finish.
    pub fn retire(&mut self, worker: u32) {
        self.idle.retain(|idle| *idle != worker);
    }

    /// A delivery that is gone for good will not say what became of its item, if it had one: that waits again.
    pub fn take_back(&mut self, worker: u32) {
        self.retire(worker);
        if let Some(item) = self.assigned.remove(&worker) {
            self.waiting.push_front(item);
        }
    }

    /// Holds at most so many recipients from now on. Those that are in it stay.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The next item for the next free delivery.
    pub fn assign(&mut self) -> Option<Assignment<P>> {
        let worker = *self.idle.last()?;
        let item = self.waiting.pop_front()?;
        let payload = self.known.get(&item)?.clone();
        self.idle.pop();
        self.assigned.insert(worker, item);
        let crashes = self.crashes.get(&item.message).copied().unwrap_or(0);
        Some(Assignment {
            worker,
            item,
            crashes,
            payload,
        })
    }

    /// Whether recipients were left in the spool because the window was full; asking forgets it.
    pub fn take_overflow(&mut self) -> bool {
        std::mem::take(&mut self.overflowed)
    }

    /// The most recipients that it holds.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Whether there is room to read more of the due index.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.known.len() <= self.limit / 2
    }

    /// Recipients waiting for a delivery.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Recipients being worked on.
    #[must_use]
    pub fn assigned(&self) -> usize {
        self.assigned.len()
    }
}

#[cfg(test)]
mod tests {
    use message::id::Id;

    use super::*;

    #[test]
    fn a_delivery_that_is_not_wanted_finishes_and_gets_nothing_more() {
        let mut window = Window::new(10);
        window.ready(1);
        window.ready(2);
        let (one, two) = (item(1), item(2));
        window.add(one, ());
        window.add(two, ());
        let first = window.assign().unwrap();
        assert_eq!((first.worker, first.item), (2, one));
        window.retire(1);
        assert!(window.assign().is_none());
        // The other is gone with what it had.
        window.take_back(2);
        assert_eq!((window.waiting(), window.assigned()), (2, 0));
        window.ready(1);
        assert_eq!(
            window.assign().map(|it| (it.worker, it.item, it.crashes)),
            Some((1, one, 0))
        );
        assert!(!window.done(2, one));
        assert!(window.done(1, one));
    }

    fn item(message: u8) -> Item {
        Item {
            message: MessageId::new(Id::from_bytes([message; 16])),
            recipient: RecipientNumber::new(0),
        }
    }

    #[test]
    fn an_item_is_worked_on_once_at_a_time() {
        let mut window = Window::new(10);
        window.ready(1);
        window.ready(2);
        window.add(item(1), ());
        window.add(item(1), ());
        assert_eq!(
            window.assign(),
            Some(Assignment {
                worker: 2,
                item: item(1),
                crashes: 0,
                payload: ()
            })
        );
        window.add(item(1), ());
        assert_eq!(window.assign(), None);
        assert!(window.done(2, item(1)));
        window.add(item(1), ());
        assert_eq!(window.assign().map(|assignment| assignment.item), Some(item(1)));
    }

    #[test]
    fn a_message_on_which_a_delivery_died_goes_to_the_end_with_its_count() {
        let mut window = Window::new(10);
        window.ready(1);
        window.add(item(1), ());
        window.add(item(2), ());
        assert_eq!(window.assign().map(|assignment| assignment.item), Some(item(1)));
        assert_eq!(window.ready(1), Some(item(1)));
        assert_eq!(
            window.assign(),
            Some(Assignment {
                worker: 1,
                item: item(2),
                crashes: 0,
                payload: ()
            })
        );
        assert!(window.done(1, item(2)));
        assert_eq!(
            window.assign(),
            Some(Assignment {
                worker: 1,
                item: item(1),
                crashes: 1,
                payload: ()
            })
        );
        assert_eq!(window.ready(1), Some(item(1)));
        assert_eq!(
            window.assign(),
            Some(Assignment {
                worker: 1,
                item: item(1),
                crashes: 2,
                payload: ()
            })
        );
        assert!(window.done(1, item(1)));
        window.add(item(1), ());
        assert_eq!(window.assign().map(|assignment| assignment.crashes), Some(0));
    }

    #[test]
    fn a_full_window_remembers_that_it_left_some() {
        let mut window = Window::new(2);
        window.ready(1);
        for message in 1..=3 {
            window.add(item(message), ());
        }
        assert!(!window.has_room());
        assert!(window.take_overflow());
        assert!(!window.take_overflow());
        let assignment = window.assign().unwrap();
        assert!(window.done(assignment.worker, assignment.item));
        assert!(window.has_room());
    }

    #[test]
    fn what_was_not_assigned_cannot_be_done() {
        let mut window = Window::new(2);
        window.ready(1);
        window.add(item(1), ());
        assert!(!window.done(1, item(1)));
        assert_eq!(window.assign().map(|assignment| assignment.item), Some(item(1)));
        assert!(!window.done(1, item(2)));
        assert_eq!((window.waiting(), window.assigned()), (0, 1));
    }
}
