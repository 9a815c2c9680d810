//! Keys of the directory: tenants, domains, accounts and addresses.

use message::{
    address::DomainName,
    id::{AccountId, ID_LENGTH, TenantId},
};

use super::{Key, KeyReader, KeyWriter, Keyspace, Partition, SYSTEM_TENANT};

/// Kind of a tenant.
pub const TENANT: u8 = b't';
/// Kind of the claim of a tenant's name, unique over all tenants.
pub const TENANT_NAME: u8 = b'n';
/// Kind of a domain.
pub const DOMAIN: u8 = b'd';
/// Kind of the claim of a domain's name, unique over all tenants.
pub const DOMAIN_NAME: u8 = b'e';
/// Kind of an account.
pub const ACCOUNT: u8 = b'a';
/// Kind of an address.
pub const ADDRESS: u8 = b'@';
/// Kind of the key of decoys, one for all tenants.
pub const DECOY_KEY: u8 = b'k';
/// Kind of the fence of a partition.
pub const FENCE: u8 = b'f';

/// The tenant itself.
#[must_use]
pub fn tenant(tenant: TenantId) -> Key {
    writer(tenant, TENANT, 0).finish()
}

/// Who has this tenant name.
#[must_use]
pub fn tenant_name(name: &str) -> Key {
    writer(SYSTEM_TENANT, TENANT_NAME, name.len())
        .put(name.as_bytes())
        .finish()
}

/// A domain of a tenant.
#[must_use]
pub fn domain(tenant: TenantId, name: &DomainName) -> Key {
    let name = name.as_str();
    writer(tenant, DOMAIN, name.len()).put(name.as_bytes()).finish()
}

/// Who has this domain name.
#[must_use]
pub fn domain_name(name: &DomainName) -> Key {
    let name = name.as_str();
    writer(SYSTEM_TENANT, DOMAIN_NAME, name.len())
        .put(name.as_bytes())
        .finish()
}

/// An account of a tenant.
#[must_use]
pub fn account(tenant: TenantId, account: AccountId) -> Key {
    writer(tenant, ACCOUNT, ID_LENGTH)
        .put(account.as_bytes())
        .finish()
}

/// What stands behind an address, by [`EmailAddress::lookup_key`](message::address::EmailAddress::lookup_key).
#[must_use]
pub fn address(tenant: TenantId, lookup_key: &str) -> Key {
    writer(tenant, ADDRESS, lookup_key.len())
        .put(lookup_key.as_bytes())
        .finish()
}

/// The key of decoys.
#[must_use]
pub fn decoy_key() -> Key {
    writer(SYSTEM_TENANT, DECOY_KEY, 0).finish()
}

/// Who owns a partition of a tenant.
#[must_use]
pub fn fence(tenant: TenantId, partition: Partition) -> Key {
    KeyWriter::new(Keyspace::Directory, tenant, partition, FENCE, 0).finish()
}

/// The tenant of the key of a tenant.
#[must_use]
pub fn parse_tenant(key: &[u8]) -> Option<TenantId> {
    let mut reader = KeyReader::new(key);
    let (tenant, _) = reader.prefix(TENANT)?;
    reader.end(tenant)
}

/// The account of the key of an account.
#[must_use]
pub fn parse_account(key: &[u8]) -> Option<AccountId> {
    let mut reader = KeyReader::new(key);
    reader.prefix(ACCOUNT)?;
    let account = AccountId::from(reader.id()?);
    reader.end(account)
}

/// The text behind the prefix of the key of a domain, an address, or a claim, whose kind is given.
#[must_use]
pub fn parse_text(key: &[u8], kind: u8) -> Option<&str> {
    let mut reader = KeyReader::new(key);
    reader.prefix(kind)?;
    reader.rest_as_text()
}

fn writer(tenant: TenantId, kind: u8, more: usize) -> KeyWriter {
    KeyWriter::new(Keyspace::Directory, tenant, Partition::OF_TENANT, kind, more)
}
