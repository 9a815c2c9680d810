//! Settings: the configuration that travels down the tree, whatever its type. Not a file and not a parser.

use std::any::{Any, type_name};
use std::fmt;
use std::sync::Arc;

/// A shared, immutable configuration of a type that only the program knows. Cheap to clone.
///
/// A child's arguments are made from it at every start, so a restarted child never wakes with yesterday's settings.
#[derive(Clone)]
pub struct Settings {
    value: Arc<dyn Any + Send + Sync>,
    generation: u64,
}

impl Settings {
    /// Wraps a configuration.
    #[must_use]
    pub fn new<T: Any + Send + Sync>(value: T) -> Self {
        Self::shared(Arc::new(value))
    }

    /// Wraps a configuration that is shared already.
    #[must_use]
    pub fn shared<T: Any + Send + Sync>(value: Arc<T>) -> Self {
        Self { value, generation: 0 }
    }

    /// The configuration, if it is a `T`.
    #[must_use]
    pub fn try_of<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.value.downcast_ref()
    }

    /// The configuration as the type with which the tree was started.
    ///
    /// # Panics
    /// If it is not a `T`: the program wired its own tree wrongly. Inside an actor or where arguments are made this is
    /// a crash like any other, which the supervisor counts.
    #[must_use]
    #[expect(
        clippy::panic,
        reason = "a tree started with another type of settings is a bug of the wiring, and bugs crash"
    )]
    pub fn of<T: Any + Send + Sync>(&self) -> &T {
        match self.try_of() {
            Some(value) => value,
            None => panic!("the settings of this tree are not a {}", type_name::<T>()),
        }
    }

    /// As [`Settings::of`], sharing ownership.
    ///
    /// # Panics
    /// As [`Settings::of`].
    #[must_use]
    #[expect(
        clippy::panic,
        reason = "a tree started with another type of settings is a bug of the wiring, and bugs crash"
    )]
    pub fn shared_of<T: Any + Send + Sync>(&self) -> Arc<T> {
        match Arc::clone(&self.value).downcast() {
            Ok(value) => value,
            Err(_) => panic!("the settings of this tree are not a {}", type_name::<T>()),
        }
    }

    /// How many times the settings of the tree had been replaced when these were stored.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn succeeding(self, generation: u64) -> Self {
        Self {
            generation: generation.saturating_add(1),
            ..self
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn gives_back_only_the_type_it_holds() {
        let settings = Settings::new(7_u32);
        assert_eq!(settings.try_of::<u32>(), Some(&7));
        assert_eq!(settings.try_of::<u64>(), None);
        assert_eq!(*settings.shared_of::<u32>(), 7);
        assert_eq!(settings.clone().succeeding(4).generation(), 5);
    }

    #[test]
    #[should_panic(expected = "the settings of this tree are not a u64")]
    fn a_wrong_type_is_a_crash() {
        let _ = Settings::new(7_u32).of::<u64>();
    }
}
