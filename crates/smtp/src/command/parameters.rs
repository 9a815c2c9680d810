//! The parameters of MAIL and RCPT (RFC 5321 §4.1.2): each once, and only those that were offered.

use message::envelope::{
    BodyKind, DeliverBy, EnvelopeId, Hold, Lateness, MailOptions, MtPriority, Notify, OriginalRecipient,
    ParameterError, RecipientOptions, Return, Submitter,
};
use message::time::Timestamp;

use crate::offers::Offers;
use crate::reply::{Reply, table};

/// What a client may say at this point of its session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grammar<'a> {
    /// What the listener offers.
    pub(crate) offers: &'a Offers,
    /// Whether the client asked for extensions: HELO has negotiated none. RFC 5321 §2.2.1
    pub(crate) extended: bool,
    /// Whether the session is under TLS.
    pub(crate) encrypted: bool,
    /// Whether AUTH is offered, or was and is done.
    pub(crate) auth: bool,
    /// Whether the transaction was opened with SMTPUTF8.
    pub(crate) utf8: bool,
}

/// What stands behind the reverse-path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Parameters {
    /// The size of the message as the client declares it, in octets; what exceeds 64 bits is the largest number.
    pub(crate) size: Option<u64>,
    pub(crate) body: Option<BodyKind>,
    pub(crate) options: MailOptions,
}

impl Parameters {
    /// Parses ` KEYWORD=value KEYWORD=value`.
    pub(super) fn parse(text: &[u8], grammar: Grammar<'_>) -> Result<Self, Reply> {
        let mut parameters = Self::default();
        for word in words(text, grammar)? {
            parameters.take(&word?, grammar)?;
        }
        // RFC 6531 §3.1: the client must say so wherever it makes use of it.
        match &parameters.options.submitter {
            Some(Submitter::Address(address)) if address.needs_utf8() && !parameters.options.utf8 => {
                Err(table::BAD_ARGUMENT)
            }
            _ => Ok(parameters),
        }
    }

    fn take(&mut self, word: &Word<'_>, grammar: Grammar<'_>) -> Result<(), Reply> {
        let offers = grammar.offers;
        let options = &mut self.options;
        if word.is("SIZE", true) {
            once(&mut self.size, size(word.value()?)?)
        } else if word.is("BODY", true) {
            once(&mut self.body, body(word.value().unwrap_or_default(), offers)?)
        } else if word.is("SMTPUTF8", offers.utf8) {
            word.flag(&mut options.utf8)
        } else if word.is("AUTH", grammar.auth) {
            once(
                &mut options.submitter,
                good(Submitter::parse(word.value()?, offers.utf8))?,
            )
        } else if word.is("RET", offers.dsn) {
            once(&mut options.ret, good(Return::parse(word.value()?))?)
        } else if word.is("ENVID", offers.dsn) {
            once(&mut options.envelope_id, good(EnvelopeId::parse(word.value()?))?)
        } else if word.is("HOLDFOR", offers.future_release.is_some()) {
            let hold = good(Hold::parse_for(word.value()?))?;
            once(&mut options.hold, held(hold, offers)?)
        } else if word.is("HOLDUNTIL", offers.future_release.is_some()) {
            let hold = good(Hold::parse_until(word.value()?))?;
            once(&mut options.hold, held(hold, offers)?)
        } else if word.is("BY", offers.deliver_by.is_some()) {
            let by = good(DeliverBy::parse(word.value()?))?;
            once(&mut options.deliver_by, in_time(by, offers)?)
        } else if word.is("MT-PRIORITY", offers.mt_priority) {
            once(&mut options.priority, good(MtPriority::parse(word.value()?))?)
        } else if word.is("REQUIRETLS", offers.require_tls && grammar.encrypted) {
            word.flag(&mut options.require_tls)
        } else {
            Err(table::UNKNOWN_PARAMETER)
        }
    }
}

