//! The body of a message: from 354 to the reply at its end. No 250 leaves here before the message is durable.

use std::collections::HashSet;

use bytes::Bytes;
use message::{
    address::ReversePath,
    envelope::BodyKind,
    id::MessageId,
    received::{Received, TlsFacts},
    submission::{Claims, Supplement},
};
use smtp::{Enhanced, Mode, Recipients, Reply, Verdict, reply::table};
use store::{
    blob::{BlobError, BlobRef, BlobWriter},
    command::{Accept, Addressee, Command, Proposal, Spooled},
    propose::ProposeError,
    record::spool::{Arrival, Priority, Route},
};
use supervision::{Broken, Context};

use super::{
    Msg, Routes, State, Ticket,
    text::{Text, not_theirs},
};
use crate::{store::gate, subject, telemetry::SECURITY_SENDERS_FORGED};

/// A message on its way in.
pub(super) enum Body {
    /// It goes to the store as it comes.
    Writing(Box<Writing>),
    /// It cannot be taken; the client is told so at its end.
    Failed(Reply),
}

/// A message that goes to the store.
pub(super) struct Writing {
    writer: BlobWriter,
    text: Text,
    /// What the trail says of the text.
    verdict: Option<&'static str>,
}

impl Writing {
    /// Gives in whose name it is written, when that is known.
    async fn write(&mut self, octets: &Bytes) -> Result<Option<Claims>, Failure> {
        let octets = self.text.take(octets).map_err(Failure::Text)?;
        self.writer.push(&octets).await.map_err(Failure::Blob)?;
        Ok(self.text.take_claims())
    }

    async fn end(&mut self) -> Result<Option<Claims>, Failure> {
        let (rest, verdict) = self.text.end().map_err(Failure::Text)?;
        self.verdict = verdict;
        self.writer.push(&rest).await.map_err(Failure::Blob)?;
        Ok(self.text.take_claims())
    }
}

/// Why a message cannot be taken.
enum Failure {
    /// It is not as it should be.
    Text(Reply),
    /// We cannot keep it.
    Blob(BlobError),
}

impl State {
    pub(super) async fn begin_body(&mut self) -> Verdict<Routes, Ticket> {
        let parts = &self.args.parts;
        let ticket = Ticket {
            message: parts.mint.id(),
            blob: parts.mint.id(),
            command: parts.mint.id(),
        };
        let trace = self.received(ticket.message);
        let mut writer = parts.store.blob_writer(parts.tenant, ticket.blob);
        if let Err(why) = writer.push(trace.as_bytes()).await {
            return Verdict::Refuse(refusal(&why));
        }
        let writing = Writing {
            writer,
            text: self.text(ticket.message),
            verdict: None,
        };
        self.body = Some(Body::Writing(Box::new(writing)));
        Verdict::Open(ticket)
    }

    /// What is to be done with the text of the message that begins.
    fn text(&self, id: MessageId) -> Text {
        let (parts, machine) = (&self.args.parts, &self.session.machine);
        let mail = machine.mail();
        let mut text = Text::begin(parts.header);
        // A mailbox is read over protocols of lines.
        if mail.is_some_and(|mail| mail.body == BodyKind::BinaryMime) {
            text = text.unpacked();
        }
        if machine.settings().mode == Mode::Submission {
            let sender = match mail.map(|mail| &mail.reverse_path) {
                Some(ReversePath::Address(address)) => Some(address.clone()),
                // Its own, which may have been another when it logged in.
                Some(ReversePath::Null) | None => machine.login().and_then(|login| {
                    let directory = parts.directory.snapshot();
                    directory.address(login.account).cloned()
                }),
            };
            text = text.completed(Supplement {
                date: parts.clock.timestamp(),
                id,
                host: parts.home.clone(),
                sender,
            });
        }
        text
    }

