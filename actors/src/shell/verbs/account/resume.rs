//! `account resume`: an account that was suspended is as it was before.

use shell::Answer;

use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
    values,
};

pub(in crate::shell) async fn resume(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let address = values::address(&request.call, "address")?;
    let admin = desk.admin()?;
    let record = admin.find(&address).await?.record;
    let address = record.address;
    let Some(suspension) = record.suspended else {
        return Err(Refused::failed(format!("{} is not suspended", address.shown())));
    };
    let inverse = match suspension.refuses_mail {
        true => format!("account suspend {address} --refuse-mail"),
        false => format!("account suspend {address}"),
    };
    let change = Change::of(1, format!("resume {}", address.shown())).undone_by(inverse);
    let work = async move {
        admin.resume(&address).await?;
        Ok(Vec::new())
    };
    change.make_seen(desk, request, work).await
}
