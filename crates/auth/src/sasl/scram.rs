//! SCRAM, the server's half: its four messages and what is proven by them. RFC 5802 §3, §5, §7

use base64ct::{Base64, Encoding};

use super::gs2::{self, Flag};
use super::{Bindings, Refusal};
use crate::verifier::{KEY_LENGTH, ScramVerifier};

/// Octets of randomness that we add to the nonce.
pub const NONCE_LENGTH: usize = 18;

/// Characters of the client's nonce, at most; it needs some 20.
const CLIENT_NONCE_LIMIT: usize = 256;

/// client-first-message, read.
#[derive(Debug)]
pub(super) struct First {
    pub(super) flag: Flag,
    pub(super) acting_for: Option<String>,
    pub(super) name: String,
    /// The header as it was written: the client proves it again.
    header: Box<str>,
    /// What stands behind the header.
    bare: Box<str>,
    nonce: Box<str>,
}

impl First {
    pub(super) fn parse(message: &[u8]) -> Result<Self, Refusal> {
        let text = text(message)?;
        let mut parts = text.splitn(3, ',');
        let (Some(flag), Some(acting_for), Some(bare)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Refusal::Malformed("no header"));
        };
        let acting_for = match acting_for.strip_prefix("a=") {
            Some(name) => Some(gs2::name(name)?),
            None if acting_for.is_empty() => None,
            None => return Err(Refusal::Malformed("the header")),
        };
        let mut attributes = bare.split(',');
        let name = gs2::name(value(attributes.next(), "n=")?)?;
        let nonce = value(attributes.next(), "r=")?;
        if nonce.is_empty() || nonce.len() > CLIENT_NONCE_LIMIT || !is_printable(nonce) {
            return Err(Refusal::Malformed("the nonce"));
        }
        attributes.try_for_each(extension)?;
        Ok(Self {
            flag: Flag::parse(flag)?,
            acting_for,
            name,
            header: text
                .strip_suffix(bare)
                .ok_or(Refusal::Malformed("no header"))?
                .into(),
            bare: bare.into(),
            nonce: nonce.into(),
        })
    }

    /// server-first-message.
    pub(super) fn challenge(self, verifier: ScramVerifier, nonce: &str) -> (Challenged, Vec<u8>) {
        let nonce = format!("{}{nonce}", self.nonce);
        let salt = Base64::encode_string(verifier.salt());
        let challenge = format!("r={nonce},s={salt},i={}", verifier.iterations());
        let octets = challenge.clone().into_bytes();
        let challenged = Challenged {
            first: self,
            verifier,
            nonce,
            challenge,
        };
        (challenged, octets)
    }
}

/// A client that has been told salt and iterations.
#[derive(Debug)]
pub(super) struct Challenged {
    first: First,
    verifier: ScramVerifier,
    nonce: String,
    challenge: String,
}

impl Challenged {
    /// Checks client-final-message and gives server-final-message.
    pub(super) fn verify(&self, message: &[u8], bindings: &Bindings) -> Result<Vec<u8>, Refusal> {
        let text = text(message)?;
        let (unproven, proof) = text.rsplit_once(",p=").ok_or(Refusal::Malformed("no proof"))?;
        let mut attributes = unproven.split(',');
        let binding = decoded(value(attributes.next(), "c=")?)?;
        let nonce = value(attributes.next(), "r=")?;
        attributes.try_for_each(extension)?;
        let proof: [u8; KEY_LENGTH] = decoded(proof)?
            .try_into()
            .map_err(|_| Refusal::Malformed("the proof"))?;
        if nonce != self.nonce {
            return Err(Refusal::Malformed("another nonce"));
        }
        self.check(&binding, bindings)?;
        let auth_message = format!("{},{},{unproven}", self.first.bare, self.challenge);
        if !self.verifier.accepts(auth_message.as_bytes(), &proof) {
            return Err(Refusal::Proof);
        }
        let signature = self.verifier.server_signature(auth_message.as_bytes());
        Ok(format!("v={}", Base64::encode_string(&signature)).into_bytes())
    }

