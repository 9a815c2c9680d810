//! The directory, as the model has it.

use std::collections::{BTreeMap, BTreeSet};

use message::{address::EmailAddress, id::TenantId, time::Timestamp};
use store::{
    apply::Outcome,
    command::*,
    record::directory::{MAX_APP_PASSWORDS, MAX_IDENTITIES},
};

use super::{Account, Model, Refusal, Tenant};

impl Model {
    pub(super) fn create_tenant(&mut self, command: &CreateTenant) -> Result<Outcome, Refusal> {
        if command.tenant.get() == 0 || command.name.is_empty() {
            return Err("NotPermitted");
        }
        let taken = self.tenants.values().any(|tenant| tenant.name == command.name);
        if taken || self.tenants.contains_key(&command.tenant) {
            return Err("Exists");
        }
        let (name, limits, max_accounts) = (command.name.clone(), command.limits, command.max_accounts);
        self.tenants.insert(
            command.tenant,
            Tenant {
                name,
                limits,
                max_accounts,
                floor: 1,
            },
        );
        Ok(Outcome::Done)
    }

    pub(super) fn delete_tenant(&mut self, command: &DeleteTenant) -> Result<Outcome, Refusal> {
        if command.tenant == DEFAULT_TENANT {
            return Err("NotPermitted");
        }
        let tenant = self.tenants.get(&command.tenant).ok_or("NoSuchTenant")?;
        if tenant.name != command.name {
            return Err("Stale");
        }
        if self.domain_count(command.tenant) > 0 || self.account_count(command.tenant) > 0 {
            return Err("NotEmpty");
        }
        self.tenants.remove(&command.tenant);
        Ok(Outcome::Done)
    }

    pub(super) fn create_domain(&mut self, command: &CreateDomain) -> Result<Outcome, Refusal> {
        if !self.tenants.contains_key(&command.tenant) {
            return Err("NoSuchTenant");
        }
        if self.domains.contains_key(command.name.as_str()) {
            return Err("Exists");
        }
        self.domains
            .insert(command.name.as_str().to_owned(), command.tenant);
        self.catch(command.name.as_str(), command.catch_all.as_ref());
        Ok(Outcome::Done)
    }

    pub(super) fn set_catch_all(&mut self, command: &SetCatchAll) -> Result<Outcome, Refusal> {
        if self.domains.get(command.name.as_str()) != Some(&command.tenant) {
            return Err("NoSuchDomain");
        }
        self.catch(command.name.as_str(), command.catch_all.as_ref());
        Ok(Outcome::Done)
    }

    fn catch(&mut self, domain: &str, all: Option<&EmailAddress>) {
        match all {
            Some(address) => self.catch_alls.insert(domain.to_owned(), address.clone()),
            None => self.catch_alls.remove(domain),
        };
    }

    pub(super) fn delete_domain(&mut self, command: &DeleteDomain) -> Result<Outcome, Refusal> {
        if !self.tenants.contains_key(&command.tenant) {
            return Err("NoSuchTenant");
        }
        if self.domains.get(command.name.as_str()) != Some(&command.tenant) {
            return Err("NoSuchDomain");
        }
        let end = format!("@{}", command.name.as_str());
        let used = self
            .addresses(command.tenant)
            .iter()
            .any(|address| address.ends_with(&end));
        if used {
            return Err("NotEmpty");
        }
        self.domains.remove(command.name.as_str());
        self.catch(command.name.as_str(), None);
        Ok(Outcome::Done)
    }

    pub(super) fn create_account(
        &mut self,
        command: &CreateAccount,
        at: Timestamp,
    ) -> Result<Outcome, Refusal> {
        if !command.mailboxes.iter().any(|mailbox| mailbox.name.is_inbox()) {
            return Err("NotPermitted");
        }
        let names: BTreeSet<_> = command.mailboxes.iter().map(|mailbox| &mailbox.name).collect();
        if names.len() != command.mailboxes.len() {
            return Err("Exists");
        }
        let accounts = self.account_count(command.tenant);
        let tenant = self.tenants.get(&command.tenant).ok_or("NoSuchTenant")?;
        if tenant.max_accounts.is_some_and(|most| accounts >= most) {
            return Err("OverQuota");
        }
        let floor = tenant.floor;
        if self
            .addresses(command.tenant)
            .contains(&command.address.lookup_key())
        {
            return Err("Exists");
        }
        if self.accounts.contains_key(&(command.tenant, command.account)) {
            return Err("Exists");
        }
        self.owns(command.tenant, &command.address)?;
        let mut account = Account {
            address: command.address.clone(),
            password: command.password.clone(),
            app_passwords: BTreeMap::new(),
            identities: BTreeSet::new(),
            suspended: None,
            limits: command.limits,
            modseq: 1,
            list_modseq: 1,
            next_validity: floor.max(at.as_secs() as u32),
            mailboxes: BTreeMap::new(),
        };
        for mailbox in &command.mailboxes {
            account.add(mailbox);
        }
        self.accounts.insert((command.tenant, command.account), account);
        Ok(Outcome::Done)
    }

    pub(super) fn delete_account(&mut self, command: &DeleteAccount) -> Result<Outcome, Refusal> {
        let place = (command.tenant, command.account);
        let account = self.accounts.get(&place).ok_or("NoSuchAccount")?.clone();
        let listed: BTreeSet<_> = command.mailboxes.iter().map(|(id, _)| *id).collect();
        let there: BTreeSet<_> = account.mailboxes.keys().copied().collect();
        if account.address != command.address
            || account.list_modseq != command.list_modseq.get()
            || listed != there
        {
            return Err("Stale");
        }
        for (id, mailbox) in account.mailboxes {
            self.dig(command.tenant, command.account, id, mailbox);
        }
        let tenant = self.tenants.get_mut(&command.tenant).unwrap();
        tenant.floor = tenant.floor.max(account.next_validity);
        self.accounts.remove(&place);
        Ok(Outcome::Done)
    }

