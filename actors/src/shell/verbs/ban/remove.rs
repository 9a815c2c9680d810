//! `ban remove`: a ban is taken back, and forgotten.

use std::time::Duration;

use message::time::Timestamp;
use shell::{Answer, words::quoted};
use store::{
    command::{Command, Unban},
    record::ban::{Ban, Network},
};

use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
    values,
};

pub(in crate::shell) async fn remove(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let network = values::network(request.call.required("network")?)?;
    let bans = desk.read(super::all).await??;
    let Some((_, ban)) = bans.into_iter().find(|(known, _)| *known == network) else {
        return Err(Refused::failed(format!("{network} is not banned")));
    };
    let change = Change::of(1, format!("take back the ban of {network}"));
    let change = match inverse(&network, &ban, desk.clock.timestamp()) {
        Some(line) => change.undone_by(line),
        None => change,
    };
    let at = desk.clone();
    let work = async move {
        at.propose(Command::Unban(Unban { network })).await?;
        Ok(Vec::new())
    };
    change.make(desk, request, work).await
}

/// The line that makes the ban again; none for one that has ended and is only remembered.
pub(super) fn inverse(network: &Network, ban: &Ban, now: Timestamp) -> Option<String> {
    let term = match ban.until {
        None => String::new(),
        Some(until) if until <= now => return None,
        Some(until) => {
            let seconds = until.since(now).as_secs().max(1);
            format!(" --for {}", config::print_duration(Duration::from_secs(seconds)))
        }
    };
    Some(format!(
        "ban add {network}{term} --reason {}",
        quoted(&ban.reason)
    ))
}

#[cfg(test)]
mod tests {
    use store::record::ban::Origin;

    use super::*;

    #[test]
    fn what_is_taken_back_can_be_made_again_for_the_rest_of_its_time() {
        let now = Timestamp::from_secs(1_000);
        let check = |until: Option<u64>, expected: Option<&str>| {
            let ban = Ban {
                since: Timestamp::EPOCH,
                until: until.map(Timestamp::from_secs),
                reason: "spam \"run\"".to_owned(),
                origin: Origin::Operator,
                count: 0,
            };
            let line = inverse(&"192.0.2.0/24".parse().unwrap(), &ban, now);
            assert_eq!(line.as_deref(), expected);
            line.map(|line| shell::Call::parse(&line).unwrap());
        };
        check(None, Some("ban add 192.0.2.0/24 --reason \"spam \\\"run\\\"\""));
        check(
            Some(8_200),
            Some("ban add 192.0.2.0/24 --for 2h --reason \"spam \\\"run\\\"\""),
        );
        check(Some(1_000), None);
    }
}
