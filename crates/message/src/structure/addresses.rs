//! Address lists of a header (RFC 5322 §3.4), read as IMAP shows them: group-aware, nothing decoded, nothing refused.
//!
//! Not the strict addresses of SMTP (see [`crate::address`]): what people write in headers is taken as it is, and
//! each element gives something, however broken.

use super::envelope::ImapAddress;
use super::header::Keeper;
use super::tokens::{Cursor, is_blank};
use super::{Caveats, MAX_ADDRESSES};

/// Reads the list in `value` and appends it to `list`.
pub(super) fn append(value: &[u8], list: &mut Vec<ImapAddress>, keeper: &mut Keeper) {
    let mut reader = Reader {
        list,
        keeper,
        in_group: false,
    };
    let mut cursor = Cursor::new(value);
    let mut words = Words::default();
    while let Some(octet) = cursor.peek() {
        match octet {
            _ if is_blank(octet) => {
                cursor.next();
                words.gap = true;
            }
            b'(' => words.note(cursor.skip_comment()),
            b'"' => words.quoted(&mut cursor),
            b'<' => {
                reader.angle(&mut cursor, words.take());
                cursor.skip_to(is_separator);
            }
            b'@' => {
                reader.bare(&mut cursor, words.take());
                cursor.skip_to(is_separator);
            }
            b':' => {
                cursor.next();
                reader.begin_group(&words.take());
            }
            b',' | b';' => {
                cursor.next();
                reader.incomplete(&words.take());
                if octet == b';' {
                    reader.end_group();
                }
            }
            _ => words.atom(&mut cursor),
        }
    }
    reader.incomplete(&words.take());
    reader.end_group();
}

/// Where what was read goes.
struct Reader<'r> {
    list: &'r mut Vec<ImapAddress>,
    keeper: &'r mut Keeper,
    in_group: bool,
}

impl Reader<'_> {
    /// `name <local@domain>`; the cursor stands at the bracket. A source route before the address is dropped.
    fn angle(&mut self, cursor: &mut Cursor<'_>, name: Words) {
        cursor.next();
        cursor.skip_blank();
        if cursor.peek() == Some(b'@') {
            cursor.skip_to(|octet| matches!(octet, b':' | b'>'));
            cursor.take(b':');
        }
        let mut local = Vec::new();
        while let Some(octet) = cursor.peek() {
            match octet {
                b'@' | b'>' => break,
                b'"' => cursor.quoted(&mut local),
                b'(' => drop(cursor.skip_comment()),
                _ if is_blank(octet) => drop(cursor.next()),
                _ => local.extend(cursor.next()),
            }
        }
        let mut host = Vec::new();
        if cursor.take(b'@') {
            while let Some(octet) = cursor.peek() {
                match octet {
                    b'>' => break,
                    b'(' => drop(cursor.skip_comment()),
                    _ if is_blank(octet) => drop(cursor.next()),
                    _ => host.extend(cursor.next()),
                }
            }
        }
        cursor.take(b'>');
        self.push(name.name(), &local, &host);
    }

    /// `local@domain` without brackets; the cursor stands at the `@`. If an angle bracket follows, all before it was
    /// a display name that should have been quoted.
    fn bare(&mut self, cursor: &mut Cursor<'_>, mut words: Words) {
        cursor.next();
        let mut host = Vec::new();
        let mut gap = false;
        while let Some(octet) = cursor.peek() {
            match octet {
                b',' | b';' | b'<' | b'>' | b'"' => break,
                b'(' => words.note(cursor.skip_comment()),
                _ if is_blank(octet) => {
                    cursor.next();
                    gap = !host.is_empty();
                }
                // White space may stand around the dots of a domain and nowhere else. RFC 5322 §4.4
                _ if gap && octet != b'.' && !host.ends_with(b".") => break,
                _ => {
                    host.extend(cursor.next());
                    gap = false;
                }
            }
        }
        if cursor.peek() == Some(b'<') {
            words.text.push(b'@');
            words.text.extend_from_slice(&host);
            return self.angle(cursor, words);
        }
        cursor.skip_to(|octet| is_separator(octet) || octet == b'(');
        if cursor.peek() == Some(b'(') {
            words.note(cursor.skip_comment());
        }
        let (name, local) = words.split_local();
        self.push(name, local, &host);
    }

    /// Words without an address: one alone is a local part without its domain, several are a name.
    fn incomplete(&mut self, words: &Words) {
        match words.text.as_slice() {
            [] => {}
            text if text.contains(&b' ') => self.push(text, b"", b""),
            text => self.push(&words.comment, text, b""),
        }
    }

    fn begin_group(&mut self, name: &Words) {
        // Groups do not nest (RFC 5322 §3.4): a colon within one means nothing.
        if self.in_group || !self.has_room() {
            return;
        }
        if let Some(name) = self.keeper.keep(&name.text) {
            self.list.push(ImapAddress::GroupStart(name));
            self.in_group = true;
        }
    }

    /// Ends the group if one is open; also beyond the bound, so that every group has its end.
    fn end_group(&mut self) {
        if self.in_group {
            self.list.push(ImapAddress::GroupEnd);
            self.in_group = false;
        }
    }

    fn push(&mut self, name: &[u8], mailbox: &[u8], host: &[u8]) {
        if !self.has_room() {
            return;
        }
        let name = if name.is_empty() {
            None
        } else {
            self.keeper.keep(name)
        };
        let (Some(mailbox), Some(host)) = (self.keeper.keep(mailbox), self.keeper.keep(host)) else {
            return;
        };
        self.list.push(ImapAddress::Mailbox { name, mailbox, host });
    }

    fn has_room(&mut self) -> bool {
        let has_room = self.list.len() < MAX_ADDRESSES;
        if !has_room {
            self.keeper.caveats.insert(Caveats::TOO_MANY_ADDRESSES);
        }
        has_room
    }
}

