//! Fuzz: what strangers send, changed at random, against everything that reads it.
//!
//! Each module is a target with a folder of `tests/corpora`. A test takes every file there whole, octet by octet and in
//! random pieces, and then what comes of changing and mixing them. It runs 256 rounds with the same seed each time, so that
//! what was green stays so; a long run takes another seed:
//!
//! ```text
//! FUZZ_SEED=7 FUZZ_ROUNDS=1000000 cargo test --release --test fuzz -- data
//! ```
//!
//! A failure prints the input that was made as small as it goes, as a literal, and the two numbers. The input becomes a
//! file of the corpus, then the bug is mended.

#[cfg(test)]
mod addresses;
#[cfg(test)]
mod bdat;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod data;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod pop3;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod sasl;
#[cfg(test)]
mod smtp_peer;
#[cfg(test)]
mod texts;
