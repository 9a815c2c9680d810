//! Commands on what an account is opened with and may send as.

use message::time::Timestamp;
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
    match c % 11 {
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
        _ => Command::KeepDecoyKey(KeepDecoyKey { key: [d; 32] }),
    }
}
