//! A server in a process of its own: this program again, as the server's own command line.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child as Process, Command, ExitCode, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, kill_process, prlimit, set_parent_process_death_signal,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use super::Addresses;
use crate::{home::Home, promise::memory_is_bounded, wait::until};

/// The longest that a start may take: recovery of a long journal on a busy machine.
const STARTING: Duration = Duration::from_secs(60);

/// The longest that an end may take that is due.
const ENDING: Duration = Duration::from_secs(60);

/// The first argument of the child.
const CHILD: &str = "angarium";

/// The command line of the server, in a process that was started to be killed. A file that may grow no more gives an
/// error there instead of ending the process, as a full disk does; and it never outlives who started it.
#[must_use]
pub fn serve_as_child(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let caught = runtime.and_then(|runtime| {
        let _inside = runtime.enter();
        signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))
    });
    let bound = set_parent_process_death_signal(Some(Signal::KILL)).map_err(std::io::Error::from);
    match caught.and(bound) {
        Ok(()) => angarium::cli::run_with(arguments),
        Err(why) => {
            eprintln!("chaos: a child cannot be what it must be: {why}");
            ExitCode::FAILURE
        }
    }
}

/// A server in a process of its own. It dies with this value.
pub(crate) struct Child {
    process: Process,
    ready: Option<oneshot::Receiver<anyhow::Result<Addresses>>>,
}

impl Child {
    /// Starts a server in a home, and does not wait for it.
    pub(crate) fn spawn(program: &Path, home: &Home) -> anyhow::Result<Self> {
        let overrides = home.overrides();
        let mut command = Command::new(program);
        command.args([CHILD, "serve"]);
        if let Some(data) = &overrides.data {
            command.arg("--data").arg(data);
        }
        for set in &overrides.set {
            command.arg("--set").arg(set);
        }
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(home.log()?)
            .spawn()
            .context("the child cannot be started")?;
        let output = process.stdout.take().context("the child has no output")?;
        let (tell, ready) = oneshot::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(output).read_line(&mut line);
            // Who asked may have killed it meanwhile.
            let _ = tell.send(read.map_err(anyhow::Error::from).and_then(|_| parse_ready(&line)));
        });
        Ok(Self {
            process,
            ready: Some(ready),
        })
    }

    /// Waits until it is ready.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<Addresses> {
        let ready = self.ready.take().context("readiness was asked before")?;
        tokio::time::timeout(STARTING, ready)
            .await
            .context("the child is not ready in time")??
    }

    /// SIGKILL, and waits until nothing of it is left.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.ended().await.map(|_| ())
    }

    /// SIGTERM, and waits for an end in order.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        kill_process(self.pid()?, Signal::TERM)?;
        let status = self.ended().await?;
        match status.code() {
            Some(0) => Ok(()),
            _ => bail!("the child was stopped and ended with {status}"),
        }
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let ended = until(ENDING, async || Ok(self.process.try_wait()?)).await?;
        ended.context("the child does not end")
    }

    /// How it has ended, if it has.
    pub(crate) fn has_ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.process.try_wait()?)
    }

    /// From now on no file of it grows beyond this.
    pub(crate) fn limit_files(&self, octets: u64) -> anyhow::Result<()> {
        let limit = Rlimit {
            current: Some(octets),
            maximum: Some(octets),
        };
        prlimit(Some(self.pid()?), Resource::Fsize, limit)?;
        Ok(())
    }

    /// The promise about memory, by the most that it ever had resident, which is returned.
    pub(crate) fn check_memory(&self, home: &Home) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(&path).with_context(|| path.clone())?;
        let peak = memory_is_bounded::peak(&status).with_context(|| format!("no peak in {path}"))?;
        memory_is_bounded::check(peak, memory_is_bounded::bound(&home.overrides().load()?))?;
        Ok(peak)
    }

    fn pid(&self) -> anyhow::Result<Pid> {
        let raw = i32::try_from(self.process.id())?;
        Pid::from_raw(raw).context("the child has no number")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads `ready mx=127.0.0.1:2525 pop3=127.0.0.1:2110`.
fn parse_ready(line: &str) -> anyhow::Result<Addresses> {
    let mut words = line.split_whitespace();
    if words.next() != Some("ready") {
        bail!("the child did not become ready: {line:?}");
    }
    let listeners: HashMap<&str, &str> = words.filter_map(|word| word.split_once('=')).collect();
    let address = |name: &str| {
        let address = listeners
            .get(name)
            .with_context(|| format!("no {name} in {line:?}"))?;
        address.parse().with_context(|| format!("{address:?}"))
    };
    Ok(Addresses {
        mx: address("mx")?,
        pop3: address("pop3")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_ready_line() {
        for (line, expected) in [
            ("ready mx=127.0.0.1:1 pop3=127.0.0.1:2\n", Some((1, 2))),
            (
                "ready pop3=127.0.0.1:2 imap=127.0.0.1:3 mx=127.0.0.1:1\n",
                Some((1, 2)),
            ),
            ("ready mx=127.0.0.1:1\n", None),
            ("mx=127.0.0.1:1 pop3=127.0.0.1:2\n", None),
            ("", None),
        ] {
            let ports = parse_ready(line)
                .ok()
                .map(|addresses| (addresses.mx.port(), addresses.pop3.port()));
            assert_eq!(ports, expected, "{line:?}");
        }
    }
}
