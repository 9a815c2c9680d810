//! The header that SCRAM begins with: whether the client binds to the channel, and for whom it acts. RFC 5801 §4

use super::{Refusal, Terms};

/// Octets of the name of a binding, at most; registered ones have about 20.
const BINDING_NAME_LIMIT: usize = 64;

/// What the client says of channel binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flag {
    /// `n`: it cannot.
    Cannot,
    /// `y`: it can, and thinks that we cannot.
    Could,
    /// `p=name`: it binds in this way.
    Binds(Box<str>),
}

impl Flag {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "n" => Ok(Self::Cannot),
            "y" => Ok(Self::Could),
            _ => match text.strip_prefix("p=") {
                Some(name) if is_binding_name(name) => Ok(Self::Binds(name.into())),
                _ => Err(Refusal::Malformed("the channel binding flag")),
            },
        }
    }

    /// RFC 5802 §6: binding and mechanism go together, and who could bind but was not offered it has been lied to.
    pub(super) fn check(&self, is_plus: bool, terms: &Terms) -> Result<(), Refusal> {
        match self {
            Self::Binds(name) if is_plus && terms.bindings.has(name) => Ok(()),
            Self::Binds(_) if is_plus => Err(Refusal::Binding),
            Self::Could if terms.plus_offered => Err(Refusal::Downgrade),
            Self::Cannot | Self::Could if !is_plus => Ok(()),
            Self::Cannot | Self::Could | Self::Binds(_) => Err(Refusal::Malformed(
                "the channel binding flag of another mechanism",
            )),
        }
    }
}

fn is_binding_name(name: &str) -> bool {
    let fits = (1..=BINDING_NAME_LIMIT).contains(&name.len());
    fits && name
        .bytes()
        .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-'))
}

/// Reads a saslname: `=2C` is a comma, `=3D` an equals sign, and nothing else is written with one. RFC 5802 §5.1
pub(super) fn name(text: &str) -> Result<String, Refusal> {
    const MALFORMED: Refusal = Refusal::Malformed("a name");
    let mut parts = text.split('=');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        if let Some(rest) = part.strip_prefix("2C") {
            name.push(',');
            name.push_str(rest);
        } else if let Some(rest) = part.strip_prefix("3D") {
            name.push('=');
            name.push_str(rest);
        } else {
            return Err(MALFORMED);
        }
    }
    if name.is_empty() || name.contains('\0') {
        return Err(MALFORMED);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(name(text).ok().as_deref(), expected, "{text:?}");
        };
        check("user", Some("user"));
        check("a=2Cb=3Dc", Some("a,b=c"));
        check("=3D2C", Some("=2C"));
        check("a=2cb", None);
        check("a=", None);
        check("a==3D", None);
        check("", None);
        check("a\0", None);
    }

    #[test]
    fn flags_are_read() {
        let check = |text: &str, expected: Option<Flag>| {
            assert_eq!(Flag::parse(text).ok(), expected, "{text:?}");
        };
        check("n", Some(Flag::Cannot));
        check("y", Some(Flag::Could));
        check("p=tls-exporter", Some(Flag::Binds("tls-exporter".into())));
        for text in ["", "N", "p", "p=", "p=a b", "p=a=b", "F", "nn"] {
            check(text, None);
        }
        check(&format!("p={}", "a".repeat(65)), None);
    }

    proptest! {
        #[test]
        fn a_name_is_read_as_it_was_written(text in "[^\0]{1,20}") {
            let written = text.replace('=', "=3D").replace(',', "=2C");
            prop_assert_eq!(name(&written), Ok(text));
        }
    }
}
