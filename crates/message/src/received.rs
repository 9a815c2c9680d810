//! Received: the trace field that we put before a message when we accept it (RFC 5321 §4.4), and the Return-Path
//! that final delivery puts before it.
//!
//! Composed from plain data. What the peer said about itself is quoted only after every octet that could end a line,
//! a comment or the field has been replaced.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::address::{EmailAddress, ReversePath};
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
    /// The recipient, if the transaction has exactly one; of several none, for each would learn of the others.
    pub recipient: Option<&'a EmailAddress>,
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
        // Without SMTPUTF8 a header field holds ASCII and nothing else.
        let recipient = self
            .recipient
            .filter(|address| self.with.utf8 || !address.needs_utf8());
        field.word(&format!(
            "{}{}",
            self.id,
            if recipient.is_none() { ";" } else { "" }
        ));
        if let Some(recipient) = recipient {
            field.word("for");
            field.word(&format!("<{recipient}>;"));
        }
        field.line();
        field.word(&self.at.rfc5322().to_string());
        field.end()
    }
}

/// The field that final delivery puts first: `Return-Path: <…>` and CRLF. RFC 5321 §4.4
///
/// The local part of an address that came with SMTPUTF8 stands there in UTF-8 (RFC 6532 §3.2), its domain in A-labels.
#[must_use]
pub fn return_path_line(reverse_path: &ReversePath) -> String {
    format!("Return-Path: {reverse_path}\r\n")
}

/// How the client began: which protocol it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Greeting {
    /// HELO: SMTP without extensions.
    Helo,
    /// EHLO. RFC 5321 §4.1.1.1
    Ehlo,
    /// LHLO: LMTP. RFC 2033 §4.1
    Lhlo,
}

/// The keyword behind `with`. RFC 3848 §1, RFC 6531 §4.3
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct With {
    greeting: Greeting,
    encrypted: bool,
    authenticated: bool,
    utf8: bool,
}

impl With {
    /// The keyword for a session, and for a transaction that said SMTPUTF8 in it. There is none for TLS or AUTH after
    /// HELO: the extended one says more.
    #[must_use]
    pub const fn of(greeting: Greeting, encrypted: bool, authenticated: bool, utf8: bool) -> Self {
        Self {
            greeting,
            encrypted,
            authenticated,
            utf8,
        }
    }

    /// Whether the text of the message, and so a field before it, may be in UTF-8.
    #[must_use]
    pub const fn utf8(self) -> bool {
        self.utf8
    }

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match (self.greeting, self.utf8, self.encrypted, self.authenticated) {
            (Greeting::Helo, false, false, false) => "SMTP",
            (Greeting::Ehlo, false, false, false) => "ESMTP",
            (Greeting::Helo | Greeting::Ehlo, false, true, false) => "ESMTPS",
            (Greeting::Helo | Greeting::Ehlo, false, false, true) => "ESMTPA",
            (Greeting::Helo | Greeting::Ehlo, false, true, true) => "ESMTPSA",
            (Greeting::Helo | Greeting::Ehlo, true, false, false) => "UTF8SMTP",
            (Greeting::Helo | Greeting::Ehlo, true, true, false) => "UTF8SMTPS",
            (Greeting::Helo | Greeting::Ehlo, true, false, true) => "UTF8SMTPA",
            (Greeting::Helo | Greeting::Ehlo, true, true, true) => "UTF8SMTPSA",
            (Greeting::Lhlo, false, false, false) => "LMTP",
            (Greeting::Lhlo, false, true, false) => "LMTPS",
            (Greeting::Lhlo, false, false, true) => "LMTPA",
            (Greeting::Lhlo, false, true, true) => "LMTPSA",
            (Greeting::Lhlo, true, false, false) => "UTF8LMTP",
            (Greeting::Lhlo, true, true, false) => "UTF8LMTPS",
            (Greeting::Lhlo, true, false, true) => "UTF8LMTPA",
            (Greeting::Lhlo, true, true, true) => "UTF8LMTPSA",
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
