//! Output: the replies of a turn, as few pieces as possible.
//!
//! One reply of the table costs nothing: it is written from where it stands in the program.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};

use crate::reply::Reply;

/// What is to be written. Holds no memory when there is nothing.
#[derive(Debug, Clone, Default)]
pub(super) enum Output {
    #[default]
    Nothing,
    One(Cow<'static, str>),
    Many(BytesMut),
}

impl Output {
    pub(super) const fn is_empty(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    pub(super) fn push(&mut self, reply: Reply) {
        *self = match std::mem::take(self) {
            Self::Nothing => Self::One(reply.into_wire()),
            Self::One(first) => Self::Many(
                [first.as_bytes(), reply.wire().as_bytes()]
                    .concat()
                    .as_slice()
                    .into(),
            ),
            Self::Many(mut all) => {
                all.extend_from_slice(reply.wire().as_bytes());
                Self::Many(all)
            }
        };
    }

    pub(super) fn take(&mut self) -> Bytes {
        match std::mem::take(self) {
            Self::Nothing => Bytes::new(),
            Self::One(Cow::Borrowed(wire)) => Bytes::from_static(wire.as_bytes()),
            Self::One(Cow::Owned(wire)) => Bytes::from(wire),
            Self::Many(all) => all.freeze(),
        }
    }
}
