//! Verbs on accounts: a file for each.

mod add;
mod app_password;
mod delete;
mod identity;
mod limit;
mod list;
mod password;
mod rename;
mod resume;
mod show;
mod suspend;

use auth::Secret;
use shell::Block;

pub(in crate::shell) use self::{
    add::add,
    app_password::{add_app_password, app_passwords, remove_app_password},
    delete::delete,
    identity::{add_identity, identities, remove_identity},
    limit::limit,
    list::list,
    password::password,
    rename::rename,
    resume::resume,
    show::show,
    suspend::suspend,
};
use crate::{
    admin::Scram,
    shell::desk::{Refused, Request},
};

/// The password that was given beside the line.
fn secret(request: &Request) -> Result<Secret, Refused> {
    match &request.secret {
        Some(secret) if !secret.is_empty() => Ok(secret.clone()),
        _ => Err(Refused::usage("no password was given")),
    }
}

/// What an operator might miss later.
fn told(scram: Scram) -> Vec<Block> {
    let said =
        "it has characters that SASLprep forbids (RFC 4013): clients can send it, but not prove it by SCRAM";
    match scram {
        Scram::Impossible => vec![Block::text(said)],
        Scram::Kept | Scram::Off => Vec::new(),
    }
}
