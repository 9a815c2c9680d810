//! `ban add`: a network is sent away.

use shell::Answer;
use store::{
    command::{Ban, Command, Term},
    record::ban::MAX_REASON_OCTETS,
};

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
        .undone_by(format!("ban remove {network}"))
        .make(desk, request, work)
        .await
}
