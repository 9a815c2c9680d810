//! Submission: makes a message of what a mail program hands in (RFC 6409 §8), and says in whose name it is written.
//!
//! A [`Completion`] passes the header on field by field. Bcc, Resent-Bcc and Return-Path stay behind; Date, Message-ID,
//! From and, where several wrote, Sender are put behind the other fields if they are missing. Nothing that is there is
//! changed, and the body is never looked at. Where the header is not what RFC 5322 has, so that two readers could see
//! two headers in it, the message is refused: it is judged by the From that is found here.

mod authors;
mod field;

use thiserror::Error;

use crate::address::{DomainName, EmailAddress};
use crate::id::MessageId;
use crate::time::Timestamp;

pub use authors::{AuthorsError, MAX_AUTHORS};
use field::{Field, MAX_NAME};

/// Octets of From or Sender with folds: a hundred addresses of the longest kind with names.
pub const MAX_AUTHOR_FIELD: usize = 64 * 1024;

/// What a message gets that lacks it.
#[derive(Debug, Clone)]
pub struct Supplement {
    /// Date: when the message was handed in.
    pub date: Timestamp,
    /// The left half of Message-ID.
    pub id: MessageId,
    /// The right half of Message-ID: the name of this host.
    pub host: DomainName,
    /// From, and Sender of a message that several wrote: an address of who is logged in, if one is known.
    pub sender: Option<EmailAddress>,
}

/// In whose name a message is written. Whoever takes it decides whether the one who is logged in may do that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The addresses of From, at least one.
    pub from: Vec<EmailAddress>,
    /// The addresses of Sender, if there is such a field; RFC 5322 §3.6.2 allows one.
    pub sender: Vec<EmailAddress>,
}

