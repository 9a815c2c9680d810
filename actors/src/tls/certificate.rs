//! Certificate: a chain with its key, and what is read from it once so that no handshake has to.

use std::sync::Arc;

use message::{address::DomainName, time::Timestamp};
use ring::digest;
use rustls::{
    InconsistentKeys,
    crypto::ring::ALL_CIPHER_SUITES,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::ClientHello,
    sign::CertifiedKey,
};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer as _,
    signature_algorithm::RsaSsaPssParams, x509::AlgorithmIdentifier,
};

use super::{TlsError, provider};

/// A certificate chain with its key. Copies are the same.
#[derive(Clone, Debug)]
pub struct Certificate(Arc<Known>);

#[derive(Debug)]
struct Known {
    certified: Arc<CertifiedKey>,
    names: Vec<Box<str>>,
    end_point: Option<Box<[u8]>>,
    from: Timestamp,
    until: Timestamp,
}

/// Where a moment stands to the time for which a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Inside it.
    Valid,
    /// Before it: it begins then.
    NotYet(Timestamp),
    /// Behind it: it ended then.
    Expired(Timestamp),
}

/// The same chain. Its key is the same, too: it was found to be that of the first certificate.
impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.certified.cert == other.0.certified.cert
    }
}

impl Certificate {
    /// Reads a certificate chain and its key, both in PEM.
    ///
    /// # Errors
    /// [`TlsError`] when either cannot be read or they do not go together.
    pub fn read(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(TlsError::Certificate)?;
        let first = chain.first().ok_or(TlsError::NoCertificate)?.clone();
        let (_, leaf) = X509Certificate::from_der(&first).map_err(|_| TlsError::Malformed)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|why| {
            let is_encrypted = memchr::memmem::find(key, b" ENCRYPTED").is_some();
            if is_encrypted {
                TlsError::EncryptedKey
            } else {
                TlsError::Key(why)
            }
        })?;
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|why| match why {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Mismatch,
            why => TlsError::Unusable(why),
        })?;
        let validity = leaf.validity();
        Ok(Self(Arc::new(Known {
            certified: Arc::new(certified),
            names: names(&leaf),
            end_point: end_point(&first, &leaf.signature_algorithm),
            from: timestamp(validity.not_before.timestamp()),
            until: timestamp(validity.not_after.timestamp()),
        })))
    }

    /// The names it is for, in lower case: `mx.example.org`, `*.example.org`. The subject's common name is none of
    /// them (RFC 9525 §2).
    #[must_use]
    pub fn names(&self) -> &[Box<str>] {
        &self.0.names
    }

    /// Whether it is for this name, given in lower case.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        let wildcard = wildcard_over(name);
        self.names()
            .iter()
            .any(|own| **own == *name || wildcard.as_deref() == Some(own))
    }

    /// Where a moment stands to the time for which it is valid.
    #[must_use]
    pub fn standing(&self, at: Timestamp) -> Standing {
        match &*self.0 {
            known if at < known.from => Standing::NotYet(known.from),
            known if at > known.until => Standing::Expired(known.until),
            _ => Standing::Valid,
        }
    }

    /// The channel binding `tls-server-end-point`; a signature without a hash (Ed25519) gives none. RFC 5929 §4.1
    #[must_use]
    pub fn end_point(&self) -> Option<&[u8]> {
        self.0.end_point.as_deref()
    }

    pub(super) fn certified(&self) -> &Arc<CertifiedKey> {
        &self.0.certified
    }

    /// Whether a client can make something of its kind of key: there may be one of another kind for the same name.
    pub(super) fn suits(&self, hello: &ClientHello<'_>) -> bool {
        let key = &self.0.certified.key;
        let offered = hello.cipher_suites();
        key.choose_scheme(hello.signature_schemes()).is_some()
            && ALL_CIPHER_SUITES.iter().any(|suite| {
                suite.usable_for_signature_algorithm(key.algorithm()) && offered.contains(&suite.suite())
            })
    }
}

/// The wildcard that covers a name: it stands for exactly one label. RFC 9525 §6.3
pub(super) fn wildcard_over(name: &str) -> Option<String> {
    name.split_once('.').map(|(_, rest)| format!("*.{rest}"))
}

/// The DNS names of a certificate. What is no domain name can match none, and is left out.
fn names(leaf: &X509Certificate<'_>) -> Vec<Box<str>> {
    let extension = leaf.subject_alternative_name().ok().flatten();
    let general = extension.iter().flat_map(|names| &names.value.general_names);
    general
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .filter(|name| {
            let rest = name.strip_prefix("*.").unwrap_or(name);
            DomainName::parse(rest.as_bytes()).is_ok()
        })
        .map(String::into_boxed_str)
        .collect()
}

