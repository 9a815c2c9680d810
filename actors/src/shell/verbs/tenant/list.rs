//! `tenant list`: the tenants of the store.

use shell::{Answer, Cell, Table};

use crate::{
    shell::desk::{Desk, Refused},
    tree::DEFAULT_TENANT,
};

pub(in crate::shell) async fn list(desk: &Desk) -> Result<Answer, Refused> {
    let mut table = Table::new(&["tenant", "served", "accounts", "domains", "messages", "size"]);
    for entry in desk.read(super::all).await?? {
        table.row([
            entry.tenant.name.into(),
            (entry.id == DEFAULT_TENANT).into(),
            entry.state.accounts.into(),
            entry.state.domains.into(),
            entry.state.usage.messages.into(),
            Cell::Octets(entry.state.usage.octets),
        ]);
    }
    Ok(Answer::new("tenant list").with(table))
}
