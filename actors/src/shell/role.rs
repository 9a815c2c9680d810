//! Role: who is on the other end of the socket, as the kernel says, and what he may.

use rustix::process::geteuid;
use shell::Role;
use tokio::net::UnixStream;

use super::desk::Caller;

/// Who may what.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    _private: (),
}

impl Policy {
    /// Who is there, if he may anything at all. Root and the user of the server itself are administrators.
    #[must_use]
    pub fn caller(&self, stream: &UnixStream) -> Option<Caller> {
        let uid = stream.peer_cred().ok()?.uid();
        if uid == 0 || uid == geteuid().as_raw() {
            return Some(Caller {
                uid,
                name: if uid == 0 {
                    "root".to_owned()
                } else {
                    format!("uid {uid}")
                },
                role: Role::Administrator,
            });
        }
        None
    }
}
