//! A password as every command takes it: from standard input. It is no argument, because every user of a machine sees those.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::bail;
use auth::Secret;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// A password from standard input: its first line, or what is typed without being shown.
///
/// # Errors
/// When nothing was given or standard input cannot be read.
pub(super) fn read() -> anyhow::Result<Secret> {
    ask("Password").map(Secret::new)
}

/// The same of what is called otherwise, as text.
///
/// # Errors
/// As [`read`].
pub(super) fn ask(name: &str) -> anyhow::Result<String> {
    let input = io::stdin();
    let mut line = String::new();
    if input.is_terminal() {
        eprint!("{name}: ");
        let shown = tcgetattr(&input)?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&input, OptionalActions::Now, &hidden)?;
        let read = input.lock().read_line(&mut line);
        tcsetattr(&input, OptionalActions::Now, &shown)?;
        eprintln!();
        read?;
    } else {
        input.lock().read_line(&mut line)?;
    }
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("no {} was given", name.to_lowercase());
    }
    Ok(password.to_owned())
}
