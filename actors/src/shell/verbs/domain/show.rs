//! `domain show`: all that is known of a domain.

use shell::{Answer, Block, Table};
use store::{read::directory, record::directory::AddressOwner};

use crate::{
    shell::{
        desk::{Desk, Refused, Request},
        values,
    },
    tree::DEFAULT_TENANT,
};

/// Addresses that are listed; a domain may have any number.
const MAX_ADDRESSES: usize = 1000;

pub(in crate::shell) async fn show(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let name = values::domain(&request.call, "domain")?;
    let domain = super::find(desk, &name).await?;
    let addresses = desk
        .read(move |store| {
            let mut addresses = Vec::new();
            directory::addresses(&store.snapshot(), DEFAULT_TENANT, |address| {
                if address.address.domain().name() == Some(&name) && addresses.len() < MAX_ADDRESSES {
                    addresses.push(address);
                }
            })?;
            Ok::<_, store::engine::StoreError>(addresses)
        })
        .await??;
    let fields = Block::fields([
        ("domain", domain.name.shown().to_string().into()),
        ("as_keys_have_it", domain.name.to_string().into()),
        ("created", domain.created.into()),
        ("addresses", domain.addresses.into()),
        (
            "catch_all",
            domain.catch_all.map(|address| address.shown().to_string()).into(),
        ),
    ]);
    let mut table = Table::new(&["address", "kind"]);
    for address in addresses {
        let kind = match address.owner {
            AddressOwner::Account(_) => "account",
            AddressOwner::Alias(_) => "alias",
        };
        table.row([address.address.shown().to_string().into(), kind.into()]);
    }
    Ok(Answer::new("domain show").with(fields).with(table))
}
