//! Blobs: whole, chunk by chunk, abandoned, swept.

use store::{
    apply::Outcome,
    blob::{BlobError, BlobRef, key::chunk_key, key::upload_key},
    engine::{Engine, Snapshot, fjall::FjallEngine, memory::MemoryEngine},
    options::{Compression, Options},
    store::Store,
};

use crate::fixture::{TENANT, accept, blob, furnish, noise, octets, small, wait, write_blob};

fn chunks_present(store: &Store, n: u64, upto: u32) -> usize {
    let view = store.snapshot();
    (0..upto)
        .filter(|&chunk| view.get(&chunk_key(TENANT, blob(n), chunk)).unwrap().is_some())
        .count()
}

fn mark_present(store: &Store, n: u64) -> bool {
    store
        .snapshot()
        .get(&upload_key(TENANT, blob(n)))
        .unwrap()
        .is_some()
}

#[test]
fn a_blob_reads_back_as_it_was_written() {
    let store = Store::memory().unwrap();
    furnish(&store);
    let chunk = Options::default().chunk_octets;
    let check = |n: u64, octets: Vec<u8>, chunks: u32| {
        let sealed = wait(write_blob(&store, n, &octets));
        let reference = sealed.blob.clone();
        assert_eq!(
            (reference.octets, reference.chunks),
            (octets.len() as u64, chunks)
        );
        assert_eq!(reference.checksum, *blake3::hash(&octets).as_bytes());
        // Only what does not fit the last chunk is written before the command.
        assert_eq!(chunks_present(&store, n, chunks), chunks as usize - 1);
        assert_eq!(mark_present(&store, n), chunks > 1);
        assert_eq!(wait(store.propose(accept(n, sealed))), Ok(Outcome::Done));
        assert!(!mark_present(&store, n));
        let reader = store.blob_reader(TENANT, &reference);
        assert_eq!(reader.whole(u64::MAX).unwrap(), octets);
        let parts: Vec<u8> = (0..chunks)
            .flat_map(|chunk| reader.chunk(chunk).unwrap())
            .collect();
        assert_eq!(parts, octets);
        assert!(matches!(reader.chunk(chunks), Err(BlobError::Missing { .. })));
    };
    check(1, Vec::new(), 1);
    check(2, octets(2, 1), 1);
    check(3, octets(3, chunk), 1);
    check(4, octets(4, chunk + 1), 2);
    check(5, noise(5, 3 * chunk), 3);
    check(6, noise(6, 3 * chunk + 17), 4);
}

#[test]
fn chunk_size_and_compression_are_chosen_and_need_not_be_known_to_read() {
    let engine = MemoryEngine::default();
    let small = Options {
        chunk_octets: 1,
        compression: Compression::None,
        ..Options::default()
    };
    let store = Store::over(engine, small).unwrap();
    furnish(&store);
    let octets = octets(1, 200 << 10);
    let sealed = wait(write_blob(&store, 1, &octets));
    // The smallest chunk is 64 KiB, whatever was asked for.
    assert_eq!(sealed.blob.chunks, 4);
    let reference = sealed.blob.clone();
    wait(store.propose(accept(1, sealed))).unwrap();
    assert_eq!(
        store.blob_reader(TENANT, &reference).whole(200 << 10).unwrap(),
        octets
    );
    let too_large = store.blob_reader(TENANT, &reference).whole((200 << 10) - 1);
    assert!(matches!(too_large, Err(BlobError::TooLarge { .. })));
}

#[test]
fn a_dropped_or_discarded_blob_leaves_nothing() {
    let store = Store::memory().unwrap();
    furnish(&store);
    let octets = noise(1, 300 << 10);
    let mut writer = store.blob_writer(TENANT, blob(1));
    wait(writer.push(&octets)).unwrap();
    assert_eq!(chunks_present(&store, 1, 3), 2);
    writer.abandon();
    let sealed = wait(write_blob(&store, 2, &octets));
    store.discard_blob(TENANT, &sealed.blob);
    let accepted = wait(write_blob(&store, 3, &octets));
    let reference = accepted.blob.clone();
    wait(store.propose(accept(3, accepted))).unwrap();
    // Discarding what a command refers to does nothing.
    store.discard_blob(TENANT, &reference);
    wait(store.propose(small(&store, 9))).unwrap();
    assert_eq!(
        (chunks_present(&store, 1, 3), mark_present(&store, 1)),
        (0, false)
    );
    assert_eq!(
        (chunks_present(&store, 2, 3), mark_present(&store, 2)),
        (0, false)
    );
    assert_eq!(
        store.blob_reader(TENANT, &reference).whole(1 << 20).unwrap(),
        octets
    );
}

