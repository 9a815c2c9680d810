//! Writes fail: no file may grow any more, space falls below the reserve, and, where that may be tried, the disk is full.

use std::{fs, path::Path, process::ExitStatus, time::Duration};

use angarium::client::{
    pop3::Pop3,
    smtp::{Sent, Smtp},
};
use anyhow::{Context, ensure};
use rand::Rng;
use rustix::fs::statvfs;
use smtp::Enhanced;

use crate::{
    crowd::Tolerance,
    home::{PASSWORD, address},
    ledger::Fate,
    letter::{Letter, commands},
    promise::Broken,
    server::Addresses,
    storm::Storm,
    wait::{pass, until},
};

mod small_disk;

use self::small_disk::SmallDisk;

/// What the scenario asks beside the promises about mailboxes.
const ENDS: &str = "a write that fails ends the process with an error";
const REFUSES: &str = "without space MAIL is answered 452 4.3.1, and reading and deleting go on";

/// Files may grow up to somewhere below this.
const FILE_LIMIT: u64 = 512 << 10;

/// The largest reserve that may be asked for; a disk with more free space cannot play this part.
const MAX_RESERVE: &str = "1024GiB";
const MAX_RESERVE_OCTETS: u64 = 1024 << 30;

/// The server looks at the free space every second.
const NOTICED: Duration = Duration::from_secs(10);

/// How long letters press upon a full disk.
const PRESSURE: Duration = Duration::from_millis(1500);

/// Letters that are there before space runs out.
const LETTERS: usize = 12;

pub(super) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    storm.home.set("store.reserve_file=1MiB");
    let rounds = (storm.effort.process_kills / 6).max(1);
    for _ in 0..rounds {
        files_stop_growing(storm).await?;
    }
    storm.calm_child().await?;
    space_below_reserve(storm).await?;
    full_disk(storm).await
}

/// The journal cannot be written any more, in the middle of a group.
async fn files_stop_growing(storm: &mut Storm) -> anyhow::Result<()> {
    let mut child = storm.start_child(2).await?;
    let mut crowd = storm.crowd();
    crowd.senders(8, &(0..2), Tolerance::Anything, &mut storm.rng);
    pass(storm.draw(Duration::from_millis(50), Duration::from_millis(400))).await;
    child.limit_files(storm.rng.random_range(1..FILE_LIMIT))?;
    let status = child.ended().await?;
    storm.close_door();
    storm.killed(None);
    crowd.disperse().await?;
    ended_with_error(status)
}

fn ended_with_error(status: ExitStatus) -> anyhow::Result<()> {
    match status.code() {
        Some(code) if code != 0 => Ok(()),
        _ => Err(Broken::new(ENDS, format!("it ended with {status}")).into()),
    }
}

/// A reserve that is larger than the free space, in this process.
async fn space_below_reserve(storm: &mut Storm) -> anyhow::Result<()> {
    if free(&storm.home.data())? >= MAX_RESERVE_OCTETS {
        storm
            .tally
            .notes
            .push("reserve: skipped, the disk is too large".to_owned());
        return Ok(());
    }
    let inside = storm.start_inside(2).await?;
    letters(storm, inside.addresses()?).await?;
    storm.check_mailboxes(inside.addresses()?).await?;
    inside.stop().await?;
    storm.home.set(&format!("store.reserve={MAX_RESERVE}"));
    let inside = storm.start_inside(2).await?;
    refuses_and_reads(storm, inside.addresses()?).await?;
    inside.stop().await?;
    storm.home.set("store.reserve=1MiB");
    let inside = storm.start_inside(2).await?;
    letters(storm, inside.addresses()?).await?;
    storm.calm(inside).await
}

/// A small file system of its own, filled by somebody else: first below the reserve, then to the last octet.
async fn full_disk(storm: &mut Storm) -> anyhow::Result<()> {
    storm.move_on("small-disk")?;
    let Some(disk) = SmallDisk::mount(&storm.home.data())? else {
        storm
            .tally
            .notes
            .push("full disk: skipped, nothing can be mounted".to_owned());
        return Ok(());
    };
    let done = fill(storm, &disk).await;
    if done.is_err() {
        disk.save()?;
    }
    done
}

