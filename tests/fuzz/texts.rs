//! Texts on their way in: what a submission becomes, what a binary message becomes, and how large a header is. None of it
//! depends on how the text arrives, what comes of it is lines and stays as it is when it comes again.

use message::address::{DomainName, EmailAddress};
use message::binary::BinaryConverter;
use message::header::{HeaderGauge, HeaderLimits};
use message::id::MessageId;
use message::structure::{Encoding, Structure};
use message::submission::{Claims, Completion, Supplement};
use message::time::Timestamp;

use crate::corpus::{Cuts, fuzz};

#[test]
fn texts() {
    fuzz("texts", |octets, cuts| {
        let (whole, single) = (Cuts::whole(), Cuts::octets());
        let (measured, completed, converted) = (
            measure(octets, &whole),
            complete(octets, &whole),
            convert(octets, &whole),
        );
        for cuts in [cuts, &single] {
            assert_eq!(measure(octets, cuts), measured);
            assert_eq!(complete(octets, cuts), completed);
            assert_eq!(convert(octets, cuts), converted);
        }
        if let Some((text, claims)) = completed {
            assert!(!claims.from.is_empty());
            assert_eq!(complete(&text, cuts), Some((text, claims)));
        }
        if let Some(text) = converted {
            let bare = text
                .split(|octet| *octet == b'\n')
                .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
            assert!(bare.clone().all(|line| !line.contains(&b'\r')));
            assert_eq!(
                text.windows(2).filter(|pair| pair == b"\r\n").count() + 1,
                bare.count()
            );
            let parts = Structure::of(&text).parts;
            assert!(parts.iter().all(|part| part.encoding != Encoding::Binary));
            assert_eq!(convert(&text, cuts), Some(text));
        }
    });
}

fn measure(octets: &[u8], cuts: &Cuts) -> Option<bool> {
    let mut gauge = HeaderGauge::new(HeaderLimits {
        octets: 500,
        field_octets: 200,
        fields: 10,
    });
    for piece in cuts.of(octets) {
        gauge.feed(piece).ok()?;
    }
    Some(gauge.has_ended())
}

fn complete(octets: &[u8], cuts: &Cuts) -> Option<(Vec<u8>, Claims)> {
    let mut completion = Completion::new(Supplement {
        date: Timestamp::EPOCH,
        id: MessageId::from_bytes([7; 16]),
        host: DomainName::parse(b"example.org").expect("a domain"),
        sender: EmailAddress::parse(b"alice@example.org").ok(),
    });
    let mut text = Vec::new();
    for piece in cuts.of(octets) {
        completion.feed(piece, &mut text).ok()?;
    }
    completion.finish(&mut text).ok()?;
    Some((text, completion.take_claims()?))
}

fn convert(octets: &[u8], cuts: &Cuts) -> Option<Vec<u8>> {
    let mut converter = BinaryConverter::new();
    let mut text = Vec::new();
    for piece in cuts.of(octets) {
        converter.feed(piece, &mut text).ok()?;
    }
    converter.finish(&mut text).ok()?;
    Some(text)
}
