//! `domain delete`: mail for a domain is ours no longer.

use shell::Answer;
use store::command::{Command, DeleteDomain};

use crate::{
    shell::{
        change::Change,
        desk::{Desk, Refused, Request},
        values,
    },
    tree::DEFAULT_TENANT,
};

pub(in crate::shell) async fn delete(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let name = values::domain(&request.call, "domain")?;
    let domain = super::find(desk, &name).await?;
    if domain.addresses > 0 {
        return Err(Refused::failed(format!(
            "{name} has {} addresses: delete its accounts and aliases first",
            domain.addresses
        )));
    }
    let what = match &domain.catch_all {
        None => format!("take mail for {name} no longer"),
        // Adding the domain again does not bring it back.
        Some(address) => format!("take mail for {name} no longer, whose catch-all was {address}"),
    };
    let change = Change::of(1, what).undone_by(format!("domain add {name}"));
    let delete = Command::DeleteDomain(DeleteDomain {
        tenant: DEFAULT_TENANT,
        name,
    });
    change.make_by(desk, request, delete).await
}
