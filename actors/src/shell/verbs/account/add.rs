//! `account add`: a new login with its mailboxes.

use shell::Answer;

use super::{secret, told};
use crate::{
    admin::Admin,
    shell::{
        change::Change,
        desk::{Desk, Refused, Request},
        values,
    },
};

pub(in crate::shell) async fn add(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let address = values::address(&request.call, "address")?;
    Admin::check(&address)?;
    let admin = desk.admin()?;
    if admin.find(&address).await.is_ok() {
        return Err(Refused::failed(format!("{address} is taken")));
    }
    let change =
        Change::of(1, format!("add the account {address}")).undone_by(format!("account delete {address}"));
    let password = match request.call.is_dry_run() {
        true => auth::Secret::new(String::new()),
        false => secret(request)?,
    };
    let work = async move {
        let scram = admin.add(address, &password).await?;
        Ok(told(scram))
    };
    change.make_seen(desk, request, work).await
}
