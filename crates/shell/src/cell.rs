//! Cell: one value of an answer, with its unit. On the wire it is a plain value of JSON, but for those whose unit a
//! plain value would lose.

use std::{borrow::Cow, fmt, time::Duration};

use message::time::Timestamp;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
    ser::SerializeMap as _,
};

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Anything that is read.
    Text(Cow<'static, str>),
    /// A count.
    Number(u64),
    /// A size, in octets.
    Octets(u64),
    /// How long; fractions of a microsecond are lost on the wire.
    Duration(Duration),
    /// When.
    Time(Timestamp),
    /// Yes or no.
    Flag(bool),
    /// There is no such value.
    Nothing,
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Nothing => serializer.serialize_unit(),
            Self::Octets(octets) => unit(serializer, "octets", *octets),
            Self::Duration(duration) => unit(serializer, "us", micros(*duration)),
            Self::Time(time) => unit(serializer, "time", time.as_millis()),
        }
    }
}

fn unit<S: Serializer>(serializer: S, unit: &'static str, value: u64) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(unit, &value)?;
    map.end()
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true, false, null, or an object with octets, us or time")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Cell, E> {
        Ok(Cell::Text(Cow::Owned(text)))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Cell, E> {
        Ok(Cell::Number(number))
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Cell, E> {
        Ok(Cell::Flag(flag))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Cell, E> {
        Ok(Cell::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        let Some((unit, value)) = map.next_entry::<String, u64>()? else {
            return Err(de::Error::custom("an empty object is no value"));
        };
        match unit.as_str() {
            "octets" => Ok(Cell::Octets(value)),
            "us" => Ok(Cell::Duration(Duration::from_micros(value))),
            "time" => Ok(Cell::Time(Timestamp::from_millis(value))),
            _ => Err(de::Error::unknown_field(&unit, &["octets", "us", "time"])),
        }
    }
}

impl Cell {
    /// A word of ours: of a hundred thousand rows each has some, and none need be a copy.
    #[must_use]
    pub const fn word(word: &'static str) -> Self {
        Self::Text(Cow::Borrowed(word))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(Cow::Owned(text.to_owned()))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Number(u64::from(number))
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::Number(u64::try_from(number).unwrap_or(u64::MAX))
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Duration> for Cell {
    fn from(duration: Duration) -> Self {
        Self::Duration(duration)
    }
}

impl From<Timestamp> for Cell {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}
