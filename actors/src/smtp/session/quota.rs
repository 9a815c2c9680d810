//! Quota: whether a recipient has room, as far as it can be known before the message is here. A hint that spares sender and
//! spool a message that would wait; the delivery decides.

use std::time::Duration;

use message::id::{AccountId, TenantId};
use store::{engine::Snapshot, read::ReadError, read::directory, record::state::Usage};
use tokio::time::timeout;

use super::State;
use crate::telemetry::SMTP_RECIPIENTS_FULL;

/// Of an address that stands for more accounts nobody is asked: some of them will have room.
const MAX_ASKED: usize = 16;

/// The longest that the answer is worth waiting for.
const ASK_LIMIT: Duration = Duration::from_secs(1);

impl State {
    /// Whether none of these accounts has room for the message that begins. Who cannot be asked has.
    pub(super) async fn are_full(&self, accounts: &[AccountId]) -> bool {
        if accounts.len() > MAX_ASKED {
            return false;
        }
        let parts = &self.args.parts;
        // Most accounts have no limit: for those nothing is read.
        let directory = parts.directory.snapshot();
        if !accounts.iter().all(|account| directory.is_limited(*account)) {
            return false;
        }
        let declared = self.session.machine.mail().and_then(|mail| mail.declared_size);
        // A declared 0 means that the client does not know. RFC 1870 §3
        let more = Usage::of_message(declared.unwrap_or_default().max(1));
        let (store, tenant, accounts) = (parts.store.clone(), parts.tenant, accounts.to_vec());
        let read = parts
            .reads
            .run(move || are_full(&store.snapshot(), tenant, &accounts, more));
        let full = match timeout(ASK_LIMIT, read).await {
            Ok(Ok(Ok(full))) => full,
            Ok(Ok(Err(why))) => {
                tracing::debug!(target: "angarium::smtp", connection = %self.args.connection, %why, "a quota cannot be read");
                false
            }
            Ok(Err(_)) | Err(_) => false,
        };
        if full {
            SMTP_RECIPIENTS_FULL.count(1);
        }
        full
    }
}

/// Blocks.
fn are_full(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    accounts: &[AccountId],
    more: Usage,
) -> Result<bool, ReadError> {
    let organisation = directory::tenant_state(snapshot, tenant)?;
    if organisation.is_some_and(|state| !state.limits.allow(state.usage.plus(more))) {
        return Ok(true);
    }
    for account in accounts {
        let state = directory::account_state(snapshot, tenant, *account)?;
        if state.is_none_or(|state| state.limits.allow(state.usage.plus(more))) {
            return Ok(false);
        }
    }
    Ok(true)
}
