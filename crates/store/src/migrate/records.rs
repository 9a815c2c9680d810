//! To format 2: records of older versions are written in the version of today, so that a later version need not know the
//! older ones. Both formats are read alike: a server may run on a store that is on its way.

use bytes::Bytes;

use super::Step;
use crate::{
    batch::Op,
    key::{Key, Keyspace, PREFIX_OCTETS, directory, spool, trail},
    record::{
        self, Record, RecordError,
        directory::Account,
        spool::{SpoolMessage, SpoolRecipient},
        trail::TrailStep,
    },
};

/// The step to format 2.
pub(super) struct CurrentRecords;

impl Step for CurrentRecords {
    fn to(&self) -> u32 {
        2
    }

    fn what(&self) -> &'static str {
        "writes records of older versions anew"
    }

    fn record(&self, key: &Key, octets: &Bytes) -> Result<Vec<Op>, RecordError> {
        let kind = key.bytes.get(PREFIX_OCTETS - 1).copied().unwrap_or_default();
        match (key.space, kind) {
            (Keyspace::Directory, directory::ACCOUNT) => renew::<Account>(key, octets),
            (Keyspace::Spool, spool::MESSAGE) => renew::<SpoolMessage>(key, octets),
            (Keyspace::Spool, spool::RECIPIENT) => renew::<SpoolRecipient>(key, octets),
            (Keyspace::Trail, trail::STEP) => renew::<TrailStep>(key, octets),
            // Of the other kinds there has been one version only.
            _ => Ok(Vec::new()),
        }
    }
}

fn renew<R: Record>(key: &Key, octets: &Bytes) -> Result<Vec<Op>, RecordError> {
    if octets.first() == Some(&R::VERSION) {
        return Ok(Vec::new());
    }
    let record: R = record::decode(octets)?;
    Ok(vec![Op::Put(key.clone(), record::encode(&record)?)])
}
