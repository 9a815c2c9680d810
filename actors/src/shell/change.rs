//! Change: how every verb goes that changes something. Tried out, or done, and then recorded with a receipt.

use message::id::CommandId;
use shell::{Answer, Block, Receipt};

use super::desk::{Caller, Desk, Refused, Request};

/// What is going to be changed, as far as it is known before.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// How many things it touches.
    pub touches: u64,
    /// What is done, in a sentence without a full stop.
    pub what: String,
    /// The line that undoes it; none when nothing does.
    pub inverse: Option<String>,
}

impl Change {
    /// A change of so many things, which nothing undoes.
    #[must_use]
    pub fn of(touches: u64, what: impl Into<String>) -> Self {
        Self {
            touches,
            what: what.into(),
            inverse: None,
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

    /// Makes the change, unless it is only tried out, and answers with its receipt. What has begun is brought to its end
    /// and recorded, also when who asked has gone. `apply` says what the operator is to read besides.
    ///
    /// # Errors
    /// What `apply` says; that is recorded, too.
    pub async fn make(
        self,
        desk: &Desk,
        request: &Request,
        apply: impl Future<Output = Result<Vec<Block>, Refused>> + Send + 'static,
    ) -> Result<Answer, Refused> {
        let mut answer = Answer::new(&request.call.verb().words());
        let id: CommandId = desk.mint.id();
        let receipt = Receipt {
            id: id.to_string(),
            at: desk.clock.timestamp(),
            what: self.what,
            touches: self.touches,
            inverse: self.inverse,
            dry_run: request.call.is_dry_run(),
        };
        if receipt.dry_run {
            answer.receipt = Some(receipt);
            return Ok(answer);
        }
        let entry = Entry {
            line: request.call.to_line(),
            reason: request.call.reason().map(str::to_owned),
            caller: request.caller.clone(),
            receipt: receipt.clone(),
        };
        // A task of its own: it is not taken back halfway because somebody closed his terminal.
        let made = tokio::spawn(async move {
            let made = apply.await;
            entry.record(made.as_ref().err());
            made
        });
        let blocks = made
            .await
            .map_err(|why| Refused::failed(format!("it died: {why}")))??;
        for block in blocks {
            answer.push(block);
        }
        answer.receipt = Some(receipt);
        Ok(answer)
    }
}

/// What is kept of a change.
struct Entry {
    caller: Caller,
    line: String,
    reason: Option<String>,
    receipt: Receipt,
}

impl Entry {
    fn record(&self, failed: Option<&Refused>) {
        let Self {
            caller,
            line,
            reason,
            receipt,
        } = self;
        tracing::info!(
            target: "angarium::audit",
            receipt = %receipt.id,
            uid = caller.uid,
            who = %caller.name,
            line = ?line,
            reason = reason.as_ref().map(tracing::field::debug),
            touches = receipt.touches,
            failed = failed.map(tracing::field::display),
            "{}",
            receipt.what,
        );
    }
}
