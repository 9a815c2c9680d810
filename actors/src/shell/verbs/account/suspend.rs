//! `account suspend`: nobody logs in to an account any more, and who is in it must leave.

use shell::{Answer, Block};
use store::record::directory::Suspension;

use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
    values,
    verbs::kick,
};

pub(in crate::shell) async fn suspend(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let address = values::address(&request.call, "address")?;
    let refuses_mail = request.call.has("refuse-mail");
    let admin = desk.admin()?;
    let account = admin.find(&address).await?;
    let (id, address, before) = (account.id, account.record.address, account.record.suspended);
    if before.is_some_and(|known| known.refuses_mail == refuses_mail) {
        return Err(Refused::failed(format!(
            "{} is suspended already, and {}",
            address.shown(),
            of_mail(refuses_mail)
        )));
    }
    let what = format!("suspend {}; {}", address.shown(), of_mail(refuses_mail));
    let inverse = match before {
        None => format!("account resume {address}"),
        Some(Suspension {
            refuses_mail: true, ..
        }) => format!("account suspend {address} --refuse-mail"),
        Some(Suspension {
            refuses_mail: false, ..
        }) => format!("account suspend {address}"),
    };
    let at = desk.clone();
    let work = async move {
        admin.suspend(&address, refuses_mail).await?;
        at.seen().await;
        // A session that is at work meets it at its next command; one that is idle need not wait for that.
        Ok(match kick::leave(&at, id).await {
            0 => Vec::new(),
            some => vec![Block::text(format!("{some} sessions were told to end"))],
        })
    };
    Change::of(1, what)
        .undone_by(inverse)
        .make(desk, request, work)
        .await
}

fn of_mail(refuses_mail: bool) -> &'static str {
    match refuses_mail {
        true => "its mail is refused",
        false => "its mail is taken and kept",
    }
}