/// Why a message cannot be submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SubmissionFault {
    /// A line of the header is no field, or has NUL or a bare CR.
    #[error("the header is malformed")]
    Malformed,
    /// There is no From, or of several authors no Sender, and nobody is known whose it could be.
    #[error("there is no From or Sender field")]
    Missing,
    /// More than one From or Sender: RFC 5322 §3.6
    #[error("there is more than one {0} field")]
    Repeated(&'static str),
    /// From or Sender has no addresses that could be judged.
    #[error("{0} is malformed: {1}")]
    Author(&'static str, AuthorsError),
    /// From or Sender has more than [`MAX_AUTHOR_FIELD`] octets.
    #[error("{0} is too long")]
    TooLong(&'static str),
}

/// Completes a message that is fed to it in chunks; where they are cut changes nothing.
#[derive(Debug, Clone)]
pub struct Completion {
    supplement: Supplement,
    place: Place,
    /// The beginning of a line, until it is known which field it begins.
    start: Vec<u8>,
    /// The field that is being read.
    field: Field,
    /// A CR came last: it is bare unless LF follows.
    has_cr: bool,
    from: Option<Vec<u8>>,
    sender: Option<Vec<u8>>,
    has_date: bool,
    has_id: bool,
    claims: Option<Claims>,
}

/// Where in the header the next octet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the colon of a field, or before it is clear that there is none.
    Start,
    /// Behind the colon of a field, or in a fold.
    Value,
    /// In the body.
    Ended,
}

impl Completion {
    /// Before the first octet of a message.
    #[must_use]
    pub const fn new(supplement: Supplement) -> Self {
        Self {
            supplement,
            place: Place::Start,
            start: Vec::new(),
            field: Field::None,
            has_cr: false,
            from: None,
            sender: None,
            has_date: false,
            has_id: false,
            claims: None,
        }
    }

    /// Takes the next octets and appends to `out` what becomes of them.
    ///
    /// # Errors
    /// [`SubmissionFault`], after which the completion is worth nothing.
    pub fn feed(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) -> Result<(), SubmissionFault> {
        while !chunk.is_empty() {
            chunk = match self.place {
                Place::Start => self.take_start(chunk, out)?,
                Place::Value => self.take_value(chunk, out)?,
                Place::Ended => {
                    out.extend_from_slice(chunk);
                    &[]
                }
            };
        }
        Ok(())
    }

    /// The message has ended. One without a body gets the end of its header.
    ///
    /// # Errors
    /// [`SubmissionFault`] where only the end of the header showed what is wrong with it.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), SubmissionFault> {
        match self.place {
            Place::Ended => return Ok(()),
            _ if self.has_cr || !self.start.is_empty() => return Err(SubmissionFault::Malformed),
            Place::Value if !self.field.is_dropped() => out.extend_from_slice(b"\r\n"),
            Place::Start | Place::Value => {}
        }
        self.end_header(out)?;
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Whether the header has ended: what follows is passed on as it comes.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.place == Place::Ended
    }

    /// In whose name the message is written; given once, when the header has ended.
    pub fn take_claims(&mut self) -> Option<Claims> {
        self.claims.take()
    }

    /// Takes octets of a line up to its colon, its end, or its first octet if that folds.
    fn take_start<'a>(&mut self, chunk: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], SubmissionFault> {
        if self.start.is_empty() && matches!(chunk, [b' ' | b'\t', ..]) {
            if self.field == Field::None {
                return Err(SubmissionFault::Malformed);
            }
            self.place = Place::Value;
            return Ok(chunk);
        }
        let end = memchr::memchr2(b':', b'\n', chunk).map_or(chunk.len(), |end| end + 1);
        let (piece, rest) = chunk.split_at(end);
        if self.start.len() + piece.len() > MAX_NAME + 1 {
            return Err(SubmissionFault::Malformed);
        }
        self.start.extend_from_slice(piece);
        match self.start.as_slice() {
            [name @ .., b':'] => {
                self.field = Field::named(name).ok_or(SubmissionFault::Malformed)?;
                self.begin_field()?;
                self.place = Place::Value;
            }
            b"\r\n" | b"\n" => {
                self.end_header(out)?;
                self.place = Place::Ended;
            }
            [.., b'\n'] => return Err(SubmissionFault::Malformed),
            _ => return Ok(rest),
        }
        if !self.field.is_dropped() || self.has_ended() {
            out.extend_from_slice(&self.start);
        }
        self.start.clear();
        Ok(rest)
    }

    fn begin_field(&mut self) -> Result<(), SubmissionFault> {
        match self.field {
            Field::From if self.from.is_some() => return Err(SubmissionFault::Repeated("From")),
            Field::Sender if self.sender.is_some() => return Err(SubmissionFault::Repeated("Sender")),
            Field::From => self.from = Some(Vec::new()),
            Field::Sender => self.sender = Some(Vec::new()),
            Field::Date => self.has_date = true,
            Field::MessageId => self.has_id = true,
            Field::Dropped | Field::Other | Field::None => {}
        }
        Ok(())
    }

    /// Takes octets of a field up to the end of a line.
    fn take_value<'a>(&mut self, chunk: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], SubmissionFault> {
        let end = memchr::memchr(b'\n', chunk).map(|end| end + 1);
        let (piece, rest) = chunk.split_at(end.unwrap_or(chunk.len()));
        let line = piece.strip_suffix(b"\n").unwrap_or(piece);
        let bare = line.strip_suffix(b"\r").unwrap_or(line);
        if memchr::memchr2(0, b'\r', bare).is_some() || (self.has_cr && !line.is_empty()) {
            return Err(SubmissionFault::Malformed);
        }
        self.has_cr = end.is_none() && bare.len() < line.len();
        let (name, gathered) = match self.field {
            Field::From => ("From", self.from.as_mut()),
            Field::Sender => ("Sender", self.sender.as_mut()),
            _ => ("", None),
        };
        if let Some(value) = gathered {
            if value.len() + piece.len() > MAX_AUTHOR_FIELD {
                return Err(SubmissionFault::TooLong(name));
            }
            value.extend_from_slice(piece);
        }
        if !self.field.is_dropped() {
            out.extend_from_slice(piece);
        }
        if end.is_some() {
            self.place = Place::Start;
        }
        Ok(rest)
    }

    /// All fields are known: writes those that are missing.
    fn end_header(&mut self, out: &mut Vec<u8>) -> Result<(), SubmissionFault> {
        let own = &self.supplement;
        let from = addresses("From", self.from.take())?;
        let mut sender = addresses("Sender", self.sender.take())?.unwrap_or_default();
        if sender.len() > 1 {
            return Err(SubmissionFault::Author("Sender", AuthorsError::TooMany));
        }
        let mut put = |name: &str, value: &str| {
            for piece in [name, ": ", value, "\r\n"] {
                out.extend_from_slice(piece.as_bytes());
            }
        };
        let us = || own.sender.clone().ok_or(SubmissionFault::Missing);
        let from = match from {
            Some(from) => from,
            None => {
                let from = us()?;
                put("From", &from.to_string());
                vec![from]
            }
        };
        // Who of several handed it in must be told. RFC 5322 §3.6.2
        if from.len() > 1 && sender.is_empty() {
            let us = us()?;
            put("Sender", &us.to_string());
            sender.push(us);
        }
        if !self.has_date {
            put("Date", &own.date.rfc5322().to_string());
        }
        if !self.has_id {
            put("Message-ID", &format!("<{}@{}>", own.id, own.host));
        }
        self.claims = Some(Claims { from, sender });
        Ok(())
    }
}

/// The addresses of a field, if it came.
fn addresses(
    name: &'static str,
    value: Option<Vec<u8>>,
) -> Result<Option<Vec<EmailAddress>>, SubmissionFault> {
    let Some(value) = value else {
        return Ok(None);
    };
    // Unfolded: what follows a line end here is white space. RFC 5322 §2.2.3
    let lines = value.split(|octet| *octet == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    authors::read(&lines.collect::<Vec<_>>().concat())
        .map(Some)
        .map_err(|why| SubmissionFault::Author(name, why))
}

#[cfg(test)]
mod tests;
