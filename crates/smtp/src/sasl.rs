//! What SMTP carries of a SASL exchange, and what it keeps of one that went well. RFC 4954
//!
//! The machine knows no mechanism: it takes the octets out of their lines, and puts others into lines.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use message::id::AccountId;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::shared;

/// Octets of a line of an exchange with its CRLF, a command line with an initial response included. RFC 4954 §4
pub(crate) const MAX_LINE: usize = 12_288;

/// Octets of a challenge, such that its line keeps to [`MAX_LINE`] beside `334` and CRLF.
pub(crate) const MAX_CHALLENGE: usize = (MAX_LINE - 6) / 4 * 3;

/// Octets of the name of a mechanism. RFC 4422 §3.1
const MAX_NAME: usize = 20;

/// Who a session has proved to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The account.
    pub account: AccountId,
    /// The name by which it logged in, as the authenticator writes it.
    #[serde(with = "shared")]
    pub name: Arc<str>,
    /// The mechanism.
    #[serde(with = "shared")]
    pub mechanism: Arc<str>,
}

/// The names of the mechanisms that are offered, in the order in which EHLO says them. Without any there is no AUTH.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mechanisms {
    /// On a connection in clear.
    pub clear: Vec<String>,
    /// Under TLS. `EXTERNAL` counts only where the client has proved itself in the handshake.
    pub tls: Vec<String>,
}

impl Mechanisms {
    /// Whether nobody can log in.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.clear.is_empty() && self.tls.is_empty()
    }
}

/// What a client said in an exchange, decoded. It may hold a password: it is never printed, and wiped when its last
/// clone is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Response(Arc<Zeroizing<Vec<u8>>>);

impl Response {
    /// Decodes the base64 of a line, padding included. RFC 4648 §4
    pub(crate) fn decode(text: &[u8]) -> Option<Self> {
        let mut octets = Zeroizing::new(vec![0; text.len() / 4 * 3]);
        let length = Base64::decode(text, &mut octets).ok()?.len();
        octets.truncate(length);
        Some(Self(Arc::new(octets)))
    }

    /// Decodes the initial response of AUTH, in which `=` stands for no octets. RFC 4954 §4
    pub(crate) fn decode_initial(text: &[u8]) -> Option<Self> {
        Self::decode(if text == b"=" { b"" } else { text })
    }
}

impl Deref for Response {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Response(..)")
    }
}

/// The base64 of a challenge.
pub(crate) fn encode(challenge: &[u8]) -> String {
    Base64::encode_string(challenge)
}

/// The name of a mechanism in capitals. RFC 4422 §3.1
pub(crate) fn mechanism(name: &[u8]) -> Option<Arc<str>> {
    let is_letter = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_".contains(octet);
    if name.is_empty() || name.len() > MAX_NAME || !name.iter().all(is_letter) {
        return None;
    }
    let name = std::str::from_utf8(name).ok()?;
    Some(name.to_ascii_uppercase().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(text: &[u8]) -> Option<Vec<u8>> {
        Response::decode(text).map(|response| response.to_vec())
    }

    #[test]
    fn only_base64_with_its_padding_is_decoded() {
        for (text, expected) in [
            ("", Some(&b""[..])),
            ("AA==", Some(b"\0")),
            ("AGEAYg==", Some(b"\0a\0b")),
            ("YWJj", Some(b"abc")),
            ("YWI", None),
            ("YWI=", Some(b"ab")),
            ("YWI==", None),
            ("=", None),
            ("====", None),
            ("YW=j", None),
            ("YWJj ", None),
            (" YWJj", None),
            ("YW\rj", None),
            ("YW-_", None),
            // The bits that the padding leaves over must be 0. RFC 4648 §3.5
            ("AB==", None),
        ] {
            assert_eq!(decoded(text.as_bytes()).as_deref(), expected, "{text:?}");
        }
        assert_eq!(Response::decode_initial(b"=").as_deref(), Some(&b""[..]));
        assert_eq!(Response::decode_initial(b"=="), None);
    }

    #[test]
    fn a_response_is_not_printed() {
        let response = Response::decode(b"c2VjcmV0").unwrap();
        assert_eq!(format!("{response:?}"), "Response(..)");
    }

    #[test]
    fn mechanisms_have_names() {
        for (name, expected) in [
            ("plain", Some("PLAIN")),
            ("SCRAM-SHA-256-PLUS", Some("SCRAM-SHA-256-PLUS")),
            ("X_1", Some("X_1")),
            ("", None),
            ("PLAIN=", None),
            ("ABCDEFGHIJKLMNOPQRSTU", None),
        ] {
            assert_eq!(mechanism(name.as_bytes()).as_deref(), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(decoded(encode(&octets).as_bytes()), Some(octets));
        }

        #[test]
        fn nothing_panics(text in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Some(octets) = decoded(&text) {
                // One text for the same octets: nothing can be hidden in two spellings.
                prop_assert_eq!(encode(&octets).into_bytes(), text);
            }
        }
    }
}
