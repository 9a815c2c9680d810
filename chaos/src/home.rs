//! Home: the directory of one scenario's server, and the accounts in it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use angarium::{
    admin::{Admin, Secret},
    boot::open_store,
    loader::Overrides,
};
use anyhow::{Context, ensure};
use message::address::EmailAddress;
use tempfile::TempDir;

/// The password of every account.
pub(crate) const PASSWORD: &str = "storm-cellar";

/// Cheap passwords and free ports; the rest is as a user has it. Nobody waits half a minute for a second attempt.
const SETTINGS: [&str; 9] = [
    "listeners.mx.bind=127.0.0.1:0",
    "listeners.pop3.bind=127.0.0.1:0",
    "listeners.submission.bind=127.0.0.1:0",
    "listeners.submissions.bind=127.0.0.1:0",
    "auth.argon2_memory=64KiB",
    "auth.argon2_iterations=1",
    "queue.retry_first=1s",
    "server.drain_deadline=5s",
    "log.level=warn",
];

/// Small limits, so that what grows without one stands out.
const TIGHT: [&str; 8] = [
    "server.max_connections=64",
    "store.cache=4MiB",
    "store.max_group_size=1MiB",
    "store.max_waiting_size=4MiB",
    "store.readers=4",
    "limits.memory=1MiB",
    "queue.workers=16",
    "queue.active_window=1000",
];

/// A directory with a store.
pub(crate) struct Home {
    directory: TempDir,
    path: PathBuf,
    document: PathBuf,
    data: String,
    settings: Vec<String>,
    accounts: usize,
}

impl Home {
    /// A new directory, removed in the end unless it is kept.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("angarium-chaos-")
            .tempdir()
            .context("no directory can be made")?;
        let path = directory.path().to_owned();
        Ok(Self {
            directory,
            document: path.join("angarium.toml"),
            path,
            data: "data".to_owned(),
            settings: SETTINGS.map(str::to_owned).to_vec(),
            accounts: 0,
        })
    }

    /// Sets one more key, from the next start on. A later one wins.
    pub(crate) fn set(&mut self, setting: &str) {
        let key = |setting: &str| setting.split('=').next().map(str::to_owned);
        self.settings.retain(|known| key(known) != key(setting));
        self.settings.push(setting.to_owned());
    }

    /// Writes the configuration file, below all settings. It is read at the next start, and at a reload.
    pub(crate) fn configure(&self, document: &str) -> anyhow::Result<()> {
        // Nobody ever reads half of it.
        let unready = self.path.join("angarium.toml.new");
        fs::write(&unready, document)?;
        Ok(fs::rename(&unready, &self.document)?)
    }

    /// Sets limits so small that memory has a narrow bound.
    pub(crate) fn tighten(&mut self) {
        TIGHT.iter().for_each(|setting| self.set(setting));
    }

    /// Goes on with another data directory of this name, without accounts.
    pub(crate) fn move_on(&mut self, data: &str) {
        data.clone_into(&mut self.data);
        self.accounts = 0;
    }

    /// What the command line of a server in this home says.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            config: self.document.exists().then(|| self.document.clone()),
            data: Some(self.data()),
            set: self.settings.clone(),
        }
    }

    /// Where the store is.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join(&self.data)
    }

    /// Where the shell of its server listens.
    pub(crate) fn shell(&self) -> PathBuf {
        self.data().join("shell.sock")
    }

    /// Where children of this home write their log, one behind the other.
    pub(crate) fn log(&self) -> anyhow::Result<File> {
        File::options()
            .create(true)
            .append(true)
            .open(self.path.join("log"))
            .context("no log can be written")
    }

    /// What children of this home have written into their log.
    pub(crate) fn log_text(&self) -> anyhow::Result<String> {
        let text = fs::read(self.path.join("log")).context("no log can be read")?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Makes the store with accounts from number 0 on. No server runs.
    pub(crate) async fn settle(&mut self, accounts: usize) -> anyhow::Result<()> {
        ensure!(self.accounts == 0, "this home has accounts already");
        let config = self.overrides().load()?;
        let (store, _) = open_store(&config, false)?;
        for number in 0..accounts {
            let address = EmailAddress::parse(address(number).as_bytes())?;
            Admin::new(&store, &config)?
                .add(address, &Secret::new(PASSWORD))
                .await?;
        }
        tokio::task::spawn_blocking(move || store.close()).await??;
        self.accounts = accounts;
        Ok(())
    }

    /// How many accounts it has.
    pub(crate) const fn accounts(&self) -> usize {
        self.accounts
    }

    /// Keeps the directory for whoever wants to know why, and says where it is.
    pub(crate) fn keep(self) -> PathBuf {
        self.directory.keep()
    }

    /// The certificate that the server made for itself.
    pub(crate) fn certificate(data: &Path) -> PathBuf {
        data.join("development-certificate.pem")
    }
}

/// The address of an account.
pub(crate) fn address(number: usize) -> String {
    format!("a{number}@localhost")
}
