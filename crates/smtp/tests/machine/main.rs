//! The machine from outside: as an actor drives it.

mod actor;
mod chunking;
mod limits;
mod recovery;
mod transcripts;
