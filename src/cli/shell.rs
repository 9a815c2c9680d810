//! `angarium shell`: the verbs of a server that runs, typed or in one line for scripts.

mod editor;
mod interrupt;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use config::Config;
use rustyline::error::ReadlineError;
use shell::{
    Block, Call, Exit, Place,
    frame::{End, Request},
    help,
    words::quoted,
};

use self::{editor::Editor, interrupt::Interrupts};
use super::{
    care,
    client::{self, Client, Unreachable},
    offline, password, runtime, top,
    verb::say,
};
use crate::{
    boot,
    loader::{Overrides, Shortcuts},
};

/// How often `watch` asks.
const EVERY: Duration = Duration::from_secs(2);

/// The shortest pause between two questions of `watch` and `top`.
const SHORTEST: Duration = Duration::from_millis(100);

/// The shell of a server that runs
#[derive(clap::Args)]
pub(super) struct Shell {
    /// Does this line and ends with its exit code; more than one are done in turn until one fails
    #[arg(short = 'c', long = "command", value_name = "LINE")]
    lines: Vec<String>,
    /// The configuration file; without one the development profile serves on loopback
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The directory that holds everything durable
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Sets one key over everything else, as smtp.max_errors=5; may be repeated
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,
}

/// Of which server, or which store.
pub(super) struct Site {
    data: PathBuf,
    /// Where the configuration comes from.
    overrides: Overrides,
}

impl Site {
    /// The site that these name. A server that runs is found whatever mistakes the configuration has by now.
    pub(super) fn of(overrides: Overrides) -> Self {
        Self {
            data: overrides.data_directory(),
            overrides,
        }
    }

    /// The configuration.
    ///
    /// # Errors
    /// Every mistake in it.
    fn config(&self) -> anyhow::Result<Config> {
        self.overrides.load()
    }
}

impl Shell {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let site = Site::of(Overrides {
            config: self.config.clone(),
            data: self.data.clone(),
            set: self.set.clone(),
        });
        let exit = match self.lines.as_slice() {
            [] => interactive(&site)?,
            lines => {
                let mut exit = Exit::DONE;
                for line in lines {
                    exit = perform_line(&site, line, &Interrupts::none())?;
                    if exit != Exit::DONE {
                        break;
                    }
                }
                exit
            }
        };
        Ok(ExitCode::from(exit.0))
    }
}

/// Reads lines until the end of input or `quit`.
fn interactive(site: &Site) -> anyhow::Result<Exit> {
    let data = &site.data;
    if let Err(why) = Client::connect(data) {
        eprintln!("angarium: {}", why.told(&data.display().to_string()));
        return Ok(why.exit());
    }
    let runtime = runtime()?;
    let interrupts = Interrupts::listen(&runtime)?;
    let mut editor = Editor::new(data)?;
    let mut exit = Exit::DONE;
    loop {
        let line = match editor.read("angarium> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(exit),
            Err(why) => return Err(why.into()),
        };
        if line.trim().is_empty() {
            continue;
        }
        if Call::parse(&line).is_ok_and(|call| call.verb().name == ["quit"]) {
            return Ok(exit);
        }
        interrupts.forget();
        exit = match perform_line(site, &line, &interrupts) {
            Ok(exit) => exit,
            Err(why) => {
                eprintln!("angarium: {why:#}");
                Exit::FAILED
            }
        };
    }
}

/// Does what a line says.
fn perform_line(site: &Site, line: &str, interrupts: &Interrupts) -> anyhow::Result<Exit> {
    match Call::parse(line) {
        Ok(call) => perform_until(site, &call, interrupts),
        Err(why) => {
            eprintln!("angarium: {why}");
            Ok(Exit::USAGE)
        }
    }
}

/// Does what was asked: by the server that runs, by the store of one that does not, or here.
pub(super) fn perform(site: &Site, call: &Call) -> anyhow::Result<Exit> {
    perform_until(site, call, &Interrupts::none())
}

