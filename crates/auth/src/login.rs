//! Login: the name with which a client logs in, as the directory knows it.
//!
//! It is an address in the form in which the directory compares addresses, without its `+tag`. Whether such an account
//! exists is the directory's to say; here a name is only brought into its one form.

use std::fmt;

use message::{Domain, EmailAddress, LocalPart};
use thiserror::Error;

/// A login name in its one form: `local@domain`, lower case, without `+tag`.
///
/// This is [`EmailAddress::lookup_key`] of the address without its tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Login(String);

impl Login {
    /// Brings a name into its one form. A name without a domain belongs to `default_domain`, if there is one.
    ///
    /// # Errors
    /// [`LoginError`] for a name that no account can have; answer it like an unknown account.
    pub fn parse(name: &str, default_domain: Option<&Domain>) -> Result<Self, LoginError> {
        let address = match default_domain {
            Some(domain) if !name.contains('@') => {
                let local = LocalPart::parse_utf8(name).map_err(|_| LoginError)?;
                EmailAddress::new(local, domain.clone())
            }
            _ => EmailAddress::parse_utf8(name),
        };
        address
            .map(|address| Self(address.base().lookup_key()))
            .map_err(|_| LoginError)
    }

    /// The key of the account's address in the directory.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// No account can have this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a login name: expected an address such as user@example.org")]
pub struct LoginError;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_have_one_form() {
        let home = Domain::parse(b"Example.org").unwrap();
        let check = |name: &str, default_domain: Option<&Domain>, expected: Option<&str>| {
            let login = Login::parse(name, default_domain);
            assert_eq!(
                login.as_ref().map(Login::as_str).ok(),
                expected,
                "{name:?} {default_domain:?}"
            );
        };
        check("ada@example.org", None, Some("ada@example.org"));
        check("Ada@Example.ORG", None, Some("ada@example.org"));
        check("ada+lists@example.org", None, Some("ada@example.org"));
        check("ada+a+b@example.org", None, Some("ada@example.org"));
        check("ada", None, None);
        check("Ada+x", Some(&home), Some("ada@example.org"));
        check("ada@other.org", Some(&home), Some("ada@other.org"));
        check("ÄDA@bücher.example", None, Some("äda@xn--bcher-kva.example"));
        check("", Some(&home), None);
        check("@example.org", None, None);
        check("ada@", Some(&home), None);
        check("ada@example.org\r\n", None, None);
        check("ada\r\n", Some(&home), None);
        check("a da@example.org", None, None);
        check(&"a".repeat(1000), Some(&home), None);
    }

    proptest! {
        #[test]
        fn case_and_tag_make_no_other_name(local in "[a-z][a-z.]{0,8}", domain in "[a-z]{1,8}", tag in "[a-z+]{0,4}") {
            let plain = Login::parse(&format!("{local}@{domain}"), None);
            prop_assume!(plain.is_ok());
            let tagged = format!("{local}+{tag}@{domain}");
            prop_assert_eq!(Login::parse(&tagged.to_uppercase(), None), plain);
        }

        #[test]
        fn any_name_is_read_without_panic(name in "\\PC{0,40}") {
            let _ = Login::parse(&name, None);
        }
    }
}
