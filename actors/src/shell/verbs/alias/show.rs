//! `alias show`: whom an alias stands for, and where its mail ends.

use message::id::AccountId;
use shell::{Answer, Block, Table};
use store::read::directory;

use crate::{
    directory::{Resolution, Scope, Snapshot},
    shell::{
        desk::{Desk, Refused, Request},
        values,
    },
    tree::DEFAULT_TENANT,
};

pub(in crate::shell) async fn show(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let (address, targets) = super::find(desk, &values::address(&request.call, "address")?).await?;
    let (named, scope) = (address.clone(), Scope::of(&desk.config()));
    // Also without a server, and as a session would find it.
    let (resolution, names) = desk
        .read(move |store| {
            let reader = store.snapshot();
            let resolution = Snapshot::read(&reader, DEFAULT_TENANT, &scope)?.resolve(&named);
            let name = |id: AccountId| directory::account(&reader, DEFAULT_TENANT, id);
            let names = match &resolution {
                Resolution::Accounts(accounts) => {
                    let accounts = accounts.iter().map(|id| name(*id));
                    accounts.collect::<Result<Vec<_>, _>>()?
                }
                Resolution::Discard
                | Resolution::Unknown
                | Resolution::Refused
                | Resolution::Foreign
                | Resolution::Unclear => Vec::new(),
            };
            Ok::<_, store::read::ReadError>((resolution, names))
        })
        .await??;
    let end = match resolution {
        Resolution::Accounts(_) => "it is delivered",
        Resolution::Discard => "it is discarded, as a route of the configuration says",
        Resolution::Unknown => "nobody gets it: no address behind it has an account here",
        Resolution::Refused => "it is refused: those who would get it are suspended",
        Resolution::Foreign => "its domain is not ours",
        Resolution::Unclear => "the addresses go round in a circle, or stand for too many accounts",
    };
    let fields = Block::fields([
        ("address", address.shown().to_string().into()),
        ("mail_for_it", end.into()),
    ]);
    let mut table = Table::new(&["target"]);
    for target in targets {
        table.row([target.shown().to_string().into()]);
    }
    let mut accounts = Table::new(&["account"]);
    for account in names.into_iter().flatten() {
        accounts.row([account.address.shown().to_string().into()]);
    }
    Ok(Answer::new("alias show").with(fields).with(table).with(accounts))
}
