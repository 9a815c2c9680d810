//! `alias list`: which addresses stand for which.

use shell::{Answer, Table};
use store::{engine::StoreError, read::directory, record::directory::AddressOwner};

use crate::{
    shell::desk::{Desk, Refused},
    tree::DEFAULT_TENANT,
};

pub(in crate::shell) async fn list(desk: &Desk) -> Result<Answer, Refused> {
    let aliases = desk
        .read(|store| {
            let mut aliases = Vec::new();
            directory::addresses(&store.snapshot(), DEFAULT_TENANT, |address| {
                if let AddressOwner::Alias(targets) = address.owner {
                    aliases.push((address.address, targets));
                }
            })?;
            Ok::<_, StoreError>(aliases)
        })
        .await??;
    let mut table = Table::new(&["address", "targets"]);
    for (address, targets) in aliases {
        let targets: Vec<String> = targets.iter().map(|it| it.shown().to_string()).collect();
        table.row([address.shown().to_string().into(), targets.join(" ").into()]);
    }
    Ok(Answer::new("alias list").with(table))
}