    pub(super) fn rename_account(&mut self, command: &RenameAccount) -> Result<Outcome, Refusal> {
        let (tenant, from, to) = (command.tenant, command.from.lookup_key(), command.to.lookup_key());
        if self.account(tenant, command.account)?.address != command.from {
            return Err("Stale");
        }
        if command.from == command.to {
            return Err("Exists");
        }
        self.owns(tenant, &command.to)?;
        if from != to {
            let own = self.aliases.get(&(tenant, to.clone()));
            let own = own.is_some_and(|targets| targets.iter().all(|target| target.lookup_key() == from));
            if !own && self.addresses(tenant).contains(&to) {
                return Err("Exists");
            }
            self.aliases.remove(&(tenant, to));
            if command.keeps_alias {
                self.aliases
                    .insert((tenant, from.clone()), vec![command.to.clone()]);
            }
        } else if command.keeps_alias {
            return Err("NotPermitted");
        }
        for name in &command.domains {
            if self.domains.get(name.as_str()) != Some(&tenant) {
                return Err("NoSuchDomain");
            }
            let catch_all = self.catch_alls.get_mut(name.as_str()).ok_or("Stale")?;
            if catch_all.lookup_key() != from {
                return Err("Stale");
            }
            catch_all.clone_from(&command.to);
        }
        for alias in &command.aliases {
            let place = (tenant, alias.address.lookup_key());
            let targets = self.aliases.get_mut(&place).ok_or("Stale")?;
            if *targets != alias.before {
                return Err("Stale");
            }
            targets.clone_from(&alias.after);
        }
        self.account(tenant, command.account)?
            .address
            .clone_from(&command.to);
        Ok(Outcome::Done)
    }

    pub(super) fn suspend(&mut self, command: &SuspendAccount, at: Timestamp) -> Result<Outcome, Refusal> {
        let account = self.account(command.tenant, command.account)?;
        let since = match account.suspended {
            Some((_, refuses)) if refuses == command.refuses_mail => return Err("Exists"),
            Some((since, _)) => since,
            None => at,
        };
        account.suspended = Some((since, command.refuses_mail));
        Ok(Outcome::Done)
    }

    pub(super) fn create_alias(&mut self, command: &CreateAlias) -> Result<Outcome, Refusal> {
        if command.targets.is_empty() {
            return Err("NotPermitted");
        }
        if self
            .addresses(command.tenant)
            .contains(&command.address.lookup_key())
        {
            return Err("Exists");
        }
        self.owns(command.tenant, &command.address)?;
        self.aliases.insert(
            (command.tenant, command.address.lookup_key()),
            command.targets.clone(),
        );
        Ok(Outcome::Done)
    }

    pub(super) fn add_app_password(&mut self, command: &AddAppPassword) -> Result<Outcome, Refusal> {
        let new = &command.app_password;
        if new.name.len() > 64 {
            return Err("TooLarge");
        }
        if new.name.is_empty() {
            return Err("NotPermitted");
        }
        let account = self.account(command.tenant, command.account)?;
        if account.app_passwords.contains_key(&new.name) {
            return Err("Exists");
        }
        if account.app_passwords.len() == MAX_APP_PASSWORDS {
            return Err("TooLarge");
        }
        account.app_passwords.insert(new.name.clone(), new.clone());
        Ok(Outcome::Done)
    }

    pub(super) fn remove_app_password(&mut self, command: &RemoveAppPassword) -> Result<Outcome, Refusal> {
        let account = self.account(command.tenant, command.account)?;
        let removed = account.app_passwords.remove(&command.name);
        removed.map(|_| Outcome::Done).ok_or("NoSuchAppPassword")
    }

    pub(super) fn add_identity(&mut self, command: &AddIdentity) -> Result<Outcome, Refusal> {
        self.account(command.tenant, command.account)?;
        let name = command.identity.domain().ok_or("NoSuchDomain")?;
        if self.domains.get(name.as_str()) != Some(&command.tenant) {
            return Err("NoSuchDomain");
        }
        let account = self.account(command.tenant, command.account)?;
        let text = command.identity.to_string().to_lowercase();
        if account.identities.contains(&text) {
            return Err("Exists");
        }
        if account.identities.len() == MAX_IDENTITIES {
            return Err("TooLarge");
        }
        account.identities.insert(text);
        Ok(Outcome::Done)
    }

    pub(super) fn remove_identity(&mut self, command: &RemoveIdentity) -> Result<Outcome, Refusal> {
        let account = self.account(command.tenant, command.account)?;
        if account
            .identities
            .remove(&command.identity.to_string().to_lowercase())
        {
            Ok(Outcome::Done)
        } else {
            Err("NoSuchIdentity")
        }
    }

    pub(super) fn addresses(&self, tenant: TenantId) -> BTreeSet<String> {
        let accounts = self.accounts.iter().filter(|((of, _), _)| *of == tenant);
        let logins = accounts.map(|(_, account)| account.address.lookup_key());
        let aliases = self
            .aliases
            .keys()
            .filter(|(of, _)| *of == tenant)
            .map(|(_, key)| key.clone());
        logins.chain(aliases).collect()
    }

    pub(super) fn owns(&self, tenant: TenantId, address: &EmailAddress) -> Result<(), Refusal> {
        let owner = address
            .domain()
            .name()
            .and_then(|name| self.domains.get(name.as_str()));
        if owner == Some(&tenant) {
            Ok(())
        } else {
            Err("NoSuchDomain")
        }
    }
}