    /// The trace field of RFC 5321 §4.4.
    fn received(&self, id: MessageId) -> String {
        let machine = &self.session.machine;
        // Naming one of several recipients would tell the others. RFC 5321 §7.2
        let recipient = match machine.recipients().map(Recipients::in_order).as_deref() {
            Some([only]) => self.address(&only.named),
            _ => None,
        };
        Received {
            helo: machine.hello().map_or(b"", |hello| hello.name.as_bytes()),
            peer: self.session.peer.ip(),
            by: &self.args.parts.settings.hostname,
            with: machine.protocol(),
            tls: machine.tls().map(|tls| TlsFacts {
                version: &tls.version,
                cipher: &tls.cipher,
            }),
            id,
            recipient: recipient.as_ref(),
            at: self.args.parts.clock.timestamp(),
        }
        .compose()
    }

    pub(super) async fn write(&mut self, octets: &Bytes) {
        let Some(Body::Writing(writing)) = &mut self.body else {
            return;
        };
        let written = writing.write(octets).await;
        self.judge(written);
    }

    async fn end_text(&mut self) {
        let Some(Body::Writing(writing)) = &mut self.body else {
            return;
        };
        let written = writing.end().await;
        self.judge(written);
    }

    /// Goes on with a message, or gives it up.
    fn judge(&mut self, written: Result<Option<Claims>, Failure>) {
        match written {
            Ok(None) => {}
            Ok(Some(claims)) if self.may_claim(&claims) => {}
            Ok(Some(_)) => {
                let login = self.session.machine.login();
                tracing::warn!(
                    target: "angarium::security",
                    peer = %self.session.peer,
                    account = login.map(|login| &*login.name),
                    mechanism = login.map(|login| &*login.mechanism),
                    reason = "From or Sender is not the account's",
                    "a message is refused",
                );
                SECURITY_SENDERS_FORGED.count(1);
                self.fail_body(Failure::Text(not_theirs()));
            }
            Err(why) => self.fail_body(why),
        }
    }

    /// Whether who logged in may write in this name.
    fn may_claim(&self, claims: &Claims) -> bool {
        let mut authors = claims.from.iter().chain(&claims.sender);
        authors.all(|author| self.may_send_as(&ReversePath::Address(author.clone())))
    }

    fn fail_body(&mut self, why: Failure) {
        let reply = match why {
            // It is logged when the client is told.
            Failure::Text(reply) => reply,
            Failure::Blob(why) => {
                tracing::warn!(target: "angarium::smtp", connection = %self.args.connection, %why, "a body cannot be written");
                refusal(&why)
            }
        };
        if let Some(Body::Writing(writing)) = self.body.replace(Body::Failed(reply)) {
            writing.writer.abandon();
        }
    }

    pub(super) fn drop_body(&mut self) {
        if let Some(Body::Writing(writing)) = self.body.take() {
            writing.writer.abandon();
        }
    }

    /// Accepts the message. Says yes only when it is durable.
    pub(super) async fn accept(&mut self, ctx: &Context<Msg>) -> Result<Verdict<Routes, Ticket>, Broken> {
        self.end_text().await;
        if self.has_lost_login() {
            self.fail_body(Failure::Text(table::AUTH_REQUIRED));
        }
        let writing = match self.body.take() {
            Some(Body::Writing(writing)) => writing,
            Some(Body::Failed(reply)) => return Ok(Verdict::Refuse(reply)),
            None => return Err(Broken::because("a body ended that never began")),
        };
        let Some(ticket) = self.session.machine.ticket().copied() else {
            return Err(Broken::because("a body ended without a ticket"));
        };
        // The account may be gone, or the identity, since MAIL.
        let is_theirs = self
            .session
            .machine
            .mail()
            .is_none_or(|mail| self.may_send_as(&mail.reverse_path));
        if !is_theirs {
            writing.writer.abandon();
            return Ok(Verdict::Refuse(table::NOT_YOUR_ADDRESS));
        }
        let sealed = writing.writer.seal();
        let blob = sealed.blob.clone();
        let Some(spooled) = self.spooled(ticket, blob.clone(), writing.verdict) else {
            return Err(Broken::because("a body ended without a transaction"));
        };
        let reply = accepted(ticket.message);
        let accept = Accept::new(spooled, sealed, ctx.path(), reply.wire().trim_end());
        let now = self.args.parts.clock.timestamp();
        let proposal = Proposal::new(ticket.command, now, Command::Accept(accept));
        let about = subject::message(ticket.message);
        Ok(
            match gate::propose(&self.args.parts.gate, about, proposal).await {
                Ok(_) => Verdict::AcceptWith(reply),
                Err(ProposeError::Unknown) => self.recall().await,
                Err(ProposeError::Overloaded) => {
                    self.args.parts.store.discard_blob(self.args.parts.tenant, &blob);
                    Verdict::Refuse(table::OVERLOADED)
                }
                Err(why @ (ProposeError::Rejected(_) | ProposeError::Poisoned)) => {
                    self.args.parts.store.discard_blob(self.args.parts.tenant, &blob);
                    tracing::error!(target: "angarium::smtp", message = %ticket.message, %why, "a message was not accepted");
                    Verdict::Refuse(table::LOCAL_ERROR)
                }
            },
        )
    }

