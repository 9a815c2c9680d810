mod address_lists;
mod fields;
mod mime;
mod odd;
mod tree;

use super::*;

/// One line a part: indentation for depth, media type, body octets, lines.
fn outline(structure: &Structure) -> Vec<String> {
    let line = |part: &Part| {
        let indent = " ".repeat(usize::from(part.depth));
        format!("{indent}{} {} {}", part.media.as_str(), part.octets(), part.lines)
    };
    structure.parts.iter().map(line).collect()
}

/// The structure of `message` whatever its chunks are: all sizes are tried, and every place for one cut.
fn scan(message: &[u8]) -> Structure {
    let whole = Structure::of(message);
    for size in (1..=17).chain([64, 4096]) {
        assert_eq!(in_chunks(message, size), whole, "in chunks of {size}");
    }
    if message.len() < 1_000 {
        for cut in 0..message.len() {
            let mut scanner = StructureScanner::new();
            scanner.feed(&message[..cut]);
            scanner.feed(&message[cut..]);
            assert_eq!(scanner.finish(), whole, "cut at {cut}");
        }
    }
    agrees_with_itself(&whole, message);
    whole
}

fn in_chunks(message: &[u8], size: usize) -> Structure {
    let mut scanner = StructureScanner::new();
    message.chunks(size).for_each(|chunk| scanner.feed(chunk));
    scanner.finish()
}

/// What holds for the structure of any octets whatsoever.
fn agrees_with_itself(structure: &Structure, message: &[u8]) {
    assert_eq!(structure.total_octets(), message.len() as u64);
    assert!(structure.parts.len() <= MAX_PARTS);
    let count_lines = |from: u64, to: u64| {
        message[from as usize..to as usize]
            .iter()
            .filter(|octet| **octet == b'\n')
            .count() as u64
    };
    for (index, part) in structure.parts.iter().enumerate() {
        assert!(
            part.header_start <= part.body_start && part.body_start <= part.body_end,
            "{part:?}"
        );
        assert_eq!(
            part.lines,
            count_lines(part.body_start, part.body_end),
            "{part:?}"
        );
        assert_eq!(
            part.lines,
            count_lines(part.body_start, part.body_start + part.octets())
        );
        let children: Vec<_> = structure.children(index).collect();
        match &part.kind {
            PartKind::Leaf => {
                assert!(children.is_empty() && !part.media.is_multipart() && !part.media.is_message())
            }
            PartKind::Multipart => assert!(!children.is_empty() && part.media.is_multipart()),
            PartKind::Message(_) => {
                assert!(children.len() == 1 && part.media.is_message());
                assert_eq!(children[0].1.header_start, part.body_start);
                assert_eq!(children[0].1.body_end, part.body_end);
            }
        }
        let mut from = part.body_start;
        for (_, child) in children {
            assert!(
                child.header_start >= from && child.body_end <= part.body_end,
                "{part:?} holds {child:?}"
            );
            from = child.body_end;
        }
    }
    let bytes = postcard::to_stdvec(structure).unwrap();
    assert!(bytes.len() < MAX_KEPT + MAX_PARTS * 128);
    assert_eq!(&postcard::from_bytes::<Structure>(&bytes).unwrap(), structure);
}
