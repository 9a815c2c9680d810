//! One chunk as it is stored: a head of ten octets, then its octets, compressed or not.
//!
//! version (1) · method (1) · length before compression (4, big-endian) · CRC-32 of all other octets (4, big-endian)

use std::cell::RefCell;

use bytes::Bytes;

use crate::options::{Compression, MAX_CHUNK_OCTETS};

const VERSION: u8 = 1;
const METHOD_STORED: u8 = 0;
const METHOD_ZSTD: u8 = 1;
const HEAD_OCTETS: usize = 10;
const CHECKSUM_OFFSET: usize = 6;
/// Below this a compressed chunk saves less than its handling costs.
const MIN_COMPRESSED_OCTETS: usize = 512;
/// Compression must save at least this part, or reading pays for nothing.
const MIN_SAVING_PART: usize = 16;

thread_local! {
    // A compression context is half a megabyte to set up: each thread that writes mail keeps its own.
    static COMPRESSOR: RefCell<Option<(i32, zstd::bulk::Compressor<'static>)>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// The stored form of a chunk.
pub(crate) fn encode(raw: &[u8], compression: Compression) -> Bytes {
    let mut stored = Vec::with_capacity(HEAD_OCTETS + raw.len());
    stored.extend_from_slice(&[VERSION, METHOD_STORED]);
    // A chunk has at most 256 KiB.
    stored.extend_from_slice(&u32::try_from(raw.len()).unwrap_or(u32::MAX).to_be_bytes());
    stored.extend_from_slice(&[0; 4]);
    match compression {
        Compression::Zstd(level) if raw.len() >= MIN_COMPRESSED_OCTETS => {
            if let Some(packed) = compress(raw, level) {
                if let Some(method) = stored.get_mut(1) {
                    *method = METHOD_ZSTD;
                }
                stored.extend_from_slice(&packed);
            } else {
                stored.extend_from_slice(raw);
            }
        }
        Compression::Zstd(_) | Compression::None => stored.extend_from_slice(raw),
    }
    let checksum = checksum(&stored).to_be_bytes();
    if let Some(place) = stored.get_mut(CHECKSUM_OFFSET..HEAD_OCTETS) {
        place.copy_from_slice(&checksum);
    }
    Bytes::from(stored)
}

/// The octets of a stored chunk, or what is wrong with it.
pub(crate) fn decode(stored: &Bytes) -> Result<Bytes, &'static str> {
    let head = stored.first_chunk::<HEAD_OCTETS>().ok_or("too short")?;
    let &[version, method, l0, l1, l2, l3, c0, c1, c2, c3] = head;
    if checksum(stored) != u32::from_be_bytes([c0, c1, c2, c3]) {
        return Err("the checksum differs");
    }
    if version != VERSION {
        return Err("the version is unknown");
    }
    let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
    if length > MAX_CHUNK_OCTETS {
        return Err("the length is out of bounds");
    }
    let body = stored.slice(HEAD_OCTETS..);
    let raw = match method {
        METHOD_STORED => body,
        METHOD_ZSTD => decompress(&body, length).ok_or("cannot be decompressed")?,
        _ => return Err("the method is unknown"),
    };
    if raw.len() == length {
        Ok(raw)
    } else {
        Err("the length differs")
    }
}

/// Compressed octets, if that saves enough.
fn compress(raw: &[u8], level: i32) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        if kept.as_ref().is_none_or(|(kept_level, _)| *kept_level != level) {
            *kept = zstd::bulk::Compressor::new(level)
                .ok()
                .map(|compressor| (level, compressor));
        }
        let (_, compressor) = kept.as_mut()?;
        let mut packed = vec![0; raw.len() - raw.len() / MIN_SAVING_PART];
        // What does not fit did not save enough.
        let octets = compressor.compress_to_buffer(raw, &mut packed).ok()?;
        packed.truncate(octets);
        Some(packed)
    })
}

fn decompress(packed: &[u8], length: usize) -> Option<Bytes> {
    DECOMPRESSOR.with_borrow_mut(|kept| {
        if kept.is_none() {
            *kept = zstd::bulk::Decompressor::new().ok();
        }
        kept.as_mut()?.decompress(packed, length).ok().map(Bytes::from)
    })
}

fn checksum(stored: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(stored.get(..CHECKSUM_OFFSET).unwrap_or_default());
    hasher.update(stored.get(HEAD_OCTETS..).unwrap_or_default());
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn compresses_where_it_pays() {
        let check = |raw: &[u8], compression, method: u8, most: usize| {
            let stored = encode(raw, compression);
            assert_eq!(stored[1], method, "{} octets", raw.len());
            assert!(
                stored.len() <= most,
                "{} octets stored as {}",
                raw.len(),
                stored.len()
            );
            assert_eq!(decode(&stored).unwrap(), raw);
        };
        let text = b"Received: from mail.example.org by mx.example.com\r\n".repeat(100);
        let noise: Vec<u8> = (0..5000_u32)
            .flat_map(|n| *blake3::hash(&n.to_be_bytes()).as_bytes())
            .collect();
        check(b"", Compression::Zstd(1), METHOD_STORED, 10);
        check(&text[..511], Compression::Zstd(1), METHOD_STORED, 521);
        check(&text[..512], Compression::Zstd(1), METHOD_ZSTD, 200);
        check(&text, Compression::Zstd(1), METHOD_ZSTD, 200);
        check(&text, Compression::Zstd(3), METHOD_ZSTD, 200);
        check(&text, Compression::None, METHOD_STORED, text.len() + 10);
        check(
            &noise[..MIN_COMPRESSED_OCTETS * 4],
            Compression::Zstd(1),
            METHOD_STORED,
            2058,
        );
        check(&noise, Compression::Zstd(1), METHOD_STORED, noise.len() + 10);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let text = b"a line of a message\r\n".repeat(40);
        for compression in [Compression::None, Compression::Zstd(1)] {
            let stored = encode(&text, compression);
            for at in 0..stored.len() * 8 {
                let mut bent = stored.to_vec();
                bent[at / 8] ^= 1 << (at % 8);
                assert!(decode(&Bytes::from(bent)).is_err(), "bit {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded(raw in prop::collection::vec(any::<u8>(), 0..5000)) {
            prop_assert_eq!(decode(&encode(&raw, Compression::Zstd(1))).unwrap(), raw);
        }

        #[test]
        fn arbitrary_octets_never_panic(stored in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&Bytes::from(stored));
        }
    }
}
