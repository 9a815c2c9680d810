//! Privileges: what a server that was started as root gives up before it does anything else.
//!
//! It becomes another user for good and keeps one capability: to bind ports below 1024, now and at every reload.
//! Identities belong to threads (credentials(7)), so this comes before the first one is started.

use std::{fs, path::Path};

use anyhow::{Context, bail, ensure};
use nix::unistd::{User, getgrouplist};
use rustix::{
    process::{Gid, Uid, getegid, geteuid},
    thread::{
        CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_keep_capabilities,
        set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
    },
};

/// What is kept.
const KEPT: CapabilitySet = CapabilitySet::NET_BIND_SERVICE;

/// Becomes a user, with that user's groups, and can never be root again. The data directory is made for that user if it is
/// not there. A process that is that user already stays as it is.
///
/// # Errors
/// When there is no such user, it is root, or this process may not become it.
pub fn become_user(name: &str, data: &Path) -> anyhow::Result<()> {
    let user = User::from_name(name)
        .with_context(|| format!("the user {name:?} cannot be looked up"))?
        .with_context(|| format!("there is no user {name:?}"))?;
    let (uid, gid) = (Uid::from_raw(user.uid.as_raw()), Gid::from_raw(user.gid.as_raw()));
    ensure!(!uid.is_root(), "the user {name:?} is root: name one that is not");
    if geteuid() == uid && getegid() == gid {
        return Ok(());
    }
    if !geteuid().is_root() {
        bail!("only root can become {name:?}");
    }
    make_directory(data, &user)?;
    let c_name = std::ffi::CString::new(name)?;
    let groups: Vec<Gid> = getgrouplist(&c_name, user.gid)
        .with_context(|| format!("the groups of {name:?} cannot be looked up"))?
        .into_iter()
        .map(|group| Gid::from_raw(group.as_raw()))
        .collect();
    change(uid, gid, &groups).with_context(|| format!("cannot become {name:?}"))?;
    // Never believed without being tried: a kernel or a container may have let something through.
    ensure!(
        set_thread_res_uid(Some(Uid::ROOT), Some(Uid::ROOT), Some(Uid::ROOT)).is_err() && geteuid() == uid,
        "became {name:?} and could be root again"
    );
    Ok(())
}

fn change(uid: Uid, gid: Gid, groups: &[Gid]) -> anyhow::Result<()> {
    // Without this a change of user would take every capability, the one that is kept among them.
    set_keep_capabilities(true)?;
    set_thread_groups(groups)?;
    set_thread_res_gid(Some(gid), Some(gid), Some(gid))?;
    set_thread_res_uid(Some(uid), Some(uid), Some(uid))?;
    let held = capabilities(None)?;
    set_capabilities(
        None,
        CapabilitySets {
            effective: held.permitted & KEPT,
            permitted: held.permitted & KEPT,
            inheritable: CapabilitySet::empty(),
        },
    )?;
    set_keep_capabilities(false)?;
    Ok(set_no_new_privs(true)?)
}

/// A directory below one that only root may write could not be made later. One that is there belongs to whom it belongs.
fn make_directory(data: &Path, user: &User) -> anyhow::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, chown};
    if data.exists() {
        return Ok(());
    }
    let context = || format!("cannot make the data directory {}", data.display());
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(context)?;
    chown(data, Some(user.uid.as_raw()), Some(user.gid.as_raw())).with_context(context)
}
