//! `alias delete`: an address stands for others no longer.

use shell::Answer;
use store::command::{Command, DeleteAlias};

use super::joined;
use crate::{
    shell::{
        change::Change,
        desk::{Desk, Refused, Request},
        values,
    },
    tree::DEFAULT_TENANT,
};

pub(in crate::shell) async fn delete(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let (address, targets) = super::find(desk, &values::address(&request.call, "address")?).await?;
    let targets = joined(&targets);
    let change = Change::of(1, format!("let {address} stand for {targets} no longer"))
        .undone_by(format!("alias add {address} {targets}"));
    let delete = Command::DeleteAlias(DeleteAlias {
        tenant: DEFAULT_TENANT,
        address,
    });
    change.make_by(desk, request, delete).await
}
