//! ScramClient: the client's half of SCRAM-SHA-256 (RFC 5802, RFC 7677). What proves a password to a server without
//! telling it, and whether the server knows it, too.

use std::fmt;

use base64ct::{Base64, Encoding};
use subtle::ConstantTimeEq;

use crate::secret::Secret;
use crate::verifier::ScramVerifier;

/// One log-in by SCRAM.
pub struct ScramClient {
    header: String,
    bare: String,
    nonce: String,
    /// The header, and behind it what the client is bound to.
    binding: Vec<u8>,
}

/// The proof, and what the server must answer.
pub struct Proof {
    /// client-final-message.
    pub message: String,
    signature: [u8; 32],
}

impl ScramClient {
    /// A client of this name, bound to a channel by a named binding if it can be. `nonce` must be fresh and printable,
    /// without a comma.
    #[must_use]
    pub fn new(name: &str, nonce: &str, binding: Option<(&str, &[u8])>) -> Self {
        let (header, bound) = match binding {
            Some((kind, octets)) => (format!("p={kind},,"), octets),
            None => ("n,,".to_owned(), &[][..]),
        };
        let name = name.replace('=', "=3D").replace(',', "=2C");
        Self {
            bare: format!("n={name},r={nonce}"),
            nonce: nonce.to_owned(),
            binding: [header.as_bytes(), bound].concat(),
            header,
        }
    }

    /// client-first-message.
    #[must_use]
    pub fn first(&self) -> String {
        format!("{}{}", self.header, self.bare)
    }

    /// Answers server-first-message. `None` when it is malformed, is not an answer to this client, or asks for more or
    /// less work than [`ITERATIONS_MINIMUM`](crate::verifier::ITERATIONS_MINIMUM) and
    /// [`ITERATIONS_LIMIT`](crate::verifier::ITERATIONS_LIMIT) allow, and when SASLprep forbids the password.
    #[must_use]
    pub fn prove(&self, challenge: &str, password: &Secret) -> Option<Proof> {
        let mut attributes = challenge.split(',');
        let nonce = attributes.next()?.strip_prefix("r=")?;
        let salt = Base64::decode_vec(attributes.next()?.strip_prefix("s=")?).ok()?;
        let iterations = attributes.next()?.strip_prefix("i=")?.parse().ok()?;
        if nonce.len() <= self.nonce.len() || !nonce.starts_with(&self.nonce) {
            return None;
        }
        let (client_key, verifier) = ScramVerifier::derive(password, &salt, iterations).ok()?;
        let unproven = format!("c={},r={nonce}", Base64::encode_string(&self.binding));
        let auth_message = format!("{},{challenge},{unproven}", self.bare);
        let mut proof = verifier.client_signature(auth_message.as_bytes());
        for (proof, key) in proof.iter_mut().zip(client_key.iter()) {
            *proof ^= key;
        }
        Some(Proof {
            message: format!("{unproven},p={}", Base64::encode_string(&proof)),
            signature: verifier.server_signature(auth_message.as_bytes()),
        })
    }
}

impl Proof {
    /// Whether server-final-message shows that the server has the verifier.
    #[must_use]
    pub fn is_answered_by(&self, message: &str) -> bool {
        let signature = message.strip_prefix("v=").map(Base64::decode_vec);
        matches!(signature, Some(Ok(octets)) if bool::from(octets.ct_eq(&self.signature)))
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677 §3.
    #[test]
    fn the_example_of_the_rfc_is_spoken() {
        let client = ScramClient::new("user", "rOprNGfwEbeRWgbNEkqO", None);
        assert_eq!(client.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let challenge =
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let proof = client.prove(challenge, &Secret::new("pencil")).unwrap();
        assert_eq!(
            proof.message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(proof.is_answered_by("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert!(!proof.is_answered_by("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5="));
        assert!(!proof.is_answered_by("e=other-error"));
    }

    /// Attack 29, from the other side.
    #[test]
    fn a_server_that_asks_for_too_much_or_too_little_gets_nothing() {
        let client = ScramClient::new("user", "nonce", None);
        let check = |challenge: &str, is_proven: bool| {
            let proof = client.prove(challenge, &Secret::new("pencil"));
            assert_eq!(proof.is_some(), is_proven, "{challenge}");
        };
        check("r=nonceX,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", true);
        check("r=nonceX,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095", false);
        check("r=nonceX,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1", false);
        check("r=nonceX,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2147483648", false);
        check("r=nonceX,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-1", false);
        check("r=nonce,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", false);
        check("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", false);
        check("r=nonceX,s=W22Za,i=4096", false);
        check("", false);
    }
}
