//! Kills actors and processes under load and checks promises.
