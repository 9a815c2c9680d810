//! Steps: the lines of the log about a message on its way in, on the target `angarium::message`. The field `message` is its
//! id, in these lines and in those of its deliveries.

use message::{address::ReversePath, id::MessageId};
use smtp::{Reply, Verdict};

use super::{Routes, State, Ticket};
use crate::telemetry::{
    SMTP_MESSAGES_ACCEPTED, SMTP_MESSAGES_REFUSED, SMTP_MESSAGES_SIZE, SMTP_RECIPIENTS_ACCEPTED,
    SMTP_RECIPIENTS_REFUSED, SMTP_SENDERS_REFUSED,
};

impl State {
    /// The body has ended: the message is ours, or it is refused.
    pub(super) fn log_end(&self, verdict: &Verdict<Routes, Ticket>, octets: Option<u64>) {
        match verdict {
            Verdict::Accept | Verdict::AcceptWith(_) => self.log_accepted(octets),
            Verdict::Refuse(reply) => self.log_refused(reply),
            // No answers to the end of a body.
            Verdict::Route(_) | Verdict::Open(_) | Verdict::Challenge(_) | Verdict::Authenticated(_) => {}
        }
    }

    fn log_accepted(&self, octets: Option<u64>) {
        SMTP_MESSAGES_ACCEPTED.count(1);
        octets
            .iter()
            .for_each(|octets| SMTP_MESSAGES_SIZE.record(*octets));
        let machine = &self.session.machine;
        let (Some(ticket), Some(mail)) = (machine.ticket(), machine.mail()) else {
            return;
        };
        tracing::info!(
            target: "angarium::message",
            message = %ticket.message,
            connection = %self.args.connection,
            peer = %self.session.peer,
            from = %mail.reverse_path,
            recipients = machine.recipients().map_or(0, smtp::Recipients::len),
            size = octets,
            tls = machine.tls().map(|tls| &*tls.version),
            login = machine.login().map(|login| &*login.name),
            "accepted",
        );
    }

    /// What is to be remembered of a message whose text begins.
    pub(super) fn coming(&self, verdict: &Verdict<Routes, Ticket>) -> Option<Coming> {
        let machine = &self.session.machine;
        let (Verdict::Open(ticket), Some(mail)) = (verdict, machine.mail()) else {
            return None;
        };
        Some(Coming {
            message: ticket.message,
            from: mail.reverse_path.clone(),
            recipients: machine.recipients().map_or(0, smtp::Recipients::len),
        })
    }

    /// The client is told so at the end of the text; what there was of it is thrown away.
    pub(super) fn log_refused(&self, reply: &Reply) {
        SMTP_MESSAGES_REFUSED.count(1);
        let coming = self.coming.as_ref();
        tracing::info!(
            target: "angarium::message",
            message = coming.map(|it| display(it.message)),
            connection = %self.args.connection,
            peer = %self.session.peer,
            from = coming.map(|it| display(&it.from)),
            recipients = coming.map(|it| it.recipients),
            login = self.session.machine.login().map(|login| &*login.name),
            reason = reply.wire().trim_end(),
            "refused",
        );
    }
}

/// Counts what MAIL was told.
pub(super) fn count_sender(verdict: &Verdict<Routes, Ticket>) {
    if matches!(verdict, Verdict::Refuse(_)) {
        SMTP_SENDERS_REFUSED.count(1);
    }
}

/// Counts what RCPT was told.
pub(super) fn count_recipient(verdict: &Verdict<Routes, Ticket>) {
    if matches!(verdict, Verdict::Refuse(_)) {
        SMTP_RECIPIENTS_REFUSED.count(1);
    } else {
        SMTP_RECIPIENTS_ACCEPTED.count(1);
    }
}

/// What is remembered of a message while its text comes in: when it is not wanted any more, the machine may have gone on to
/// the next command already.
pub(super) struct Coming {
    message: MessageId,
    from: ReversePath,
    recipients: usize,
}
