//! `reload`: the configuration, read anew and taken up; with `--plan` what that would do.

use shell::{Answer, Block, Cell, Exit, Receipt, Table};
use supervision::CallError;

use crate::{
    listener::ports::Forecast,
    reload::{
        plan::Plan,
        receipt::{self, Outcome},
        reloader::{self, Msg},
    },
    shell::{
        desk::{Desk, Refused, Request},
        values,
    },
};

pub(in crate::shell) async fn reload(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let Some(alive) = &desk.alive else {
        return Err(Refused::failed("no server runs here"));
    };
    let (call, caller) = (&request.call, &request.caller);
    let to = call.value("rollback").map(|text| values::id(text, "a receipt"));
    let asked = reloader::Request {
        who: format!("{} (uid {})", caller.name, caller.uid),
        line: call.to_line(),
        reason: call.reason().map(str::to_owned),
        is_plan: call.has("plan") || call.is_dry_run(),
        to: to.transpose()?,
    };
    let receipt = alive.reloader.call(reloader::PATIENCE, |reply| Msg::Reload {
        request: asked,
        reply,
    });
    match receipt.await {
        Ok(Some(receipt)) => Ok(answer(receipt)),
        Ok(None) => Err(Refused::failed("too many reloads wait already")),
        Err(CallError::Unavailable) => Err(Refused::failed("the reloader is away; nothing was asked of it")),
        Err(CallError::Unknown) => Err(Refused::failed(
            "the reloader died or took too long; audit list says what came of it",
        )),
    }
}

fn answer(receipt: receipt::Receipt) -> Answer {
    let mut answer = Answer::new("reload").exiting(match receipt.outcome {
        Outcome::Begun | Outcome::Planned | Outcome::Done => Exit::DONE,
        Outcome::Invalid(_) => Exit::USAGE,
        Outcome::Refused(_) | Outcome::Failed(_) => Exit::FAILED,
    });
    let mut mistakes = Table::new(&["mistake"]);
    for mistake in receipt.outcome.mistakes() {
        mistakes.row([mistake.as_str().into()]);
    }
    let plan = receipt.plan.iter().flat_map(blocks);
    plan.chain([mistakes])
        .filter(|table| !table.is_empty())
        .for_each(|table| answer.push(table.into()));
    answer.push(Block::fields([
        ("outcome", receipt.outcome.word().into()),
        (
            "differences",
            receipt.plan.as_ref().map(|plan| plan.differences.len()).into(),
        ),
        ("told", receipt.told.into()),
        ("acknowledged", receipt.acknowledged.into()),
        ("lost", receipt.lost.into()),
        ("no_answer_in_time", receipt.unanswered.join(" ").into()),
        ("took", receipt.took.into()),
    ]));
    answer.receipt = Some(Receipt {
        id: receipt.id.to_string(),
        at: receipt.at,
        what: receipt.what(),
        touches: receipt.touches(),
        dry_run: receipt.outcome == Outcome::Planned,
        inverse: receipt.inverse,
    });
    answer
}

/// A table for each kind of thing that a plan says.
fn blocks(plan: &Plan) -> Vec<Table> {
    let mut keys = Table::new(&["key", "old", "old_from", "new", "new_from", "needs_restart"]);
    for difference in &plan.differences {
        let value =
            |side: &Option<config::Side>| -> Cell { side.as_ref().and_then(|it| it.value.clone()).into() };
        let from =
            |side: &Option<config::Side>| -> Cell { side.as_ref().map(|it| it.origin.to_string()).into() };
        keys.row([
            difference.key.as_str().into(),
            value(&difference.old),
            from(&difference.old),
            value(&difference.new),
            from(&difference.new),
            difference.needs_restart().into(),
        ]);
    }
    let mut files = Table::new(&["file_has_another_content"]);
    for key in &plan.renewed {
        files.row([key.as_str().into()]);
    }
    let mut sockets = Table::new(&["socket", "listener", "address", "from"]);
    let Forecast {
        opens,
        closes,
        moves,
        stays: _,
    } = &plan.sockets;
    for (listener, at) in opens {
        sockets.row([
            "opens".into(),
            listener.as_str().into(),
            at.to_string().into(),
            Cell::Nothing,
        ]);
    }
    for (listener, at) in closes {
        sockets.row([
            "closes".into(),
            listener.as_str().into(),
            at.to_string().into(),
            Cell::Nothing,
        ]);
    }
    for (from, to, at) in moves {
        sockets.row([
            "moves".into(),
            to.as_str().into(),
            at.to_string().into(),
            from.as_str().into(),
        ]);
    }
    let mut touches = Table::new(&["section", "actors", "some_of_them", "open_connections", "these"]);
    for touch in &plan.touches {
        touches.row([
            touch.section.as_str().into(),
            touch.actors.into(),
            touch.paths.join(" ").into(),
            touch.connections.into(),
            touch.fate.words().into(),
        ]);
    }
    let mut warnings = Table::new(&["warning"]);
    for warning in &plan.warnings {
        warnings.row([warning.as_str().into()]);
    }
    vec![keys, files, sockets, touches, warnings]
}