async fn fill(storm: &mut Storm, disk: &SmallDisk) -> anyhow::Result<()> {
    storm.home.set("store.reserve=8MiB");
    let child = storm.start_child(2).await?;
    let door = storm.door().context("the child does not listen")?;
    letters(storm, door).await?;
    storm.check_mailboxes(door).await?;
    disk.leave(4 << 20)?;
    // Should it not notice, the next line says so.
    until(NOTICED, async || Ok((mail(door).await? == 452).then_some(()))).await?;
    refuses_and_reads(storm, door).await?;
    disk.clear()?;
    // As above.
    until(NOTICED, async || Ok((mail(door).await? == 250).then_some(()))).await?;
    letters(storm, door).await?;
    storm.check_mailboxes(door).await?;
    child.stop().await?;
    storm.home.set("store.reserve=1MiB");
    let mut child = storm.start_child(2).await?;
    let mut crowd = storm.crowd();
    crowd.senders(8, &(0..2), Tolerance::Anything, &mut storm.rng);
    pass(storm.draw(Duration::from_millis(50), Duration::from_millis(300))).await;
    disk.leave(0)?;
    pass(PRESSURE).await;
    storm.close_door();
    storm.killed(None);
    crowd.disperse().await?;
    match child.has_ended()? {
        Some(status) => {
            ended_with_error(status)?;
            storm.tally.notes.push("full disk: the process ended".to_owned());
        }
        None => {
            child.kill().await?;
            storm
                .tally
                .notes
                .push("full disk: the process refused and lived".to_owned());
        }
    }
    disk.clear()?;
    storm.calm_child().await
}

/// Sends a few letters that must be accepted.
async fn letters(storm: &mut Storm, door: Addresses) -> anyhow::Result<()> {
    let mut smtp = Smtp::connect(door.mx).await?;
    smtp.hello().await?;
    for number in 0..LETTERS {
        let account = number % storm.home.accounts();
        let letter = storm
            .ledger
            .write(account, |id| Letter::drawn(id, &mut storm.rng));
        let sent = smtp
            .send(&commands(&address(account)), &letter.on_the_wire())
            .await?;
        ensure!(sent == Sent::Accepted, "with space enough a letter met {sent:?}");
        storm.ledger.decide(letter.id, Fate::Accepted);
    }
    smtp.quit().await
}

/// The code that MAIL is answered with.
async fn mail(door: Addresses) -> anyhow::Result<u16> {
    let mut smtp = Smtp::connect(door.mx).await?;
    smtp.hello().await?;
    let reply = smtp.command("MAIL FROM:<chaos@sender.example>").await?;
    smtp.quit().await?;
    Ok(reply.code())
}

/// New mail is refused for the time being; what is there can be read and deleted.
async fn refuses_and_reads(storm: &mut Storm, door: Addresses) -> anyhow::Result<()> {
    let mut smtp = Smtp::connect(door.mx).await?;
    smtp.hello().await?;
    let reply = smtp.command("MAIL FROM:<chaos@sender.example>").await?;
    if reply.code() != 452 || reply.enhanced() != Some(Enhanced(4, 3, 1)) {
        return Err(Broken::new(REFUSES, format!("it was answered {reply}")).into());
    }
    smtp.quit().await?;
    let mut pop3 = Pop3::login(door.pop3, &address(0), PASSWORD)
        .await
        .context(REFUSES)?;
    let message = pop3.retrieve(1).await.context(REFUSES)?;
    let id = Letter::id_of(&message).context("a message names no letter")?;
    pop3.delete(1).await.context(REFUSES)?;
    pop3.quit().await.context(REFUSES)?;
    storm.ledger.decide(id, Fate::Deleted);
    storm.check_mailboxes(door).await
}

fn free(path: &Path) -> anyhow::Result<u64> {
    fs::create_dir_all(path)?;
    let stat = statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}
