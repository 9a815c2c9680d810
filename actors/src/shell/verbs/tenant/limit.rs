//! `tenant limit`: what a tenant may have.

use shell::Answer;
use store::command::{Command, LimitTenant};

use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
    values,
};

pub(in crate::shell) async fn limit(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let entry = super::find(desk, request).await?;
    let before = (entry.state.limits, entry.state.max_accounts);
    let limits = values::limits(&request.call, before.0)?;
    let max_accounts = values::limit(&request.call, "accounts", before.1, |text| text.parse().ok())?;
    if (limits, max_accounts) == before {
        return Err(Refused::usage(
            "nothing would be other than it is: name --accounts, --size or --messages",
        ));
    }
    let flags = |(limits, accounts)| {
        format!(
            "--accounts {} {}",
            values::or_none(accounts),
            values::limits_as_flags(limits)
        )
    };
    let name = entry.tenant.name;
    let change = Change::of(
        1,
        format!("limit the tenant {name}: {}", flags((limits, max_accounts))),
    )
    .undone_by(format!(
        "tenant limit {} {}",
        shell::words::quoted(&name),
        flags(before)
    ));
    let (at, tenant) = (desk.clone(), entry.id);
    let work = async move {
        at.propose(Command::LimitTenant(LimitTenant {
            tenant,
            limits,
            max_accounts,
        }))
        .await?;
        Ok(Vec::new())
    };
    change.make(desk, request, work).await
}
