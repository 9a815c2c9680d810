//! `ban list`: who is sent away, and who was.

use shell::{Answer, Table};
use store::record::ban::Origin;

use crate::shell::desk::{Desk, Refused};

pub(in crate::shell) async fn list(desk: &Desk) -> Result<Answer, Refused> {
    let now = desk.clock.timestamp();
    let mut table = Table::new(&[
        "network", "holds", "since", "until", "origin", "in_a_row", "reason",
    ]);
    for (network, ban) in desk.read(super::all).await?? {
        let origin = match ban.origin {
            Origin::Operator => "operator",
            Origin::Automatic => "automatic",
        };
        table.row([
            network.to_string().into(),
            ban.holds(now).into(),
            ban.since.into(),
            ban.until.into(),
            origin.into(),
            ban.count.into(),
            ban.reason.into(),
        ]);
    }
    Ok(Answer::new("ban list").with(table))
}
