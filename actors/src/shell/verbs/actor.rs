//! `actor`: one actor, with what it says of itself; or suspends, resumes, restarts or kills it.

use shell::{Answer, Block, Cell, columns::TREE, words::quoted};
use supervision::{ControlError, Row, Running, Value};

use super::tree;
use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
};

pub(in crate::shell) async fn actor(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let running = desk.running()?;
    let path = request.call.required("path")?.to_owned();
    let what = request.call.value("what").unwrap_or("state");
    if what == "state" {
        return state(&running, &path).await;
    }
    request.administrator()?;
    if path.trim_end_matches('/').is_empty() {
        return Err(Refused::failed(
            "that would end the server: send it SIGTERM instead",
        ));
    }
    let below = running.tree(&path).len();
    if below == 0 {
        return Err(Refused::failed(format!(
            "nothing is at {path}; tree lists what there is"
        )));
    }
    let change = Change::of(below as u64, format!("{what} {path}")).even_unrecorded();
    let (change, order): (_, Order) = match what {
        "suspend" => (
            change.undone_by(format!("actor {} resume", quoted(&path))),
            Running::suspend,
        ),
        "resume" => (
            change.undone_by(format!("actor {} suspend", quoted(&path))),
            Running::resume,
        ),
        "restart" => (change, Running::restart),
        _ => (change, Running::kill),
    };
    let apply = async move {
        order(&running, &path)?;
        Ok(Vec::new())
    };
    change.make(desk, request, apply).await
}

/// What can be done to an actor.
type Order = fn(&Running, &str) -> Result<(), ControlError>;

async fn state(running: &Running, path: &str) -> Result<Answer, Refused> {
    let path = path.trim_end_matches('/');
    let is_it = |row: &Row| row.path.trim_end_matches('/') == path;
    let row = running
        .tree_to(path, 0)
        .into_iter()
        .find(is_it)
        .ok_or(ControlError::NotFound)?;
    let names = TREE.iter().map(|&name| name.to_owned());
    let (path, subject) = (row.path.clone(), row.subject.as_ref().map(ToString::to_string));
    let mut fields: Vec<(String, Cell)> = names.zip(tree::cells(row)).collect();
    fields.push(("subject".to_owned(), subject.into()));
    let mut answer = Answer::new("actor").with(Block::Fields(fields));
    match running.inspect(&path).await {
        Ok(inspection) => {
            let said = inspection
                .iter()
                .map(|(name, value)| (name.to_owned(), cell(value)));
            answer.push(Block::Fields(said.collect()));
        }
        // It is busy or away; that is an answer, too.
        Err(why) => answer.push(Block::text(format!("it says nothing of itself: {why}"))),
    }
    Ok(answer)
}

/// What an actor says of itself.
pub(super) fn cell(value: &Value) -> Cell {
    match value {
        Value::Flag(flag) => Cell::Flag(*flag),
        Value::Number(number) => Cell::Number(*number),
        Value::Seconds(seconds) => std::time::Duration::try_from_secs_f64(*seconds).ok().into(),
        Value::Text(text) => text.clone().into(),
        Value::List(values) => {
            let texts: Vec<String> = values
                .iter()
                .map(|value| shell::render::cell(&cell(value)))
                .collect();
            texts.join(" ").into()
        }
    }
}
