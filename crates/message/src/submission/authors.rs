//! Authors: the addresses in From and Sender, read strictly (RFC 5322 §3.4, RFC 6854 for groups in From).
//!
//! Not the lenient lists of [`crate::structure`], which show whatever is there: by these addresses it is judged who may
//! write as whom, so a value that two readers could take for two different addresses is refused. That is, beside what
//! no grammar has, source routes and white space within an address. Nothing recurses, and each octet is looked at once.

use thiserror::Error;

use crate::address::EmailAddress;

/// Addresses in one field. Messages have one author, or a few.
pub const MAX_AUTHORS: usize = 100;

/// Why a value is no list of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AuthorsError {
    /// It is not in the grammar, or not in the part of it that is understood in one way only.
    #[error("{0}")]
    Syntax(&'static str),
    /// It holds no address.
    #[error("there is no address")]
    Nobody,
    /// It holds more than [`MAX_AUTHORS`].
    #[error("there are too many addresses")]
    TooMany,
}

/// The addresses in the unfolded value of a From or Sender field, members of groups included; at least one.
pub(super) fn read(value: &[u8]) -> Result<Vec<EmailAddress>, AuthorsError> {
    let text = std::str::from_utf8(value).map_err(|_| AuthorsError::Syntax("it is not UTF-8"))?;
    if text
        .bytes()
        .any(|octet| octet.is_ascii_control() && octet != b'\t')
    {
        return Err(AuthorsError::Syntax("it has a control character"));
    }
    let mut reader = Reader {
        rest: text,
        in_group: false,
        authors: Vec::new(),
    };
    reader.list()?;
    if reader.authors.is_empty() {
        return Err(AuthorsError::Nobody);
    }
    Ok(reader.authors)
}

/// What is left of a value, and what was found in it.
struct Reader<'a> {
    rest: &'a str,
    in_group: bool,
    authors: Vec<EmailAddress>,
}

impl<'a> Reader<'a> {
    fn list(&mut self) -> Result<(), AuthorsError> {
        loop {
            self.skip_blank()?;
            match self.peek() {
                None if self.in_group => return Err(AuthorsError::Syntax("a group does not end")),
                None => return Ok(()),
                // An empty element: RFC 5322 §4.4
                Some(b',') => self.next(),
                Some(b';') => self.end_group()?,
                Some(_) => self.element()?,
            }
        }
    }

    /// A mailbox up to its separator, or the beginning of a group.
    fn element(&mut self) -> Result<(), AuthorsError> {
        let mut words = 0_usize;
        let mut last = "";
        loop {
            self.skip_blank()?;
            match self.peek() {
                Some(b'<') => {
                    self.angle()?;
                    return self.separator();
                }
                Some(b'@') if words == 1 => {
                    self.address(last)?;
                    return self.separator();
                }
                Some(b':') if words > 0 && !self.in_group => {
                    self.next();
                    self.in_group = true;
                    return Ok(());
                }
                Some(b'"') => last = self.quoted()?,
                Some(octet) if is_of_word(octet) => last = self.word(),
                _ => return Err(AuthorsError::Syntax("there is something that is no address")),
            }
            words += 1;
        }
    }

    /// `<local@domain>`
    fn angle(&mut self) -> Result<(), AuthorsError> {
        self.next();
        self.skip_blank()?;
        let local = if self.peek() == Some(b'"') {
            self.quoted()?
        } else {
            self.word()
        };
        self.skip_blank()?;
        self.address(local)?;
        if self.peek() != Some(b'>') {
            return Err(AuthorsError::Syntax("an angle bracket holds no address"));
        }
        self.next();
        Ok(())
    }

    /// `@domain` behind the local part, and the white space behind it.
    fn address(&mut self, local: &str) -> Result<(), AuthorsError> {
        if self.peek() != Some(b'@') {
            return Err(AuthorsError::Syntax("an angle bracket holds no address"));
        }
        self.next();
        self.skip_blank()?;
        let domain = if self.peek() == Some(b'[') {
            self.literal()?
        } else {
            self.word()
        };
        let address = EmailAddress::parse_utf8(&format!("{local}@{domain}"))
            .map_err(|_| AuthorsError::Syntax("an address is malformed"))?;
        if self.authors.len() >= MAX_AUTHORS {
            return Err(AuthorsError::TooMany);
        }
        self.authors.push(address);
        self.skip_blank()
    }

    /// Between two elements, and behind the last one.
    fn separator(&mut self) -> Result<(), AuthorsError> {
        self.skip_blank()?;
        match self.peek() {
            None => Ok(()),
            Some(b',') => {
                self.next();
                Ok(())
            }
            Some(b';') => self.end_group(),
            Some(_) => Err(AuthorsError::Syntax("something follows an address")),
        }
    }

    fn end_group(&mut self) -> Result<(), AuthorsError> {
        if !std::mem::take(&mut self.in_group) {
            return Err(AuthorsError::Syntax("a group ends that did not begin"));
        }
        self.next();
        self.skip_blank()?;
        match self.peek() {
            None | Some(b',') => Ok(()),
            Some(_) => Err(AuthorsError::Syntax("something follows a group")),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.rest.bytes().next()
    }

    /// Passes one octet, which is ASCII.
    fn next(&mut self) {
        self.take(1);
    }

    /// Takes octets, as many as end before or behind an ASCII one.
    fn take(&mut self, octets: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(octets).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Passes white space and comments: CFWS of RFC 5322 §3.2.2.
    fn skip_blank(&mut self) -> Result<(), AuthorsError> {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t']);
            if self.peek() != Some(b'(') {
                return Ok(());
            }
            self.skip_comment()?;
        }
    }

    fn skip_comment(&mut self) -> Result<(), AuthorsError> {
        let mut depth = 0_usize;
        let mut octets = self.rest.bytes().enumerate();
        while let Some((position, octet)) = octets.next() {
            match octet {
                b'\\' => drop(octets.next()),
                b'(' => depth += 1,
                b')' if depth > 1 => depth -= 1,
                b')' => {
                    self.take(position + 1);
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(AuthorsError::Syntax("a comment does not end"))
    }

    /// A quoted string with its quotes.
    fn quoted(&mut self) -> Result<&'a str, AuthorsError> {
        let mut octets = self.rest.bytes().enumerate().skip(1);
        while let Some((position, octet)) = octets.next() {
            match octet {
                b'\\' => drop(octets.next()),
                b'"' => return Ok(self.take(position + 1)),
                _ => {}
            }
        }
        Err(AuthorsError::Syntax("a quoted string does not end"))
    }

    /// An address literal with its brackets.
    fn literal(&mut self) -> Result<&'a str, AuthorsError> {
        let end = self.rest.bytes().position(|octet| octet == b']');
        let end = end.ok_or(AuthorsError::Syntax("an address literal does not end"))?;
        Ok(self.take(end + 1))
    }

    /// Octets of an atom or of words with dots; none if there are none.
    fn word(&mut self) -> &'a str {
        let end = self.rest.bytes().position(|octet| !is_of_word(octet));
        self.take(end.unwrap_or(self.rest.len()))
    }
}

/// An octet of an atom, of what people write between atoms of a name, or of UTF-8 (RFC 6532 §3.2). Whether an address
/// may have it is the business of [`EmailAddress`].
fn is_of_word(octet: u8) -> bool {
    let is_special = matches!(
        octet,
        b'(' | b')' | b'<' | b'>' | b'@' | b',' | b';' | b':' | b'\\' | b'"'
    );
    octet >= 0x80 || (octet.is_ascii_graphic() && !is_special)
}

#[cfg(test)]
mod tests;
