//! A little of every scenario, each with a seed of its own that is always the same.

use std::path::PathBuf;

use chaos::{
    runner::{Plan, run},
    scenario::Scenario,
};

fn check(scenario: Scenario, seed: u64) -> anyhow::Result<()> {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_chaos"));
    let held = run(&[scenario], &Plan::short(program, seed))?;
    assert!(held, "see above for the promise that was broken");
    Ok(())
}

#[test]
fn kill_session_during_data() -> anyhow::Result<()> {
    check(Scenario::KillSessionDuringData, 1)
}

#[test]
fn kill_store_gate() -> anyhow::Result<()> {
    check(Scenario::KillStoreGate, 2)
}

#[test]
fn kill_local_queue_after_accept() -> anyhow::Result<()> {
    check(Scenario::KillLocalQueueAfterAccept, 3)
}

#[test]
fn kill_mailbox_during_append() -> anyhow::Result<()> {
    check(Scenario::KillMailboxDuringAppend, 4)
}

#[test]
fn kill_process_under_load() -> anyhow::Result<()> {
    check(Scenario::KillProcessUnderLoad, 5)
}

#[test]
fn fill_disk() -> anyhow::Result<()> {
    check(Scenario::FillDisk, 6)
}

#[test]
fn kill_any_class_under_load() -> anyhow::Result<()> {
    check(Scenario::KillAnyClassUnderLoad, 7)
}

#[test]
fn poison_message_among_10000() -> anyhow::Result<()> {
    check(Scenario::PoisonMessageAmong10000, 8)
}

#[test]
fn suspend_and_resume() -> anyhow::Result<()> {
    check(Scenario::SuspendAndResume, 9)
}

#[test]
fn shell_flood() -> anyhow::Result<()> {
    check(Scenario::ShellFlood, 10)
}

#[test]
fn statsd_target_down() -> anyhow::Result<()> {
    check(Scenario::StatsdTargetDown, 11)
}

#[test]
fn reload_storm_under_load() -> anyhow::Result<()> {
    check(Scenario::ReloadStormUnderLoad, 12)
}
