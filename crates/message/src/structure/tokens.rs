//! Cursor: walks through one unfolded header value, token by token. Each octet is looked at a bounded number of
//! times, comments nest without recursion, and what is left open ends with the value.

/// A position in a header value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Takes `octet` if it is the next one.
    pub(super) fn take(&mut self, octet: u8) -> bool {
        let taken = self.peek() == Some(octet);
        if taken {
            self.next();
        }
        taken
    }

    /// Takes octets as long as `wanted` holds.
    pub(super) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self
            .rest
            .iter()
            .position(|octet| !wanted(*octet))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Skips white space and comments: CFWS of RFC 5322 §3.2.2.
    pub(super) fn skip_blank(&mut self) {
        loop {
            self.take_while(is_blank);
            if self.peek() != Some(b'(') {
                return;
            }
            self.skip_comment();
        }
    }

    /// Skips the comment that begins here and gives what stands between its outer brackets.
    pub(super) fn skip_comment(&mut self) -> &'a [u8] {
        let mut depth = 0_usize;
        let mut octets = self.rest.iter().enumerate();
        while let Some((position, octet)) = octets.next() {
            match octet {
                b'\\' => drop(octets.next()),
                b'(' => depth += 1,
                b')' if depth > 1 => depth -= 1,
                b')' => {
                    let (comment, rest) = self.rest.split_at(position);
                    self.rest = rest.get(1..).unwrap_or_default();
                    return comment.get(1..).unwrap_or_default();
                }
                _ => {}
            }
        }
        let comment = self.rest.get(1..).unwrap_or_default();
        self.rest = &[];
        comment
    }

    /// Takes the quoted string that begins here and appends its content to `content`.
    pub(super) fn quoted(&mut self, content: &mut Vec<u8>) {
        self.next();
        loop {
            content.extend_from_slice(self.take_while(|octet| !matches!(octet, b'"' | b'\\')));
            match self.next() {
                Some(b'\\') => content.extend(self.next()),
                _ => return,
            }
        }
    }

    /// Skips to the next octet that `wanted` accepts and that is in no comment and no quoted string.
    pub(super) fn skip_to(&mut self, wanted: impl Fn(u8) -> bool) {
        let mut ignored = Vec::new();
        while let Some(octet) = self.peek() {
            match octet {
                _ if wanted(octet) => return,
                b'(' => drop(self.skip_comment()),
                b'"' => self.quoted(&mut ignored),
                _ => drop(self.next()),
            }
            ignored.clear();
        }
    }
}

pub(super) fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// An octet of a token: RFC 2045 §5.1.
pub(super) fn is_token(octet: u8) -> bool {
    octet.is_ascii_graphic() && !is_special(octet)
}

/// tspecials of RFC 2045 §5.1.
fn is_special(octet: u8) -> bool {
    matches!(
        octet,
        b'(' | b')'
            | b'<'
            | b'>'
            | b'@'
            | b','
            | b';'
            | b':'
            | b'\\'
            | b'"'
            | b'/'
            | b'['
            | b']'
            | b'?'
            | b'='
    )
}
