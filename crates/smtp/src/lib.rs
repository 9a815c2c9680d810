//! SMTP as a machine without input and output: octets go in, replies and questions come out.
//!
//! [`Session`] is the server half of one connection (RFC 5321). It reads no clock, opens no socket and knows no
//! directory: whoever drives it feeds it input with [`Session::receive`], takes questions from [`Session::poll`],
//! answers them with [`Session::respond`], and writes what [`Session::output`] gives.
//!
//! One call of `receive` is at most one command line or one run of body octets. A clone of the session taken when the
//! questions of such a turn are answered and its output is taken is a checkpoint: together with the octets that were
//! not consumed it is all that a restarted session needs ([`Session::recover`]).

pub mod client;
mod command;
pub mod framing;
mod offers;
mod recipients;
pub mod reply;
mod sasl;
mod server;
mod settings;
mod shared;
#[doc(hidden)]
pub mod transcript;

pub use command::Xclient;
pub use framing::Framing;
pub use offers::{FutureRelease, Offers};
pub use recipients::{Recipient, RecipientPath, Recipients};
pub use reply::{Enhanced, Reply};
pub use sasl::{Login, Mechanisms, Response};
pub use server::{BodyLoss, Event, Hello, Mail, Session, Tally, Tls, Verdict};
pub use settings::{EarlyTalkers, Mode, Settings, Timeouts};
