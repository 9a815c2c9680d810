//! Version: the first octet of a serialized session, which tells what the rest is.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version of the form that this program writes, and the only one that it reads.
const CURRENT: u8 = 3;

/// Takes no room in a session, and one octet in its serialized form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(CURRENT)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            CURRENT => Ok(Self),
            other => Err(D::Error::custom(format_args!(
                "session of version {other}, not {CURRENT}"
            ))),
        }
    }
}
