//! Verbs on the audit: a file for each.

mod list;
mod show;

pub(in crate::shell) use self::{list::list, show::show};
