//! Role: who is on the other end of the socket, as the kernel says, and what the settings let him.

use std::time::Duration;

use config::Shell;
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use rustix::process::geteuid;
use shell::Role;
use tokio::{net::UnixStream, time::timeout};

use super::desk::Caller;

/// How long the system may take to say who a user is: names may come from another machine.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(2);

/// Who is at the other end of a connection, as the kernel says. That never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The number of the user.
    pub uid: u32,
    /// The number of the group that its process has.
    pub gid: u32,
}

impl Peer {
    /// Who connected.
    #[must_use]
    pub fn of(stream: &UnixStream) -> Option<Self> {
        let peer = stream.peer_cred().ok()?;
        Some(Self {
            uid: peer.uid(),
            gid: peer.gid(),
        })
    }

    /// Whether it is root or the user of the server itself, which needs no looking up.
    fn is_ours(self) -> bool {
        self.uid == 0 || self.uid == geteuid().as_raw()
    }
}

/// A peer, and what the settings of a moment let him do.
#[derive(Clone, Debug)]
pub struct Visitor {
    peer: Peer,
    caller: Option<Caller>,
    settings: Shell,
}

impl Visitor {
    /// Looks up what a peer may by these settings.
    pub async fn new(peer: Peer, settings: &Shell) -> Self {
        Self {
            peer,
            caller: caller(peer, settings).await,
            settings: settings.clone(),
        }
    }

    /// The number of the user.
    #[must_use]
    pub const fn uid(&self) -> u32 {
        self.peer.uid
    }

    /// Who he is, if he may anything at all.
    #[must_use]
    pub const fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    /// Looks it up again where the settings are others than before. Says whether he may less.
    pub async fn follow(&mut self, settings: &Shell) -> bool {
        if self.settings == *settings {
            return false;
        }
        let former = self.role();
        *self = Self::new(self.peer, settings).await;
        self.role() < former
    }

    fn role(&self) -> Option<Role> {
        self.caller().map(|caller| caller.role)
    }
}

/// Who is there, if he may anything at all. Root, the user of the server itself and those in the settings are
/// administrators; members of the group in the settings are readers.
async fn caller(peer: Peer, settings: &Shell) -> Option<Caller> {
    let Peer { uid, gid } = peer;
    let settings = settings.clone();
    let looked_up = tokio::task::spawn_blocking(move || look_up(uid, gid, &settings));
    let known = match timeout(LOOK_UP_LIMIT, looked_up).await {
        Ok(Ok(known)) => known,
        // Whoever is needed when everything else is down comes in.
        _ => Known::default(),
    };
    let role = if peer.is_ours() {
        Some(Role::Administrator)
    } else {
        known.role
    };
    Some(Caller {
        uid,
        name: known.name.unwrap_or_else(|| format!("uid {uid}")),
        role: role?,
    })
}

/// What the system knows of a user.
#[derive(Default)]
struct Known {
    name: Option<String>,
    role: Option<Role>,
}

fn look_up(uid: u32, gid: u32, settings: &Shell) -> Known {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    let name = user.as_ref().map(|user| user.name.as_str());
    let is_named = |administrator: &String| {
        administrator.parse() == Ok(uid) || name.is_some_and(|name| name == administrator)
    };
    let role = if settings.administrators.iter().any(is_named) {
        Some(Role::Administrator)
    } else if is_member(user.as_ref(), gid, settings) {
        Some(Role::Reader)
    } else {
        None
    };
    Known {
        name: name.map(str::to_owned),
        role,
    }
}

fn is_member(user: Option<&User>, gid: u32, settings: &Shell) -> bool {
    let Ok(Some(readers)) = readers(settings) else {
        return false;
    };
    if readers == gid {
        return true;
    }
    let groups = user.and_then(|user| {
        let name = std::ffi::CString::new(user.name.as_str()).ok()?;
        getgrouplist(&name, user.gid).ok()
    });
    groups.is_some_and(|groups| groups.contains(&Gid::from_raw(readers)))
}

/// The number of the group of readers, if the settings name one. Blocks.
///
/// # Errors
/// When there is no such group, in a sentence.
pub fn readers(settings: &Shell) -> Result<Option<u32>, String> {
    let Some(name) = &settings.readers else {
        return Ok(None);
    };
    if let Ok(number) = name.parse() {
        return Ok(Some(number));
    }
    match Group::from_name(name) {
        Ok(Some(group)) => Ok(Some(group.gid.as_raw())),
        Ok(None) => Err(format!("shell.readers: there is no group {name:?}")),
        Err(why) => Err(format!(
            "shell.readers: the group {name:?} cannot be looked up: {why}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(administrators: &[&str], readers: Option<&str>) -> Shell {
        Shell {
            administrators: administrators.iter().map(|&name| name.to_owned()).collect(),
            readers: readers.map(str::to_owned),
        }
    }

    #[test]
    fn names_and_numbers_make_roles() {
        let role = |uid, gid, settings: &Shell| look_up(uid, gid, settings).role;
        let nobody = settings(&[], None);
        assert_eq!(role(4_000_000, 4_000_000, &nobody), None);
        let known = settings(&["4000000"], Some("4000001"));
        assert_eq!(role(4_000_000, 1, &known), Some(Role::Administrator));
        assert_eq!(role(4_000_001, 4_000_001, &known), Some(Role::Reader));
        assert_eq!(role(4_000_001, 4_000_002, &known), None);
        // Every system has root, in a group of that number.
        assert_eq!(role(0, 1, &settings(&["root"], None)), Some(Role::Administrator));
        assert_eq!(role(0, 1, &settings(&[], Some("0"))), Some(Role::Reader));
        assert!(readers(&settings(&[], Some("no such group"))).is_err());
        assert_eq!(role(4_000_000, 1, &settings(&[], Some("no such group"))), None);
    }
}
