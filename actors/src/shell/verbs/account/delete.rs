//! `account delete`: the end of a login and of its mail.

use shell::Answer;

use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
    values,
};

pub(in crate::shell) async fn delete(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let address = values::address(&request.call, "address")?;
    let admin = desk.admin()?;
    let account = admin.find(&address).await?;
    let messages = account.state.usage.messages;
    let what = format!(
        "delete the account {} with {messages} messages in {} mailboxes",
        account.record.address, account.state.mailboxes
    );
    let work = async move {
        admin.delete(&address).await?;
        Ok(Vec::new())
    };
    Change::of(messages.saturating_add(1), what)
        .make_seen(desk, request, work)
        .await
}
