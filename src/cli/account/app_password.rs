//! `angarium account app-password`: passwords of single programs.

use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Subcommand;
use config::parse_duration;
use store::record::directory::Protocol;

use super::{One, change};
use crate::admin::Program;

/// Passwords of single programs, made here
#[derive(Subcommand)]
pub(in crate::cli) enum AppPassword {
    /// Makes a password and shows it, this once
    Add(Add),
    /// Lists the names of an account's passwords, with what they open and until when
    List(One),
    /// Takes a password away
    Remove(Remove),
}

/// A new password
#[derive(clap::Args)]
pub(in crate::cli) struct Add {
    #[command(flatten)]
    one: One,
    /// What the password is called, as "telephone"
    name: String,
    /// What it opens: smtp, pop3 or imap, more than once for more; everything when none is named
    #[arg(long = "protocol", value_name = "WORD")]
    protocols: Vec<String>,
    /// How long it is good, as "90d"; for ever without
    #[arg(long, value_name = "DURATION")]
    expires: Option<String>,
}

/// A password of an account
#[derive(clap::Args)]
pub(in crate::cli) struct Remove {
    #[command(flatten)]
    one: One,
    /// What the password is called
    name: String,
}

impl AppPassword {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => {
                let address = add.one.address()?;
                let program = add.program()?;
                let password = change(&add.one.overrides, async |admin| {
                    admin.add_app_password(&address, program).await
                })?;
                println!("{}", *password.reveal());
            }
            Self::List(one) => {
                let address = one.address()?;
                let record = change(&one.overrides, async |admin| admin.find(&address).await)?.record;
                for password in record.app_passwords {
                    let words = match &password.protocols {
                        Some(protocols) => {
                            let words: Vec<_> = protocols.iter().map(|protocol| protocol.word()).collect();
                            words.join(",")
                        }
                        None => "everything".to_owned(),
                    };
                    let end = match password.expires {
                        Some(end) => format!("until {end}"),
                        None => "for ever".to_owned(),
                    };
                    println!("{}\t{words}\t{end}", password.name);
                }
            }
            Self::Remove(remove) => {
                let address = remove.one.address()?;
                change(&remove.one.overrides, async |admin| {
                    admin.remove_app_password(&address, &remove.name).await
                })?;
                println!("removed {:?} from {address}", remove.name);
            }
        }
        Ok(())
    }
}

impl Add {
    fn program(&self) -> anyhow::Result<Program> {
        let protocols = self.protocols.iter().map(|word| {
            Protocol::of_word(word).ok_or_else(|| anyhow!("{word:?} is not one of smtp, pop3, imap"))
        });
        Ok(Program {
            name: self.name.clone(),
            protocols: protocols.collect::<anyhow::Result<_>>()?,
            lifetime: self.expires.as_deref().map(lifetime).transpose()?,
        })
    }
}

fn lifetime(text: &str) -> anyhow::Result<Duration> {
    parse_duration(text).with_context(|| format!("{text:?} is not a duration such as \"90d\""))
}
