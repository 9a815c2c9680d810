//! Who is at the other end: the log-ins of an SMTP session, and as whom a client may send.

use std::{net::SocketAddr, sync::Arc};

use message::address::ReversePath;
use smtp::{Login, Verdict, Xclient, reply::table};
use store::record::directory::Protocol;

use super::{Args, Routes, State, Ticket};
use crate::sasl::{Answer, Channel, Denial, Origin, Sasl};

/// The log-ins of a client.
pub(super) fn sasl(args: &Args, peer: SocketAddr) -> Sasl {
    let origin = Origin {
        peer,
        connection: args.connection,
        protocol: Protocol::Smtp,
    };
    Sasl::new(origin, args.parts.logins.clone())
}

impl State {
    /// Goes on for the client that a trusted proxy tells of, in the account under which that one has logged in there.
    pub(super) fn hear_proxy(&mut self, told: &Xclient) -> Verdict<Routes, Ticket> {
        let login = match &told.login {
            None => None,
            Some(name) => match self.logged_in_elsewhere(name) {
                Some(login) => Some(login),
                None => return Verdict::Refuse(table::AUTH_FAILED),
            },
        };
        let proxy = self.session.peer;
        let address = told.address.unwrap_or(proxy.ip());
        // Without its port the client is known by its address alone.
        self.session.peer = SocketAddr::new(address, told.port.unwrap_or(0));
        let settings = Arc::clone(self.args.parts.settings(address));
        self.session.machine.configure(settings);
        self.sasl = sasl(&self.args, self.session.peer);
        tracing::debug!(
            target: "angarium::smtp",
            connection = %self.args.connection, %proxy, peer = %self.session.peer, "a proxy tells for whom it speaks"
        );
        login.map_or(Verdict::Accept, Verdict::Authenticated)
    }

    fn logged_in_elsewhere(&self, name: &str) -> Option<Login> {
        let name = auth::Login::parse(name, self.args.parts.logins.default_domain.as_ref()).ok()?;
        let (account, _) = self.args.parts.directory.snapshot().login(name.as_str())?;
        Some(Login {
            account,
            name: name.as_str().into(),
            mechanism: "XCLIENT".into(),
        })
    }

    /// AUTH: an exchange begins.
    pub(super) async fn begin_exchange(&mut self, mechanism: &str, initial: Option<&[u8]>) {
        let channel = Channel::of(self.args.ledger.tls().as_deref());
        let answer = self.sasl.begin(mechanism, initial, channel).await;
        self.let_in(answer);
    }

    /// A response: the exchange goes on.
    pub(super) async fn continue_exchange(&mut self, response: &[u8]) {
        let answer = self.sasl.respond(response).await;
        self.let_in(answer);
    }

    fn let_in(&mut self, answer: Answer) {
        let verdict = match answer {
            Answer::Challenge(octets) => Verdict::Challenge(octets),
            Answer::In(entrant) => Verdict::Authenticated(Login {
                account: entrant.account,
                name: entrant.name,
                mechanism: entrant.mechanism,
            }),
            Answer::Out(Denial::Wrong) => Verdict::Refuse(table::AUTH_FAILED),
            Answer::Out(Denial::Malformed) => Verdict::Refuse(table::BAD_RESPONSE),
            Answer::Out(Denial::Later) => Verdict::Refuse(table::AUTH_TEMPORARY_FAILURE),
        };
        self.session.machine.respond(verdict);
    }

    /// Whether who logged in may be here no longer.
    pub(super) fn has_lost_login(&self) -> bool {
        let login = self.session.machine.login();
        login.is_some_and(|login| self.args.parts.directory.is_suspended(login.account))
    }

    /// Whether who logged in may give this sender: its own address, one of its identities, or none at all, as reports
    /// have it. Whose account is gone may give none of them. Who did not log in gives what it likes, where it need not.
    pub(super) fn may_send_as(&self, reverse_path: &ReversePath) -> bool {
        let Some(login) = self.session.machine.login() else {
            return true;
        };
        let directory = self.args.parts.directory.snapshot();
        match reverse_path {
            ReversePath::Address(address) => directory.may_send_as(login.account, address),
            ReversePath::Null => directory.inbox(login.account).is_some(),
        }
    }
}
