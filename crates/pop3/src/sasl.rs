//! What POP3 carries of a SASL exchange (RFC 5034): names of mechanisms, and octets in base64.
//!
//! The machine knows no mechanism: it takes the octets out of their lines, and puts others into lines.

use std::fmt;
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Octets of a response line with its CRLF. RFC 4954 §4 has the number; RFC 5034 §4 leaves it to the mechanism.
pub(crate) const RESPONSE_LIMIT: usize = 12_288;
/// Octets of the name of a mechanism. RFC 4422 §3.1
const NAME_LIMIT: usize = 20;

/// The names of the mechanisms that are offered, in the order in which CAPA says them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mechanisms {
    /// On a connection in clear.
    pub clear: Vec<String>,
    /// Under TLS. `EXTERNAL` counts only where the client has proved itself in the handshake.
    pub tls: Vec<String>,
}

/// What a client said in an exchange, decoded: wiped when dropped and not shown by `Debug`.
#[derive(Clone)]
pub struct Response(Zeroizing<Vec<u8>>);

impl Response {
    /// Decodes the base64 of a line, padding included.
    pub(crate) fn decode(text: &[u8]) -> Option<Self> {
        let mut octets = Zeroizing::new(vec![0; text.len() / 4 * 3]);
        let length = Base64::decode(text, &mut octets).ok()?.len();
        octets.truncate(length);
        Some(Self(octets))
    }

    /// Decodes the initial response of AUTH, in which `=` stands for no octets. RFC 5034 §4
    pub(crate) fn decode_initial(text: &str) -> Option<Self> {
        Self::decode(if text == "=" { b"" } else { text.as_bytes() })
    }

    /// The octets.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Response(…)")
    }
}

/// The line of a challenge, without its CRLF.
pub(crate) fn challenge(octets: &[u8]) -> String {
    format!("+ {}", Base64::encode_string(octets))
}

/// The name of a mechanism in capitals.
pub(crate) fn mechanism(name: &str) -> Option<Arc<str>> {
    let is_letter = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    let fits = (1..=NAME_LIMIT).contains(&name.len()) && name.bytes().all(is_letter);
    fits.then(|| name.to_ascii_uppercase().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_base64_with_its_padding_is_decoded() {
        let check = |text: &str, expected: Option<&[u8]>| {
            let response = Response::decode_initial(text);
            assert_eq!(response.as_ref().map(Response::expose), expected, "{text:?}");
        };
        check("AGEAYg==", Some(b"\0a\0b"));
        check("=", Some(b""));
        check("", Some(b""));
        check("==", None);
        check("AGEAYg", None);
        check("AGEAYg=", None);
        check("AB==", None);
        check("YW-_", None);
        assert!(!format!("{:?}", Response::decode(b"c2VjcmV0")).contains("secret"));
    }

    #[test]
    fn mechanisms_have_names() {
        let check = |name: &str, expected: Option<&str>| assert_eq!(mechanism(name).as_deref(), expected);
        check("plain", Some("PLAIN"));
        check("SCRAM-SHA-256-PLUS", Some("SCRAM-SHA-256-PLUS"));
        check("", None);
        check("PLAIN=", None);
        check("ABCDEFGHIJKLMNOPQRSTU", None);
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            let line = challenge(&octets);
            let read = Response::decode(line.strip_prefix("+ ").unwrap().as_bytes());
            prop_assert_eq!(read.as_ref().map(Response::expose), Some(&octets[..]));
        }

        #[test]
        fn any_text_is_decoded_without_panic(text in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Response::decode(&text);
        }
    }
}
