//! Who is at the other end: the log-ins of a POP3 session.

use auth::Secret;
use pop3::{Password, Response, Verdict};
use store::record::directory::Protocol;

use super::{Args, State};
use crate::sasl::{Answer, Channel, Denial, Origin, Sasl};

/// What USER and PASS are called where mechanisms have names.
const USER: &str = "USER";

/// The log-ins of a session's connection.
pub(super) fn sasl(args: &Args) -> Sasl {
    let origin = Origin {
        peer: args.peer,
        connection: args.connection,
        protocol: Protocol::Pop3,
    };
    Sasl::new(origin, args.parts.logins.clone())
}

impl State {
    /// USER and PASS.
    pub(super) async fn log_in(&mut self, name: String, password: Password) -> Verdict {
        let password = Secret::new(password.into_octets());
        let answer = self.sasl.password(name, password, USER).await;
        self.let_in(answer)
    }

    /// AUTH: an exchange begins.
    pub(super) async fn begin_exchange(&mut self, mechanism: &str, initial: Option<Response>) -> Verdict {
        let channel = Channel::of(self.args.ledger.tls().as_deref());
        let initial = initial.as_ref().map(Response::expose);
        let answer = self.sasl.begin(mechanism, initial, channel).await;
        self.let_in(answer)
    }

    /// A response: the exchange goes on.
    pub(super) async fn continue_exchange(&mut self, response: &Response) -> Verdict {
        let answer = self.sasl.respond(response.expose()).await;
        self.let_in(answer)
    }

    fn let_in(&mut self, answer: Answer) -> Verdict {
        match answer {
            Answer::Challenge(octets) => Verdict::Challenge(octets),
            Answer::In(entrant) => {
                self.account = Some(entrant.account);
                Verdict::Verified
            }
            Answer::Out(Denial::Wrong) => Verdict::Refused,
            Answer::Out(Denial::Malformed) => Verdict::Malformed,
            Answer::Out(Denial::Later) => Verdict::Unavailable,
        }
    }
}
