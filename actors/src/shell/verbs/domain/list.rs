//! `domain list`: whose mail is ours.

use shell::{Answer, Table};
use store::read::directory;

use crate::{
    shell::desk::{Desk, Refused},
    tree::DEFAULT_TENANT,
};

pub(in crate::shell) async fn list(desk: &Desk) -> Result<Answer, Refused> {
    let domains = desk
        .read(|store| {
            let mut domains = Vec::new();
            directory::domains(&store.snapshot(), DEFAULT_TENANT, |domain| domains.push(domain))?;
            Ok::<_, store::engine::StoreError>(domains)
        })
        .await??;
    let mut table = Table::new(&["domain", "addresses", "catch_all", "created"]);
    for domain in domains {
        table.row([
            domain.name.shown().to_string().into(),
            domain.addresses.into(),
            domain.catch_all.map(|address| address.shown().to_string()).into(),
            domain.created.into(),
        ]);
    }
    Ok(Answer::new("domain list").with(table))
}
