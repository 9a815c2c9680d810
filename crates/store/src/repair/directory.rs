//! Mends the directory: names are claimed by whom they belong to, and every account has its address.

use message::{
    address::{DomainName, EmailAddress},
    id::{AccountId, TenantId},
    time::Timestamp,
};

use super::{Mender, kind_of};
use crate::{
    engine::{Snapshot, StoreError},
    key::{Key, Keyspace, Partition, directory as keys, mailbox as boxes},
    read::Range,
    record::{
        directory::{Account, Address, AddressOwner, Claim, Domain, Tenant},
        mailbox::UidValidity,
        state::{AccountState, Limits, TenantState},
    },
    verify::tenant_of,
};

/// The domain of accounts that are left without any. RFC 2606 §2
const NOWHERE: &[u8] = b"recovered.invalid";

impl<S: Snapshot> Mender<S> {
    pub(super) fn mend_directory(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        match kind_of(key) {
            keys::TENANT => self.mend_tenant(key, why),
            keys::TENANT_NAME => self.mend_tenant_name(key, why),
            keys::DOMAIN => self.mend_domain(key, why),
            keys::DOMAIN_NAME => self.mend_domain_name(key, why),
            keys::ACCOUNT => self.mend_account(key, why),
            keys::ADDRESS => self.mend_address(key, why),
            _ => self.set_aside(key, why),
        }
    }

    pub(super) fn recount_domain(&mut self, key: &Key, what: &str, counted: u64) -> Result<(), StoreError> {
        match self.read::<Domain>(key)? {
            Some(row) if what == "addresses" => {
                let addresses = u32::try_from(counted).unwrap_or(u32::MAX);
                self.put(key, &Domain { addresses, ..row }, "counted again")
            }
            _ => Ok(()),
        }
    }

    fn mend_tenant(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let (Some(id), Some(row)) = (keys::parse_tenant(&key.bytes), self.read::<Tenant>(key)?) else {
            return Ok(());
        };
        let name = keys::tenant_name(&row.name);
        match self.read::<Claim>(&name)? {
            Some(claim) if claim.tenant != id && self.overlay.has(&keys::tenant(claim.tenant))? => {
                // Two of one name: the other has it.
                let name = format!("{}-{}", row.name, id.get());
                self.put(key, &Tenant { name, ..row }, why)?;
            }
            Some(claim) if claim.tenant == id => {}
            _ => self.put(&name, &Claim { tenant: id }, why)?,
        }
        let state = boxes::tenant_state(id);
        if self.overlay.has(&state)? {
            return Ok(());
        }
        let row = TenantState {
            usage: crate::record::state::Usage::default(),
            limits: Limits::default(),
            max_accounts: None,
            accounts: 0,
            domains: 0,
            next_uid_validity: self.next_uid_validity(id)?,
        };
        self.put(&state, &row, why)
    }

    /// No account has had a higher one.
    fn next_uid_validity(&self, tenant: TenantId) -> Result<UidValidity, StoreError> {
        let mut highest = UidValidity::default();
        Range::of(Keyspace::Mailbox, &tenant.get().to_be_bytes()).each(
            &self.overlay,
            |key| boxes::parse_id(key, boxes::ACCOUNT_STATE),
            |_, state: AccountState| highest = highest.max(state.next_uid_validity),
        )?;
        Ok(highest)
    }

    fn mend_tenant_name(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let Some(name) = keys::parse_text(&key.bytes, keys::TENANT_NAME).map(str::to_owned) else {
            return self.set_aside(key, why);
        };
        let Some(claim) = self.read::<Claim>(key)? else {
            return Ok(());
        };
        let tenant = keys::tenant(claim.tenant);
        if self.overlay.has(&tenant)? {
            return self.set_aside(key, why);
        }
        let created = Timestamp::from_secs(0);
        self.put(&tenant, &Tenant { name, created }, why)
    }

    fn mend_domain(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let (Some(tenant), Some(row)) = (tenant_of(&key.bytes), self.read::<Domain>(key)?) else {
            return Ok(());
        };
        if keys::domain(tenant, &row.name) != *key {
            return self.set_aside(key, why);
        }
        let name = keys::domain_name(&row.name);
        match self.read::<Claim>(&name)? {
            Some(claim) if self.overlay.has(&keys::domain(claim.tenant, &row.name))? => {
                if claim.tenant == tenant {
                    return Ok(());
                }
                self.set_aside(key, why)
            }
            _ => self.put(&name, &Claim { tenant }, why),
        }
    }

    fn mend_domain_name(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let name = keys::parse_text(&key.bytes, keys::DOMAIN_NAME)
            .and_then(|name| DomainName::parse(name.as_bytes()).ok());
        let (Some(name), Some(claim)) = (name, self.read::<Claim>(key)?) else {
            return self.set_aside(key, why);
        };
        self.make_domain(claim.tenant, name, why)
    }

