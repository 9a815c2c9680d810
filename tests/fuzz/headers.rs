//! Header fields and MIME structure: what is found does not depend on how the message arrives, lies within it, and keeps
//! to its bounds.

use message::structure::{MAX_DEPTH, MAX_KEPT, MAX_PARTS, MAX_TEXT};
use message::{HopCounter, Structure, StructureScanner};

use crate::corpus::{Cuts, fuzz};

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
        }
    });
}

fn hops(octets: &[u8], cuts: &Cuts) -> (u32, bool) {
    let mut counter = HopCounter::new();
    cuts.of(octets).for_each(|piece| counter.feed(piece));
    (counter.count(), counter.header_ended())
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
