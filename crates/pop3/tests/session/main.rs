//! The session as its actor drives it.

mod actor;
mod behaviour;
mod properties;
mod streaming;
mod survival;
mod transcripts;
