//! EHLO, HELO (RFC 5321 §4.1.1.1), LHLO (RFC 2033 §4.1) and STARTTLS (RFC 3207): who speaks, and how.

use std::sync::Arc;

use message::received::Greeting;
use message::time::Tick;

use super::Session;
use super::event::BodyLoss;
use super::state::{Hello, State, Tally, Tls};
use super::turn::Question;
use crate::command::Xclient;
use crate::reply::{Reply, table};
use crate::settings::Mode;

impl<R, T> Session<R, T> {
    /// EHLO or LHLO in the middle of a transaction ends it, as RSET does. RFC 5321 §4.1.4
    pub(super) fn hello_from(&mut self, name: Arc<str>, greeting: Greeting) {
        let is_lmtp = self.settings.mode == Mode::Lmtp;
        let reply = match greeting {
            Greeting::Lhlo if !is_lmtp => return self.refuse(table::UNKNOWN_COMMAND),
            Greeting::Helo | Greeting::Ehlo if is_lmtp => return self.refuse(table::LHLO_FIRST),
            Greeting::Helo => self.plain_hello(),
            Greeting::Ehlo | Greeting::Lhlo => self.extensions(),
        };
        self.give_up_body(BodyLoss::Withdrawn);
        let esmtp = greeting != Greeting::Helo;
        self.state = State::Ready(Hello { name, esmtp });
        self.say(reply);
    }

    pub(super) fn start_tls(&mut self) {
        if self.tls.is_some() {
            self.refuse(table::TLS_ALREADY);
        } else if self.settings.starttls {
            self.turn.ask(Question::StartTls);
        } else {
            self.refuse(table::NOT_IMPLEMENTED);
        }
    }

    /// TLS stands: the client knows nothing of us and we nothing of it. RFC 3207 §4.2
    ///
    /// Without a STARTTLS that was answered 220 this is a mistake of the caller and changes nothing.
    pub fn tls_established(&mut self, tls: Tls, now: Tick) {
        if !matches!(self.state, State::Handshake) {
            return;
        }
        self.tls = Some(Arc::new(tls));
        self.login = None;
        self.state = State::Greeted;
        self.tally = Tally::default();
        self.await_command(now);
    }

    fn plain_hello(&self) -> Reply {
        Reply::plain(250, std::iter::once(&*self.settings.hostname))
    }

    /// What is offered: nothing that does not work.
    fn extensions(&self) -> Reply {
        let size = format!("SIZE {}", self.settings.max_message_size);
        let starttls = (self.settings.starttls && self.tls.is_none()).then_some("STARTTLS");
        let auth = self
            .offered()
            .fold(String::new(), |names, name| names + " " + name);
        let auth = (!auth.is_empty()).then(|| format!("AUTH{auth}"));
        let offers: Vec<_> = self.settings.offers.lines(self.tls.is_some()).collect();
        let limits = format!(
            "LIMITS MAILMAX={} RCPTMAX={}",
            self.settings.max_transactions, self.settings.max_recipients
        );
        let lines = [&*self.settings.hostname, "PIPELINING", &size, "8BITMIME"];
        Reply::plain(
            250,
            lines
                .into_iter()
                .chain(starttls)
                .chain(auth.as_deref())
                .chain(["CHUNKING"])
                .chain(self.may_tell().then_some(Xclient::OFFER))
                .chain(offers.iter().map(String::as_str))
                .chain([&*limits, "ENHANCEDSTATUSCODES"]),
        )
    }
}