/// Parses what stands behind the forward-path.
pub(super) fn of_recipient(text: &[u8], grammar: Grammar<'_>) -> Result<RecipientOptions, Reply> {
    let mut options = RecipientOptions::default();
    for word in words(text, grammar)? {
        let word = word?;
        if word.is("NOTIFY", grammar.offers.dsn) {
            once(&mut options.notify, good(Notify::parse(word.value()?))?)?;
        } else if word.is("ORCPT", grammar.offers.dsn) {
            let value = word.value()?;
            // utf-8-addr-unitext. RFC 6533 §3
            if !value.is_ascii() && !grammar.utf8 {
                return Err(table::BAD_ARGUMENT);
            }
            once(&mut options.original, good(OriginalRecipient::parse(value))?)?;
        } else {
            return Err(table::UNKNOWN_PARAMETER);
        }
    }
    Ok(options)
}

/// One parameter, taken apart.
struct Word<'a> {
    keyword: &'a [u8],
    value: Option<&'a [u8]>,
}

impl<'a> Word<'a> {
    /// Whether it is the one that is called so, and this one is to be had.
    fn is(&self, keyword: &str, offered: bool) -> bool {
        offered && self.keyword.eq_ignore_ascii_case(keyword.as_bytes())
    }

    fn value(&self) -> Result<&'a [u8], Reply> {
        self.value.ok_or(table::BAD_ARGUMENT)
    }

    /// It has no value, and is given once.
    fn flag(&self, flag: &mut bool) -> Result<(), Reply> {
        if self.value.is_some() || std::mem::replace(flag, true) {
            return Err(table::BAD_ARGUMENT);
        }
        Ok(())
    }
}

/// The parameters in a text that begins behind a path.
fn words<'a>(
    text: &'a [u8],
    grammar: Grammar<'_>,
) -> Result<impl Iterator<Item = Result<Word<'a>, Reply>>, Reply> {
    if !text.is_empty() && !text.starts_with(b" ") {
        return Err(table::BAD_ARGUMENT);
    }
    let words = text.split(|octet| *octet == b' ').filter(|word| !word.is_empty());
    Ok(words.map(move |word| {
        if !grammar.extended {
            return Err(table::UNKNOWN_PARAMETER);
        }
        let (keyword, value) = match memchr::memchr(b'=', word) {
            Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..)),
            None => (word, None),
        };
        Ok(Word { keyword, value })
    }))
}

/// Digits of a SIZE. RFC 1870 §4
const SIZE_DIGITS: usize = 20;

fn size(value: &[u8]) -> Result<u64, Reply> {
    if value.is_empty() || value.len() > SIZE_DIGITS || !value.iter().all(u8::is_ascii_digit) {
        return Err(table::BAD_ARGUMENT);
    }
    Ok(value.iter().fold(0_u64, |number, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    }))
}

fn body(value: &[u8], offers: &Offers) -> Result<BodyKind, Reply> {
    if value.eq_ignore_ascii_case(b"7BIT") {
        Ok(BodyKind::SevenBit)
    } else if value.eq_ignore_ascii_case(b"8BITMIME") {
        Ok(BodyKind::EightBitMime)
    } else if value.eq_ignore_ascii_case(b"BINARYMIME") && offers.binary_mime {
        Ok(BodyKind::BinaryMime)
    } else {
        Err(table::UNKNOWN_PARAMETER)
    }
}

/// RFC 4865 §4: no longer than was offered.
fn held(hold: Hold, offers: &Offers) -> Result<Hold, Reply> {
    let is_offered = offers
        .future_release
        .as_ref()
        .is_some_and(|most| match hold.interval() {
            Some(interval) => interval <= most.max_interval,
            None => hold.due(Timestamp::EPOCH) <= most.max_until,
        });
    if is_offered {
        Ok(hold)
    } else {
        Err(table::BAD_ARGUMENT)
    }
}

/// RFC 2852 §4: a message that is to be returned when it is late may not be late at once.
fn in_time(by: DeliverBy, offers: &Offers) -> Result<DeliverBy, Reply> {
    let least = offers.deliver_by.map_or(0, |least| least.as_secs());
    let is_late = by.lateness() == Lateness::Return && u64::try_from(by.seconds()).unwrap_or(0) < least;
    if is_late { Err(table::BAD_ARGUMENT) } else { Ok(by) }
}

fn good<T>(value: Result<T, ParameterError>) -> Result<T, Reply> {
    value.map_err(|_| table::BAD_ARGUMENT)
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), Reply> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(table::BAD_ARGUMENT),
    }
}

#[cfg(test)]
mod tests;