fn perform_until(site: &Site, call: &Call, interrupts: &Interrupts) -> anyhow::Result<Exit> {
    let (verb, data) = (call.verb(), &site.data);
    if verb.place == Place::Client {
        return here(site, call, interrupts);
    }
    // The server stands in another directory than who asks it.
    let call = &call.clone().placed(|path| {
        let whole = std::path::absolute(path).ok();
        let whole = whole.and_then(|whole| whole.into_os_string().into_string().ok());
        whole.unwrap_or_else(|| path.to_owned())
    });
    let connected = Client::connect(data);
    match (&connected, verb.place) {
        (Ok(_), Place::Stopped) => {
            let why = format!("a server runs on {}: stop it first", data.display());
            return refuse(call, Exit::FAILED, why);
        }
        (Ok(_), _) | (Err(Unreachable::Nobody), Place::Either | Place::Stopped) => {}
        (Err(why), _) => {
            // Where to look may be what is wrong.
            site.config()?;
            return refuse(call, why.exit(), why.told(&data.display().to_string()));
        }
    }
    let config = match connected {
        Ok(_) => None,
        Err(_) => Some(site.config()?),
    };
    let mut connected = connected;
    let mut secret = None;
    if let Some(asked) = verb.secret.filter(|_| !call.is_dry_run()) {
        if let Ok(client) = &mut connected
            && let Some(exit) = refused(client, call)?
        {
            return Ok(exit);
        }
        secret = Some(password::ask(asked)?);
        // Afresh: who types a password may take longer than a server waits for a question.
        connected = connected.and_then(|_| Client::connect(data));
    }
    match (connected, config) {
        (Ok(mut client), _) => {
            let _watched = interrupts.end(&client);
            let asked = Request::new(call.to_line(), secret);
            say(call, |show| {
                let end = client.ask(&asked, show)?;
                // Who interrupted knows why there is no more.
                Ok(match interrupts.happened() {
                    true => End {
                        error: None,
                        exit: Exit::DONE,
                        ..end
                    },
                    false => end,
                })
            })
        }
        (Err(_), Some(config)) => {
            // What adds something makes a store for it; a wrong directory must not look like an empty one.
            let may_make = matches!(verb.name.last(), Some(&("add" | "restore")));
            if !may_make && !boot::has_store(&config) {
                return refuse(
                    call,
                    Exit::FAILED,
                    format!("there is no store in {}", data.display()),
                );
            }
            if let Some(done) = care::run(&config, call) {
                return done;
            }
            let explained = site.overrides.explain(&Shortcuts::default())?;
            runtime()?.block_on(offline::run(&config, explained, call.clone(), secret))
        }
        (Err(why), None) => refuse(call, why.exit(), why.told(&data.display().to_string())),
    }
}

/// Says that it is not done, to people and to programs.
fn refuse(call: &Call, exit: Exit, why: String) -> anyhow::Result<Exit> {
    say(call, |_| Ok(End::refused(&call.verb().words(), exit, why)))
}

/// Whether the server would not do it: nobody is to type a password for that. Nothing is done yet.
fn refused(client: &mut Client, call: &Call) -> anyhow::Result<Option<Exit>> {
    let line = call.to_line();
    let rest = line.strip_prefix(&call.verb().words()).unwrap_or_default();
    let tried = format!("{} --dry-run{rest}", call.verb().words());
    let end = client.ask(&Request::new(tried, None), &mut |_| Ok(()))?;
    if end.exit == Exit::DONE {
        return Ok(None);
    }
    say(call, |_| Ok(end)).map(Some)
}

/// What the client does by itself.
fn here(site: &Site, call: &Call, interrupts: &Interrupts) -> anyhow::Result<Exit> {
    match call.verb().words().as_str() {
        "help" => {
            let words: Vec<&str> = call.values("verb").collect();
            match help::help(&words) {
                Some(text) => client::print(&format!("{}\n", text.trim_end()))?,
                None => {
                    eprintln!(
                        "angarium: there is no verb {:?}; help lists all of them",
                        words.join(" ")
                    );
                    return Ok(Exit::USAGE);
                }
            }
            Ok(Exit::DONE)
        }
        "top" => top::run(&site.data, every(call, Duration::from_secs(1))),
        "watch" => watch(site, call, interrupts),
        _ => Ok(Exit::DONE),
    }
}

fn every(call: &Call, usual: Duration) -> Duration {
    call.duration("every").unwrap_or(usual).max(SHORTEST)
}

/// Asks the same again and again.
fn watch(site: &Site, call: &Call, interrupts: &Interrupts) -> anyhow::Result<Exit> {
    let words: Vec<String> = call.values("line").map(quoted).collect();
    let line = words.join(" ");
    let watched = match Call::parse(&line) {
        Ok(watched) if watched.verb().name == ["watch"] || watched.verb().name == ["top"] => {
            eprintln!("angarium: {} cannot be watched", watched.verb().words());
            return Ok(Exit::USAGE);
        }
        Ok(watched) if watched.is_change() => {
            eprintln!(
                "angarium: {} changes something, and is not done again and again",
                watched.verb().words()
            );
            return Ok(Exit::USAGE);
        }
        Ok(watched) => watched,
        Err(why) => {
            eprintln!("angarium: {why}");
            return Ok(Exit::USAGE);
        }
    };
    let every = every(call, EVERY);
    loop {
        if client::is_terminal() {
            // The page is cleared, and what was above it stays to be scrolled to.
            client::print(&format!(
                "\u{1b}[H\u{1b}[2J{line}   (every {}; Ctrl-C ends it)\n\n",
                config::print_duration(every)
            ))?;
        }
        let exit = perform_until(site, &watched, interrupts)?;
        if exit == Exit::USAGE || exit == Exit::NOT_ALLOWED {
            return Ok(exit);
        }
        if interrupts.wait(every) {
            return Ok(Exit::DONE);
        }
    }
}

/// What is alive of a kind and begins so, for completion. Nothing if the server does not answer at once.
fn alive(data: &Path, kind: &str, begun: &str) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(mut client) = Client::connect(data) else {
        return found;
    };
    client.hurry();
    let asked = Request::new(shell::complete::question(kind, begun), None);
    let mut keep = |block: Block| {
        if let Block::Table(table) = block {
            let first = table.rows.into_iter().filter_map(|row| row.into_iter().next());
            found.extend(first.map(|cell| shell::render::cell(&cell)));
        }
        Ok(())
    };
    // Who types is not told that a candidate is missing.
    drop(client.ask(&asked, &mut keep));
    found
}
