//! A disk that becomes full while a backup is written to it: a real one, in a mount namespace that nobody else sees.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    ops::ControlFlow,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use store::{
    backup::{BackupError, list, restore, verify_backup},
    options::Options,
    store::Store,
};
use tempfile::TempDir;

use crate::{
    backups::rows,
    fixture::{NOW, accept, furnish, noise, small, wait, write_blob},
};

const DIR: &str = "ANGARIUM_TEST_FULL_DIR";

/// A backup leaves 64 MiB free: there is as much again.
const SIZE: &str = "size=128m";

/// Mounts and goes on.
const SCRIPT: &str = r#"mount -t tmpfs -o "$0" none "$1" && shift && exec "$@""#;

/// A command in a namespace of its own, with a small disk mounted at a path; `None` where neither root nor anybody may.
fn beside_a_small_disk(disk: &Path) -> Option<Command> {
    ["--mount", "--map-root-user"].into_iter().find_map(|how| {
        let command = || {
            let mut command = Command::new("unshare");
            command.args([how, "--mount", "sh", "-c", SCRIPT, SIZE]).arg(disk);
            command
        };
        let tried = command().arg("true").stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success()).then(command)
    })
}

#[test]
fn a_disk_that_becomes_full_harms_no_earlier_backup() {
    let dir = TempDir::new().unwrap();
    let disk = dir.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let Some(mut child) = beside_a_small_disk(&disk) else {
        println!("skipped: nobody may mount here, neither with unshare --mount nor with --map-root-user");
        return;
    };
    let ended = child
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "full::backs_up_to_a_disk_that_becomes_full",
            "--ignored",
            "--nocapture",
        ])
        .env(DIR, dir.path())
        .status()
        .unwrap();
    assert!(ended.success());
}

/// Takes all space that there is.
fn fill(filler: &Path) {
    let mut file = File::options().create(true).append(true).open(filler).unwrap();
    for size in [1 << 20, 4096] {
        let block = vec![0x55; size];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(full) => {
                    assert_eq!(full.kind(), ErrorKind::StorageFull);
                    break;
                }
            }
        }
    }
}

#[test]
#[ignore = "the other process of a_disk_that_becomes_full_harms_no_earlier_backup"]
fn backs_up_to_a_disk_that_becomes_full() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let dir = Path::new(&dir);
    let (backup, filler) = (dir.join("disk/backup"), dir.join("disk/filler"));
    let options = Options {
        reserve_file_octets: 0,
        ..Options::default()
    };
    let (store, _) = Store::open(&dir.join("data"), options).unwrap();
    furnish(&store);
    for n in 0..10 {
        wait(store.propose(small(&store, n))).unwrap();
    }
    store.backup(&backup, NOW, |_| ControlFlow::Continue(())).unwrap();
    let (mut next, mut refused_by_the_system, mut refused_before) = (10, 0, 0);
    for last in (1..).step_by(2) {
        // Something new each time: what was written whole is not written again.
        for _ in 0..20 {
            wait(store.propose(accept(next, wait(write_blob(&store, next, &noise(next, 30_000)))))).unwrap();
            next += 1;
        }
        let mut asked = 0;
        let taken = store.backup(&backup, NOW + Duration::from_secs(last), |_| {
            asked += 1;
            if asked == last {
                fill(&filler);
            }
            ControlFlow::Continue(())
        });
        let is_full = filler.exists();
        drop(fs::remove_file(&filler));
        let (whole, damaged) = list(&backup).unwrap();
        match taken {
            Ok(_) if is_full => panic!("a backup is said to be whole on a disk that was full"),
            Ok(_) => {
                assert_eq!((whole.len(), damaged.len()), (2, 0));
                break;
            }
            Err(BackupError::Full { free, needed, .. }) => {
                assert!(free < needed);
                refused_before += 1;
            }
            Err(BackupError::Io { source, .. }) if source.kind() == ErrorKind::StorageFull => {
                refused_by_the_system += 1;
            }
            Err(why) => panic!("{why}"),
        }
        assert_eq!((whole.len(), damaged.len()), (1, 0));
        assert_eq!(whole[0].at, NOW);
    }
    println!("{refused_by_the_system} writes were refused, {refused_before} were not tried");
    assert!(refused_by_the_system > 0 && refused_before > 0);
    let name = list(&backup).unwrap().0[0].name();
    let aside = dir.join("aside");
    for name in [Some(name.as_str()), None] {
        let verified = verify_backup(&backup, name, &aside, |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(verified.findings, Vec::new());
    }
    let new = dir.join("new");
    restore(&backup, None, &new, |_| ControlFlow::Continue(())).unwrap();
    let options = Options {
        reserve_file_octets: 0,
        ..Options::default()
    };
    assert_eq!(rows(&Store::open(&new, options).unwrap().0), rows(&store));
}
