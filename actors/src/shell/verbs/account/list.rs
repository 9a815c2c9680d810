//! `account list`: who is here, and what each holds.

use shell::{Answer, Cell, Table};

use crate::shell::desk::{Desk, Refused};

pub(in crate::shell) async fn list(desk: &Desk) -> Result<Answer, Refused> {
    let accounts = desk.admin()?.list().await?;
    let mut table = Table::new(&[
        "address",
        "messages",
        "size",
        "limit_size",
        "limit_messages",
        "suspended",
    ]);
    for account in accounts {
        let (usage, limits) = (account.state.usage, account.state.limits);
        table.row([
            account.record.address.shown().to_string().into(),
            usage.messages.into(),
            Cell::Octets(usage.octets),
            limits.octets.map_or(Cell::Nothing, Cell::Octets),
            limits.messages.into(),
            account.record.suspended.map(|known| known.since).into(),
        ]);
    }
    Ok(Answer::new("account list").with(table))
}
