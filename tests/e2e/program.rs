//! Program: the program itself as a child process, ended by its own id when the test forgets it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::line::Line;

/// A program that is not done by then never will be.
const DEADLINE: Duration = Duration::from_secs(60);

/// Cheap passwords and ports that the system chooses.
const SETTINGS: [&str; 8] = [
    "listeners.mx.bind=127.0.0.1:0",
    "listeners.pop3.bind=127.0.0.1:0",
    "listeners.submission.bind=127.0.0.1:0",
    "listeners.submissions.bind=127.0.0.1:0",
    "auth.argon2_memory=64KiB",
    "auth.argon2_iterations=1",
    "store.reserve=1MiB",
    "store.reserve_file=0B",
];

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_angarium"));
    // Settings of whoever runs the tests are none of theirs.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("SMTP_") || name.starts_with("ANGARIUM_") {
            command.env_remove(&*name);
        }
    }
    command
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the program to its end with this on its standard input.
pub(crate) fn run(directory: &Path, arguments: &[&str], input: &str) -> Output {
    run_among(directory, &[], arguments, input)
}

/// The same, with these variables in its environment.
pub(crate) fn run_among(
    directory: &Path,
    variables: &[(&str, &str)],
    arguments: &[&str],
    input: &str,
) -> Output {
    let mut command = command(directory, arguments);
    command.envs(variables.iter().copied());
    let mut child = command.spawn().expect("the program");
    // A program that does not read its input may have ended already.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().expect("its output")
}

/// The same as another user of this machine, who may not be able to reach the program itself: it is opened for him. Only
/// root can do that.
pub(crate) fn run_as(uid: u32, gid: u32, arguments: &[&str]) -> Output {
    let program = std::fs::File::open(env!("CARGO_BIN_EXE_angarium")).expect("the program");
    let name = format!("/proc/self/fd/{}", program.as_raw_fd());
    Command::new(name)
        .env_clear()
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::null())
        .uid(uid)
        .gid(gid)
        .output()
        .expect("the program")
}

/// The same, for arguments that must succeed. Gives its standard output.
pub(crate) fn succeed(directory: &Path, arguments: &[&str], input: &str) -> String {
    let output = run(directory, arguments, input);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "{arguments:?}: {}: {errors}",
        output.status
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The same, for arguments that must fail with this code. Gives its standard error.
pub(crate) fn fail(directory: &Path, arguments: &[&str], code: i32) -> String {
    let output = run(directory, arguments, "");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
    errors
}

/// The same for a verb that says why on its standard output, as one does that has much to say. Gives that.
pub(crate) fn fail_saying(directory: &Path, arguments: &[&str], code: i32) -> String {
    let output = run(directory, arguments, "");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A server in a process of its own.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    errors: Option<JoinHandle<String>>,
    /// The line that it said when it was ready.
    pub(crate) ready: String,
}

impl Program {
    /// Starts `serve` in a directory, with these arguments behind those of every test, and waits until it is ready.
    pub(crate) fn serve(directory: &Path, arguments: &[&str]) -> Self {
        let mut all = vec!["serve"];
        all.extend(SETTINGS.iter().flat_map(|set| ["--set", set]));
        all.extend(arguments);
        Self::start(command(directory, &all))
    }

    /// The same, where a disk of its own is mounted, which nobody else sees: in a mount namespace, with these options of tmpfs.
    /// `None` where neither root nor anybody may do that. [`Program::sees`] says where it is for others.
    pub(crate) fn serve_beside_a_disk(directory: &Path, disk: &Path, options: &str) -> Option<Self> {
        const SCRIPT: &str = r#"mount -t tmpfs -o "$0" none "$1" && shift && exec "$@""#;
        let namespace = |how: &str| {
            let mut command = Command::new("unshare");
            command
                .args([how, "--mount", "sh", "-c", SCRIPT, options])
                .arg(disk)
                .current_dir(directory);
            command
        };
        let may = |how: &&str| {
            let tried = namespace(how).arg("true").stderr(Stdio::null()).status();
            tried.is_ok_and(|status| status.success())
        };
        let how = ["--mount", "--map-root-user"].into_iter().find(may)?;
        let mut all = vec!["serve"];
        all.extend(SETTINGS.iter().flat_map(|set| ["--set", set]));
        let program = command(directory, &all);
        let mut inside = namespace(how);
        inside
            .arg(program.get_program())
            .args(program.get_args())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        Some(Self::start(inside))
    }

    /// Where a path that the program sees is for others.
    pub(crate) fn sees(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.id()));
        root.join(path.strip_prefix("/").expect("an absolute path"))
    }

    /// The same with nothing but these variables and arguments.
    pub(crate) fn serve_among(directory: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut command = command(directory, &[&["serve"], arguments].concat());
        command.envs(variables.iter().copied());
        Self::start(command)
    }

    /// The same as a service manager starts it that has opened a socket for it (sd_listen_fds(3)). A shell puts the socket
    /// where it is looked for, and knows the number of the process.
    pub(crate) fn serve_on(directory: &Path, socket: std::net::TcpListener, arguments: &[&str]) -> Self {
        let program = command(directory, &[]);
        let mut shell = Command::new("sh");
        shell
            .args([
                "-c",
                "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"",
            ])
            .arg(program.get_program())
            .arg("serve")
            .args(arguments)
            .current_dir(directory)
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(socket)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        Self::start(shell)
    }

    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program");
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut errors = child.stderr.take().unwrap();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            drop(errors.read_to_end(&mut text));
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut program = Self {
            child,
            lines,
            errors: Some(errors),
            ready: String::new(),
        };
        match program.lines.recv_timeout(DEADLINE) {
            Ok(ready) => program.ready = ready,
            Err(_) => panic!("it is not ready: {}", program.killed()),
        }
        program
    }

    /// Where a listener is, as the ready line says.
    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        let mut words = self.ready.split(' ');
        assert_eq!(words.next(), Some("ready"), "{}", self.ready);
        let address = words.find_map(|word| word.strip_prefix(&format!("{listener}=")));
        address.expect("a listener").parse().expect("an address")
    }

    pub(crate) async fn smtp(&self) -> Line {
        let mut line = Line::to(self.address("mx")).await;
        line.expect("220 ").await;
        line.ask("EHLO client.example", "250 ").await;
        line
    }

    pub(crate) async fn maildrop(&self, login: &str, password: &str) -> Line {
        let mut line = Line::to(self.address("pop3")).await;
        line.expect("+OK ").await;
        line.ask(&format!("USER {login}"), "+OK").await;
        line.ask(&format!("PASS {password}"), "+OK").await;
        line
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("a process");
    }

    /// Waits until it has ended by itself. Gives how, and what it said on standard error.
    pub(crate) fn ended(&mut self) -> (ExitStatus, String) {
        let started = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("a child") {
                Some(status) => break status,
                None => assert!(started.elapsed() < DEADLINE, "it does not end: {}", self.killed()),
            }
            std::thread::park_timeout(Duration::from_millis(5));
        };
        (status, self.errors())
    }

    /// Ends it at once, as a power cut would. Gives what it said on standard error.
    pub(crate) fn killed(&mut self) -> String {
        drop(self.child.kill());
        drop(self.child.wait());
        self.errors()
    }

    /// Octets of memory that are its own.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 = resident.unwrap().trim().trim_end_matches(" kB").parse().unwrap();
        kib << 10
    }

    fn errors(&mut self) -> String {
        let errors = self.errors.take().map(|errors| errors.join().unwrap());
        errors.unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
