//! A password as every command takes it: from standard input. It is no argument, because every user of a machine sees those.

use std::io::{self, BufRead as _, IsTerminal as _, Read};

use anyhow::bail;
use auth::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Octets of a line that is typed; what is beyond them is not taken.
const MAX_TYPED: usize = 1_024;

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
        let typed = {
            let _hidden = Hidden::from(&input, shown)?;
            typed(&mut input.lock())?
        };
        eprintln!();
        match typed {
            Some(typed) => line = typed,
            None => bail!("interrupted"),
        }
    } else {
        input.lock().read_line(&mut line)?;
    }
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("no {} was given", name.to_lowercase());
    }
    Ok(password.to_owned())
}

/// A terminal that shows nothing of what is typed, and hands every key over: one that interrupts must not leave it so.
struct Hidden<'t> {
    terminal: &'t io::Stdin,
    shown: Termios,
}

impl<'t> Hidden<'t> {
    fn from(terminal: &'t io::Stdin, shown: Termios) -> io::Result<Self> {
        let mut hidden = shown.clone();
        hidden
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(terminal, OptionalActions::Now, &hidden)?;
        Ok(Self { terminal, shown })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.shown);
    }
}

/// A line as it is typed, with the keys that people expect; nothing when it is interrupted.
fn typed(keys: &mut impl Read) -> io::Result<Option<String>> {
    let mut line: Vec<u8> = Vec::new();
    let mut key = [0];
    loop {
        let is_end = keys.read(&mut key)? == 0;
        match key {
            // Enter, or Ctrl-D.
            _ if is_end => break,
            [b'\n' | b'\r' | 0x04] => break,
            // Ctrl-C, and Ctrl-\ that would leave a core with it.
            [0x03 | 0x1c] => return Ok(None),
            // Backspace takes a whole character.
            [0x08 | 0x7f] => while line.pop().is_some_and(|octet| octet & 0xc0 == 0x80) {},
            // Ctrl-U.
            [0x15] => line.clear(),
            [octet] if line.len() < MAX_TYPED => line.push(octet),
            _ => {}
        }
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_people_expect() {
        for (keys, expected) in [
            (&b"secret\n"[..], Some("secret")),
            (b"secret\rmore", Some("secret")),
            (b"secret\x04", Some("secret")),
            (b"secret", Some("secret")),
            (b"secrex\x7ft\n", Some("secret")),
            (b"\x7f\x08a\n", Some("a")),
            ("a\u{fc}\u{4e2d}\x7f\x7fb\n".as_bytes(), Some("ab")),
            (b"wrong\x15secret\n", Some("secret")),
            (b"sec\x03ret\n", None),
            (b"sec\x1cret\n", None),
            (b"\n", Some("")),
        ] {
            let mut keys = keys;
            assert_eq!(typed(&mut keys).unwrap().as_deref(), expected);
        }
        let long = vec![b'a'; 10 * MAX_TYPED];
        assert_eq!(typed(&mut &*long).unwrap().unwrap().len(), MAX_TYPED);
    }
}
