//! `angarium serve`: the server in the foreground.

use std::{io::Write as _, process::ExitCode, sync::Arc};

use auth::Secret;
use clap::Args;
use config::{Config, Profile, Protocol};
use message::address::EmailAddress;
use store::store::Store;
use tokio::task::JoinSet;

use super::check;
use crate::{
    admin::Admin,
    boot::{Reloads, Server, Setup, open_store},
    limits,
    loader::{Overrides, Shortcuts},
    log, privileges,
    reload::Sources,
    signals::{Signals, Wish},
    systemd,
};

/// Serves until SIGTERM or SIGINT
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    overrides: Overrides,
    #[command(flatten)]
    shortcuts: Shortcuts,
    /// Names every mistake in the configuration, as "check config" does, and serves nothing
    #[arg(long)]
    validate_only: bool,
    /// Becomes this user before anything is opened, when it was started as root; keeps nothing but the right to bind ports
    /// below 1024
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

impl Serve {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let sources = Sources {
            overrides: self.overrides.clone(),
            shortcuts: self.shortcuts.clone(),
        };
        let loaded = sources.first()?;
        let config = &loaded.sourced.config;
        if self.validate_only {
            return check::say_good(config);
        }
        if let Some(user) = &self.user {
            privileges::become_user(user, &config.server.data)?;
        }
        let (_logging, log) = log::start(&config.log)?;
        let descriptors = limits::raise_descriptors();
        tracing::info!(target: "angarium", descriptors, profile = ?config.server.profile, "starting");
        let (store, report) = open_store(config, false)?;
        tracing::info!(
            target: "angarium",
            sequence = report.sequence,
            took = ?report.took,
            swept_uploads = report.swept_uploads,
            torn_octets = report.torn_octets,
            "the store is open",
        );
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        // Not whether it was made by this start: one that was killed before it told the password told it nobody.
        let is_empty = report.sequence == 0;
        let setup = Setup {
            loaded,
            loader: Arc::new(sources),
            belongings: vec![Arc::new(log)],
        };
        let served = runtime.block_on(serve(setup, store, is_empty));
        // Blocking reads that nobody waits for any more must not hold up the exit.
        runtime.shutdown_background();
        if let Err(why) = &served {
            // Standard error is told as well, but a file of the log may be all that is kept.
            tracing::error!(target: "angarium", why = format!("{why:#}"), "ended");
        }
        served
    }
}

async fn serve(setup: Setup, store: Store, is_empty: bool) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let config = &setup.loaded.sourced.config;
    if is_empty && config.server.profile == Profile::Development {
        // Before anything can fail, such as a port that is taken: the password is told only once.
        eprintln!("{}", welcome(config, &store).await?);
    }
    let server = Server::start_with(setup, store).await?;
    let mut stdout = std::io::stdout().lock();
    // Who started this may have closed it; mail is served all the same.
    if let Err(error) = writeln!(stdout, "{}", server.ready_line()).and_then(|()| stdout.flush()) {
        tracing::warn!(%error, "nobody reads stdout: ready is said to the log alone");
    }
    drop(stdout);
    systemd::ready(&server.ready_line());
    let watchdog = systemd::watchdog(&server.tree);
    // Beside the loop, so that none of them holds up the end; one after the other. What comes meanwhile is heard as one: it asks for
    // what is in the sources then.
    let (mut reloads, mut again) = (JoinSet::new(), None);
    loop {
        tokio::select! {
            wish = signals.next() => match wish {
                Wish::Stop(signal) => {
                    tracing::info!(target: "angarium", signal, "stopping");
                    break;
                }
                Wish::Reload(signal) if reloads.is_empty() => drop(reloads.spawn(reload(server.reloads(), signal))),
                Wish::Reload(signal) => again = Some(signal),
            },
            Some(_) = reloads.join_next() => {
                if let Some(signal) = again.take() {
                    reloads.spawn(reload(server.reloads(), signal));
                }
            }
            why = server.failed() => return Err(why),
        }
    }
    drop(reloads);
    systemd::stopping();
    drop(watchdog);
    server.stop().await?;
    tracing::info!(target: "angarium", "stopped");
    Ok(ExitCode::SUCCESS)
}

/// Has the configuration read anew. The receipt goes to the log and into the audit.
async fn reload(reloads: Reloads, signal: &'static str) {
    tracing::info!(target: "angarium", signal, "the configuration is read anew");
    systemd::reloading();
    if let Err(why) = reloads.reload(signal).await {
        tracing::error!(target: "angarium", signal, %why, "the configuration stays as it was");
    }
    systemd::ready(&reloads.ready_line());
}

/// Makes the first account of the development profile, and says what to try. The password is told only here.
async fn welcome(config: &Config, store: &Store) -> anyhow::Result<String> {
    let address = EmailAddress::parse(format!("postmaster@{}", config.server.hostname).as_bytes())?;
    let password = password();
    Admin::new(store, config)?
        .add(address.clone(), &Secret::new(password.as_str()))
        .await?;
    let bind = |protocol| {
        let listener = config
            .listeners
            .values()
            .find(|listener| listener.protocol == protocol)?;
        listener.bind.first()
    };
    let mut attempts = String::new();
    if let Some(smtp) = bind(Protocol::Smtp) {
        attempts += &format!("    swaks --server {} --to {address}\n", smtp);
    }
    if let Some(pop3) = bind(Protocol::Pop3) {
        attempts += &format!("    curl -s --user '{address}:{password}' pop3://{}/1\n", pop3);
    }
    Ok(format!(
        "A new store is in {data}. There is one account:\n\n    \
         {address}    password {password}\n\n\
         Send it a message, and read it back:\n\n{attempts}\n\
         Add others with: angarium account add NAME@DOMAIN --data {data}\n",
        data = config.server.data.display(),
    ))
}

/// Twenty letters and digits that nobody mistakes for one another: 100 bits.
fn password() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let draw = |_| {
        ALPHABET
            .get(usize::from(rand::random::<u8>() % 32))
            .copied()
            .unwrap_or(b'a')
    };
    (0..20).map(draw).map(char::from).collect()
}
