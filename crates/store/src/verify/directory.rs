//! Verifies the directory: who claims what, and how many.

use std::collections::BTreeSet;

use bytes::Bytes;
use message::{
    address::DomainName,
    id::{AccountId, TenantId},
};

use super::{Check, Finding, Problem};
use crate::{
    blob::BlobRef,
    engine::{Snapshot, StoreError},
    key::{self, Key, ban, directory as keys, upkeep},
    record::{
        ban::Ban,
        directory::{Account, Address, AddressOwner, Claim, DecoyKey, Domain, Tenant},
        state::{AccountState, FenceRow, TenantState},
        upkeep::Upkeep,
    },
};

impl<S: Snapshot, B, F> Check<'_, S, B, F>
where
    B: FnMut(TenantId, &BlobRef) -> Result<(), String>,
    F: FnMut(Finding),
{
    pub(super) fn directory_row(&mut self, kind: u8, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        match kind {
            keys::TENANT => self.tenant(key, octets),
            keys::TENANT_NAME => self.tenant_name(key, octets),
            keys::DOMAIN => self.domain(key, octets),
            keys::DOMAIN_NAME => self.domain_name(key, octets),
            keys::ACCOUNT => self.account(key, octets),
            keys::ADDRESS => self.address(key, octets),
            keys::DECOY_KEY => {
                let parse = |bytes: &[u8]| (bytes == &*keys::decoy_key().bytes).then_some(());
                self.decode::<_, DecoyKey>(key, octets, parse);
                Ok(())
            }
            keys::FENCE => {
                self.decode::<_, FenceRow>(key, octets, |_| Some(()));
                Ok(())
            }
            upkeep::UPKEEP => {
                self.decode::<_, Upkeep>(key, octets, upkeep::parse_upkeep);
                Ok(())
            }
            ban::BAN => {
                self.decode::<_, Ban>(key, octets, ban::parse_ban);
                Ok(())
            }
            _ => {
                self.find(key, Problem::Unknown);
                Ok(())
            }
        }
    }

    /// Compares what the directory says about counts with what was counted.
    pub(super) fn compare_counts(&mut self) -> Result<(), StoreError> {
        for (tenant, domains) in std::mem::take(&mut self.counts.domains) {
            let key = key::mailbox::tenant_state(tenant);
            if let Some(state) = self.look::<TenantState>(&key)? {
                self.compare(&key, "domains", state.domains.into(), domains.into());
            }
        }
        for (tenant, accounts) in std::mem::take(&mut self.counts.accounts) {
            let key = key::mailbox::tenant_state(tenant);
            if let Some(state) = self.look::<TenantState>(&key)? {
                self.compare(&key, "accounts", state.accounts.into(), accounts.into());
                let usage = self.counts.tenant_usage.get(&tenant).copied().unwrap_or_default();
                self.compare_usage(&key, state.usage, usage);
            }
        }
        for ((tenant, account), mailboxes) in std::mem::take(&mut self.counts.mailboxes) {
            let key = key::mailbox::account_state(tenant, account);
            if let Some(state) = self.look::<AccountState>(&key)? {
                self.compare(&key, "mailboxes", state.mailboxes.into(), mailboxes.into());
                let usage = self
                    .counts
                    .account_usage
                    .get(&(tenant, account))
                    .copied()
                    .unwrap_or_default();
                self.compare_usage(&key, state.usage, usage);
            }
        }
        for ((tenant, name), addresses) in std::mem::take(&mut self.counts.addresses) {
            let key = keys::domain(tenant, &name);
            if let Some(domain) = self.look::<Domain>(&key)? {
                self.compare(&key, "addresses", domain.addresses.into(), addresses.into());
            }
        }
        Ok(())
    }

    fn tenant(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let Some((id, row)) = self.decode::<_, Tenant>(key, octets, keys::parse_tenant) else {
            return Ok(());
        };
        // Counted also when there is nothing to count.
        self.counts.domains.entry(id).or_default();
        self.counts.accounts.entry(id).or_default();
        let claim = self.look::<Claim>(&keys::tenant_name(&row.name))?;
        self.expect(
            key,
            claim.is_some_and(|claim| claim.tenant == id),
            "the tenant's name is not claimed by it",
        );
        let state = self.look::<TenantState>(&key::mailbox::tenant_state(id))?;
        self.expect(key, state.is_some(), "the tenant has no state");
        Ok(())
    }

    fn tenant_name(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let text = |key: &[u8]| keys::parse_text(key, keys::TENANT_NAME).map(str::to_owned);
        let Some((name, claim)) = self.decode::<_, Claim>(key, octets, text) else {
            return Ok(());
        };
        let tenant = self.look::<Tenant>(&keys::tenant(claim.tenant))?;
        self.expect(
            key,
            tenant.is_some_and(|tenant| tenant.name == name),
            "the name is not its claimant's",
        );
        Ok(())
    }

    fn domain(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let text = |bytes: &[u8]| {
            let name = DomainName::parse(keys::parse_text(bytes, keys::DOMAIN)?.as_bytes()).ok()?;
            Some((tenant_of(bytes)?, name))
        };
        let Some(((tenant, name), row)) = self.decode::<_, Domain>(key, octets, text) else {
            return Ok(());
        };
        self.expect(key, row.name == name, "the domain's key is not its name");
        let claim = self.look::<Claim>(&keys::domain_name(&name))?;
        self.expect(
            key,
            claim.is_some_and(|claim| claim.tenant == tenant),
            "the domain's name is not claimed by its tenant",
        );
        *self.counts.domains.entry(tenant).or_default() += 1;
        self.counts.addresses.entry((tenant, name)).or_default();
        Ok(())
    }

    fn domain_name(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let text =
            |bytes: &[u8]| DomainName::parse(keys::parse_text(bytes, keys::DOMAIN_NAME)?.as_bytes()).ok();
        let Some((name, claim)) = self.decode::<_, Claim>(key, octets, text) else {
            return Ok(());
        };
        let domain = self.look::<Domain>(&keys::domain(claim.tenant, &name))?;
        self.expect(key, domain.is_some(), "the claimant has no such domain");
        Ok(())
    }

    fn account(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let parse = |bytes: &[u8]| Some((tenant_of(bytes)?, keys::parse_account(bytes)?));
        let Some(((tenant, id), row)) = self.decode::<_, Account>(key, octets, parse) else {
            return Ok(());
        };
        *self.counts.accounts.entry(tenant).or_default() += 1;
        self.counts.mailboxes.entry((tenant, id)).or_default();
        let address = self.look::<Address>(&keys::address(tenant, &row.address.lookup_key()))?;
        let owned = address.is_some_and(|address| address.owner == AddressOwner::Account(id));
        self.expect(key, owned, "the account's address is not its own");
        let state = self.look::<AccountState>(&key::mailbox::account_state(tenant, id))?;
        self.expect(key, state.is_some(), "the account has no state");
        let names: BTreeSet<_> = row.app_passwords.iter().map(|known| &known.name).collect();
        let each_once = names.len() == row.app_passwords.len();
        self.expect(key, each_once, "two application passwords have one name");
        Ok(())
    }

    fn address(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let text = |bytes: &[u8]| {
            Some((
                tenant_of(bytes)?,
                keys::parse_text(bytes, keys::ADDRESS)?.to_owned(),
            ))
        };
        let Some(((tenant, lookup_key), row)) = self.decode::<_, Address>(key, octets, text) else {
            return Ok(());
        };
        self.expect(
            key,
            row.address.lookup_key() == lookup_key,
            "the address's key is not its folded form",
        );
        if let Some(domain) = row.address.domain().name() {
            let there = self.snapshot.get(&keys::domain(tenant, domain))?.is_some();
            self.expect(key, there, "the address's domain is not there");
            *self.counts.addresses.entry((tenant, domain.clone())).or_default() += 1;
        }
        if let AddressOwner::Account(account) = row.owner {
            let account: Option<Account> = self.look(&keys::account(tenant, account))?;
            let same = account.is_some_and(|account| account.address == row.address);
            self.expect(
                key,
                same,
                "the address's account is not there or has another address",
            );
        }
        Ok(())
    }

    /// Adds what one account has to the sums of its tenant.
    pub(super) fn count_account(&mut self, tenant: TenantId, state: &AccountState) {
        let sum = self.counts.tenant_usage.entry(tenant).or_default();
        *sum = sum.plus(state.usage);
    }

    /// Whether an account is in the directory.
    pub(super) fn has_account(&self, tenant: TenantId, account: AccountId) -> Result<bool, StoreError> {
        Ok(self.snapshot.get(&keys::account(tenant, account))?.is_some())
    }
}

/// The tenant of any key.
pub(crate) fn tenant_of(key: &[u8]) -> Option<TenantId> {
    key.first_chunk::<4>()
        .map(|bytes| TenantId::new(u32::from_be_bytes(*bytes)))
}
