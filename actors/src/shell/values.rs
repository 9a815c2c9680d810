//! Values: what stands behind a verb, as what it means. What is no such thing is refused with what was expected.

use std::str::FromStr;

use config::ByteSize;
use message::{
    address::{DomainName, EmailAddress},
    id::MessageId,
};
use store::record::{ban::Network, directory::Identity, state::Limits};

use shell::Call;

use super::desk::Refused;

/// The word for no limit.
const NONE: &str = "none";

/// An address.
///
/// # Errors
/// When it is none.
pub(super) fn address(call: &Call, name: &str) -> Result<EmailAddress, Refused> {
    to_address(call.required(name)?)
}

/// An address from a word.
///
/// # Errors
/// When it is none.
pub(super) fn to_address(text: &str) -> Result<EmailAddress, Refused> {
    EmailAddress::parse_utf8(text).map_err(|_| Refused::usage(format!("{text:?} is not an address")))
}

/// The name of a domain.
///
/// # Errors
/// When it is none.
pub(super) fn domain(call: &Call, name: &str) -> Result<DomainName, Refused> {
    let text = call.required(name)?;
    DomainName::parse_utf8(text).map_err(|_| Refused::usage(format!("{text:?} is not the name of a domain")))
}

/// Whom an account may send as.
///
/// # Errors
/// When it is neither an address nor `@` and a domain.
pub(super) fn identity(call: &Call, name: &str) -> Result<Identity, Refused> {
    let text = call.required(name)?;
    let identity = match text.strip_prefix('@') {
        Some(domain) => DomainName::parse_utf8(domain).map(Identity::Domain),
        None => EmailAddress::parse_utf8(text).map(Identity::Address),
    };
    identity.map_err(|_| Refused::usage(format!("{text:?} is neither an address nor @ and a domain")))
}

/// The id of a message.
///
/// # Errors
/// When it is none.
pub(super) fn message(call: &Call, name: &str) -> Result<MessageId, Refused> {
    id(call.required(name)?, "a message")
}

/// The ids of messages, each once.
///
/// # Errors
/// When one is none.
pub(super) fn messages(call: &Call, name: &str) -> Result<Vec<MessageId>, Refused> {
    let mut messages = Vec::new();
    for text in call.values(name) {
        let message = id(text, "a message")?;
        if !messages.contains(&message) {
            messages.push(message);
        }
    }
    Ok(messages)
}

/// An id of any kind.
///
/// # Errors
/// When it is none.
pub(super) fn id<T: FromStr>(text: &str, of: &str) -> Result<T, Refused> {
    text.parse()
        .map_err(|_| Refused::usage(format!("{text:?} is not the id of {of}")))
}

/// A network.
///
/// # Errors
/// When it is none.
pub(super) fn network(text: &str) -> Result<Network, Refused> {
    text.parse()
        .map_err(|why| Refused::usage(format!("{text:?}: {why}")))
}

/// What may be stored, beginning with what may be now.
///
/// # Errors
/// When a limit is neither a number nor `none`.
pub(super) fn limits(call: &Call, before: Limits) -> Result<Limits, Refused> {
    Ok(Limits {
        octets: limit(call, "size", before.octets, |text| {
            text.parse::<ByteSize>().ok().map(ByteSize::as_bytes)
        })?,
        messages: limit(call, "messages", before.messages, |text| text.parse().ok())?,
    })
}

/// One limit: another, none, or the one before.
///
/// # Errors
/// When it is neither a number nor `none`.
pub(super) fn limit<T>(
    call: &Call,
    flag: &str,
    before: Option<T>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Refused> {
    match call.value(flag) {
        None => Ok(before),
        Some(NONE) => Ok(None),
        Some(text) => match read(text) {
            Some(limit) => Ok(Some(limit)),
            None => Err(Refused::usage(format!(
                "--{flag} {text:?}: expected a number, with a unit if it is a size, or none"
            ))),
        },
    }
}

/// The flags that set these limits.
pub(super) fn limits_as_flags(limits: Limits) -> String {
    let octets = limits.octets.map(|octets| ByteSize::bytes(octets).to_string());
    format!(
        "--size {} --messages {}",
        octets.as_deref().unwrap_or(NONE),
        or_none(limits.messages)
    )
}

/// A limit as its flag takes it.
pub(super) fn or_none<T: ToString>(limit: Option<T>) -> String {
    limit.map_or_else(|| NONE.to_owned(), |limit| limit.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limited(line: &str) -> Result<Limits, Refused> {
        let before = Limits {
            octets: Some(7),
            messages: Some(8),
        };
        limits(&Call::parse(line).unwrap(), before)
    }

    #[test]
    fn a_limit_is_another_or_none_or_the_one_before() {
        let check = |flags: &str, expected: Option<(Option<u64>, Option<u64>)>| {
            let limits = limited(&format!("account limit a@b.example {flags}")).ok();
            assert_eq!(limits.map(|it| (it.octets, it.messages)), expected, "{flags}");
        };
        check("", Some((Some(7), Some(8))));
        check("--size 5GiB", Some((Some(5 << 30), Some(8))));
        check("--size none --messages 0", Some((None, Some(0))));
        for wrong in [
            "--size 5",
            "--size -1B",
            "--messages 5GiB",
            "--messages all",
            "--messages -1",
        ] {
            check(wrong, None);
        }
    }

    proptest! {
        #[test]
        fn limits_are_read_as_they_are_said(octets: Option<u64>, messages: Option<u64>) {
            let limits = Limits { octets, messages };
            let line = format!("account limit a@b.example {}", limits_as_flags(limits));
            prop_assert_eq!(limited(&line).ok(), Some(limits));
        }

        #[test]
        fn any_text_is_answered(text in "[^\\p{Cc}]{0,60}") {
            let line = format!("account identity add a@b.example {}", shell::words::quoted(&text));
            if let Ok(call) = Call::parse(&line) {
                drop(identity(&call, "identity"));
                drop(address(&call, "identity"));
                drop(domain(&call, "identity"));
                drop(message(&call, "identity"));
            }
            drop(network(&text));
        }
    }
}
