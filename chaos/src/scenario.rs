//! Scenarios: what is killed, and when. One file each.

mod fill_disk;
mod kill_any_class_under_load;
mod kill_local_queue_after_accept;
mod kill_mailbox_during_append;
mod kill_process_under_load;
mod kill_session_during_data;
mod kill_store_gate;
mod poison_message_among_10000;
mod reload_storm_under_load;
mod shell_flood;
mod statsd_target_down;
mod suspend_and_resume;

use crate::storm::Storm;

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// The session of an SMTP connection dies at every octet of a transaction.
    KillSessionDuringData,
    /// The gate to the store dies while proposals pass.
    KillStoreGate,
    /// The queue dies when a message has just been accepted.
    KillLocalQueueAfterAccept,
    /// Mailboxes and local deliveries die while messages are appended and read.
    KillMailboxDuringAppend,
    /// The whole process dies, again and again.
    KillProcessUnderLoad,
    /// The disk is full, or nearly.
    FillDisk,
    /// Every class of actor that lives dies, supervisors with all that is below them.
    KillAnyClassUnderLoad,
    /// One message crashes whoever handles it.
    PoisonMessageAmong10000,
    /// Actors of every class are suspended, looked at and resumed.
    SuspendAndResume,
    /// Whoever may comes to the shell's socket and says anything, or nothing.
    ShellFlood,
    /// Nobody hears what is measured.
    StatsdTargetDown,
    /// The configuration is read anew again and again.
    ReloadStormUnderLoad,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::KillSessionDuringData,
        Self::KillStoreGate,
        Self::KillLocalQueueAfterAccept,
        Self::KillMailboxDuringAppend,
        Self::KillProcessUnderLoad,
        Self::FillDisk,
        Self::KillAnyClassUnderLoad,
        Self::PoisonMessageAmong10000,
        Self::SuspendAndResume,
        Self::ShellFlood,
        Self::StatsdTargetDown,
        Self::ReloadStormUnderLoad,
    ];

    /// The name by which it is asked for.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KillSessionDuringData => "kill_session_during_data",
            Self::KillStoreGate => "kill_store_gate",
            Self::KillLocalQueueAfterAccept => "kill_local_queue_after_accept",
            Self::KillMailboxDuringAppend => "kill_mailbox_during_append",
            Self::KillProcessUnderLoad => "kill_process_under_load",
            Self::FillDisk => "fill_disk",
            Self::KillAnyClassUnderLoad => "kill_any_class_under_load",
            Self::PoisonMessageAmong10000 => "poison_message_among_10000",
            Self::SuspendAndResume => "suspend_and_resume",
            Self::ShellFlood => "shell_flood",
            Self::StatsdTargetDown => "statsd_target_down",
            Self::ReloadStormUnderLoad => "reload_storm_under_load",
        }
    }

    /// What happens in it, in one line.
    #[must_use]
    pub const fn story(self) -> &'static str {
        match self {
            Self::KillSessionDuringData => {
                "the SMTP session dies at every octet of a transaction, in clear and under TLS"
            }
            Self::KillStoreGate => "the gate to the store dies while proposals pass",
            Self::KillLocalQueueAfterAccept => "the local queue dies when a message has just been accepted",
            Self::KillMailboxDuringAppend => {
                "mailboxes and deliveries die while messages are appended and read"
            }
            Self::KillProcessUnderLoad => "the process gets SIGKILL twenty times while 16 sessions send",
            Self::FillDisk => "writes fail, and space falls below the reserve",
            Self::KillAnyClassUnderLoad => {
                "every class of actor that lives dies, supervisors with all that is below them"
            }
            Self::PoisonMessageAmong10000 => "one message among ten thousand crashes whoever handles it",
            Self::SuspendAndResume => "actors of every class are suspended, looked at and resumed",
            Self::ShellFlood => "garbage, silence and greed on the shell's socket",
            Self::StatsdTargetDown => "the StatsD daemon is away, comes, hears nothing and goes",
            Self::ReloadStormUnderLoad => "the configuration is read anew again and again, well and badly",
        }
    }

    pub(crate) async fn run(self, storm: &mut Storm) -> anyhow::Result<()> {
        match self {
            Self::KillSessionDuringData => kill_session_during_data::run(storm).await,
            Self::KillStoreGate => kill_store_gate::run(storm).await,
            Self::KillLocalQueueAfterAccept => kill_local_queue_after_accept::run(storm).await,
            Self::KillMailboxDuringAppend => kill_mailbox_during_append::run(storm).await,
            Self::KillProcessUnderLoad => kill_process_under_load::run(storm).await,
            Self::FillDisk => fill_disk::run(storm).await,
            Self::KillAnyClassUnderLoad => kill_any_class_under_load::run(storm).await,
            Self::PoisonMessageAmong10000 => poison_message_among_10000::run(storm).await,
            Self::SuspendAndResume => suspend_and_resume::run(storm).await,
            Self::ShellFlood => shell_flood::run(storm).await,
            Self::StatsdTargetDown => statsd_target_down::run(storm).await,
            Self::ReloadStormUnderLoad => reload_storm_under_load::run(storm).await,
        }
    }
}
