//! `upkeep`, and what the verbs have in common that begin long work: whoever began it may follow it, and need not.

use std::time::Duration;

use message::id::ReceiptId;
use shell::{Answer, Block, Cell, Receipt};
use store::record::upkeep::{Upkeep, UpkeepTask};
use supervision::Address;

use crate::{
    shell::{
        change::Change,
        desk::{Desk, Refused, Request},
        output::{Gone, Output},
    },
    store::{
        labour::Standing,
        maintenance::{Asked, Msg, Shown, touches, what, word},
    },
};

/// How long maintenance may take to answer: it is busy with nothing that takes long.
const ANSWER_LIMIT: Duration = Duration::from_secs(40);

/// How often it is looked how far a work is.
const FOLLOW: Duration = Duration::from_millis(300);

/// `upkeep`
pub(in crate::shell) async fn upkeep(desk: &Desk) -> Result<Answer, Refused> {
    let Shown { now, last } = show(maintenance(desk)?).await?;
    let mut answer = Answer::new("upkeep");
    match now {
        Some((upkeep, standing)) => answer.push(fields(&upkeep, &standing, "under way")),
        None => answer.push(Block::text("no long work is under way")),
    }
    if let Some((upkeep, result, standing)) = last {
        answer.push(fields(
            &upkeep,
            &standing,
            if result.is_ok() { "done" } else { "failed" },
        ));
        answer.push(Block::text(result.unwrap_or_else(|why| why)));
    }
    Ok(answer)
}

/// `upkeep end`
pub(in crate::shell) async fn end(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let maintenance = maintenance(desk)?.clone();
    let Some((upkeep, _)) = show(&maintenance).await?.now else {
        return Err(Refused::failed("no long work is under way"));
    };
    let what = format!("ends the {} {}", word(&upkeep.task), upkeep.receipt);
    let apply = async move {
        maintenance
            .call(ANSWER_LIMIT, Msg::End)
            .await
            .map_err(|why| Refused::failed(why.to_string()))?;
        Ok(Vec::new())
    };
    Change::of(1, what).make(desk, request, apply).await
}

/// Begins a work and follows it to its end. When who asked goes away it goes on.
pub(super) async fn work(
    desk: &Desk,
    request: &Request,
    out: &Output,
    task: UpkeepTask,
) -> Result<(Answer, Standing), Refused> {
    let maintenance = maintenance(desk)?;
    let asked = Box::new(Asked {
        task,
        who: request.caller.name.clone(),
        line: request.call.to_line(),
        reason: request.call.reason().map(str::to_owned),
    });
    let receipt = maintenance
        .call(ANSWER_LIMIT, |reply| Msg::Begin(asked, reply))
        .await
        .map_err(|why| Refused::failed(why.to_string()))?
        .map_err(Refused::failed)?;
    let (upkeep, result, standing) = follow(maintenance, receipt, out).await?;
    let said = result.map_err(Refused::failed)?;
    let mut answer = Answer::new(&request.call.verb().words());
    for finding in &standing.findings {
        answer.push(Block::text(finding.clone()));
    }
    answer.push(Block::text(said));
    answer.receipt = Some(Receipt {
        id: receipt.to_string(),
        at: upkeep.at,
        what: what(&upkeep.task),
        touches: touches(&upkeep.task),
        inverse: None,
        dry_run: false,
    });
    Ok((answer, standing))
}

async fn follow(
    maintenance: &Address<Msg>,
    receipt: ReceiptId,
    out: &Output,
) -> Result<(Upkeep, Result<String, String>, Standing), Refused> {
    let mut said = Standing::default();
    loop {
        let Shown { now, last } = show(maintenance).await?;
        if let Some(last) = last.filter(|(upkeep, ..)| upkeep.receipt == receipt) {
            return Ok(last);
        }
        let Some((_, standing)) = now.filter(|(upkeep, _)| upkeep.receipt == receipt) else {
            // Its actor was restarted and has not gone on with it yet, or has done so and ended.
            return Err(Refused::failed(format!(
                "it is not known how far it is; `audit` knows {receipt} when it has ended"
            )));
        };
        // A work that has only begun has nothing to tell, and neither has one that stands where it stood.
        if standing.done > 0 && (standing.stage, standing.done) != (said.stage, said.done) {
            out.say(Block::Progress {
                what: standing.stage.to_owned(),
                done: standing.done,
                total: standing.total,
            })
            .await?;
            said = standing;
        }
        tokio::select! {
            () = out.closed() => return Err(Gone.into()),
            () = tokio::time::sleep(FOLLOW) => {}
        }
    }
}

async fn show(maintenance: &Address<Msg>) -> Result<Shown, Refused> {
    maintenance
        .call(ANSWER_LIMIT, Msg::Show)
        .await
        .map_err(|why| Refused::failed(why.to_string()))
}

fn maintenance(desk: &Desk) -> Result<&Address<Msg>, Refused> {
    match &desk.alive {
        Some(alive) => Ok(&alive.maintenance),
        None => Err(Refused::failed("no server runs here")),
    }
}

fn fields(upkeep: &Upkeep, standing: &Standing, state: &str) -> Block {
    Block::fields([
        ("work", word(&upkeep.task).into()),
        ("state", state.into()),
        ("receipt", upkeep.receipt.to_string().into()),
        ("asked_by", upkeep.who.as_str().into()),
        ("since", upkeep.at.into()),
        ("stage", standing.stage.into()),
        ("done", standing.done.into()),
        ("of", standing.total.into()),
        ("octets", Cell::Octets(standing.octets)),
        ("findings", standing.found.into()),
    ])
}
