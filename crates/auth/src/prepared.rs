//! Prepared passwords: the one form in which a password is hashed, whichever keyboard wrote it.
//!
//! SASLprep (RFC 4013) is a rule of SCRAM; RFC 4616 §2 wants it for PLAIN as well, so that a password fits by either. It
//! forbids some passwords: control characters, characters younger than Unicode 3.2 (most emoji), mixed directions of
//! writing. Such a password is kept as it is written: PLAIN, LOGIN and PASS take it, SCRAM cannot.

use crate::secret::Secret;

/// The form in which SCRAM hashes a password; `None` for one that SASLprep forbids, is empty, or is not UTF-8.
#[must_use]
pub fn for_scram(password: &Secret) -> Option<Secret> {
    let text = std::str::from_utf8(password.expose()).ok()?;
    let prepared = stringprep::saslprep(text).ok()?;
    // What the library folds in a buffer of its own is wiped with the secret, which takes the buffer over.
    let prepared = Secret::new(prepared.into_owned());
    (!prepared.is_empty()).then_some(prepared)
}

/// The form in which a password is hashed and verified: prepared where it can be, else as it was given.
#[must_use]
pub fn for_hash(password: Secret) -> Secret {
    if password.expose().is_ascii() {
        // Nothing would change; a control character is kept.
        return password;
    }
    for_scram(&password).unwrap_or(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_have_one_form() {
        let check = |given: &str, scram: Option<&str>, hash: &str| {
            let password = Secret::new(given);
            assert_eq!(
                for_scram(&password).as_ref().map(Secret::expose),
                scram.map(str::as_bytes),
                "{given:?}"
            );
            assert_eq!(for_hash(password).expose(), hash.as_bytes(), "{given:?}");
        };
        check("pencil", Some("pencil"), "pencil");
        check("two words ", Some("two words "), "two words ");
        // RFC 4013 §3.
        check("I\u{ad}X", Some("IX"), "IX");
        check("USER", Some("USER"), "USER");
        check("\u{aa}", Some("a"), "a");
        check("\u{2168}", Some("IX"), "IX");
        check("\u{7}", None, "\u{7}");
        check("\u{627}1", None, "\u{627}1");
        // The same letter by two keyboards.
        check("cafe\u{301}", Some("café"), "café");
        check("café", Some("café"), "café");
        check("a\u{a0}b", Some("a b"), "a b");
        check("\u{1f512}", None, "\u{1f512}");
        check("\u{ad}", None, "\u{ad}");
        check("", None, "");
        assert_eq!(for_hash(Secret::new([0xff])).expose(), [0xff]);
    }
}
