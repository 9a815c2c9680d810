//! `domain catch-all`: who gets what no address of a domain matches.

use shell::Answer;
use store::command::{Command, SetCatchAll};

use crate::{
    shell::{
        change::Change,
        desk::{Desk, Refused, Request},
        values,
    },
    tree::DEFAULT_TENANT,
};

pub(in crate::shell) async fn catch_all(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let call = &request.call;
    let name = values::domain(call, "domain")?;
    let catch_all = match (call.value("address"), call.has("none")) {
        (Some(text), false) => Some(values::to_address(text)?),
        (None, true) => None,
        (None, false) | (Some(_), true) => return Err(Refused::usage("name an address, or --none")),
    };
    let domain = super::find(desk, &name).await?;
    if let Some(address) = &catch_all {
        // It is looked up as it is: one that nobody has would catch nothing.
        let (wanted, key) = (address.clone(), address.lookup_key());
        let found = desk
            .read(move |store| store::read::directory::address(&store.snapshot(), DEFAULT_TENANT, &key))
            .await??;
        if found.is_none() {
            return Err(Refused::failed(format!("{wanted} is no address of ours")));
        }
    }
    let what = match &catch_all {
        Some(address) => format!("give {address} what no address of {name} matches"),
        None => format!("refuse what no address of {name} matches"),
    };
    let before = match &domain.catch_all {
        Some(address) => address.to_string(),
        None => "--none".to_owned(),
    };
    let change = Change::of(1, what).undone_by(format!("domain catch-all {name} {before}"));
    let set = Command::SetCatchAll(SetCatchAll {
        tenant: DEFAULT_TENANT,
        name,
        catch_all,
    });
    change.make_by(desk, request, set).await
}