/// The words of one element before it is known what they are: a display name, a local part, a group's name.
#[derive(Default)]
struct Words {
    /// The words with one space between them.
    text: Vec<u8>,
    /// Where in the text the local part would begin, should an `@` follow: the last word, or the last words around
    /// dots.
    local_from: usize,
    /// Whether the local part holds a quoted string, in which spaces are content.
    local_is_quoted: bool,
    /// Whether white space came since the last word.
    gap: bool,
    /// The last comment.
    comment: Vec<u8>,
}

impl Words {
    fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    fn atom(&mut self, cursor: &mut Cursor<'_>) {
        let atom = cursor.take_while(|octet| {
            !is_blank(octet) && !matches!(octet, b'(' | b'"' | b'<' | b'@' | b':' | b',' | b';')
        });
        self.begin_word(atom.first() == Some(&b'.'));
        self.text.extend_from_slice(atom);
    }

    fn quoted(&mut self, cursor: &mut Cursor<'_>) {
        self.begin_word(false);
        self.local_is_quoted = true;
        cursor.quoted(&mut self.text);
    }

    fn note(&mut self, comment: &[u8]) {
        self.gap = true;
        self.comment.clear();
        let mut comment = comment.iter();
        while let Some(octet) = comment.next() {
            // quoted-pair of RFC 5322 §3.2.1
            self.comment.extend(if *octet == b'\\' {
                comment.next()
            } else {
                Some(octet)
            });
        }
    }

    fn begin_word(&mut self, with_dot: bool) {
        if !std::mem::take(&mut self.gap) || self.text.is_empty() {
            return;
        }
        let goes_on = with_dot || self.text.ends_with(b".");
        self.text.push(b' ');
        if !goes_on {
            self.local_from = self.text.len();
            self.local_is_quoted = false;
        }
    }

    /// The display name: the words, or the comment of an old-style address.
    fn name(&self) -> &[u8] {
        if self.text.is_empty() {
            &self.comment
        } else {
            &self.text
        }
    }

    /// The words taken apart into display name and local part.
    fn split_local(&mut self) -> (&[u8], &[u8]) {
        if !self.local_is_quoted {
            let mut position = 0;
            let from = self.local_from;
            self.text.retain(|octet| {
                position += 1;
                position <= from || *octet != b' '
            });
        }
        let (name, local) = self.text.split_at(self.local_from.min(self.text.len()));
        (if name.is_empty() { &self.comment } else { name }, local)
    }
}

fn is_separator(octet: u8) -> bool {
    matches!(octet, b',' | b';')
}
