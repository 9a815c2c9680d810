//! The engine side of the store: groups, crashes, damage, blobs.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod backups;
mod blobs;
mod care;
mod crash;
mod damage;
mod fixture;
mod full;
mod gate;
mod groups;
mod kills;
mod space;
