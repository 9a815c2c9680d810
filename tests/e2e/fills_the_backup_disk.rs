//! `backup` to a disk that is full, by a server that runs: it says so, the earlier backup is whole, and mail goes on.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::program::{Program, run, succeed};

/// A backup leaves 64 MiB free: so there is room for 6, and for few files.
const DISK: &str = "size=70m,nr_inodes=100";

async fn deliver(program: &Program, count: usize, octets: usize) {
    let mut line = program.smtp().await;
    // What repeats itself would take no space.
    let mut state = 0x9e37_79b9_u32;
    for n in 0..count {
        let mut text = format!("Subject: {n}\r\n\r\n");
        while text.len() < octets {
            for _ in 0..70 {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                text.push(char::from(b'a' + (state % 26) as u8));
            }
            text.push_str("\r\n");
        }
        line.deliver("a@client.example", &["postmaster@localhost"], &text)
            .await;
    }
}

/// Runs the program on a thread that may wait for it, so that the test may go on speaking. Gives its code and all that it said.
async fn ask(directory: &Path, arguments: &'static [&'static str]) -> (Option<i32>, String) {
    let directory = directory.to_owned();
    let ran = tokio::task::spawn_blocking(move || run(&directory, arguments, "")).await;
    let output = ran.unwrap();
    let said = [output.stdout, output.stderr].map(|octets| String::from_utf8(octets).unwrap());
    (output.status.code(), said.concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_of_and_mail_goes_on() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().canonicalize().unwrap();
    let disk = path.join("disk");
    fs::create_dir(&disk).unwrap();
    let Some(mut program) = Program::serve_beside_a_disk(&path, &disk, DISK) else {
        println!("skipped: nobody may mount here, neither with unshare --mount nor with --map-root-user");
        return;
    };
    deliver(&program, 3, 10_000).await;
    let (code, said) = ask(&path, &["backup", "disk/copies"]).await;
    assert_eq!(code, Some(0), "{said}");
    let is_one = async || {
        let (code, said) = ask(&path, &["backup", "list", "disk/copies", "--json"]).await;
        let answer: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(
            answer["blocks"][0]["table"].as_array().unwrap().len(),
            1,
            "{said}"
        );
        let (code, said) = ask(&path, &["backup", "verify", "disk/copies", "--aside", "aside"]).await;
        assert!(code == Some(0) && said.contains(" 0 findings"), "{said}");
    };
    is_one().await;

    // No more files: it is the system that refuses.
    let fillers = program.sees(&disk).join("fillers");
    fs::create_dir(&fillers).unwrap();
    let full = (0..1000).find_map(|n| File::create(fillers.join(n.to_string())).err());
    assert_eq!(full.unwrap().kind(), ErrorKind::StorageFull);
    deliver(&program, 1, 10_000).await;
    let (code, said) = ask(&path, &["backup", "disk/copies"]).await;
    assert!(
        code == Some(1) && said.contains("No space left on device"),
        "{said}"
    );
    fs::remove_dir_all(&fillers).unwrap();
    is_one().await;

    // No more space: it is seen before.
    deliver(&program, 9, 1_500_000).await;
    let (code, said) = ask(&path, &["backup", "disk/copies"]).await;
    assert!(
        code == Some(1) && said.contains("the disk is full") && said.contains("earlier backups are whole"),
        "{said}"
    );
    is_one().await;
    let (_, said) = ask(&path, &["audit", "list"]).await;
    assert_eq!(said.matches("failed").count(), 2, "{said}");

    // Mail went on all the while, and goes on.
    deliver(&program, 1, 10_000).await;
    program.signal(Signal::TERM);
    assert!(program.ended().0.success());
    let said = succeed(&path, &["check", "store"], "");
    assert!(said.contains(" 0 findings"), "{said}");
}
