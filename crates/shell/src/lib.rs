//! What operators say and read: one table of verbs is the source of the shell, the command line, its help, completion
//! and JSON. Nothing here knows a socket, a clock or an actor.

pub mod answer;
pub mod cell;
pub mod columns;
pub mod complete;
pub mod frame;
pub mod help;
pub mod json;
pub mod line;
pub mod render;
pub mod table;
pub mod verb;
pub mod words;

pub use answer::{Answer, Block, Exit, Receipt, Table};
pub use cell::Cell;
pub use line::{Call, LineError};
pub use verb::{Argument, Effect, Flag, Inverse, Kind, Place, Presence, Role, Verb};