#[test]
fn damaged_and_missing_chunks_are_values() {
    let dir = tempfile::tempdir().unwrap();
    let octets = noise(1, 300 << 10);
    let reference = {
        let (store, _) = Store::open(dir.path(), Options::default()).unwrap();
        furnish(&store);
        let sealed = wait(write_blob(&store, 1, &octets));
        let reference = sealed.blob.clone();
        wait(store.propose(accept(1, sealed))).unwrap();
        reference
    };
    {
        let engine = FjallEngine::open(&dir.path().join("store"), 1 << 20).unwrap();
        let key = chunk_key(TENANT, blob(1), 1);
        let mut bent = Engine::get(&engine, &key).unwrap().unwrap().to_vec();
        bent[5000] ^= 1;
        let ops = vec![
            store::batch::Op::Put(key, bent.into()),
            store::batch::Op::Delete(chunk_key(TENANT, blob(1), 2)),
        ];
        engine.write(ops, true).unwrap();
    }
    let (store, _) = Store::open(dir.path(), Options::default()).unwrap();
    let reader = store.blob_reader(TENANT, &reference);
    assert_eq!(reader.chunk(0).unwrap(), octets[..128 << 10]);
    assert!(matches!(
        reader.chunk(1),
        Err(BlobError::Damaged { chunk: 1, .. })
    ));
    assert!(matches!(
        reader.chunk(2),
        Err(BlobError::Missing { chunk: 2, .. })
    ));
    reader.whole(1 << 20).unwrap_err();
    let other = BlobRef {
        checksum: [7; 32],
        chunks: 1,
        octets: 128 << 10,
        ..reference
    };
    assert!(matches!(
        store.blob_reader(TENANT, &other).whole(1 << 20),
        Err(BlobError::Damaged { .. })
    ));
}

#[test]
fn a_large_message_is_never_whole_in_memory() {
    const OCTETS: usize = 20 << 20;
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), Options::default()).unwrap();
    furnish(&store);
    let piece = noise(1, 64 << 10);
    let sealed = wait(async {
        let mut writer = store.blob_writer(TENANT, blob(1));
        let mut most_queued = 0;
        for _ in 0..OCTETS / piece.len() {
            writer.push(&piece).await.unwrap();
            most_queued = most_queued.max(store.statistics().queued_octets);
        }
        // The writer waits for each chunk before it fills the next.
        assert!(
            most_queued <= 2 * Options::default().chunk_octets,
            "{most_queued} octets were queued"
        );
        writer.seal()
    });
    let reference = sealed.blob.clone();
    assert_eq!(
        reference.chunks as usize,
        OCTETS / Options::default().chunk_octets
    );
    wait(store.propose(accept(1, sealed))).unwrap();
    let statistics = store.statistics();
    assert_eq!(u64::from(reference.chunks - 1), statistics.unsynced);
    let reader = store.blob_reader(TENANT, &reference);
    let mut hasher = blake3::Hasher::new();
    for chunk in 0..reference.chunks {
        hasher.update(&reader.chunk(chunk).unwrap());
    }
    assert_eq!(*hasher.finalize().as_bytes(), reference.checksum);
}

#[test]
fn uploads_that_were_never_accepted_are_swept_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let octets = noise(1, 300 << 10);
    let open = || Store::open(dir.path(), Options::default()).unwrap();
    let kept = {
        let (store, report) = open();
        assert!(report.created);
        furnish(&store);
        // Sealed but not accepted: what the death of a session leaves.
        drop(wait(write_blob(&store, 1, &octets)));
        let sealed = wait(write_blob(&store, 2, &octets));
        let kept = sealed.blob.clone();
        wait(store.propose(accept(2, sealed))).unwrap();
        drop(wait(write_blob(&store, 3, &octets)));
        assert_eq!(chunks_present(&store, 1, 3), 2);
        kept
    };
    let (store, report) = open();
    assert_eq!((report.created, report.swept_uploads), (false, 2));
    for n in [1, 3] {
        assert_eq!(
            (chunks_present(&store, n, 3), mark_present(&store, n)),
            (0, false)
        );
    }
    assert_eq!(store.blob_reader(TENANT, &kept).whole(1 << 20).unwrap(), octets);
    drop(store);
    assert_eq!(open().1.swept_uploads, 0);
}
