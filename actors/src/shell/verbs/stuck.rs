//! `stuck`: actors whose oldest message has waited long. Nobody is asked.

use std::time::Duration;

use shell::Answer;

use super::tree;
use crate::shell::desk::{Desk, Refused, Request};

/// What is long, unless it is said: a call that waits so long is about to be given up.
const LONG: Duration = Duration::from_secs(5);

pub(in crate::shell) async fn stuck(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let running = desk.running()?;
    let long = request.call.duration("older-than").unwrap_or(LONG);
    let found = tokio::task::spawn_blocking(move || {
        let mut rows = running.stuck(long);
        rows.sort_by_key(|row| std::cmp::Reverse(row.oldest));
        tree::table(rows.into_iter())
    });
    Ok(Answer::new("stuck").with(found.await.map_err(|why| Refused::failed(why.to_string()))?))
}
