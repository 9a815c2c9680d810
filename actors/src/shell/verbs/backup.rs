//! `backup`, `backup list`, `backup verify`: copies of the store elsewhere.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    time::{Duration, Instant},
};

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

/// How often it is said how far a work is.
const SAY: Duration = Duration::from_millis(300);

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
    let (store, at, out) = (desk.store.clone(), desk.clock.timestamp(), out.clone());
    let apply = async move {
        let taken = followed(&out, Unheard::GoOn, move |watch| {
            let dir = PathBuf::from(dir);
            let taken = store.backup(&dir, at, watch)?;
            keep.map(|keep| backup::prune(&dir, keep as usize)).transpose()?;
            Ok(taken)
        });
        let taken = taken.await?;
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
    let verified = followed(out, Unheard::End, move |watch| {
        backup::verify_backup(&dir, name.as_deref(), &aside, watch)
    });
    let verified = verified.await?;
    let mut answer = Answer::new("backup verify");
    for finding in &verified.findings {
        answer.push(Block::text(finding.to_string()));
    }
    let (records, findings) = (verified.summary.records, verified.summary.findings);
    let name = verified.manifest.name();
    answer.push(Block::text(format!(
        "backup {name}: {records} records, {findings} findings"
    )));
    if verified.uploads > 0 {
        let uploads = verified.uploads;
        answer.push(Block::text(format!(
            "{uploads} messages were on their way in when it was taken, and are not in it"
        )));
    }
    Ok(if findings == 0 {
        answer
    } else {
        answer.exiting(Exit::FAILED)
    })
}

/// What becomes of a work when who asked for it does not listen any more.
#[derive(Clone, Copy)]
enum Unheard {
    /// It is done all the same: it has begun to change something.
    GoOn,
    /// Nobody wants to know any more.
    End,
}

/// Does it on a thread that may wait, and says how far it is, not too often.
async fn followed<T: Send + 'static>(
    out: &Output,
    unheard: Unheard,
    work: impl FnOnce(&mut dyn FnMut(&Progress) -> Flow) -> Result<T, BackupError> + Send + 'static,
) -> Result<T, Refused> {
    let (told, mut tell) = tokio::sync::watch::channel(Progress::default());
    let mut working = tokio::spawn(blocking(move || {
        work(&mut |progress| match told.send(*progress) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        })
    }));
    let mut said = Instant::now();
    loop {
        tokio::select! {
            done = &mut working => return done.map_err(|why| Refused::failed(why.to_string()))?,
            Ok(()) = tell.changed() => {
                let progress = *tell.borrow_and_update();
                let done = progress.segments + progress.known;
                if done == 0 || said.elapsed() < SAY {
                    continue;
                }
                said = Instant::now();
                let block = Block::Progress { what: "segments".to_owned(), done, total: progress.total };
                match (out.say(block).await, unheard) {
                    // The receiver goes with this, and the work ends.
                    (Err(gone), Unheard::End) => return Err(gone.into()),
                    (Ok(()), _) | (Err(_), Unheard::GoOn) => {}
                }
            }
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, Refused> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|why| Refused::failed(why.to_string()))?
        .map_err(|why| Refused::failed(why.to_string()))
}
