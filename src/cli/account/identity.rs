//! `angarium account identity`: what an account may send as.

use anyhow::Context;
use clap::Subcommand;
use message::address::{DomainName, EmailAddress};
use store::record::directory;

use super::{One, change};

/// What an account may send as, besides its own address
#[derive(Subcommand)]
pub(in crate::cli) enum Identity {
    /// Lets an account send as an address, or as every address of a domain
    Add(Which),
    /// Lists what an account may send as, besides its own address
    List(One),
    /// Lets an account send as somebody no longer
    Remove(Which),
}

/// An account and what it may send as
#[derive(clap::Args)]
pub(in crate::cli) struct Which {
    #[command(flatten)]
    one: One,
    /// As whom: sales@example.org, or @example.org for every address of the domain
    identity: String,
}

impl Identity {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        match self {
            Self::Add(which) => {
                let (address, identity) = (which.one.address()?, which.identity()?);
                let added = identity.clone();
                change(&which.one.overrides, async |admin| {
                    admin.add_identity(&address, added).await
                })?;
                println!("{address} may send as {identity}");
            }
            Self::List(one) => {
                let address = one.address()?;
                let record = change(&one.overrides, async |admin| admin.find(&address).await)?.record;
                for identity in record.identities {
                    println!("{identity}");
                }
            }
            Self::Remove(which) => {
                let (address, identity) = (which.one.address()?, which.identity()?);
                let removed = identity.clone();
                change(&which.one.overrides, async |admin| {
                    admin.remove_identity(&address, removed).await
                })?;
                println!("{address} may send as {identity} no longer");
            }
        }
        Ok(())
    }
}

impl Which {
    fn identity(&self) -> anyhow::Result<directory::Identity> {
        let wrong = || format!("{:?} is neither an address nor @ and a domain", self.identity);
        match self.identity.strip_prefix('@') {
            Some(domain) => DomainName::parse_utf8(domain)
                .map(directory::Identity::Domain)
                .with_context(wrong),
            None => EmailAddress::parse_utf8(&self.identity)
                .map(directory::Identity::Address)
                .with_context(wrong),
        }
    }
}
