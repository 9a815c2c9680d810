//! Who may log in: the name that a client gives, its password, and the hash that we keep of it.
//!
//! Everything here is a value or a pure function of its parameters: salts, keys and times come from the caller. The
//! crate knows neither accounts nor protocols; it answers whether a password fits a hash, at a cost that does not tell
//! known names from unknown ones. By default a hash takes tens of milliseconds and 19 MiB: run it on a bounded pool.

pub mod app_password;
pub mod claimant;
pub mod login;
pub mod pace;
pub mod password;
pub mod prepared;
pub mod remembered;
pub mod sasl;
pub mod secret;
pub mod verifier;

pub use app_password::AppPassword;
pub use claimant::Claimant;
pub use login::{Login, LoginError};
pub use pace::Pace;
pub use password::{Cost, Decoy, PasswordError, PasswordHash};
pub use remembered::RememberedPasswords;
pub use secret::Secret;
pub use verifier::{Decoys, ScramVerifier, VerifierError};
