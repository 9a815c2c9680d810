//! `check store` on a server that runs: by maintenance, beside the mail. On a stopped one the program does it.

use shell::{Answer, Exit};
use store::record::upkeep::UpkeepTask;

use super::upkeep::work;
use crate::shell::{
    desk::{Desk, Refused, Request},
    output::Output,
};

pub(in crate::shell) async fn check_store(
    desk: &Desk,
    request: &Request,
    out: &Output,
) -> Result<Answer, Refused> {
    for flag in ["repair", "apply", "accept-truncation"] {
        if request.call.has(flag) {
            return Err(Refused::failed(format!(
                "--{flag} is for a server that does not run"
            )));
        }
    }
    let (answer, standing) = work(desk, request, out, UpkeepTask::Check).await?;
    Ok(if standing.found == 0 {
        answer
    } else {
        answer.exiting(Exit::FAILED)
    })
}