    fn make_domain(&mut self, tenant: TenantId, name: DomainName, why: &str) -> Result<(), StoreError> {
        let key = keys::domain(tenant, &name);
        let row = Domain {
            name,
            catch_all: None,
            created: Timestamp::from_secs(0),
            addresses: 0,
        };
        self.put(&key, &row, why)
    }

    fn mend_account(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let id = tenant_of(&key.bytes).zip(keys::parse_account(&key.bytes));
        let (Some((tenant, id)), Some(mut row)) = (id, self.read::<Account>(key)?) else {
            return Ok(());
        };
        let at = keys::address(tenant, &row.address.lookup_key());
        match self.read::<Address>(&at)?.map(|address| address.owner) {
            Some(AddressOwner::Account(owner)) if owner == id => {}
            Some(AddressOwner::Account(owner)) if self.overlay.has(&keys::account(tenant, owner))? => {
                // Two of one address: the other has it.
                row.address = self.spare_address(tenant, id)?;
                self.put(key, &row, why)?;
                self.give_address(tenant, id, row.address.clone(), why)?;
            }
            Some(AddressOwner::Account(_)) | None => {
                self.give_address(tenant, id, row.address.clone(), why)?;
            }
            Some(AddressOwner::Alias(_)) => {
                self.set_aside(&at, why)?;
                self.give_address(tenant, id, row.address.clone(), why)?;
            }
        }
        let mut names = std::collections::BTreeSet::new();
        let before = row.app_passwords.len();
        row.app_passwords.retain(|known| names.insert(known.name.clone()));
        if row.app_passwords.len() < before {
            self.put(key, &row, why)?;
        }
        self.need_account_state(tenant, id, why)
    }

    fn give_address(
        &mut self,
        tenant: TenantId,
        account: AccountId,
        address: EmailAddress,
        why: &str,
    ) -> Result<(), StoreError> {
        let key = keys::address(tenant, &address.lookup_key());
        let row = Address {
            address,
            owner: AddressOwner::Account(account),
        };
        self.put(&key, &row, why)
    }

    fn mend_address(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let (Some(tenant), Some(row)) = (tenant_of(&key.bytes), self.read::<Address>(key)?) else {
            return Ok(());
        };
        if keys::address(tenant, &row.address.lookup_key()) != *key {
            return self.set_aside(key, why);
        }
        if let Some(domain) = row.address.domain().name() {
            let claim = self.read::<Claim>(&keys::domain_name(domain))?;
            let is_there = self.overlay.has(&keys::domain(tenant, domain))?;
            if !is_there && claim.is_some_and(|claim| claim.tenant != tenant) {
                return self.set_aside(key, why);
            }
            if !is_there {
                self.make_domain(tenant, domain.clone(), why)?;
            }
        }
        let AddressOwner::Account(id) = row.owner else {
            return Ok(());
        };
        let account = keys::account(tenant, id);
        match self.read::<Account>(&account)? {
            Some(account) if account.address == row.address => Ok(()),
            Some(_) => self.set_aside(key, why),
            None => self.make_account(tenant, id, row.address, why),
        }
    }

    fn make_account(
        &mut self,
        tenant: TenantId,
        id: AccountId,
        address: EmailAddress,
        why: &str,
    ) -> Result<(), StoreError> {
        // Without a password nobody gets in before the operator sets one.
        let row = Account {
            address,
            password: None,
            app_passwords: Vec::new(),
            identities: Vec::new(),
            created: id.id().timestamp(),
            suspended: None,
        };
        self.put(&keys::account(tenant, id), &row, why)?;
        self.need_account_state(tenant, id, why)
    }

    /// An account whose mailboxes are there is made again, under a name that says so.
    pub(super) fn need_account(
        &mut self,
        tenant: TenantId,
        id: AccountId,
        why: &str,
    ) -> Result<(), StoreError> {
        if self.overlay.has(&keys::account(tenant, id))? {
            return Ok(());
        }
        let address = self.spare_address(tenant, id)?;
        self.make_account(tenant, id, address.clone(), why)?;
        self.give_address(tenant, id, address, why)
    }

    /// An address for an account that has lost its own, in the first domain of its tenant.
    fn spare_address(&self, tenant: TenantId, id: AccountId) -> Result<EmailAddress, StoreError> {
        let front = crate::key::prefix(tenant, Partition::OF_TENANT, keys::DOMAIN);
        let mut domain = None;
        Range::of(Keyspace::Directory, &front).each(
            &self.overlay,
            |key| keys::parse_text(key, keys::DOMAIN).map(str::to_owned),
            |_, row: Domain| {
                domain.get_or_insert(row.name);
            },
        )?;
        let domain = domain.map_or_else(
            || String::from_utf8_lossy(NOWHERE).into_owned(),
            |domain| domain.to_string(),
        );
        EmailAddress::parse(format!("recovered-{id}@{domain}").as_bytes())
            .map_err(|why| StoreError::Unreadable(format!("no address for account {id}: {why}")))
    }
}
