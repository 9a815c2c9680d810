//! Text: what a message is made of on its way from the connection to the store, and what is wrong with it.
//!
//! The rules are those of crate `message`; here they get the settings of the listener, and their faults become replies.

use bytes::Bytes;
use message::{
    binary::{BinaryConverter, BinaryFault},
    header::{HeaderExcess, HeaderGauge, HeaderLimits},
    submission::{Claims, Completion, SubmissionFault, Supplement},
};
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

/// What the trail says of a message that came in binary and is not any more.
const CONVERTED: &str = "converted=base64";

/// The text of one message.
pub(super) struct Text {
    gauge: HeaderGauge,
    converter: Option<BinaryConverter>,
    completion: Option<Completion>,
}

impl Text {
    /// A text before its first octet.
    pub(super) const fn begin(limits: HeaderLimits) -> Self {
        Self {
            gauge: HeaderGauge::new(limits),
            converter: None,
            completion: None,
        }
    }

    /// It comes in binary, and is to be kept as lines.
    pub(super) fn unpacked(self) -> Self {
        Self {
            converter: Some(BinaryConverter::new()),
            ..self
        }
    }

    /// It is handed in by who wrote it, and is to get what it lacks.
    pub(super) fn completed(self, supplement: Supplement) -> Self {
        Self {
            completion: Some(Completion::new(supplement)),
            ..self
        }
    }

    /// Takes octets as they came and gives those that are to be stored; or what the client is told at the end.
    pub(super) fn take(&mut self, octets: &Bytes) -> Result<Bytes, Reply> {
        self.gauge.feed(octets).map_err(excess)?;
        let Some(converter) = &mut self.converter else {
            return self.complete(octets.clone());
        };
        let mut lines = Vec::with_capacity(octets.len() + octets.len() / 2);
        converter.feed(octets, &mut lines).map_err(not_lines)?;
        self.complete(lines.into())
    }

    /// The text has ended: gives the last octets that are to be stored, and what is to be said of them on the trail.
    pub(super) fn end(&mut self) -> Result<(Bytes, Option<&'static str>), Reply> {
        let mut rest = Vec::new();
        let mut verdict = None;
        if let Some(converter) = self.converter.take() {
            let mut lines = Vec::new();
            let encoded = converter.finish(&mut lines).map_err(not_lines)?;
            verdict = (encoded > 0).then_some(CONVERTED);
            rest.extend_from_slice(&self.complete(lines.into())?);
        }
        if let Some(completion) = &mut self.completion {
            completion.finish(&mut rest).map_err(unfit)?;
        }
        Ok((rest.into(), verdict))
    }

    /// In whose name it is written; given once, and only of what is handed in by who wrote it.
    pub(super) fn take_claims(&mut self) -> Option<Claims> {
        self.completion.as_mut()?.take_claims()
    }

    fn complete(&mut self, octets: Bytes) -> Result<Bytes, Reply> {
        let Some(completion) = self.completion.as_mut().filter(|it| !it.has_ended()) else {
            return Ok(octets);
        };
        let mut completed = Vec::with_capacity(octets.len());
        completion.feed(&octets, &mut completed).map_err(unfit)?;
        Ok(completed.into())
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

/// X.6.1, "media not supported": what is not understood cannot be kept. RFC 3463 §3.7
fn not_lines(fault: BinaryFault) -> Reply {
    let text = format!("Message cannot be converted from binary: it has {fault}");
    Reply::new(554, Enhanced(5, 6, 1), &text)
}

/// To a message in whose From or Sender stands who is not the account.
pub(super) fn not_theirs() -> Reply {
    let text = "This account may not write as the address in From or Sender";
    Reply::new(550, Enhanced(5, 7, 1), text)
}

/// X.6.0, as for a bare line end: the fault is in the content.
fn unfit(fault: SubmissionFault) -> Reply {
    let text = format!("Message cannot be submitted: {fault}");
    Reply::new(554, Enhanced(5, 6, 0), &text)
}
