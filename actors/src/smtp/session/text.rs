//! Text: what a message is made of on its way from the connection to the store, and what is wrong with it.
//!
//! The rules are those of crate `message`; here they get the settings of the listener, and their faults become replies.

use bytes::Bytes;
use message::header::{HeaderExcess, HeaderGauge, HeaderLimits};
use smtp::{Enhanced, Reply};

/// What the configuration allows the header of a message.
#[must_use]
pub fn header_limits(config: &config::Config) -> HeaderLimits {
    HeaderLimits {
        octets: config.smtp.max_header_size.as_bytes(),
        field_octets: config.smtp.max_header_field_size.as_bytes(),
        fields: config.smtp.max_header_fields,
    }
}

/// The text of one message.
pub(super) struct Text {
    gauge: HeaderGauge,
}

impl Text {
    /// A text before its first octet.
    pub(super) const fn begin(limits: HeaderLimits) -> Self {
        Self {
            gauge: HeaderGauge::new(limits),
        }
    }

    /// Takes octets as they came and gives those that are to be stored; or what the client is told at the end.
    pub(super) fn take(&mut self, octets: &Bytes) -> Result<Bytes, Reply> {
        self.gauge.feed(octets).map_err(excess)?;
        Ok(octets.clone())
    }
}

/// X.3.4, "message too big for system", is the nearest that RFC 3463 §3.4 has to a header that is too big.
fn excess(excess: HeaderExcess) -> Reply {
    let text = match excess {
        HeaderExcess::Fields => "Message header has too many fields",
        HeaderExcess::Section => "Message header is too large",
        HeaderExcess::Field => "Message has a header field that is too large",
    };
    Reply::new(552, Enhanced(5, 3, 4), text)
}
