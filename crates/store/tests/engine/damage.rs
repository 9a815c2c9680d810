//! What a start says to a data directory that is not as it was left.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use store::{open::OpenError, options::Options, store::Store};

use crate::fixture::{furnish, small, spooled, wait};

fn open(dir: &Path) -> Result<Store, OpenError> {
    Store::open(dir, Options::default()).map(|(store, _)| store)
}

/// A data directory with ten messages, still in the journal.
fn ten_messages(dir: &Path) {
    let store = open(dir).unwrap();
    furnish(&store);
    for n in 0..10 {
        wait(store.propose(small(&store, n))).unwrap();
    }
    store.close().unwrap();
}

fn journal(dir: &Path) -> PathBuf {
    dir.join("store/0.jnl")
}

/// The offset of the last octet of the journal that is not zero.
fn end(path: &Path) -> u64 {
    fs::read(path)
        .unwrap()
        .iter()
        .rposition(|&octet| octet != 0)
        .unwrap() as u64
}

fn flip(path: &Path, offset: u64) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut octets = [0; 4];
    file.read_exact_at(&mut octets, offset).unwrap();
    file.write_all_at(&octets.map(|octet| !octet), offset).unwrap();
}

#[test]
fn an_undamaged_store_opens_again_and_again() {
    let dir = tempfile::tempdir().unwrap();
    ten_messages(dir.path());
    for _ in 0..3 {
        let (store, report) = Store::open(dir.path(), Options::default()).unwrap();
        assert_eq!(
            (report.sequence, report.torn_octets, report.accepted_loss),
            (13, 0, None)
        );
        assert!((0..10).all(|n| spooled(&store, n).is_some()));
    }
}

#[test]
fn no_flipped_octets_in_the_journal_go_unnoticed() {
    let template = tempfile::tempdir().unwrap();
    ten_messages(template.path());
    let octets = end(&journal(template.path()));
    // Everywhere, in steps that fall on heads, keys, values and trailers alike.
    for offset in (0..octets - 4).step_by(631) {
        let dir = tempfile::tempdir().unwrap();
        copy(template.path(), dir.path());
        flip(&journal(dir.path()), offset);
        for start in 1..=2 {
            match open(dir.path()) {
                Err(OpenError::Damaged { path, .. }) => assert!(path.starts_with(dir.path())),
                Err(OpenError::Truncated { path, why }) => {
                    assert_eq!(path, dir.path().join("store"));
                    assert!(
                        why.contains("command 13 was answered") || why.contains("out of order"),
                        "{why}"
                    );
                }
                Err(error) => panic!("start {start} with a flip at {offset}: {error}"),
                Ok(_) => panic!("start {start} with a flip at {offset} went unnoticed"),
            }
        }
    }
}

#[test]
fn a_truncated_journal_is_refused_until_the_loss_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    ten_messages(dir.path());
    let journal = journal(dir.path());
    let cut = end(&journal) * 2 / 3;
    File::options()
        .write(true)
        .open(&journal)
        .unwrap()
        .set_len(cut)
        .unwrap();
    for _ in 0..2 {
        let error = open(dir.path()).unwrap_err();
        assert!(matches!(error, OpenError::Truncated { .. }));
        let text = error.to_string();
        for part in [
            "store",
            "command 13",
            "the newest one left is",
            "angarium check store --accept-truncation",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
    let accepting = Options {
        accept_truncation: true,
        ..Options::default()
    };
    let (store, report) = Store::open(dir.path(), accepting).unwrap();
    assert!(
        report
            .accepted_loss
            .is_some_and(|loss| loss.contains("command 13"))
    );
    assert!(report.sequence < 13);
    let kept = (0..10).filter(|&n| spooled(&store, n).is_some()).count() as u64;
    assert_eq!(report.sequence, kept + 3);
    wait(store.propose(small(&store, 20))).unwrap();
    drop(store);
    let (_, report) = Store::open(dir.path(), Options::default()).unwrap();
    assert_eq!((report.sequence, report.accepted_loss), (kept + 4, None));
}

#[test]
fn an_unfinished_write_at_the_end_is_no_loss() {
    let dir = tempfile::tempdir().unwrap();
    ten_messages(dir.path());
    let journal = journal(dir.path());
    let end = end(&journal) + 1;
    // The beginning of a batch: five items at sequence number 99, of which half of one is there.
    let head = [
        1, 5, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 8, 0, 200, 0, 0, 0,
    ];
    let begun = [&head[..], b"seq"].concat();
    let file = File::options().write(true).open(&journal).unwrap();
    file.write_all_at(&begun, end).unwrap();
    let (store, report) = Store::open(dir.path(), Options::default()).unwrap();
    assert_eq!((report.sequence, report.accepted_loss), (13, None));
    assert_eq!(report.torn_octets, begun.len() as u64);
    assert!((0..10).all(|n| spooled(&store, n).is_some()));
}

#[test]
fn a_store_of_a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    ten_messages(dir.path());
    fs::write(dir.path().join("format"), "angarium store format 99\n").unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(
        error,
        OpenError::Newer {
            found: 99,
            known: 2,
            ..
        }
    ));
    for text in ["angarium store format two\n", "", "\u{0}"] {
        fs::write(dir.path().join("format"), text).unwrap();
        assert!(
            matches!(open(dir.path()), Err(OpenError::Damaged { .. })),
            "{text:?}"
        );
    }
    fs::remove_file(dir.path().join("format")).unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Damaged { .. })));
    fs::write(dir.path().join("format"), "angarium store format 1\n").unwrap();
    open(dir.path()).unwrap();
}

#[test]
fn a_second_process_is_told_who_has_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::InUse { pid: Some(pid), .. } if pid == std::process::id()));
    assert!(
        error
            .to_string()
            .contains(&format!("(pid {}) has it open", std::process::id()))
    );
    drop(store);
    open(dir.path()).unwrap();
}

#[test]
fn damage_in_the_engines_files_names_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    ten_messages(dir.path());
    fs::write(dir.path().join("store/version"), b"not a version").unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Damaged { path, .. } if *path == dir.path().join("store")));
    assert!(error.to_string().contains("restore a backup"));
}

/// Copies a directory; journals without the zeros behind their end.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
            continue;
        }
        let mut octets = fs::read(entry.path()).unwrap();
        if target.extension().is_some_and(|extension| extension == "jnl") {
            let end = octets.iter().rposition(|&octet| octet != 0).unwrap();
            octets.truncate(end + 1);
        }
        if entry.file_name() != "reserve" {
            fs::write(target, octets).unwrap();
        }
    }
}

#[test]
fn an_interrupted_creation_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("store/keyspaces")).unwrap();
    fs::write(dir.path().join("store/0.jnl"), [0; 1000]).unwrap();
    fs::write(dir.path().join("mark"), []).unwrap();
    let (store, report) = Store::open(dir.path(), Options::default()).unwrap();
    assert!(report.created);
    // Everything was made but the format.
    drop(store);
    fs::remove_file(dir.path().join("format")).unwrap();
    let (_, report) = Store::open(dir.path(), Options::default()).unwrap();
    assert!(report.created);
}
