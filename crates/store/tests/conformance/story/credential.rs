//! Commands on what an account is opened with and may send as.

use message::{
    address::{DomainName, EmailAddress},
    time::Timestamp,
};
use store::{
    command::*,
    record::directory::{AppPassword, Identity, Password, Protocol},
};

use super::{
    Seed,
    pick::{address, domain, limits, pick_account},
};
use crate::model::Model;

pub(super) fn tell(seed: Seed, now: Timestamp, model: &Model) -> Command {
    let ((tenant, account), _) = pick_account(seed, model);
    let [_, _, _, c, d, e] = seed;
    let name = ["phone", "laptop", ""][usize::from(d % 3)].to_owned();
    let identity = match d % 3 {
        0 => Identity::Domain(domain(e % 3)),
        number => Identity::Address(address(number, e % 3)),
    };
    match c % 13 {
        0 => Command::SetPassword(SetPassword {
            tenant,
            account,
            password: Some(Password {
                hash: format!("${d}"),
                scram: (e % 2 == 0).then(|| format!("SCRAM${e}")),
            }),
        }),
        1 => Command::LimitAccount(LimitAccount {
            tenant,
            account,
            limits: limits(d, 50_000),
        }),
        2..=3 => Command::AddAppPassword(AddAppPassword {
            tenant,
            account,
            app_password: AppPassword {
                name,
                hash: [e; 32],
                protocols: (e % 2 == 0).then(|| vec![Protocol::Smtp]),
                created: now,
                expires: (e % 3 == 0).then_some(now),
            },
        }),
        4 => Command::RemoveAppPassword(RemoveAppPassword {
            tenant,
            account,
            name,
        }),
        5 | 8 => Command::AddIdentity(AddIdentity {
            tenant,
            account,
            identity,
        }),
        6 => Command::RemoveIdentity(RemoveIdentity {
            tenant,
            account,
            identity,
        }),
        9 if d % 3 == 0 => Command::ResumeAccount(ResumeAccount { tenant, account }),
        9 | 10 => Command::SuspendAccount(SuspendAccount {
            tenant,
            account,
            refuses_mail: e % 2 == 0,
        }),
        11 | 12 => rename(seed, model),
        _ => Command::KeepDecoyKey(KeepDecoyKey { key: [d; 32] }),
    }
}

/// What stands for the old address follows, as whoever looked before saw it; now and then he saw too little or too much.
fn rename(seed: Seed, model: &Model) -> Command {
    let ((tenant, account), known) = pick_account(seed, model);
    let [_, a, _, _, d, e] = seed;
    let from = known.map_or(address(0, 1), |account| account.address.clone());
    let to = match d % 8 {
        7 => from.to_string().to_uppercase().parse().expect("an address"),
        number => address(number, e % 3),
    };
    let key = from.lookup_key();
    let retarget = |target: &EmailAddress| match target.lookup_key() == key {
        true => to.clone(),
        false => target.clone(),
    };
    let aliases = model.aliases.iter().filter(|((of, named), targets)| {
        let is_ours = *of == tenant && *named != to.lookup_key();
        is_ours && targets.iter().any(|target| target.lookup_key() == key)
    });
    let mut aliases: Vec<_> = aliases
        .map(|((_, named), targets)| FollowingAlias {
            address: named.parse().expect("an address"),
            before: targets.clone(),
            after: targets.iter().map(retarget).collect(),
        })
        .collect();
    if let Some(alias) = aliases.first_mut().filter(|_| a % 8 == 0) {
        alias.before.push(to.clone());
    }
    let domains = model.catch_alls.iter().filter(|(name, catch_all)| {
        model.domains.get(*name) == Some(&tenant) && catch_all.lookup_key() == key
    });
    let mut domains: Vec<_> = domains
        .map(|(name, _)| DomainName::parse(name.as_bytes()).expect("a name"))
        .collect();
    if a % 8 == 1 {
        domains.push(domain(e % 3));
    }
    Command::RenameAccount(RenameAccount {
        tenant,
        account,
        from: if a % 8 == 2 { address(4, 1) } else { from },
        to,
        keeps_alias: e % 2 == 0,
        aliases,
        domains,
    })
}
