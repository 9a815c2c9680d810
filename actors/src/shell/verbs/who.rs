//! `who`: the sessions, as they say themselves who they are.

use shell::{Answer, Table};

use super::sessions::{self, MAX_ASKED};
use crate::shell::desk::{Desk, Refused, Request};

/// Sessions that are listed, unless it is said how many.
const LINES: u64 = 1000;

pub(in crate::shell) async fn who(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let call = &request.call;
    let limit = usize::try_from(call.number("limit").unwrap_or(LINES)).unwrap_or(MAX_ASKED);
    let (account, peer) = (call.value("account"), call.value("peer"));
    // Who looks for one of many has all of them asked.
    let asked = if account.or(peer).is_some() {
        MAX_ASKED
    } else {
        limit.min(MAX_ASKED)
    };
    let mut connected = sessions::connected(desk, call.value("listener"), asked).await?;
    connected.retain(|it| account.is_none_or(|account| it.account.as_deref() == Some(account)));
    connected.retain(|it| peer.is_none_or(|peer| it.is_from(peer)));
    let mut table = Table::new(&[
        "session",
        "listener",
        "class",
        "peer",
        "account",
        "suspended",
        "tls",
        "since",
        "restarts",
        "doing",
    ]);
    for session in connected.into_iter().take(limit) {
        table.row([
            session.id.into(),
            session.listener.into(),
            session.class.into(),
            session.peer.into(),
            session.account.into(),
            session.owner.map(|_| session.suspended).into(),
            session.tls.into(),
            session.since.into(),
            session.restarts.into(),
            session.doing.into(),
        ]);
    }
    Ok(Answer::new("who").with(table))
}
