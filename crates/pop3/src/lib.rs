//! POP3, the server half, as a machine without input and output: RFC 1939 with CAPA and RESP-CODES (RFC 2449), STLS
//! (RFC 2595), AUTH (RFC 5034) and AUTH-RESP-CODE (RFC 3206).
//!
//! [`Session`] is the machine. It reads commands out of the bytes that it is given, says in [`Event`]s what only others
//! can know (is this password right, what is in this mailbox, what does this message say), takes the [`Verdict`]s and
//! composes replies. It knows no socket, no clock, no store and no account.
//!
//! APOP is not here, and of SASL only what carries it. A line ends with CRLF and nothing else: a line that ends with a bare LF is refused.

mod checkpoint;
mod command;
mod event;
mod line;
mod maildrop;
mod marks;
mod output;
mod sasl;
mod session;
mod settings;
mod stuffing;
mod top;

pub use event::{Event, Password, Retrieve, Verdict};
pub use maildrop::{Maildrop, Message};
pub use sasl::{Mechanisms, Response};
pub use session::{Session, TOO_BUSY, TURN_OCTETS, Tally};
pub use settings::{Settings, Tls};
