//! Connections outside the killed path see no error.

use std::sync::{Mutex, PoisonError};

use super::Broken;

/// Its name.
pub(crate) const PROMISE: &str = "connections outside the killed path see no error";

/// What the bystanders have to complain of.
#[derive(Debug, Default)]
pub(crate) struct Complaints(Mutex<Option<String>>);

impl Complaints {
    /// A bystander saw an error. The first one counts.
    pub(crate) fn add(&self, what: String) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(what);
    }

    /// Whether the promise has held.
    pub(crate) fn check(&self) -> Result<(), Broken> {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*first {
            Some(what) => Err(Broken::new(PROMISE, what.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_complaint_breaks_it() {
        let complaints = Complaints::default();
        complaints.check().unwrap();
        complaints.add("first".to_owned());
        complaints.add("second".to_owned());
        assert_eq!(complaints.check(), Err(Broken::new(PROMISE, "first")));
    }
}
