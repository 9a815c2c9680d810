//! What is no record, and what is one of an older version.

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_not_a_record_says_why() {
    let octets = encode(&Due).expect("a record").to_vec();
    let mut newer = octets.clone();
    newer[0] = 9;
    let summed = newer.len() - 4;
    let checksum = crc32fast::hash(&newer[..summed]);
    newer.truncate(summed);
    newer.extend_from_slice(&checksum.to_be_bytes());
    assert_eq!(decode::<Due>(&newer), Err(RecordError::Version("due entry", 9)));
    let mut longer = vec![1, 0];
    let checksum = crc32fast::hash(&longer);
    longer.extend_from_slice(&checksum.to_be_bytes());
    assert_eq!(decode::<Due>(&longer), Err(RecordError::Fields("due entry")));
    assert_eq!(decode::<Due>(&octets[..4]), Err(RecordError::Short("due entry")));
    assert_eq!(decode::<Due>(&[0; 8]), Err(RecordError::Checksum("due entry")));
}

#[test]
fn an_older_version_is_read_through_the_next() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Kept {
        name: String,
        colour: u8,
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct KeptV1 {
        name: String,
    }

    impl From<KeptV1> for Kept {
        fn from(KeptV1 { name }: KeptV1) -> Self {
            Self { name, colour: 7 }
        }
    }

    impl Record for KeptV1 {
        const NAME: &'static str = "kept";
        const VERSION: u8 = 1;
    }

    impl Record for Kept {
        const NAME: &'static str = "kept";
        const VERSION: u8 = 2;

        fn older(version: u8, fields: &[u8]) -> Option<Self> {
            (version == 1).then(|| fields_of::<KeptV1>(fields).map(Into::into))?
        }
    }

    let old = encode(&KeptV1 { name: "a".to_owned() }).expect("a record");
    assert_eq!(
        decode(&old),
        Ok(Kept {
            name: "a".to_owned(),
            colour: 7
        })
    );
}

proptest! {
    #[test]
    fn arbitrary_octets_are_damage_or_a_record(mut octets in proptest::collection::vec(any::<u8>(), 0..200), seal in any::<bool>()) {
        if seal {
            // A right checksum leads on to the fields.
            octets.insert(0, 1);
            let checksum = crc32fast::hash(&octets);
            octets.extend_from_slice(&checksum.to_be_bytes());
        }
        // Arbitrary octets may be a record; they never are a panic.
        let found = [
            decode::<MailboxMessage>(&octets).err(),
            decode::<SpoolMessage>(&octets).err(),
            decode::<SpoolRecipient>(&octets).err(),
            decode::<TrailStep>(&octets).err(),
            decode::<Mailbox>(&octets).err(),
            decode::<CommandResult>(&octets).err(),
        ];
        if !seal {
            prop_assert!(found.iter().any(Option::is_some));
        }
    }
}
