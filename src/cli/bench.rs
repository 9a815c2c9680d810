//! `angarium bench`: a load on a server, and what came of it.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, ensure};
use auth::Secret;
use clap::{Args, Subcommand};
use config::{ByteSize, parse_duration};

use super::password;
use crate::{
    bench::{
        self, Load, Login, MAX_SESSIONS, Tls, Work,
        answerer::{Answerer, Tongue},
        report::Report,
        smtp::{Letter, MAX_SIZE},
    },
    client::tls::Trust,
    limits,
};

/// How long the generator is measured by itself.
const CEILING: Duration = Duration::from_secs(2);

/// Puts a load on a server and says what came of it
#[derive(Subcommand)]
pub(super) enum Bench {
    /// Sends messages
    Smtp(Smtp),
    /// Reads the messages of one mailbox
    Pop3(Pop3),
}

/// Sends messages
#[derive(Args)]
pub(super) struct Smtp {
    #[command(flatten)]
    load: Common,
    /// To whom
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// From whom
    #[arg(long, value_name = "ADDRESS", default_value = "load@bench.example")]
    from: String,
    /// Octets of each message
    #[arg(long, value_name = "SIZE", default_value = "4KiB", value_parser = size)]
    size: u64,
    /// Who logs in; the password is read from standard input
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

/// Reads the messages of one mailbox
#[derive(Args)]
pub(super) struct Pop3 {
    #[command(flatten)]
    load: Common,
    /// Whose mailbox; the password is read from standard input
    #[arg(long, value_name = "NAME")]
    user: String,
}

#[derive(Args)]
struct Common {
    /// The server, as 127.0.0.1:2525 or mx.example.org:25
    server: String,
    /// Sessions at once
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SESSIONS)))]
    sessions: u32,
    /// How long
    #[arg(long = "for", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    lasting: Duration,
    /// Messages of each connection; without it every session keeps one connection
    #[arg(long, value_name = "MESSAGES", value_parser = clap::value_parser!(u32).range(1..))]
    per_connection: Option<u32>,
    /// Speaks TLS
    #[arg(long, value_enum)]
    tls: Option<Tls>,
    /// The one certificate that is trusted; without it every one is
    #[arg(long, value_name = "FILE", requires = "tls")]
    trust: Option<PathBuf>,
    /// Does not measure first what the generator can do
    #[arg(long)]
    no_ceiling: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        limits::raise_descriptors();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let (common, tongue, report) = match self {
            Self::Smtp(smtp) => (&smtp.load, Tongue::Smtp, smtp.run(&runtime)?),
            Self::Pop3(pop3) => (&pop3.load, Tongue::Pop3, pop3.run(&runtime)?),
        };
        let report = match common.no_ceiling {
            true => report,
            false => Report {
                ceiling_per_second: Some(runtime.block_on(common.ceiling(tongue, &report))?),
                ..report
            },
        };
        if common.json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            println!("{report}");
        }
        ensure!(report.messages > 0, "no message went through");
        Ok(ExitCode::SUCCESS)
    }
}

impl Smtp {
    fn run(&self, runtime: &tokio::runtime::Runtime) -> anyhow::Result<Report> {
        let login = self.user.as_deref().map(login).transpose()?;
        let work = Work::Smtp(Letter::new(&self.from, &self.to, self.size));
        self.load.run(runtime, login, work)
    }
}

impl Pop3 {
    fn run(&self, runtime: &tokio::runtime::Runtime) -> anyhow::Result<Report> {
        self.load.run(runtime, Some(login(&self.user)?), Work::Pop3)
    }
}

impl Common {
    fn run(
        &self,
        runtime: &tokio::runtime::Runtime,
        login: Option<Login>,
        work: Work,
    ) -> anyhow::Result<Report> {
        let (host, _) = self
            .server
            .rsplit_once(':')
            .context("the server is named with its port, as 127.0.0.1:2525")?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let trust = || match &self.trust {
            Some(file) => Trust::read_for(file, host),
            None => Trust::anybody(host),
        };
        let tls = self.tls.map(|tls| anyhow::Ok((tls, trust()?))).transpose()?;
        runtime.block_on(async {
            bench::run(Load {
                to: resolve(&self.server).await?,
                sessions: self.sessions,
                lasting: self.lasting,
                per_connection: self.per_connection,
                tls,
                login,
                work,
            })
            .await
        })
    }

    /// What the generator can do with the same sessions and messages, against a server that does nothing.
    async fn ceiling(&self, tongue: Tongue, report: &Report) -> anyhow::Result<f64> {
        let answerer = Answerer::start(tongue).await?;
        let login = || Login {
            user: "load".to_owned(),
            password: Secret::new("load"),
        };
        let (work, login) = match (tongue, report.message_octets) {
            (Tongue::Smtp, octets) => (
                Work::Smtp(Letter::new(
                    "load@bench.example",
                    "load@bench.example",
                    octets.unwrap_or_default(),
                )),
                None,
            ),
            (Tongue::Pop3, _) => (Work::Pop3, Some(login())),
        };
        let load = Load {
            to: answerer.address,
            sessions: self.sessions,
            lasting: CEILING,
            per_connection: self.per_connection,
            tls: None,
            login,
            work,
        };
        Ok(bench::run(load).await?.per_second)
    }
}

async fn resolve(server: &str) -> anyhow::Result<SocketAddr> {
    let mut found = tokio::net::lookup_host(server)
        .await
        .with_context(|| format!("{server} cannot be resolved"))?;
    found.next().with_context(|| format!("{server} has no address"))
}

fn login(user: &str) -> anyhow::Result<Login> {
    Ok(Login {
        user: user.to_owned(),
        password: password::read()?,
    })
}

fn duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Some(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a duration such as 30s or 5m".to_owned()),
    }
}

fn size(text: &str) -> Result<u64, String> {
    let size = text
        .parse::<ByteSize>()
        .map_err(|why| why.to_string())?
        .as_bytes();
    if size > MAX_SIZE {
        return Err(format!("more than {MAX_SIZE} octets"));
    }
    Ok(size)
}
