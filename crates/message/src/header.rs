//! HeaderGauge: measures the header section of a message while it streams by, so that no message has a header that
//! nobody could read.
//!
//! Knows nothing of names and values, and keeps nothing: its state is a few words whatever the message holds. Lines end
//! with LF here, as for the [`HopCounter`](crate::hops::HopCounter): where a bare LF is refused, others do it.

use thiserror::Error;

/// What a header section may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderLimits {
    /// Octets of the section, the empty line included.
    pub octets: u64,
    /// Octets of one field with its name, its folds and line ends.
    pub field_octets: u64,
    /// Fields.
    pub fields: u32,
}

/// What there is too much of. If several limits are passed at the same octet it is the first of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HeaderExcess {
    /// Fields.
    #[error("the header has too many fields")]
    Fields,
    /// The section as a whole.
    #[error("the header is too large")]
    Section,
    /// One field.
    #[error("a header field is too large")]
    Field,
}

/// Measures a message that is fed to it in chunks; where they are cut changes nothing.
#[derive(Debug, Clone)]
pub struct HeaderGauge {
    limits: HeaderLimits,
    /// Octets of the section so far.
    octets: u64,
    /// Octets of the last field so far.
    field_octets: u64,
    fields: u32,
    place: Place,
}

impl HeaderGauge {
    /// A gauge before the first octet of a message.
    #[must_use]
    pub const fn new(limits: HeaderLimits) -> Self {
        Self {
            limits,
            octets: 0,
            field_octets: 0,
            fields: 0,
            place: Place::LineBegin,
        }
    }

    /// Takes the next octets of the message.
    ///
    /// # Errors
    /// [`HeaderExcess`] at the first octet that is too much. The gauge is then worth nothing.
    pub fn feed(&mut self, mut chunk: &[u8]) -> Result<(), HeaderExcess> {
        while let (Some(first), false) = (chunk.first(), self.has_ended()) {
            let length = match self.place {
                Place::Within => memchr::memchr(b'\n', chunk).map_or(chunk.len(), |end| end + 1),
                Place::LineBegin | Place::Cr | Place::Ended => 1,
            };
            let (piece, rest) = chunk.split_at(length);
            self.step(*first, piece)?;
            chunk = rest;
        }
        Ok(())
    }

    /// Whether the empty line has come: all that follows is body.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.place == Place::Ended
    }

    /// Takes the rest of a line, or one octet where it matters.
    fn step(&mut self, first: u8, piece: &[u8]) -> Result<(), HeaderExcess> {
        self.place = match (self.place, first) {
            (Place::LineBegin | Place::Cr, b'\n') | (Place::Ended, _) => Place::Ended,
            (Place::LineBegin, b'\r') => Place::Cr,
            (Place::LineBegin, b' ' | b'\t') => Place::Within,
            (Place::LineBegin | Place::Cr, _) => {
                self.begin_field()?;
                Place::Within
            }
            (Place::Within, _) if piece.ends_with(b"\n") => Place::LineBegin,
            (Place::Within, _) => Place::Within,
        };
        self.count(piece.len() as u64)
    }

    /// What is no field although it stands where one should is counted as one.
    fn begin_field(&mut self) -> Result<(), HeaderExcess> {
        self.field_octets = 0;
        self.fields = self.fields.saturating_add(1);
        if self.fields > self.limits.fields {
            return Err(HeaderExcess::Fields);
        }
        Ok(())
    }

    fn count(&mut self, octets: u64) -> Result<(), HeaderExcess> {
        let room = self.limits.octets.saturating_sub(self.octets);
        let room_of_field = self.limits.field_octets.saturating_sub(self.field_octets);
        if octets > room.min(room_of_field) {
            return Err(if room <= room_of_field {
                HeaderExcess::Section
            } else {
                HeaderExcess::Field
            });
        }
        self.octets += octets;
        self.field_octets += octets;
        Ok(())
    }
}

/// Where in the header the next octet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    LineBegin,
    /// A line began with CR: with LF it is the empty one.
    Cr,
    /// In a line of which only the end matters.
    Within,
    /// In the body.
    Ended,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: HeaderLimits = HeaderLimits {
        octets: 100,
        field_octets: 40,
        fields: 5,
    };

    fn measure(message: &[u8], chunk: usize) -> Result<bool, HeaderExcess> {
        let mut gauge = HeaderGauge::new(LIMITS);
        for piece in message.chunks(chunk) {
            gauge.feed(piece)?;
        }
        Ok(gauge.has_ended())
    }

    #[test]
    fn each_limit_is_kept_to_the_octet() {
        let check = |message: &str, expected: Result<bool, HeaderExcess>| {
            for chunk in 1..=message.len().max(1) {
                let found = measure(message.as_bytes(), chunk);
                assert_eq!(found, expected, "{message:?} in chunks of {chunk}");
            }
        };
        check("", Ok(false));
        check("\r\n", Ok(true));
        check("\n", Ok(true));
        check("a: b\r\n\r\nbody: x\r\n", Ok(true));
        check(&"a:b\n".repeat(5), Ok(false));
        check(&"a:b\n".repeat(6), Err(HeaderExcess::Fields));
        check(&"\rx\n".repeat(6), Err(HeaderExcess::Fields));
        check(&("a:b\n".repeat(5) + "\n" + &"a:b\n".repeat(200)), Ok(true));
        check(&("a:".to_owned() + &"x".repeat(37) + "\n"), Ok(false));
        check(
            &("a:".to_owned() + &"x".repeat(38) + "\n"),
            Err(HeaderExcess::Field),
        );
        check(
            &("a:b\n".to_owned() + &" x\r\n".repeat(10)),
            Err(HeaderExcess::Field),
        );
        let field = format!("a:{}\n", "x".repeat(30));
        check(&(field.repeat(3) + "\n"), Ok(true));
        check(&(field.repeat(3) + "\r\n"), Err(HeaderExcess::Section));
        check(&(field.repeat(2) + "\n" + &field.repeat(9)), Ok(true));
        // Both at once.
        check(&(" ".repeat(40) + &"x".repeat(80)), Err(HeaderExcess::Field));
    }

    #[test]
    fn a_header_without_end_is_measured_in_one_pass() {
        let limits = HeaderLimits {
            octets: 1 << 20,
            field_octets: 1 << 18,
            fields: 2_000,
        };
        let check = |piece: &[u8], expected: HeaderExcess| {
            let mut gauge = HeaderGauge::new(limits);
            let mut fed = 0_u64;
            let excess = loop {
                if let Err(excess) = gauge.feed(piece) {
                    break excess;
                }
                fed += piece.len() as u64;
                assert!(fed <= limits.octets, "it is never too much");
            };
            assert_eq!(excess, expected);
        };
        check(&[b'x'; 1000], HeaderExcess::Field);
        check(b"X-A: b\r\n", HeaderExcess::Fields);
        check(b" folded\r\n", HeaderExcess::Field);
        let long = [b"X-A: ".as_slice(), &[b'x'; 5_000], b"\r\n"].concat();
        check(&long, HeaderExcess::Section);
    }

    proptest! {
        #[test]
        fn chunking_does_not_matter(message in "(a:|[ax]| |\r\n|\n|\r){0,120}", chunk in 1_usize..30) {
            prop_assert_eq!(measure(message.as_bytes(), chunk), measure(message.as_bytes(), 1 << 20));
        }

        #[test]
        fn arbitrary_octets_are_measured_somehow(message: Vec<u8>, chunk in 1_usize..9) {
            prop_assert_eq!(measure(&message, chunk), measure(&message, 1 << 20));
        }
    }
}
