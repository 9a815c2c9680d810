//! `complete`: what is alive of a kind and begins so, for who types a line.

use shell::{Answer, Table};

use super::{candidates, crash, sessions};
use crate::shell::desk::{Desk, Refused, Request};

/// Candidates that are listed; nobody reads more.
const MAX_CANDIDATES: usize = 200;

pub(in crate::shell) async fn complete(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let kind = request.call.required("kind")?;
    let begun = request.call.value("beginning").unwrap_or_default();
    let candidates = match kind {
        "crash" => crash::cards(&desk.running()?)
            .into_iter()
            .map(|(number, _)| number)
            .collect(),
        "path" => paths(desk, begun)?,
        "session" => session_ids(desk).await?,
        "listener" => desk.config().listeners.keys().cloned().collect(),
        other => candidates::of(desk, other).await?,
    };
    let mut table = Table::new(&["candidate"]);
    let fitting = candidates
        .into_iter()
        .filter(|candidate| candidate.starts_with(begun));
    for candidate in fitting.take(MAX_CANDIDATES) {
        table.row([candidate.into()]);
    }
    Ok(Answer::new("complete").with(table))
}

/// The paths one level below what is typed already.
fn paths(desk: &Desk, begun: &str) -> Result<Vec<String>, Refused> {
    let parent = begun.rsplit_once('/').map_or("", |(parent, _)| parent);
    let rows = desk.running()?.tree_to(parent, 1);
    let below = |path: &str| -> bool {
        let rest = path.strip_prefix(parent).and_then(|rest| rest.strip_prefix('/'));
        rest.is_some_and(|name| !name.is_empty() && !name.contains('/'))
    };
    Ok(rows
        .into_iter()
        .map(|row| row.path)
        .filter(|path| below(path))
        .collect())
}

/// The ids of sessions, without asking them.
async fn session_ids(desk: &Desk) -> Result<Vec<String>, Refused> {
    let prefixes = vec!["/listeners".to_owned(), "/shell".to_owned()];
    let rows = sessions::sessions(&desk.running()?, prefixes, usize::MAX).await?;
    let id = |row: supervision::Row| row.path.rsplit('/').next().map(str::to_owned);
    Ok(rows.into_iter().filter_map(id).collect())
}
