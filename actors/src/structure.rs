//! The structure of a message as it is kept beside it in the mailbox: a version octet, then postcard.

use bytes::Bytes;
use message::structure::Structure;

/// The version that is written.
const VERSION: u8 = 1;

/// Encodes a structure; `None` when that cannot be done, which no structure of the scanner is known to bring about.
#[must_use]
pub fn encode(structure: &Structure) -> Option<Bytes> {
    postcard::to_extend(structure, vec![VERSION])
        .ok()
        .map(Bytes::from)
}

/// Decodes a structure; `None` when it was written by a later version or is not one.
#[must_use]
pub fn decode(octets: &[u8]) -> Option<Structure> {
    match octets {
        [VERSION, rest @ ..] => postcard::from_bytes(rest).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let structure = Structure::of(b"From: a@x\r\nSubject: s\r\n\r\nbody\r\n");
        assert_eq!(decode(&encode(&structure).unwrap()), Some(structure));
    }

    #[test]
    fn anything_else_is_nothing() {
        for octets in [&b""[..], b"\x02", b"\x01\xff\xff\xff\xff"] {
            assert_eq!(decode(octets), None, "{octets:?}");
        }
    }
}
