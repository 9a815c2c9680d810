//! `account password`: another password. Sessions that stand go on; the next log-in needs the new one.

use shell::Answer;

use super::{secret, told};
use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
    values,
};

pub(in crate::shell) async fn password(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let address = values::address(&request.call, "address")?;
    let admin = desk.admin()?;
    let address = admin.find(&address).await?.record.address;
    let what = format!("set the password of {}", address.shown());
    let password = match request.call.is_dry_run() {
        true => auth::Secret::new(String::new()),
        false => secret(request)?,
    };
    let work = async move {
        let scram = admin.set_password(&address, &password).await?;
        Ok(told(scram))
    };
    Change::of(1, what).make_seen(desk, request, work).await
}
