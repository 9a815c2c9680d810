//! `account limit`: what an account may store.

use shell::Answer;

use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
    values,
};

pub(in crate::shell) async fn limit(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let address = values::address(&request.call, "address")?;
    let admin = desk.admin()?;
    let account = admin.find(&address).await?;
    let before = account.state.limits;
    let limits = values::limits(&request.call, before)?;
    if limits == before {
        return Err(Refused::usage(
            "nothing would be other than it is: name --size or --messages",
        ));
    }
    let address = account.record.address;
    let what = format!("limit the account {address}: {}", values::limits_as_flags(limits));
    let change = Change::of(1, what).undone_by(format!(
        "account limit {address} {}",
        values::limits_as_flags(before)
    ));
    let work = async move {
        admin.limit(&address, limits).await?;
        Ok(Vec::new())
    };
    change.make_seen(desk, request, work).await
}
