//! Header fields and MIME structure: what is found, and what is made of the message, does not depend on how it arrives,
//! lies within it, and keeps to its bounds.

use message::binary::{BinaryConverter, BinaryFault};
use message::structure::{MAX_DEPTH, MAX_KEPT, MAX_PARTS, MAX_TEXT};
use message::submission::{Completion, SubmissionFault, Supplement};
use message::{
    DomainName, EmailAddress, HeaderExcess, HeaderGauge, HeaderLimits, HopCounter, MessageId, Structure,
    StructureScanner, Timestamp,
};

use crate::corpus::{Cuts, Octets, fuzz};

#[test]
fn headers() {
    fuzz("headers", |octets, cuts| {
        let whole = Structure::of(octets);
        check_places(&whole, octets.len() as u64);
        check_bounds(&whole);
        for cuts in [cuts, &Cuts::octets()] {
            let mut scanner = StructureScanner::new();
            cuts.of(octets).for_each(|piece| scanner.feed(piece));
            assert_eq!(scanner.finish(), whole);
            assert_eq!(hops(octets, cuts), hops(octets, &Cuts::whole()));
            assert_eq!(excess(octets, cuts), excess(octets, &Cuts::whole()));
            assert_eq!(completed(octets, cuts), completed(octets, &Cuts::whole()));
            assert_eq!(converted(octets, cuts), converted(octets, &Cuts::whole()));
        }
        if let Ok(message) = completed(octets, &Cuts::whole()) {
            check_completed(&message);
        }
    });
}

fn hops(octets: &[u8], cuts: &Cuts) -> (u32, bool) {
    let mut counter = HopCounter::new();
    cuts.of(octets).for_each(|piece| counter.feed(piece));
    (counter.count(), counter.header_ended())
}

fn excess(octets: &[u8], cuts: &Cuts) -> Option<HeaderExcess> {
    let mut gauge = HeaderGauge::new(HeaderLimits {
        octets: 1_000,
        field_octets: 300,
        fields: 20,
    });
    cuts.of(octets).find_map(|piece| gauge.feed(piece).err())
}

/// The message as a submission makes it.
fn completed(octets: &[u8], cuts: &Cuts) -> Result<Octets, SubmissionFault> {
    let mut completion = Completion::new(Supplement {
        date: Timestamp::from_millis(1_795_464_952_250),
        id: MessageId::from_bytes([7; 16]),
        host: DomainName::parse(b"mail.example.org").expect("a name"),
        sender: EmailAddress::parse(b"alice@example.org").expect("an address"),
    });
    let mut message = Vec::new();
    for piece in cuts.of(octets) {
        completion.feed(piece, &mut message)?;
    }
    completion.finish(&mut message)?;
    Ok(Octets(message))
}

/// What any mail program can show, and nobody learns whom a copy went to in secret.
fn check_completed(message: &Octets) {
    let envelope = Structure::of(&message.0).envelope;
    assert!(envelope.bcc.is_empty(), "{message:?}");
    assert!(
        envelope.date.is_some() && envelope.message_id.is_some(),
        "{message:?}"
    );
    assert!(!envelope.from.is_empty(), "{message:?}");
}

/// The message without binary.
fn converted(octets: &[u8], cuts: &Cuts) -> Result<(Octets, usize), BinaryFault> {
    let mut converter = BinaryConverter::new();
    let mut message = Vec::new();
    for piece in cuts.of(octets) {
        converter.feed(piece, &mut message)?;
    }
    let encoded = converter.finish(&mut message)?;
    Ok((Octets(message), encoded))
}

/// A reader takes what stands at these places without looking.
fn check_places(structure: &Structure, octets: u64) {
    assert_eq!(structure.total_octets(), octets);
    for (index, part) in structure.parts.iter().enumerate() {
        assert!(part.header_start <= part.body_start, "{part:?}");
        assert!(part.body_start <= part.body_end, "{part:?}");
        assert!(part.body_end <= octets, "{part:?}");
        for (_, child) in structure.children(index) {
            assert!(child.header_start >= part.body_start, "{child:?} in {part:?}");
            assert!(child.body_end <= part.body_end, "{child:?} in {part:?}");
        }
    }
}

fn check_bounds(structure: &Structure) {
    assert!(structure.parts.len() <= MAX_PARTS);
    assert!(
        structure
            .parts
            .iter()
            .all(|part| usize::from(part.depth) <= MAX_DEPTH)
    );
    let subject = structure.envelope.subject.as_ref();
    assert!(subject.is_none_or(|subject| subject.as_bytes().len() <= MAX_TEXT));
    // Numbers and names of a part take less than a hundred octets of a record.
    let record = postcard::to_stdvec(structure).expect("a record");
    assert!(
        record.len() <= 2 * MAX_KEPT + 100 * MAX_PARTS,
        "{} octets",
        record.len()
    );
}
