//! Access: whether anybody may log in to an account.

use message::address::EmailAddress;
use store::command::{Command, ResumeAccount, SuspendAccount};

use super::{Account, Admin, AdminError, done};
use crate::tree::DEFAULT_TENANT;

impl Admin {
    /// Lets nobody log in to an account. Its mail is kept and goes on coming, unless that is refused, too.
    ///
    /// # Errors
    /// When there is no such account, it is suspended on these terms already, or the store cannot be read or written.
    pub async fn suspend(&self, address: &EmailAddress, refuses_mail: bool) -> Result<(), AdminError> {
        let Account { id, record, .. } = self.find(address).await?;
        let suspended = self
            .propose(Command::SuspendAccount(SuspendAccount {
                tenant: DEFAULT_TENANT,
                account: id,
                refuses_mail,
            }))
            .await;
        done(suspended, format!("cannot suspend {}", record.address))
    }

    /// Ends the suspension of an account.
    ///
    /// # Errors
    /// When there is no such account, it is not suspended, or the store cannot be read or written.
    pub async fn resume(&self, address: &EmailAddress) -> Result<(), AdminError> {
        let Account { id, record, .. } = self.find(address).await?;
        let resumed = self
            .propose(Command::ResumeAccount(ResumeAccount {
                tenant: DEFAULT_TENANT,
                account: id,
            }))
            .await;
        done(resumed, format!("cannot resume {}", record.address))
    }
}
