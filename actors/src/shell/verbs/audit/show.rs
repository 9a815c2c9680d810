//! `audit show`: all of one change.

use message::id::ReceiptId;
use shell::{Answer, Block};
use store::{read::audit, record::audit::AuditOutcome};

use crate::shell::{
    desk::{Desk, Refused, Request},
    values,
};

pub(in crate::shell) async fn show(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let receipt: ReceiptId = values::id(request.call.required("receipt")?, "a receipt")?;
    let entry = desk
        .read(move |store| audit::entry(&store.snapshot(), receipt))
        .await??;
    let Some(entry) = entry else {
        return Err(Refused::failed(format!(
            "nothing is known of receipt {receipt}: it never was, or it was kept for its time"
        )));
    };
    let outcome = entry.outcome.word();
    let why = match entry.outcome {
        AuditOutcome::Failed(why) => Some(why),
        AuditOutcome::Begun => Some("its end has not been told yet".to_owned()),
        AuditOutcome::Unknown => Some("the process died in it: it may be done, or not".to_owned()),
        AuditOutcome::Done => None,
    };
    let fields = Block::fields([
        ("receipt", entry.id.to_string().into()),
        ("at", entry.at.into()),
        ("who", entry.who.into()),
        ("line", entry.line.into()),
        ("reason", entry.reason.into()),
        ("what", entry.what.into()),
        ("touches", entry.touches.into()),
        ("outcome", outcome.into()),
        ("why", why.into()),
        ("ended", entry.ended.into()),
        ("took", entry.ended.map(|ended| ended.since(entry.at)).into()),
        ("undo", entry.inverse.into()),
    ]);
    let answer = Answer::new("audit show").with(fields);
    Ok(match entry.detail.is_empty() {
        true => answer,
        false => answer.with(Block::text(entry.detail)),
    })
}
