//! `alias add`: an address that stands for others.

use shell::Answer;
use store::{
    apply::{Rejected, rejected::Noun},
    command::{Command, CreateAlias},
    propose::ProposeError,
    record::directory::MAX_ALIAS_TARGETS,
};

use super::joined;
use crate::{
    shell::{
        change::Change,
        desk::{Desk, Refused, Request},
        values,
    },
    tree::DEFAULT_TENANT,
};

pub(in crate::shell) async fn add(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let address = values::address(&request.call, "address")?;
    let targets = request
        .call
        .values("target")
        .map(values::to_address)
        .collect::<Result<Vec<_>, _>>()?;
    if targets.len() > MAX_ALIAS_TARGETS {
        return Err(Refused::usage(format!(
            "an alias stands for at most {MAX_ALIAS_TARGETS} addresses"
        )));
    }
    let what = format!("let {address} stand for {}", joined(&targets));
    let change = Change::of(1, what).undone_by(format!("alias delete {address}"));
    let at = desk.clone();
    let work = async move {
        let create = Command::CreateAlias(CreateAlias {
            tenant: DEFAULT_TENANT,
            address: address.clone(),
            targets,
        });
        match at.propose(create).await {
            Err(ProposeError::Rejected(Rejected::Exists(Noun::Address))) => {
                Err(Refused::failed(format!("{address} is taken")))
            }
            Err(ProposeError::Rejected(Rejected::NoSuchDomain)) => Err(Refused::failed(format!(
                "{address} is in no domain of ours: domain add makes it one"
            ))),
            other => {
                other?;
                Ok(Vec::new())
            }
        }
    };
    change.make_seen(desk, request, work).await
}
