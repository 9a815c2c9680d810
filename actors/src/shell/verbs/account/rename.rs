//! `account rename`: another address for an account. What it has and is stays, and what stood for the old one follows.

use shell::{Answer, Block};

use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
    values,
};

pub(in crate::shell) async fn rename(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let from = values::address(&request.call, "address")?;
    let to = values::address(&request.call, "name")?;
    let keeps_alias = request.call.has("keep-alias");
    let admin = desk.admin()?;
    let renaming = admin.renaming(&from, &to, keeps_alias).await?;
    let from = renaming.command.from.clone();
    let (aliases, domains) = (renaming.command.aliases.len(), renaming.command.domains.len());
    let what = format!("rename {from} {to}, which {aliases} aliases and {domains} catch-alls follow");
    let inverse = match renaming.takes_alias {
        true => format!("account rename {to} {from} --keep-alias"),
        false => format!("account rename {to} {from}"),
    };
    let touches = u64::try_from(1 + aliases + domains).unwrap_or(u64::MAX);
    let lent = renaming.lent_to.iter().map(|who| {
        let who = who.shown();
        Block::text(format!(
            "{who} may still send as {from}: account identity remove {who} {from}"
        ))
    });
    let said: Vec<Block> = lent.collect();
    let work = async move {
        admin.rename(renaming).await?;
        Ok(said)
    };
    Change::of(touches, what)
        .undone_by(inverse)
        .make_seen(desk, request, work)
        .await
}