    /// The client says the header again, and behind it what it is bound to. RFC 5802 §7
    fn check(&self, binding: &[u8], bindings: &Bindings) -> Result<(), Refusal> {
        let bound = binding
            .strip_prefix(self.first.header.as_bytes())
            .ok_or(Refusal::Binding)?;
        let fits = match &self.first.flag {
            Flag::Cannot | Flag::Could => bound.is_empty(),
            Flag::Binds(name) => bindings.is(name, bound),
        };
        if fits { Ok(()) } else { Err(Refusal::Binding) }
    }
}

/// Our part of the nonce, as it is written.
pub(super) fn printed(nonce: [u8; NONCE_LENGTH]) -> String {
    Base64::encode_string(&nonce)
}

fn text(message: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(message)
        .ok()
        .filter(|text| !text.contains('\0'))
        .ok_or(Refusal::Malformed("not UTF-8, or a NUL"))
}

fn value<'a>(attribute: Option<&'a str>, prefix: &'static str) -> Result<&'a str, Refusal> {
    attribute
        .and_then(|attribute| attribute.strip_prefix(prefix))
        .ok_or(Refusal::Malformed("an attribute is missing"))
}

/// What we do not know is passed over, but `m=`, which asks us to know it. RFC 5802 §5.1
fn extension(attribute: &str) -> Result<(), Refusal> {
    match attribute.as_bytes() {
        [b'm', b'=', ..] => Err(Refusal::Malformed("a mandatory extension")),
        [name, b'=', _, ..] if name.is_ascii_alphabetic() => Ok(()),
        _ => Err(Refusal::Malformed("an extension")),
    }
}

fn is_printable(nonce: &str) -> bool {
    nonce
        .bytes()
        .all(|octet| (0x21..0x7f).contains(&octet) && octet != b',')
}

fn decoded(text: &str) -> Result<Vec<u8>, Refusal> {
    Base64::decode_vec(text).map_err(|_| Refusal::Malformed("base64 inside a message"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    /// RFC 7677 §3.
    #[test]
    fn the_example_of_the_rfc_is_understood() {
        let text = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==\
                    $WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
        let salt = Base64::decode_vec("W22ZaJ0SNY7soEsUEjb6gQ==")
            .unwrap()
            .try_into()
            .unwrap();
        let verifier = ScramVerifier::create(&Secret::new("pencil"), salt, 4096).unwrap();
        assert_eq!(verifier.to_text(), text);
        let first = First::parse(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        assert_eq!(first.name, "user");
        let (challenged, challenge) = first.challenge(verifier, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        assert_eq!(
            challenge,
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let last = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                     p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(
            challenged.verify(last, &Bindings::default()).unwrap(),
            b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
    }

    /// The messages of RFC 5802 §5, whose hash is another, and what its grammar forbids.
    #[test]
    fn first_messages_are_read() {
        let check = |message: &str, expected: Option<(Flag, Option<&str>, &str)>| {
            let first = First::parse(message.as_bytes());
            let first = first.as_ref().ok();
            let read = first.map(|first| (first.flag.clone(), first.acting_for.as_deref(), &*first.name));
            assert_eq!(read, expected, "{message:?}");
        };
        check(
            "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            Some((Flag::Cannot, None, "user")),
        );
        check(
            "y,a=b=2Cc,n=a=3Db,r=x,x=1",
            Some((Flag::Could, Some("b,c"), "a=b")),
        );
        let binds = Flag::Binds("tls-exporter".into());
        check("p=tls-exporter,,n=ü,r=x", Some((binds, None, "ü")));
        for message in [
            "",
            "n",
            "n,,",
            "n,n=user,r=x",
            "n,,r=x,n=user",
            "n,,n=,r=x",
            "n,,n=user,r=",
            "n,,n=user",
            "n,,n=us=er,r=x",
            "n,a=,n=user,r=x",
            "n,b=c,n=user,r=x",
            "n,,m=x,n=user,r=x",
            "n,,n=user,r=x,m=x",
            "n,,n=user,r=x,",
            "n,,n=user,r=x,xx",
            "n,,n=user,r=x,x=",
            "n,,n=user,r=x y",
            "n,,n=us\0er,r=x",
            "q,,n=user,r=x",
        ] {
            check(message, None);
        }
        check(&format!("n,,n=user,r={}", "x".repeat(257)), None);
        assert!(First::parse(b"n,,n=\xff,r=x").is_err());
    }
}
