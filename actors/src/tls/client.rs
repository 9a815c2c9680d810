//! ClientIdentity: who a client is, by the certificate that it proved to have and that our authority signed.

use rustls::pki_types::CertificateDer;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer as _};

/// Names of one kind that are kept of a certificate.
const MAX_NAMES: usize = 16;

/// The longest name that is kept, in octets: an address (RFC 5321 §4.5.3.1.3), and with that any domain.
const MAX_NAME_OCTETS: usize = 254;

/// Who a client is. Its names are printable and short, and what its authority vouches for; it may have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientIdentity {
    /// Its mailboxes (rfc822Name, RFC 5280 §4.2.1.6).
    pub mailboxes: Box<[Box<str>]>,
    /// Its hosts (dNSName).
    pub hosts: Box<[Box<str>]>,
    /// The common name of its subject, whatever that is.
    pub common_name: Option<Box<str>>,
}

impl ClientIdentity {
    /// Reads it from a verified certificate.
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let names = certificate.subject_alternative_name().ok()?;
        let names = names.map_or(&[][..], |names| &names.value.general_names);
        let common_name = certificate
            .subject()
            .iter_common_name()
            .find_map(|name| name.as_str().ok());
        Some(Self {
            mailboxes: kept(names, |name| match name {
                GeneralName::RFC822Name(mailbox) => Some(mailbox),
                _ => None,
            }),
            hosts: kept(names, |name| match name {
                GeneralName::DNSName(host) => Some(host),
                _ => None,
            }),
            common_name: common_name.filter(|name| is_presentable(name)).map(Into::into),
        })
    }

    /// The name by which it is shown.
    #[must_use]
    pub fn shown(&self) -> &str {
        let first = self.mailboxes.first().or(self.hosts.first());
        first.or(self.common_name.as_ref()).map_or("unnamed", |name| name)
    }
}

fn kept<'a>(
    names: &[GeneralName<'a>],
    of_kind: impl Fn(&GeneralName<'a>) -> Option<&'a str>,
) -> Box<[Box<str>]> {
    let names = names.iter().filter_map(of_kind);
    names
        .filter(|name| is_presentable(name))
        .take(MAX_NAMES)
        .map(Into::into)
        .collect()
}

fn is_presentable(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME_OCTETS && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn identity(names: Vec<SanType>, common_name: &str) -> ClientIdentity {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.distinguished_name.push(DnType::CommonName, common_name);
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        ClientIdentity::of(made.der()).unwrap()
    }

    fn mailbox(address: &str) -> SanType {
        SanType::Rfc822Name(address.try_into().unwrap())
    }

    #[test]
    fn it_has_the_names_that_a_certificate_has() {
        let host = SanType::DnsName("relay.example.org".try_into().unwrap());
        let client = identity(vec![host, mailbox("alice@example.org")], "Alice");
        assert_eq!(&*client.mailboxes, ["alice@example.org".into()]);
        assert_eq!(&*client.hosts, ["relay.example.org".into()]);
        assert_eq!(client.common_name.as_deref(), Some("Alice"));
        assert_eq!(client.shown(), "alice@example.org");
        assert_eq!(identity(vec![], "Alice").shown(), "Alice");
    }

    #[test]
    fn what_could_forge_a_line_or_fill_memory_is_left_out() {
        let long = format!("{}@example.org", "a".repeat(300));
        let mut names = vec![mailbox("a@example.org\r\nX"), mailbox(&long), mailbox("")];
        names.extend((0..100).map(|number| mailbox(&format!("u{number}@example.org"))));
        let client = identity(names, "Alice\nBob");
        assert_eq!(client.mailboxes.len(), MAX_NAMES);
        assert_eq!(client.mailboxes[0], "u0@example.org".into());
        assert_eq!(client.common_name, None);
        assert_eq!(ClientIdentity::of(&CertificateDer::from(vec![0x30, 0x00])), None);
    }
}
