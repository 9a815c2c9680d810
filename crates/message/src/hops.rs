//! HopCounter: counts the Received fields of a message while it streams by, so that a loop is noticed (RFC 5321 §6.3).
//!
//! Knows nothing of the values; its state is a few bytes whatever the message holds.

/// Received fields from which on a message is taken to run in a circle. RFC 5321 §6.3 asks for at least 100.
pub const MAX_HOPS: u32 = 100;

const NAME: &[u8; 8] = b"received";

/// Counts in the header only: what follows the first empty line is the body, whatever it looks like.
#[derive(Debug, Clone, Default)]
pub struct HopCounter {
    count: u32,
    state: State,
}

impl HopCounter {
    /// A counter before the first octet of a message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next octets of the message, cut anywhere.
    pub fn feed(&mut self, mut chunk: &[u8]) {
        while !self.header_ended() && !chunk.is_empty() {
            chunk = match self.state {
                State::Line => skip_line(chunk, &mut self.state),
                _ => self.step(chunk),
            };
        }
    }

    /// Received fields so far.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Whether there are [`MAX_HOPS`] or more.
    #[must_use]
    pub const fn is_loop(&self) -> bool {
        self.count >= MAX_HOPS
    }

    /// Whether the header has ended, so that the count stands.
    #[must_use]
    pub fn header_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Takes one octet where it matters.
    fn step<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let Some((&octet, rest)) = chunk.split_first() else {
            return chunk;
        };
        self.state = match (&self.state, octet) {
            (State::Name(0) | State::EmptyLine, b'\n') => State::Ended,
            (State::Name(0), b'\r') => State::EmptyLine,
            (_, b'\n') => State::Name(0),
            (State::Name(matched), _) if is_next(*matched, octet) => State::Name(matched + 1),
            (State::Name(matched), b':') | (State::Space(matched), b':')
                if usize::from(*matched) == NAME.len() =>
            {
                self.count = self.count.saturating_add(1);
                State::Line
            }
            // obs-optional: white space may stand before the colon. RFC 5322 §4.5.8
            (State::Name(matched) | State::Space(matched), b' ' | b'\t')
                if usize::from(*matched) == NAME.len() =>
            {
                State::Space(*matched)
            }
            _ => State::Line,
        };
        rest
    }
}

/// Where in the header we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many octets of the name have come since the line began.
    Name(u8),
    /// The name has come whole, and white space after it.
    Space(u8),
    /// A line began with CR: with LF it is the empty one.
    EmptyLine,
    /// In a line of which nothing more matters.
    Line,
    /// In the body.
    Ended,
}

impl Default for State {
    fn default() -> Self {
        Self::Name(0)
    }
}

fn is_next(matched: u8, octet: u8) -> bool {
    NAME.get(usize::from(matched))
        .is_some_and(|expected| octet.eq_ignore_ascii_case(expected))
}

fn skip_line<'a>(chunk: &'a [u8], state: &mut State) -> &'a [u8] {
    let Some(end) = memchr::memchr(b'\n', chunk) else {
        return &[];
    };
    *state = State::Name(0);
    chunk.get(end + 1..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(message: &[u8], chunk: usize) -> (u32, bool) {
        let mut counter = HopCounter::new();
        message.chunks(chunk.max(1)).for_each(|chunk| counter.feed(chunk));
        (counter.count(), counter.header_ended())
    }

    #[test]
    fn received_fields_of_the_header_are_counted() {
        let check = |message: &str, expected: (u32, bool)| {
            for chunk in 1..=message.len().max(1) {
                assert_eq!(
                    count(message.as_bytes(), chunk),
                    expected,
                    "{message:?} in chunks of {chunk}"
                );
            }
        };
        check("", (0, false));
        check("\r\nReceived: x\r\n", (0, true));
        check("\nReceived: x\n", (0, true));
        check("Received: a\r\nReceived: b\r\n\r\nReceived: c\r\n", (2, true));
        check(
            "RECEIVED: a\nreceived : b\nReceived\t:c\n\nReceived: d",
            (3, true),
        );
        check(
            "Subject: x\r\n Received: folded\r\nReceivedd: no\r\nReceive: no\r\nReceived\r\n: no\r\n",
            (0, false),
        );
        check(
            "Received: a\r\n\tReceived: folded\r\nX-Received: no\r\nReceived-SPF: no\r\n",
            (1, false),
        );
        check("Received x: no\r\nRe ceived: no\r\nReceived:", (1, false));
        check("\rReceived: no\r\nReceived: yes\r\n", (1, false));
        check("Received:\r\n\r\n", (1, true));
    }

    #[test]
    fn a_hundred_is_a_loop() {
        let header = "Received: x\r\n";
        assert_eq!(count(header.repeat(99).as_bytes(), 7), (99, false));
        let mut counter = HopCounter::new();
        counter.feed(header.repeat(99).as_bytes());
        assert!(!counter.is_loop());
        counter.feed(header.as_bytes());
        assert!(counter.is_loop());
    }

    proptest! {
        #[test]
        fn chunking_does_not_matter(
            lines in proptest::collection::vec("(Received|received |X|)(:| )?[a-z]{0,3}\r?\n", 0..20),
            chunk in 1_usize..30,
        ) {
            let message = lines.concat();
            prop_assert_eq!(count(message.as_bytes(), chunk), count(message.as_bytes(), usize::MAX));
            let header = message.split_inclusive('\n').take_while(|line| !matches!(*line, "\r\n" | "\n"));
            let expected = header.filter(|line| {
                let name = line.split_once(':').map(|(name, _)| name.trim_end_matches([' ', '\t']));
                name.is_some_and(|name| name.eq_ignore_ascii_case("received"))
            });
            prop_assert_eq!(count(message.as_bytes(), chunk).0 as usize, expected.count());
        }

        #[test]
        fn arbitrary_octets_are_counted_somehow(message: Vec<u8>, chunk in 1_usize..9) {
            prop_assert_eq!(count(&message, chunk), count(&message, usize::MAX));
        }
    }
}
