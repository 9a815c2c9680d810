//! The client half: what is heard from another server.

mod reply;

pub use reply::{MAX_LINE, MAX_REPLY, Reply, ReplyError, ReplyReader};
