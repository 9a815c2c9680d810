//! The machine from outside: as an actor drives it.

#[cfg(test)]
mod actor;
#[cfg(test)]
mod chunking;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod transcripts;
#[cfg(test)]
mod verdicts;
