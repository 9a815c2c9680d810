//! Verbs on aliases: a file for each.

mod add;
mod delete;
mod list;
mod show;

use message::address::EmailAddress;
use store::{read::directory, record::directory::AddressOwner};

pub(in crate::shell) use self::{add::add, delete::delete, list::list, show::show};
use crate::{
    shell::desk::{Desk, Refused},
    tree::DEFAULT_TENANT,
};

/// An alias that must be there: its address as it was given, and whom it stands for.
async fn find(desk: &Desk, address: &EmailAddress) -> Result<(EmailAddress, Vec<EmailAddress>), Refused> {
    let key = address.lookup_key();
    let found = desk
        .read(move |store| directory::address(&store.snapshot(), DEFAULT_TENANT, &key))
        .await??;
    match found.map(|found| (found.owner, found.address)) {
        Some((AddressOwner::Alias(targets), address)) => Ok((address, targets)),
        Some((AddressOwner::Account(_), address)) => {
            Err(Refused::failed(format!("{address} is an account, not an alias")))
        }
        None => Err(Refused::failed(format!("there is no alias {address}"))),
    }
}

/// Addresses as a line has them.
fn joined(addresses: &[EmailAddress]) -> String {
    let words: Vec<String> = addresses.iter().map(EmailAddress::to_string).collect();
    words.join(" ")
}
