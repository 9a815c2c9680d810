//! `queue show`: all that is known of a message that waits.

use shell::{Answer, Block, Cell, Table};
use store::record::spool::{RecipientState, Route};

use super::{need, whys};
use crate::shell::{
    desk::{Desk, Refused, Request},
    values,
};

pub(in crate::shell) async fn show(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let entry = need(desk, values::message(&request.call, "message")?).await?;
    let whys = whys(desk, &entry).await?;
    let (message, arrival) = (&entry.message, &entry.message.arrival);
    let options = message.options.to_string();
    let fields = Block::fields([
        ("message", entry.id.to_string().into()),
        ("from", message.reverse_path.shown().to_string().into()),
        ("arrived", arrival.at.into()),
        ("by", arrival.protocol.clone().into()),
        ("peer", arrival.peer.map(|peer| peer.to_string()).into()),
        ("helo", arrival.helo.clone().into()),
        ("tls", arrival.tls.clone().into()),
        ("login", arrival.login.map(|login| login.to_string()).into()),
        ("verdicts", arrival.verdicts.join(", ").into()),
        ("size", Cell::Octets(message.blob.octets)),
        (
            "priority",
            format!("{:?}", message.priority).to_lowercase().into(),
        ),
        ("asked_for", (!options.is_empty()).then_some(options).into()),
        ("recipients", u64::from(message.recipients).into()),
        ("pending", u64::from(message.pending).into()),
    ]);
    let mut table = Table::new(&[
        "recipient",
        "address",
        "route",
        "state",
        "when",
        "attempts",
        "why",
    ]);
    for ((number, recipient), (_, why)) in entry.recipients.iter().zip(whys) {
        let route = match &recipient.route {
            Route::Local(account) => format!("account {account}"),
            Route::Remote(domain) => format!("domain {domain}"),
            Route::Discard => "discard".to_owned(),
        };
        let (state, when) = match recipient.state {
            RecipientState::Due(due) => ("due", due),
            RecipientState::Held { since, .. } => ("held", since),
        };
        table.row([
            u64::from(number.get()).into(),
            recipient.address.shown().to_string().into(),
            route.into(),
            state.into(),
            when.into(),
            recipient.attempts.into(),
            why.sentence.into(),
        ]);
    }
    Ok(Answer::new("queue show").with(fields).with(table))
}
