//! `tenant show`: what a tenant has and may have.

use shell::{Answer, Block, Cell};

use crate::{
    shell::desk::{Desk, Refused, Request},
    tree::DEFAULT_TENANT,
};

pub(in crate::shell) async fn show(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let entry = super::find(desk, request).await?;
    let (state, limits) = (entry.state, entry.state.limits);
    Ok(Answer::new("tenant show").with(Block::fields([
        ("tenant", entry.tenant.name.into()),
        ("number", entry.id.get().into()),
        // Of the others the tree knows nothing.
        ("served", (entry.id == DEFAULT_TENANT).into()),
        ("created", entry.tenant.created.into()),
        ("accounts", state.accounts.into()),
        ("limit_accounts", state.max_accounts.into()),
        ("domains", state.domains.into()),
        ("messages", state.usage.messages.into()),
        ("limit_messages", limits.messages.into()),
        ("size", Cell::Octets(state.usage.octets)),
        ("limit_size", limits.octets.map_or(Cell::Nothing, Cell::Octets)),
    ])))
}
