//! `domain add`: mail for a domain is ours from now on.

use shell::Answer;
use store::command::{Command, CreateDomain};

use crate::{
    shell::{
        change::Change,
        desk::{Desk, Refused, Request},
        values,
    },
    tree::DEFAULT_TENANT,
};

pub(in crate::shell) async fn add(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let name = values::domain(&request.call, "domain")?;
    if super::find(desk, &name).await.is_ok() {
        return Err(Refused::failed(format!("{name} is a domain of ours already")));
    }
    let change = Change::of(1, format!("take mail for {name}")).undone_by(format!("domain delete {name}"));
    let (at, admin) = (desk.clone(), desk.admin()?);
    let work = async move {
        // A store that no server has opened yet has no tenant.
        admin.ensure_tenant().await?;
        at.propose(Command::CreateDomain(CreateDomain {
            tenant: DEFAULT_TENANT,
            name,
            catch_all: None,
        }))
        .await?;
        Ok(Vec::new())
    };
    change.make_seen(desk, request, work).await
}
