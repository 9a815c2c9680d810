//! `reload`: the configuration, read anew and taken up; with `--plan` what that would do.

use config::{Difference, Side};
use shell::{Answer, Block, Cell, Exit, Receipt, Table};
use supervision::CallError;

use crate::{
    listener::ports::Forecast,
    reload::{
        plan::Plan,
        receipt::{self, Outcome},
        reloader::{self, Msg},
        touch::Touch,
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
    let mistakes = lines("mistake", receipt.outcome.mistakes());
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
    vec![
        keys(&plan.differences),
        lines("file_has_another_content", &plan.renewed),
        sockets(&plan.sockets),
        touches(&plan.touches),
        lines("warning", &plan.warnings),
    ]
}

/// A table of one column.
fn lines(column: &str, lines: &[String]) -> Table {
    let mut table = Table::new(&[column]);
    lines.iter().for_each(|line| table.row([line.as_str().into()]));
    table
}

fn keys(differences: &[Difference]) -> Table {
    let value = |side: &Option<Side>| -> Cell { side.as_ref().and_then(|it| it.value.clone()).into() };
    let from = |side: &Option<Side>| -> Cell { side.as_ref().map(|it| it.origin.to_string()).into() };
    let mut table = Table::new(&["key", "old", "old_from", "new", "new_from", "needs_restart"]);
    for difference in differences {
        table.row([
            difference.key.as_str().into(),
            value(&difference.old),
            from(&difference.old),
            value(&difference.new),
            from(&difference.new),
            difference.needs_restart().into(),
        ]);
    }
    table
}

fn sockets(forecast: &Forecast) -> Table {
    let Forecast {
        opens,
        closes,
        moves,
        stays: _,
    } = forecast;
    let opens = opens.iter().map(|(name, at)| ("opens", name, at, None));
    let closes = closes.iter().map(|(name, at)| ("closes", name, at, None));
    let moves = moves.iter().map(|(from, to, at)| ("moves", to, at, Some(from)));
    let mut table = Table::new(&["socket", "listener", "address", "from"]);
    for (what, listener, at, from) in opens.chain(closes).chain(moves) {
        table.row([
            what.into(),
            listener.as_str().into(),
            at.to_string().into(),
            from.cloned().into(),
        ]);
    }
    table
}

fn touches(touches: &[Touch]) -> Table {
    let mut table = Table::new(&["section", "actors", "some_of_them", "open_connections", "these"]);
    for touch in touches {
        table.row([
            touch.section.as_str().into(),
            touch.actors.into(),
            touch.paths.join(" ").into(),
            touch.connections.into(),
            touch.fate.words().into(),
        ]);
    }
    table
}
