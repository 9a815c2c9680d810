//! Systemd: what the service manager is told, and that it hears nothing more when the actors do not turn. Without a
//! service manager (`NOTIFY_SOCKET` is not set) nothing is told to anybody.

use std::time::Duration;

use sd_notify::NotifyState;
use supervision::{ControlError, Running};
use tokio::task::AbortHandle;

/// Who must answer for the watchdog to be fed: the supervisor of all, and what takes proposals for the store.
const WATCHED: [&str; 2] = ["/", "/store/gate"];

/// The server takes mail.
pub fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is being read again; [`ready`] ends it. systemd takes no other order meanwhile.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(why) => tracing::warn!(target: "angarium", %why, "the service manager is not told of a reload"),
    }
}

/// The server comes to its end.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(why) = sd_notify::notify(states) {
        tracing::warn!(target: "angarium", %why, "the service manager cannot be told");
    }
}

/// Feeds the watchdog of the service manager, if it has one for this process, as long as the actors answer.
#[must_use]
pub fn watchdog(tree: &Running) -> Option<Watchdog> {
    let period = sd_notify::watchdog_enabled()?;
    let tree = tree.clone();
    let task = tokio::spawn(async move {
        loop {
            if answers(&tree).await {
                notify(&[NotifyState::Watchdog]);
            } else {
                tracing::error!(target: "angarium", "actors do not answer: the watchdog is not fed");
            }
            tokio::time::sleep(interval(period)).await;
        }
    });
    Some(Watchdog(task.abort_handle()))
}

/// Ends with this.
pub struct Watchdog(AbortHandle);

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Whether all who are there answer. Who is being restarted is the business of its supervisor.
async fn answers(tree: &Running) -> bool {
    for path in WATCHED {
        if tree.inspect(path).await == Err(ControlError::NoAnswer) {
            return false;
        }
    }
    true
}

/// Twice as often as needed, as sd_watchdog_enabled(3) asks.
fn interval(period: Duration) -> Duration {
    period / 2
}
