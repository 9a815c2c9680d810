//! Sessions: who is connected, over all listeners and this shell, as the sessions themselves say.

use std::collections::HashMap;

use message::{id::AccountId, time::Timestamp};
use store::read::directory;
use supervision::{Inspection, Row, Running, Value};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    shell::desk::{Desk, Refused},
    tree::DEFAULT_TENANT,
};

/// Sessions that are asked at once.
const ASKED_AT_ONCE: usize = 64;

/// Sessions that are asked at all; a row more costs one answer of an actor.
pub(super) const MAX_ASKED: usize = 20_000;

/// A session.
pub(super) struct Connected {
    /// Its id, the last part of its path.
    pub(super) id: String,
    pub(super) path: String,
    /// The listener, or `shell`.
    pub(super) listener: String,
    pub(super) class: &'static str,
    /// When its connection began: ids tell the time of their making.
    pub(super) since: Option<Timestamp>,
    pub(super) restarts: u32,
    /// The address and port of the other side, or the user of this machine.
    pub(super) peer: Option<String>,
    pub(super) account: Option<String>,
    pub(super) tls: Option<bool>,
    pub(super) doing: Option<String>,
}

impl Connected {
    pub(super) fn is_from(&self, address: &str) -> bool {
        self.peer.as_ref().is_some_and(|peer| {
            let ip = peer
                .parse()
                .map(|peer: std::net::SocketAddr| peer.ip().to_string());
            peer == address || ip.as_deref() == Ok(address)
        })
    }
}

/// All sessions of mail, or of one listener, and of this shell.
pub(super) async fn connected(
    desk: &Desk,
    listener: Option<&str>,
    limit: usize,
) -> Result<Vec<Connected>, Refused> {
    let running = desk.running()?;
    let prefix = listener.map_or_else(|| "/listeners".to_owned(), |name| format!("/listeners/{name}"));
    let mut rows = running.tree(&prefix);
    if listener.is_none() {
        rows.extend(running.tree("/shell"));
    }
    rows.retain(|row| row.class.ends_with("_session"));
    rows.truncate(limit);
    let mut connected = ask(&running, rows).await;
    connected.sort_by(|a, b| a.path.cmp(&b.path));
    name_accounts(desk, &mut connected).await?;
    Ok(connected)
}

async fn ask(running: &Running, rows: Vec<Row>) -> Vec<Connected> {
    let places = std::sync::Arc::new(Semaphore::new(ASKED_AT_ONCE));
    let mut asked = JoinSet::new();
    for row in rows {
        let (running, places) = (running.clone(), std::sync::Arc::clone(&places));
        asked.spawn(async move {
            let _place = places.acquire_owned().await;
            let said = running.inspect(&row.path).await.unwrap_or_default();
            of(&row, &said)
        });
    }
    asked.join_all().await
}

fn of(row: &Row, said: &Inspection) -> Connected {
    let text = |name: &str| match said.value(name) {
        Some(Value::Text(text)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let tls = match said.value("tls") {
        Some(Value::Flag(tls)) => Some(*tls),
        _ => None,
    };
    let mut parts = row.path.split('/').skip(1);
    let listener = match (parts.next(), parts.next()) {
        (Some("listeners"), Some(name)) => name,
        _ => "shell",
    };
    let id = row.path.rsplit('/').next().unwrap_or_default();
    let made: Result<message::id::ConnectionId, _> = id.parse();
    Connected {
        id: id.to_owned(),
        path: row.path.clone(),
        listener: listener.to_owned(),
        class: row.class,
        since: made.ok().map(|id| id.id().timestamp()),
        restarts: row.restarts,
        peer: text("peer").or_else(|| text("name")),
        account: text("login").or_else(|| text("account")),
        tls,
        doing: text("doing").or_else(|| text("line")),
    }
}

/// Accounts that a session knows only by their id get their address.
async fn name_accounts(desk: &Desk, connected: &mut [Connected]) -> Result<(), Refused> {
    let ids = connected
        .iter()
        .filter_map(|it| it.account.as_ref()?.parse().ok());
    let ids: std::collections::HashSet<AccountId> = ids.collect();
    let names = desk.read(move |store| {
        let snapshot = store.snapshot();
        let name = |id: AccountId| -> Option<(String, String)> {
            let account = directory::account(&snapshot, DEFAULT_TENANT, id).ok()??;
            Some((id.to_string(), account.address.shown().to_string()))
        };
        ids.into_iter()
            .filter_map(name)
            .collect::<HashMap<String, String>>()
    });
    let names = names.await?;
    for session in connected {
        if let Some(name) = session.account.as_ref().and_then(|id| names.get(id)) {
            session.account = Some(name.clone());
        }
    }
    Ok(())
}
