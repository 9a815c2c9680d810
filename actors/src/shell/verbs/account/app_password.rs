//! `account app-password add`, `list`, `remove`: passwords of single programs.

use shell::{Answer, Block, Table, words::quoted};
use store::record::directory::Protocol;

use crate::{
    admin::Program,
    shell::{
        change::Change,
        desk::{Desk, Refused, Request},
        values,
    },
};

pub(in crate::shell) async fn add_app_password(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let call = &request.call;
    let address = values::address(call, "address")?;
    let program = Program {
        name: call.required("name")?.to_owned(),
        protocols: call.values("protocol").filter_map(Protocol::of_word).collect(),
        lifetime: call.duration("expires"),
    };
    let admin = desk.admin()?;
    let address = admin.find(&address).await?.record.address;
    let name = quoted(&program.name);
    let change = Change::of(1, format!("make the password {name} for {address}"))
        .undone_by(format!("account app-password remove {address} {name}"));
    let work = async move {
        let password = admin.add_app_password(&address, program).await?;
        Ok(vec![Block::text(password.reveal().as_str())])
    };
    change.make_seen(desk, request, work).await
}

pub(in crate::shell) async fn app_passwords(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let address = values::address(&request.call, "address")?;
    let record = desk.admin()?.find(&address).await?.record;
    let mut table = Table::new(&["name", "opens", "expires", "created"]);
    for password in record.app_passwords {
        let words = password
            .protocols
            .as_ref()
            .map(|protocols| protocols.iter().map(|it| it.word()).collect::<Vec<_>>().join(","));
        table.row([
            password.name.into(),
            words.unwrap_or_else(|| "everything".to_owned()).into(),
            password.expires.into(),
            password.created.into(),
        ]);
    }
    Ok(Answer::new("account app-password list").with(table))
}

pub(in crate::shell) async fn remove_app_password(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let address = values::address(&request.call, "address")?;
    let name = request.call.required("name")?.to_owned();
    let admin = desk.admin()?;
    let record = admin.find(&address).await?.record;
    if !record.app_passwords.iter().any(|known| known.name == name) {
        return Err(Refused::failed(format!(
            "cannot remove the password {name:?} of {address}: no such application password"
        )));
    }
    let change = Change::of(1, format!("remove the password {} of {address}", quoted(&name)));
    let work = async move {
        admin.remove_app_password(&address, &name).await?;
        Ok(Vec::new())
    };
    change.make_seen(desk, request, work).await
}
