//! Book: which configuration is in force, and which change is under way. It belongs to the process, so that a reloader
//! that dies between the phases finds there what it was about to do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use config::Config;
use message::id::ReceiptId;

use super::{
    loader::Loaded,
    receipt::{Outcome, Receipt},
};

/// The book. Copies are the same book.
#[derive(Clone)]
pub struct Book(Arc<Mutex<Pages>>);

struct Pages {
    in_force: Arc<InForce>,
    /// Under which receipt what is in force is kept, once it is.
    kept: Option<ReceiptId>,
    underway: Option<Underway>,
}

/// A configuration as the tree has it.
pub struct InForce {
    /// What was read.
    pub loaded: Loaded,
    /// The settings, as the tree shares them.
    pub config: Arc<Config>,
}

/// A change from before it is put on record as begun until its end is.
#[derive(Clone)]
pub(super) struct Underway {
    /// What is known of it so far.
    pub(super) receipt: Receipt,
    /// What is to be in force.
    pub(super) next: Arc<InForce>,
    /// Whether its texts are others than those before.
    pub(super) is_other: bool,
}

impl Book {
    /// A book for a tree that starts with these settings.
    #[must_use]
    pub fn new(in_force: InForce) -> Self {
        Self(Arc::new(Mutex::new(Pages {
            in_force: Arc::new(in_force),
            kept: None,
            underway: None,
        })))
    }

    /// What is in force.
    #[must_use]
    pub fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.pages().in_force)
    }

    /// Under which receipt it is kept.
    #[must_use]
    pub fn kept(&self) -> Option<ReceiptId> {
        self.pages().kept
    }

    pub(super) fn keep(&self, receipt: ReceiptId) {
        self.pages().kept = Some(receipt);
    }

    pub(super) fn underway(&self) -> Option<Underway> {
        self.pages().underway.clone()
    }

    pub(super) fn begin(&self, underway: Underway) {
        self.pages().underway = Some(underway);
    }

    /// How the change ended, as it is put on record next. Done is in force from here on.
    pub(super) fn conclude(&self, receipt: Receipt) {
        let mut pages = self.pages();
        let Some(underway) = &mut pages.underway else {
            return;
        };
        let next = Arc::clone(&underway.next);
        let is_done = receipt.outcome == Outcome::Done;
        underway.receipt = receipt;
        if is_done {
            pages.in_force = next;
        }
    }

    /// The change is over, and on record.
    pub(super) fn close(&self) {
        self.pages().underway = None;
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
