//! XCLIENT: a proxy tells for whom it speaks. Postfix's XCLIENT_README

use std::sync::Arc;

use super::state::{State, Tally};
use super::turn::Question;
use super::{Login, Session};
use crate::command::Xclient;
use crate::reply::{Reply, table};

impl<R, T> Session<R, T> {
    /// Whether the client may use it now. Once: what comes then may be the words of the one for whom it speaks.
    pub(super) fn may_tell(&self) -> bool {
        self.settings.xclient && !self.is_proxied
    }

    pub(super) fn xclient(&mut self, told: Result<Box<Xclient>, Reply>) {
        match told {
            _ if !self.may_tell() => {
                self.tally.distrusted = true;
                self.refuse(table::XCLIENT_DENIED);
                self.close(table::UNTRUSTED);
            }
            _ if self.state.transaction().is_some() => self.refuse(table::XCLIENT_IN_TRANSACTION),
            Ok(told) => self.turn.ask(Question::Xclient(told.into())),
            Err(reply) => self.refuse(reply),
        }
    }

    /// Begins again with another client.
    pub(super) fn begin_again(&mut self, told: &Xclient, login: Option<Login>) {
        self.is_proxied = true;
        self.peer = told.address.unwrap_or(self.peer);
        self.login = login.map(Arc::new);
        self.state = State::Greeted;
        self.tally = Tally::default();
        self.say_greeting();
    }
}
