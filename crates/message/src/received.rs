//! Received: the trace field that we put before a message when we accept it (RFC 5321 §4.4), and the Return-Path
//! that final delivery puts before it.
//!
//! Composed from plain data. What the peer said about itself is quoted only after every octet that could end a line,
//! a comment or the field has been replaced.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::address::ReversePath;
use crate::envelope::Recipient;
use crate::id::MessageId;
use crate::time::Timestamp;

/// Columns that a composed line tries not to exceed, CRLF excluded. RFC 5322 §2.1.1
const FOLD_AT: usize = 78;
/// A tab is taken as so many columns when folding.
const TAB_COLUMNS: usize = 8;
/// Octets of a quoted word that are kept: a domain (RFC 5321 §4.5.3.1.2). With the longest path behind `for` no
/// line comes near the 998 octets of RFC 5322 §2.1.1.
const MAX_WORD: usize = 255;

/// What there is to say about one transaction.
#[derive(Debug, Clone)]
pub struct Received<'a> {
    /// The argument of EHLO or HELO, as the peer gave it.
    pub helo: &'a [u8],
    /// The address of the peer.
    pub peer: IpAddr,
    /// The name of this host.
    pub by: &'a str,
    /// The protocol spoken.
    pub with: With,
    /// The encryption, if there was any.
    pub tls: Option<TlsFacts<'a>>,
    /// The id under which the message is traced.
    pub id: MessageId,
    /// All recipients of the transaction. Exactly one is named; of several none, for each would learn of the others.
    pub recipients: &'a [Recipient],
    /// When the message was received.
    pub at: Timestamp,
}

impl Received<'_> {
    /// The whole field, folded, with its final CRLF.
    #[must_use]
    pub fn compose(&self) -> String {
        let mut field = Folded::begin("Received:");
        field.word("from");
        field.word(&harmless(self.helo));
        field.word(&match self.peer.to_canonical() {
            IpAddr::V4(v4) => format!("([{v4}])"),
            IpAddr::V6(v6) => format!("([IPv6:{v6}])"),
        });
        field.line();
        field.word("by");
        field.word(&harmless(self.by.as_bytes()));
        field.word("with");
        field.word(self.with.as_str());
        if let Some(tls) = &self.tls {
            let (version, cipher) = (harmless(tls.version.as_bytes()), harmless(tls.cipher.as_bytes()));
            field.word(&format!("({version}"));
            field.word(&format!("{cipher})"));
        }
        field.line();
        field.word("id");
        let recipient = self.single_recipient();
        field.word(&format!(
            "{}{}",
            self.id,
            if recipient.is_none() { ";" } else { "" }
        ));
        if let Some(recipient) = recipient {
            field.word("for");
            field.word(&format!("<{}>;", recipient.address));
        }
        field.line();
        field.word(&self.at.rfc5322().to_string());
        field.end()
    }

    /// The only recipient, if it can be written in ASCII: without SMTPUTF8 a header field may hold nothing else.
    fn single_recipient(&self) -> Option<&Recipient> {
        match self.recipients {
            [recipient] if !recipient.address.needs_utf8() => Some(recipient),
            _ => None,
        }
    }
}

/// The field that final delivery puts first: `Return-Path: <…>` and CRLF. RFC 5321 §4.4
#[must_use]
pub fn return_path_line(reverse_path: &ReversePath) -> String {
    format!("Return-Path: {reverse_path}\r\n")
}

/// The keyword behind `with`. RFC 3848 §1
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum With {
    /// HELO.
    Smtp,
    /// EHLO.
    Esmtp,
    /// EHLO over TLS.
    Esmtps,
    /// EHLO and AUTH.
    Esmtpa,
    /// EHLO and AUTH over TLS.
    Esmtpsa,
}

impl With {
    /// The keyword for a session. There is none for TLS or AUTH after HELO: the extended one says more.
    #[must_use]
    pub const fn of(extended: bool, encrypted: bool, authenticated: bool) -> Self {
        match (encrypted, authenticated) {
            (true, true) => Self::Esmtpsa,
            (true, false) => Self::Esmtps,
            (false, true) => Self::Esmtpa,
            (false, false) if extended => Self::Esmtp,
            (false, false) => Self::Smtp,
        }
    }

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "SMTP",
            Self::Esmtp => "ESMTP",
            Self::Esmtps => "ESMTPS",
            Self::Esmtpa => "ESMTPA",
            Self::Esmtpsa => "ESMTPSA",
        }
    }
}

/// What the TLS library says of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsFacts<'a> {
    /// The protocol version, such as `TLSv1.3`.
    pub version: &'a str,
    /// The cipher suite, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher: &'a str,
}

/// A field that grows word by word and never begins a line without white space.
struct Folded {
    text: String,
    column: usize,
}

impl Folded {
    fn begin(name: &str) -> Self {
        Self {
            text: name.to_owned(),
            column: name.len(),
        }
    }

    fn word(&mut self, word: &str) {
        if self.column + 1 + word.len() > FOLD_AT && self.column > TAB_COLUMNS {
            self.line();
        }
        if !self.text.ends_with('\t') {
            self.text.push(' ');
            self.column += 1;
        }
        self.text.push_str(word);
        self.column += word.len();
    }

    fn line(&mut self) {
        self.text.push_str("\r\n\t");
        self.column = TAB_COLUMNS;
    }

    fn end(mut self) -> String {
        self.text.push_str("\r\n");
        self.text
    }
}

/// One word for a trace field: octets that are no letter, digit or mark of a domain or literal become `?`, the rest
/// beyond [`MAX_WORD`] is dropped, and nothing at all is `unknown`.
fn harmless(said: &[u8]) -> String {
    if said.is_empty() {
        return "unknown".to_owned();
    }
    let kept = said.iter().take(MAX_WORD).map(|octet| match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b':' | b'[' | b']' => {
            char::from(*octet)
        }
        _ => '?',
    });
    kept.collect()
}

#[cfg(test)]
mod tests;
