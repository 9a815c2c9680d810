//! `kick`: ends sessions. In order first; what has not ended then is ended in the middle of whatever it does.

use std::time::Duration;

use message::id::AccountId;
use shell::{Answer, Block};
use supervision::Running;
use tokio::time::{Instant, interval};

use super::sessions::{self, MAX_ASKED};
use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
};

/// How long a session may take to come to an end in order.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked whether all have ended.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

pub(in crate::shell) async fn kick(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let whom = request.call.required("whom")?;
    let connected = sessions::connected(desk, None, MAX_ASKED).await?;
    let meant = connected
        .into_iter()
        .filter(|it| it.id == whom || it.account.as_deref() == Some(whom) || it.is_from(whom));
    let paths: Vec<String> = meant.map(|session| session.path).collect();
    if paths.is_empty() {
        return Err(Refused::failed(format!(
            "no session is {whom}, of that account, or from there"
        )));
    }
    let running = desk.running()?;
    let now = request.call.has("now");
    let change = Change::of(paths.len() as u64, format!("end the sessions of {whom}")).even_unrecorded();
    let apply = async move {
        let by_force = end(&running, paths, now).await;
        Ok(match by_force {
            0 => Vec::new(),
            some => vec![Block::text(format!("{some} of them by force"))],
        })
    };
    change.make(desk, request, apply).await
}

/// Asks the sessions of an account to come to an end in order, and waits for no other; tells how many there were.
pub(super) async fn leave(desk: &Desk, account: AccountId) -> usize {
    let (Ok(running), Ok(connected)) = (desk.running(), sessions::connected(desk, None, MAX_ASKED).await)
    else {
        // Without a tree there are no sessions.
        return 0;
    };
    let deadline = Instant::now() + PATIENCE;
    let meant = connected.iter().filter(|it| it.owner == Some(account));
    meant
        .filter(|session| running.dismiss(&session.path, deadline).is_ok())
        .count()
}

/// Ends them; tells how many did not end in order.
async fn end(running: &Running, paths: Vec<String>, now: bool) -> usize {
    let mut left = paths;
    if !now {
        let deadline = Instant::now() + PATIENCE;
        left.retain(|path| running.dismiss(path, deadline).is_ok());
        let mut looks = interval(LOOK_AGAIN);
        while !left.is_empty() && Instant::now() < deadline {
            looks.tick().await;
            left.retain(|path| !running.tree(path).is_empty());
        }
    }
    left.retain(|path| running.expel(path).is_ok());
    left.len()
}
