//! Sessions: who is connected, over all listeners and this shell, as the sessions themselves say.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};

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
    /// Whose account, as it is called now, or was when the session began.
    pub(super) account: Option<String>,
    pub(super) owner: Option<AccountId>,
    /// Nobody may be in its account; it ends at the next command.
    pub(super) suspended: bool,
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
    let prefixes = match listener {
        Some(name) => vec![format!("/listeners/{name}")],
        None => vec!["/listeners".to_owned(), "/shell".to_owned()],
    };
    let rows = sessions(&running, prefixes, limit).await?;
    let mut connected = ask(&running, rows).await;
    connected.sort_by(|a, b| a.path.cmp(&b.path));
    name_accounts(desk, &mut connected).await?;
    Ok(connected)
}

/// The rows of sessions below these paths, so many at most.
pub(super) async fn sessions(
    running: &Running,
    prefixes: Vec<String>,
    limit: usize,
) -> Result<Vec<Row>, Refused> {
    let running = running.clone();
    // Of a hundred thousand connections this takes a while, and the shell has one thread.
    let found = tokio::task::spawn_blocking(move || {
        let mut rows = Vec::new();
        for prefix in prefixes {
            running.survey(&prefix, usize::MAX, |row| {
                if rows.len() >= limit {
                    return ControlFlow::Break(());
                }
                if row.class.ends_with("_session") {
                    rows.push(row);
                }
                ControlFlow::Continue(())
            });
        }
        rows
    });
    found.await.map_err(|why| Refused::failed(why.to_string()))
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
        owner: text("account").and_then(|id| id.parse().ok()),
        suspended: false,
        tls,
        doing: text("doing").or_else(|| text("line")),
    }
}

/// What a session knew of its account when it began may be otherwise by now.
async fn name_accounts(desk: &Desk, connected: &mut [Connected]) -> Result<(), Refused> {
    let ids: HashSet<AccountId> = connected.iter().filter_map(|it| it.owner).collect();
    let known = desk.read(move |store| {
        let snapshot = store.snapshot();
        let known = |id: AccountId| {
            let account = directory::account(&snapshot, DEFAULT_TENANT, id).ok()??;
            Some((id, account))
        };
        ids.into_iter().filter_map(known).collect::<HashMap<_, _>>()
    });
    let known = known.await?;
    for session in connected {
        if let Some(account) = session.owner.and_then(|id| known.get(&id)) {
            session.account = Some(account.address.shown().to_string());
            session.suspended = account.suspended.is_some();
        }
    }
    Ok(())
}
