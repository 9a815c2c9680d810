//! Change: how every verb goes that changes something. Tried out, or put on record, done, and recorded with its end.

use message::id::ReceiptId;
use shell::{Answer, Block, Receipt};
use store::{
    command::{Command, Record},
    record::audit::{AuditEntry, AuditOutcome},
};

use super::desk::{Desk, Refused, Request};

/// What is going to be changed, as far as it is known before.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// How many things it touches.
    pub touches: u64,
    /// What is done, in a sentence without a full stop.
    pub what: String,
    /// The line that undoes it; none when nothing does.
    pub inverse: Option<String>,
    /// Whether it is done although it cannot be put on record: what helps when the disk is full.
    is_urgent: bool,
}

impl Change {
    /// A change of so many things, which nothing undoes.
    #[must_use]
    pub fn of(touches: u64, what: impl Into<String>) -> Self {
        Self {
            touches,
            what: what.into(),
            ..Self::default()
        }
    }

    /// With the line that undoes it.
    #[must_use]
    pub fn undone_by(self, inverse: impl Into<String>) -> Self {
        Self {
            inverse: Some(inverse.into()),
            ..self
        }
    }

    /// Done although it cannot be put on record: what ends connections or restarts actors must not need a disk.
    #[must_use]
    pub fn even_unrecorded(self) -> Self {
        Self {
            is_urgent: true,
            ..self
        }
    }

    /// Makes the change, unless it is only tried out, and answers with its receipt. What has begun is brought to its end
    /// and recorded, also when who asked has gone. `apply` says what the operator is to read besides.
    ///
    /// # Errors
    /// What `apply` says; that is recorded, too. [`Refused`] when the change cannot be put on record: it is not made then.
    pub async fn make(
        self,
        desk: &Desk,
        request: &Request,
        apply: impl Future<Output = Result<Vec<Block>, Refused>> + Send + 'static,
    ) -> Result<Answer, Refused> {
        let mut answer = Answer::new(&request.call.verb().words());
        let id: ReceiptId = desk.mint.id();
        let receipt = Receipt {
            id: id.to_string(),
            at: desk.clock.timestamp(),
            what: self.what.clone(),
            touches: self.touches,
            inverse: self.inverse.clone(),
            dry_run: request.call.is_dry_run(),
        };
        if receipt.dry_run {
            answer.receipt = Some(receipt);
            return Ok(answer);
        }
        let is_urgent = self.is_urgent;
        let entry = self.entry(id, &receipt, request);
        if let Err(why) = record(desk, entry.clone()).await {
            tracing::error!(target: "angarium::audit", why = %why.why, "a change cannot be put on record");
            if !is_urgent {
                return Err(Refused::failed(format!(
                    "it cannot be put on record, and is not done: {why}"
                )));
            }
        }
        // A task of its own: it is not taken back halfway because somebody closed his terminal.
        let desk = desk.clone();
        let made = tokio::spawn(async move {
            // Another one, whose death is recorded, too.
            let made = tokio::spawn(apply)
                .await
                .unwrap_or_else(|why| Err(Refused::failed(format!("it died: {why}"))));
            finish(&desk, entry, made.as_ref().err()).await;
            made
        });
        let made = made.await;
        for block in made.map_err(|why| Refused::failed(why.to_string()))?? {
            answer.push(block);
        }
        answer.receipt = Some(receipt);
        Ok(answer)
    }

    /// [`Self::make`] for a change of the directory: it is not said to be done before every session sees it.
    ///
    /// # Errors
    /// As [`Self::make`].
    pub async fn make_seen(
        self,
        desk: &Desk,
        request: &Request,
        apply: impl Future<Output = Result<Vec<Block>, Refused>> + Send + 'static,
    ) -> Result<Answer, Refused> {
        let at = desk.clone();
        let apply = async move {
            let told = apply.await?;
            at.seen().await;
            Ok(told)
        };
        self.make(desk, request, apply).await
    }

    /// [`Self::make_seen`] by one command.
    ///
    /// # Errors
    /// As [`Self::make`], and what the store says.
    pub async fn make_by(self, desk: &Desk, request: &Request, command: Command) -> Result<Answer, Refused> {
        let at = desk.clone();
        let apply = async move {
            at.propose(command).await?;
            Ok(Vec::new())
        };
        self.make_seen(desk, request, apply).await
    }

    fn entry(self, id: ReceiptId, receipt: &Receipt, request: &Request) -> AuditEntry {
        AuditEntry {
            id,
            at: receipt.at,
            who: request.caller.to_string(),
            line: request.call.to_line(),
            reason: request.call.reason().map(str::to_owned),
            touches: self.touches,
            what: self.what,
            inverse: self.inverse,
            outcome: AuditOutcome::Begun,
            ended: None,
            detail: String::new(),
        }
        .fitting()
    }
}

async fn record(desk: &Desk, entry: AuditEntry) -> Result<(), Refused> {
    desk.propose(Command::Record(Box::new(Record { entry }))).await?;
    Ok(())
}

/// Records how it ended, in the store and in the log.
async fn finish(desk: &Desk, begun: AuditEntry, failed: Option<&Refused>) {
    let outcome = match failed {
        None => AuditOutcome::Done,
        Some(why) => AuditOutcome::Failed(why.why.clone()),
    };
    let entry = AuditEntry {
        outcome,
        ended: Some(desk.clock.timestamp()),
        ..begun
    }
    .fitting();
    tracing::info!(
        target: "angarium::audit",
        receipt = %entry.id,
        who = entry.who,
        line = ?entry.line,
        reason = entry.reason.as_ref().map(tracing::field::debug),
        touches = entry.touches,
        failed = failed.map(tracing::field::display),
        "{}",
        entry.what,
    );
    if let Err(why) = record(desk, entry).await {
        tracing::error!(target: "angarium::audit", why = %why.why, "the end of a change cannot be put on record");
    }
}
