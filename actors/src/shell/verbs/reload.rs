//! Verbs on the configuration: a file for each.

mod list;
#[expect(clippy::module_inception, reason = "one verb is the first word of the others")]
mod reload;

pub(in crate::shell) use self::{list::list, reload::reload};
