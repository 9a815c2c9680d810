//! Offers: the extensions that a listener may offer beside those that every session has, and what each adds to the
//! length of a command.

use std::time::Duration;

use message::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Octets that an extension adds to the longest MAIL, or to the longest RCPT. RFC 5321 §4.5.3.1.4
mod octets {
    use message::envelope::{MAX_ENVELOPE_ID, MAX_ORIGINAL_RECIPIENT, MAX_SUBMITTER};

    /// ` SMTPUTF8`. RFC 6531 §3.1
    pub(super) const UTF8: usize = 10;
    /// ` RET=FULL ENVID=` and its value. RFC 3461 §4.3, §4.4
    pub(super) const DSN_MAIL: usize = " RET=FULL ENVID=".len() + MAX_ENVELOPE_ID;
    /// ` NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=` and its value. RFC 3461 §4.1, §4.2
    pub(super) const DSN_RCPT: usize = " NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=".len() + MAX_ORIGINAL_RECIPIENT;
    /// ` HOLDUNTIL=` and a date-time. RFC 4865 §3
    pub(super) const FUTURE_RELEASE: usize = 34;
    /// ` BY=999999999;RT`. RFC 2852 §3
    pub(super) const DELIVER_BY: usize = 17;
    /// ` MT-PRIORITY=-9`. RFC 6710 §3
    pub(super) const MT_PRIORITY: usize = 15;
    /// ` REQUIRETLS`. RFC 8689 §2
    pub(super) const REQUIRE_TLS: usize = 11;
    /// ` AUTH=` and its value. RFC 4954 §3
    pub(super) const AUTH: usize = MAX_SUBMITTER;
}

/// What is offered. Nothing by default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Offers {
    /// SMTPUTF8: addresses and header fields in UTF-8. RFC 6531
    pub utf8: bool,
    /// BODY=BINARYMIME; it wants CHUNKING beside it. RFC 3030
    pub binary_mime: bool,
    /// DSN: reports on demand. RFC 3461
    pub dsn: bool,
    /// FUTURERELEASE: messages held back. RFC 4865
    pub future_release: Option<FutureRelease>,
    /// DELIVERBY: messages that want to be in time, with the least that `R` may ask for. RFC 2852
    pub deliver_by: Option<Duration>,
    /// MT-PRIORITY. RFC 6710
    pub mt_priority: bool,
    /// REQUIRETLS, and that only under TLS. RFC 8689
    pub require_tls: bool,
}

/// How long a message may be held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FutureRelease {
    /// The longest HOLDFOR.
    pub max_interval: Duration,
    /// The latest HOLDUNTIL.
    pub max_until: Timestamp,
}

impl Offers {
    /// The lines that EHLO is answered with.
    pub(crate) fn lines(&self, encrypted: bool) -> impl Iterator<Item = String> {
        let word = |offered: bool, word: &str| offered.then(|| word.to_owned());
        let future_release = self.future_release.as_ref().map(|hold| {
            let (interval, until) = (hold.max_interval.as_secs(), hold.max_until.rfc3339());
            format!("FUTURERELEASE {interval} {until}")
        });
        let deliver_by = self.deliver_by.map(|least| match least.as_secs() {
            0 => "DELIVERBY".to_owned(),
            seconds => format!("DELIVERBY {seconds}"),
        });
        [
            word(self.binary_mime, "BINARYMIME"),
            word(self.utf8, "SMTPUTF8"),
            word(self.dsn, "DSN"),
            future_release,
            deliver_by,
            word(self.mt_priority, "MT-PRIORITY"),
            word(self.require_tls && encrypted, "REQUIRETLS"),
        ]
        .into_iter()
        .flatten()
    }

    /// Octets by which a command line may be longer, where `auth` tells whether AUTH is offered too.
    pub(crate) fn octets(&self, auth: bool) -> usize {
        let count = |offered: bool, octets: usize| if offered { octets } else { 0 };
        let mail = count(self.utf8, octets::UTF8)
            + count(self.dsn, octets::DSN_MAIL)
            + count(self.future_release.is_some(), octets::FUTURE_RELEASE)
            + count(self.deliver_by.is_some(), octets::DELIVER_BY)
            + count(self.mt_priority, octets::MT_PRIORITY)
            + count(self.require_tls, octets::REQUIRE_TLS)
            + count(auth, octets::AUTH);
        mail.max(count(self.dsn, octets::DSN_RCPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Offers {
        Offers {
            utf8: true,
            binary_mime: true,
            dsn: true,
            future_release: Some(FutureRelease {
                max_interval: Duration::from_secs(604_800),
                max_until: Timestamp::from_secs(1_800_000_000),
            }),
            deliver_by: Some(Duration::from_secs(600)),
            mt_priority: true,
            require_tls: true,
        }
    }

    #[test]
    fn what_is_offered_is_said() {
        assert_eq!(Offers::default().lines(true).count(), 0);
        let said: Vec<_> = all().lines(true).collect();
        let expected = [
            "BINARYMIME",
            "SMTPUTF8",
            "DSN",
            "FUTURERELEASE 604800 2027-01-15T08:00:00Z",
            "DELIVERBY 600",
            "MT-PRIORITY",
            "REQUIRETLS",
        ];
        assert_eq!(said, expected);
        assert!(!all().lines(false).any(|line| line == "REQUIRETLS"));
        let at_once = Offers {
            deliver_by: Some(Duration::ZERO),
            ..Offers::default()
        };
        assert_eq!(at_once.lines(true).collect::<Vec<_>>(), ["DELIVERBY"]);
    }

    #[test]
    fn a_line_grows_with_what_is_offered_and_stays_short() {
        assert_eq!(Offers::default().octets(false), 0);
        let dsn = Offers {
            dsn: true,
            ..Offers::default()
        };
        assert_eq!(dsn.octets(false), 536);
        assert_eq!(dsn.octets(true), 616);
        // Attack 14: with the 555 octets of every session this stays well below 2 KiB.
        assert_eq!(all().octets(true), 703);
    }
}
