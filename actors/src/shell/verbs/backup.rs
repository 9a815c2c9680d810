//! `backup`, `backup list`, `backup verify`: copies of the store elsewhere.

use std::{ops::ControlFlow, path::PathBuf};

use shell::{Answer, Block, Cell, Exit, Table};
use store::{
    backup::{self, BackupError, Flow, Progress},
    record::upkeep::UpkeepTask,
};

use super::upkeep::work;
use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
    output::Output,
};

/// `backup`
pub(in crate::shell) async fn take(desk: &Desk, request: &Request, out: &Output) -> Result<Answer, Refused> {
    let dir = request.call.required("directory")?.to_owned();
    let keep = request
        .call
        .number("keep")
        .map(|keep| u32::try_from(keep).unwrap_or(u32::MAX));
    if keep == Some(0) {
        return Err(Refused::usage("--keep: at least 1 backup stays"));
    }
    let what = format!("takes a backup into {dir}");
    if request.call.is_dry_run() {
        return Change::of(1, what)
            .make(desk, request, async { Ok(Vec::new()) })
            .await;
    }
    if desk.alive.is_some() {
        let task = UpkeepTask::Backup { dir, keep };
        return Ok(work(desk, request, out, task).await?.0);
    }
    let (store, at) = (desk.store.clone(), desk.clock.timestamp());
    let apply = async move {
        let taken = tokio::task::spawn_blocking(move || {
            let dir = PathBuf::from(dir);
            let taken = store.backup(&dir, at, |_| ControlFlow::Continue(()))?;
            keep.map(|keep| backup::prune(&dir, keep as usize)).transpose()?;
            Ok::<_, BackupError>(taken)
        });
        let taken = taken.await.map_err(|why| Refused::failed(why.to_string()))?;
        let taken = taken.map_err(|why| Refused::failed(why.to_string()))?;
        Ok(vec![Block::fields([
            ("backup", taken.manifest.name().into()),
            ("records", taken.manifest.records.into()),
            ("new_segments", taken.progress.segments.into()),
            ("new_octets", Cell::Octets(taken.progress.octets)),
            ("known_segments", taken.progress.known.into()),
        ])])
    };
    Change::of(1, what).make(desk, request, apply).await
}

/// `backup list`
pub(in crate::shell) async fn list(request: &Request) -> Result<Answer, Refused> {
    let dir = PathBuf::from(request.call.required("directory")?);
    let (whole, damaged) = blocking(move || backup::list(&dir)).await?;
    let mut answer = Answer::new("backup list");
    let mut table = Table::new(&["name", "at", "commands", "records", "octets", "format"]);
    for backup in whole {
        table.row([
            backup.name().into(),
            backup.at.into(),
            backup.sequence.into(),
            backup.records.into(),
            Cell::Octets(backup.octets()),
            u64::from(backup.format).into(),
        ]);
    }
    answer.push(table.into());
    for path in &damaged {
        answer.push(Block::text(format!("{} is damaged", path.display())));
    }
    Ok(if damaged.is_empty() {
        answer
    } else {
        answer.exiting(Exit::FAILED)
    })
}

/// `backup verify`
pub(in crate::shell) async fn verify(request: &Request, out: &Output) -> Result<Answer, Refused> {
    let dir = PathBuf::from(request.call.required("directory")?);
    let name = request.call.value("name").map(str::to_owned);
    let aside = match request.call.value("aside") {
        Some(aside) => PathBuf::from(aside),
        None => dir.join("aside"),
    };
    let (told, mut tell) = tokio::sync::watch::channel(Progress::default());
    let mut verifying = tokio::spawn(blocking(move || {
        backup::verify_backup(&dir, name.as_deref(), &aside, |progress| -> Flow {
            if told.send(*progress).is_err() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })
    }));
    let verified = loop {
        tokio::select! {
            verified = &mut verifying => break verified.map_err(|why| Refused::failed(why.to_string()))??,
            Ok(()) = tell.changed() => {
                let done = tell.borrow_and_update().segments;
                // Who does not listen any more does not want it either: the receiver goes with this.
                out.say(Block::Progress { what: "segments".to_owned(), done, total: None }).await?;
            }
        }
    };
    let mut answer = Answer::new("backup verify");
    for finding in &verified.findings {
        answer.push(Block::text(finding.to_string()));
    }
    let (records, findings) = (verified.summary.records, verified.summary.findings);
    let name = verified.manifest.name();
    answer.push(Block::text(format!(
        "backup {name}: {records} records, {findings} findings"
    )));
    Ok(if findings == 0 {
        answer
    } else {
        answer.exiting(Exit::FAILED)
    })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, Refused> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|why| Refused::failed(why.to_string()))?
        .map_err(|why| Refused::failed(why.to_string()))
}
