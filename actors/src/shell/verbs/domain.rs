//! Verbs on domains: a file for each.

mod add;
mod catch_all;
mod delete;
mod list;
mod show;

use message::address::DomainName;
use store::{read::directory, record::directory::Domain};

pub(in crate::shell) use self::{add::add, catch_all::catch_all, delete::delete, list::list, show::show};
use crate::{
    shell::desk::{Desk, Refused},
    tree::DEFAULT_TENANT,
};

/// A domain that must be ours.
async fn find(desk: &Desk, name: &DomainName) -> Result<Domain, Refused> {
    let wanted = name.clone();
    let found = desk
        .read(move |store| directory::domain(&store.snapshot(), DEFAULT_TENANT, &wanted))
        .await??;
    found.ok_or_else(|| Refused::failed(format!("{name} is no domain of ours")))
}