    /// What became of a message whose body, or whose answer, was lost.
    pub(super) async fn recall(&self) -> Verdict<Routes, Ticket> {
        let Some(ticket) = self.session.machine.ticket() else {
            return Verdict::Refuse(table::LOCAL_ERROR);
        };
        // Behind the proposal in every queue that it went through: if it can still commit, this waits for it.
        match gate::recall(&self.args.parts.gate, ticket.command).await {
            Ok(Some(_)) => Verdict::AcceptWith(accepted(ticket.message)),
            Ok(None) | Err(_) => Verdict::Refuse(table::LOCAL_ERROR),
        }
    }

    fn spooled(&self, ticket: Ticket, blob: BlobRef, verdict: Option<&str>) -> Option<Spooled> {
        let machine = &self.session.machine;
        let mail = machine.mail()?;
        let at = self.args.parts.clock.timestamp();
        Some(Spooled {
            tenant: self.args.parts.tenant,
            message: ticket.message,
            reverse_path: mail.reverse_path.clone(),
            body: match mail.body {
                BodyKind::SevenBit => BodyKind::SevenBit,
                // Binary is lines by now.
                BodyKind::EightBitMime | BodyKind::BinaryMime => BodyKind::EightBitMime,
            },
            blob,
            arrival: Arrival {
                connection: Some(self.args.connection),
                peer: Some(self.session.peer),
                helo: machine
                    .hello()
                    .map_or_else(String::new, |hello| hello.name.to_string()),
                protocol: machine.protocol().as_str().to_owned(),
                tls: self.args.ledger.tls().map(|tls| tls.shown()),
                login: machine.login().map(|login| login.account),
                verdicts: verdict.into_iter().map(str::to_owned).collect(),
                ..Arrival::new(at)
            },
            priority: Priority::of(mail.options.priority),
            due: mail.options.hold.map_or(at, |hold| hold.due(at)),
            options: mail.options.clone(),
            recipients: self.addressees(machine.recipients()?),
        })
    }

    /// The recipients with aliases replaced by those for whom they stand, nobody twice.
    fn addressees(&self, recipients: &Recipients<Routes>) -> Vec<Addressee> {
        let mut seen = HashSet::new();
        let mut addressees = Vec::with_capacity(self.session.addressees);
        for recipient in recipients.in_order() {
            let Some(address) = self.address(&recipient.named) else {
                continue;
            };
            for route in &recipient.route {
                if let Route::Local(account) = route
                    && !seen.insert(*account)
                {
                    continue;
                }
                let (address, original) = (address.clone(), recipient.named.original.to_string());
                addressees.push(Addressee {
                    address,
                    original,
                    route: route.clone(),
                    options: recipient.named.options.clone(),
                });
            }
        }
        addressees
    }
}

fn accepted(message: MessageId) -> Reply {
    Reply::new(250, Enhanced(2, 0, 0), &format!("Ok, accepted as {message}"))
}

fn refusal(why: &BlobError) -> Reply {
    match why {
        BlobError::Overloaded => table::OVERLOADED,
        _ => table::LOCAL_ERROR,
    }
}
