//! `reload list`: the configurations that can be returned to.

use shell::{Answer, Table};
use store::read::{audit, configuration};

use crate::shell::desk::{Desk, Refused};

pub(in crate::shell) async fn list(desk: &Desk) -> Result<Answer, Refused> {
    let listed = desk.read(|store| {
        let snapshot = store.snapshot();
        let kept = configuration::configurations(&snapshot)?;
        // What the audit has forgotten, or never knew, came with a start as far as anybody knows.
        let who = |id| audit::entry(&snapshot, id).ok().flatten();
        let with = kept.into_iter().map(|kept| {
            let entry = who(kept.id);
            (kept, entry)
        });
        Ok::<_, store::engine::StoreError>(with.collect::<Vec<_>>())
    });
    let mut table = Table::new(&["receipt", "at", "who", "reason", "files", "size"]);
    for (kept, entry) in listed.await?? {
        let files: Vec<&str> = kept.documents.iter().map(|it| it.name.as_str()).collect();
        table.row([
            kept.id.to_string().into(),
            kept.at.into(),
            entry
                .as_ref()
                .map_or("a start", |entry| entry.who.as_str())
                .into(),
            entry.as_ref().and_then(|entry| entry.reason.clone()).into(),
            files.join(" ").into(),
            shell::Cell::Octets(kept.octets() as u64),
        ]);
    }
    Ok(Answer::new("reload list").with(table))
}
