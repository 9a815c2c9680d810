//! `ban add`: a network is sent away.

use shell::Answer;
use store::{
    command::{Ban, Command, Term},
    record::ban::MAX_REASON_OCTETS,
};

use super::remove::inverse;
use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
    values,
};

pub(in crate::shell) async fn add(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let network = values::network(request.call.required("network")?)?;
    let reason = request.call.reason().unwrap_or("by hand").to_owned();
    if reason.is_empty() || reason.len() > MAX_REASON_OCTETS {
        return Err(Refused::usage(format!(
            "--reason: expected up to {MAX_REASON_OCTETS} octets"
        )));
    }
    let term = request.call.duration("for");
    let what = match term {
        Some(term) => format!("ban {network} for {}", config::print_duration(term)),
        None => format!("ban {network} until it is taken back"),
    };
    // One that stood there already is what it was before.
    let bans = desk.read(super::all).await??;
    let before = bans.into_iter().find(|(known, _)| *known == network);
    let undo = before.and_then(|(_, ban)| inverse(&network, &ban, desk.clock.timestamp()));
    let at = desk.clone();
    let work = async move {
        let ban = Ban {
            network,
            reason,
            term: Term::Operator(term.map(|term| at.clock.timestamp() + term)),
        };
        at.propose(Command::Ban(ban)).await?;
        Ok(Vec::new())
    };
    Change::of(1, what)
        .undone_by(undo.unwrap_or_else(|| format!("ban remove {network}")))
        .make(desk, request, work)
        .await
}
