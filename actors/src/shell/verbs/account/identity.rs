//! `account identity add`, `list`, `remove`: what an account may send as.

use shell::{Answer, Table};

use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
    values,
};

pub(in crate::shell) async fn add_identity(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let address = values::address(&request.call, "address")?;
    let identity = values::identity(&request.call, "identity")?;
    let admin = desk.admin()?;
    let address = admin.find(&address).await?.record.address;
    let change = Change::of(1, format!("let {address} send as {identity}"))
        .undone_by(format!("account identity remove {address} {identity}"));
    let work = async move {
        admin.add_identity(&address, identity).await?;
        Ok(Vec::new())
    };
    change.make_seen(desk, request, work).await
}

pub(in crate::shell) async fn identities(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let address = values::address(&request.call, "address")?;
    let record = desk.admin()?.find(&address).await?.record;
    let mut table = Table::new(&["identity"]);
    for identity in record.identities {
        table.row([identity.to_string().into()]);
    }
    Ok(Answer::new("account identity list").with(table))
}

pub(in crate::shell) async fn remove_identity(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let address = values::address(&request.call, "address")?;
    let identity = values::identity(&request.call, "identity")?;
    let admin = desk.admin()?;
    let record = admin.find(&address).await?.record;
    let address = record.address;
    let Some(known) = record
        .identities
        .into_iter()
        .find(|known| known.is_same(&identity))
    else {
        return Err(Refused::failed(format!(
            "cannot take {identity} from {address}: no such identity"
        )));
    };
    let change = Change::of(1, format!("let {address} send as {known} no longer"))
        .undone_by(format!("account identity add {address} {known}"));
    let work = async move {
        admin.remove_identity(&address, known).await?;
        Ok(Vec::new())
    };
    change.make_seen(desk, request, work).await
}
