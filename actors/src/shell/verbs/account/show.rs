//! `account show`: all that is known of an account, but for what opens it.

use message::id::MailboxId;
use shell::{Answer, Block, Cell, Table};
use store::read::mailbox;

use crate::{
    shell::{
        desk::{Desk, Refused, Request},
        values,
    },
    tree::DEFAULT_TENANT,
};

pub(in crate::shell) async fn show(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let address = values::address(&request.call, "address")?;
    let account = desk.admin()?.find(&address).await?;
    let id = account.id;
    let mailboxes = desk
        .read(move |store| mailbox::mailboxes(&store.snapshot(), DEFAULT_TENANT, id))
        .await??;
    let (record, state) = (account.record, account.state);
    let password = match &record.password {
        None => "none: only application passwords open it",
        Some(password) if password.scram.is_some() => "set, and can be proven by SCRAM",
        Some(_) => "set, and must be sent to be verified",
    };
    let fields = Block::fields([
        ("address", record.address.shown().to_string().into()),
        ("id", id.to_string().into()),
        ("created", record.created.into()),
        ("suspended", record.suspended.map(|known| known.since).into()),
        (
            "mail",
            match record.suspended {
                Some(known) if known.refuses_mail => "refused",
                Some(_) | None => "taken",
            }
            .into(),
        ),
        ("password", password.into()),
        ("app_passwords", record.app_passwords.len().into()),
        ("identities", record.identities.len().into()),
        ("messages", state.usage.messages.into()),
        ("size", Cell::Octets(state.usage.octets)),
        (
            "limit_size",
            state.limits.octets.map_or(Cell::Nothing, Cell::Octets),
        ),
        ("limit_messages", state.limits.messages.into()),
        ("mailboxes", state.mailboxes.into()),
    ]);
    let mut table = Table::new(&["mailbox", "id", "messages", "unseen", "size"]);
    for entry in mailboxes {
        let name: &MailboxId = &entry.id;
        table.row([
            entry.mailbox.name.to_string().into(),
            name.to_string().into(),
            entry.state.usage.messages.into(),
            entry.state.unseen.into(),
            Cell::Octets(entry.state.usage.octets),
        ]);
    }
    Ok(Answer::new("account show").with(fields).with(table))
}