/// The hash of a whole certificate by the hash of its signature, and by SHA-256 where that is MD5 or SHA-1.
fn end_point(certificate: &[u8], signature: &AlgorithmIdentifier<'_>) -> Option<Box<[u8]>> {
    let hash = match signature.algorithm.to_id_string().as_str() {
        // RSA (RFC 8017 §A.2.4) with MD5, SHA-1, SHA-256; ECDSA (RFC 5758 §3.2) with SHA-1, SHA-256.
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.10045.4.1"
        | "1.2.840.10045.4.3.2" => &digest::SHA256,
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => &digest::SHA384,
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => &digest::SHA512,
        // RSASSA-PSS names its hash in the parameters. RFC 4055 §3.1
        "1.2.840.113549.1.1.10" => {
            let parameters = RsaSsaPssParams::try_from(signature.parameters.as_ref()?).ok()?;
            match parameters.hash_algorithm_oid().to_id_string().as_str() {
                "1.3.14.3.2.26" | "2.16.840.1.101.3.4.2.1" => &digest::SHA256,
                "2.16.840.1.101.3.4.2.2" => &digest::SHA384,
                "2.16.840.1.101.3.4.2.3" => &digest::SHA512,
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(digest::digest(hash, certificate).as_ref().into())
}

/// A moment of a certificate; what is before 1970 was always.
fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_secs(u64::try_from(seconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn pair(names: &[&str], algorithm: &'static rcgen::SignatureAlgorithm) -> (String, String) {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2030, 1, 1);
        let made = params.self_signed(&key).unwrap();
        (made.pem(), key.serialize_pem())
    }

    fn read((chain, key): &(String, String)) -> Result<Certificate, TlsError> {
        Certificate::read(chain.as_bytes(), key.as_bytes())
    }

    #[test]
    fn anything_but_a_pair_is_named() {
        let (certificate, key) = pair(&["localhost"], &rcgen::PKCS_ECDSA_P256_SHA256);
        let (_, other) = pair(&["localhost"], &rcgen::PKCS_ECDSA_P256_SHA256);
        let why = |certificate: &str, key: &str| {
            Certificate::read(certificate.as_bytes(), key.as_bytes())
                .map(|_| ())
                .unwrap_err()
        };
        assert!(matches!(why("", &key), TlsError::NoCertificate));
        assert!(matches!(why(&certificate, ""), TlsError::Key(_)));
        assert!(matches!(why(&certificate, &other), TlsError::Mismatch));
        let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        assert!(matches!(why(broken, &key), TlsError::Certificate(_)));
        let empty = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        assert!(matches!(why(empty, &key), TlsError::Malformed));
        let encrypted = key.replace(" PRIVATE", " ENCRYPTED PRIVATE");
        assert!(matches!(why(&certificate, &encrypted), TlsError::EncryptedKey));
    }

    #[test]
    fn it_is_for_its_names_and_a_wildcard_for_one_label() {
        let names = ["MX.example.org", "*.example.net", "not a name"];
        let certificate = read(&pair(&names, &rcgen::PKCS_ECDSA_P256_SHA256)).unwrap();
        let own: Vec<&str> = certificate.names().iter().map(|name| &**name).collect();
        assert_eq!(own, ["mx.example.org", "*.example.net"]);
        for (name, is_covered) in [
            ("mx.example.org", true),
            ("a.example.net", true),
            ("example.net", false),
            ("a.b.example.net", false),
            ("example.org", false),
            ("", false),
        ] {
            assert_eq!(certificate.covers(name), is_covered, "{name}");
        }
    }

    #[test]
    fn it_is_valid_from_one_moment_to_another() {
        let certificate = read(&pair(&["localhost"], &rcgen::PKCS_ED25519)).unwrap();
        let (from, until) = (timestamp(1_577_836_800), timestamp(1_893_456_000));
        for (seconds, expected) in [
            (1_577_836_799, Standing::NotYet(from)),
            (1_577_836_800, Standing::Valid),
            (1_893_456_000, Standing::Valid),
            (1_893_456_001, Standing::Expired(until)),
        ] {
            assert_eq!(certificate.standing(timestamp(seconds)), expected);
        }
    }

    #[test]
    fn its_end_point_is_hashed_as_it_was_signed() {
        for (algorithm, octets) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, Some(32)),
            (&rcgen::PKCS_ECDSA_P384_SHA384, Some(48)),
            (&rcgen::PKCS_ED25519, None),
        ] {
            let certificate = read(&pair(&["localhost"], algorithm)).unwrap();
            assert_eq!(certificate.end_point().map(<[u8]>::len), octets);
        }
        let certificate = read(&pair(&["localhost"], &rcgen::PKCS_ECDSA_P256_SHA256)).unwrap();
        let leaf = &certificate.certified().cert[0];
        let hash = digest::digest(&digest::SHA256, leaf);
        assert_eq!(certificate.end_point(), Some(hash.as_ref()));
    }
}
