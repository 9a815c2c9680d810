//! A story: numbers become commands. What a proposer would have read, it takes from the model, and now and then gets it
//! wrong.

mod audit;
mod ban;
mod credential;
mod mailbox;
mod pick;

use std::sync::Arc;

use bytes::Bytes;
use message::{
    address::{EmailAddress, ReversePath},
    envelope::{BodyKind, Hold, MailOptions, MtPriority, Notify, RecipientOptions},
    id::{AccountId, CommandId, Id, MailboxId, NodeId, TenantId},
    time::Timestamp,
};
use store::{
    blob::{BlobRef, SealedBlob},
    command::*,
    record::{
        directory::Password,
        mailbox::{ModSeq, Parsed},
        spool::{Arrival, Priority, RecipientNumber, Route},
        state::Limits,
        trail::Settlement,
    },
};

use crate::model::Model;
use pick::{address, domain, flags, limits, nth, pick_account, pick_alias, pick_recipient};

/// Where a command comes from.
pub(crate) type Seed = [u8; 6];

/// A command, and the message that an accept is about.
#[derive(Clone)]
pub(crate) struct Action {
    pub(crate) proposal: Proposal,
    pub(crate) body: Option<Vec<u8>>,
}

/// When stories begin.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Tells commands one after another.
#[derive(Default)]
pub(crate) struct Teller {
    told: u64,
    minted: u64,
    tale: Vec<Action>,
}

impl Teller {
    /// The next command, as somebody who knows the model would propose it.
    pub(crate) fn next(&mut self, seed: Seed, model: &Model) -> Action {
        self.told += 1;
        let action = self.tell(seed, model);
        self.tale.push(action.clone());
        action
    }

    /// A command of the player's own.
    pub(crate) fn propose(&mut self, command: Command) -> Action {
        self.told += 1;
        self.action(command)
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(START.as_millis() + self.told * 500)
    }

    /// What a store needs before anything interesting can happen.
    pub(crate) fn prelude(&mut self) -> Vec<Action> {
        self.told += 1;
        let tenant = DEFAULT_TENANT;
        let name = DEFAULT_TENANT_NAME.to_owned();
        let limits = Limits::default();
        let commands = [
            Command::CreateTenant(CreateTenant {
                tenant,
                name,
                limits,
                max_accounts: None,
            }),
            Command::CreateDomain(CreateDomain {
                tenant,
                name: domain(1),
                catch_all: None,
            }),
            self.account(tenant, address(0, 1), 6),
            self.account(tenant, address(1, 1), 6),
        ];
        commands.into_iter().map(|command| self.action(command)).collect()
    }

    fn tell(&mut self, seed: Seed, model: &Model) -> Action {
        let [kind, a, b, c, d, _] = seed;
        let tenant = if a < 230 {
            DEFAULT_TENANT
        } else {
            TenantId::new(u32::from(a % 4))
        };
        let command = match kind % 46 {
            0 => self.tenant(seed, model),
            1 => Command::LimitTenant(LimitTenant {
                tenant,
                limits: limits(b, 200_000),
                max_accounts: (c > 200).then_some(3),
            }),
            2 => match b % 4 {
                0 => Command::DeleteDomain(DeleteDomain {
                    tenant,
                    name: domain(c % 3),
                }),
                1 => Command::SetCatchAll(SetCatchAll {
                    tenant,
                    name: domain(c % 3),
                    catch_all: d.is_multiple_of(2).then(|| address(d % 5, 1)),
                }),
                _ => Command::CreateDomain(CreateDomain {
                    tenant,
                    name: domain(c % 3),
                    catch_all: None,
                }),
            },
            3 => self.account(tenant, address(b % 4, c % 3), usize::from(d % 7)),
            4 if d < 80 => self.delete_account(seed, model),
            4 => self.account(tenant, address(b % 4, 1), 6),
            5 | 38 | 41 | 42 => credential::tell(seed, self.now(), model),
            6 => match b % 2 {
                0 => Command::CreateAlias(CreateAlias {
                    tenant,
                    address: address(c % 5, d % 3),
                    targets: (0..d % 3).map(|number| address(number, 1)).collect(),
                }),
                _ => Command::DeleteAlias(DeleteAlias {
                    tenant,
                    address: pick_alias(c, model)
                        .filter(|_| d % 2 == 0)
                        .unwrap_or(address(c % 5, d % 3)),
                }),
            },
            7..=13 => return self.accept(tenant, seed, model),
            14..=20 => self.append(seed, model),
            21..=24 => self.settle(seed, model),
            25 => self.remove(seed, model),
            26..=28 => self.flags(seed, model),
            29..=30 => self.expunge(seed, model),
            31..=32 => self.create_mailbox(seed, model),
            33 => self.rename(seed, model),
            34 => self.delete_mailbox(seed, model),
            35 => self.reap(seed, model),
            36..=37 => self.sweep(seed, model),
            39..=40 => self.ban(seed),
            44 => audit::tell(seed),
            45 => audit::configure(seed, model),
            _ => return self.again(a),
        };
        self.action(command)
    }

    /// An earlier command under its old id.
    fn again(&mut self, which: u8) -> Action {
        // The newest are the most interesting.
        let back = usize::from(which) % self.tale.len().clamp(1, 20);
        match self.tale.iter().rev().nth(back) {
            Some(action) => action.clone(),
            None => self.action(Command::LimitTenant(LimitTenant {
                tenant: DEFAULT_TENANT,
                limits: Limits::default(),
                max_accounts: None,
            })),
        }
    }

    fn tenant(&mut self, [_, a, b, c, ..]: Seed, model: &Model) -> Command {
        let tenant = TenantId::new(u32::from(a % 4));
        let name = ["default", "other", "third", ""][usize::from(b % 4)].to_owned();
        if c % 3 == 0 {
            let known = model.tenants.get(&tenant).map(|tenant| tenant.name.clone());
            return Command::DeleteTenant(DeleteTenant {
                tenant,
                name: known.unwrap_or(name),
            });
        }
        Command::CreateTenant(CreateTenant {
            tenant,
            name,
            limits: limits(c, 100_000),
            max_accounts: None,
        })
    }

    fn account(&mut self, tenant: TenantId, address: EmailAddress, mailboxes: usize) -> Command {
        let ids = std::array::from_fn(|_| self.mint().into());
        let mut mailboxes: Vec<_> = NewMailbox::first(ids).into_iter().take(mailboxes).collect();
        if mailboxes.len() == 5 {
            mailboxes.push(NewMailbox {
                id: self.mint().into(),
                ..mailboxes[0].clone()
            });
        }
        Command::CreateAccount(CreateAccount {
            tenant,
            account: self.mint().into(),
            address,
            password: Some(Password::hashed("$argon2id$")),
            limits: Limits::default(),
            mailboxes,
        })
    }

    fn delete_account(&mut self, seed: Seed, model: &Model) -> Command {
        let ((tenant, account), known) = pick_account(seed, model);
        let Some(known) = known else {
            let (address, list_modseq) = (address(0, 1), ModSeq::new(1));
            return Command::DeleteAccount(DeleteAccount {
                tenant,
                account,
                address,
                mailboxes: Vec::new(),
                list_modseq,
            });
        };
        let mailboxes = known
            .mailboxes
            .iter()
            .map(|(id, mailbox)| (*id, mailbox.name.clone()));
        Command::DeleteAccount(DeleteAccount {
            tenant,
            account,
            address: known.address.clone(),
            mailboxes: mailboxes.skip(usize::from(seed[3] > 240)).collect(),
            list_modseq: ModSeq::new(known.list_modseq - u64::from(seed[5] > 220)),
        })
    }

    fn accept(&mut self, tenant: TenantId, [_, _, b, c, d, e]: Seed, model: &Model) -> Action {
        let accounts: Vec<_> = model.accounts.keys().map(|(_, account)| *account).collect();
        let recipients = (0..(b % 16).min(3)).map(|number| {
            let route = match c.wrapping_add(number) % 8 {
                6 => Route::Discard,
                7 => Route::Remote(domain(9)),
                pick if accounts.is_empty() => Route::Local(AccountId::from_bytes([pick; 16])),
                pick => Route::Local(accounts[usize::from(pick) % accounts.len()]),
            };
            Addressee {
                address: address(number, 1),
                original: format!("u{number}@d1.test"),
                route,
                options: RecipientOptions {
                    notify: (c % 4 == number).then_some(Notify::Never),
                    original: None,
                },
            }
        });
        let octets = if d > 250 {
            18 * store::options::MIN_CHUNK_OCTETS
        } else {
            100 + 97 * usize::from(d)
        };
        let octets = if d == 250 {
            3 * store::options::MIN_CHUNK_OCTETS
        } else {
            octets
        };
        let options = MailOptions {
            utf8: c % 2 == 1,
            hold: (e % 5 == 4).then(|| Hold::parse_for(b"60").unwrap()),
            priority: MtPriority::try_from([1, 0, -9][usize::from(e % 3)]).ok(),
            ..MailOptions::default()
        };
        let spooled = Spooled {
            tenant,
            message: self.mint_on(NodeId::new(u16::from(e % 3))).into(),
            reverse_path: ReversePath::Null,
            body: BodyKind::EightBitMime,
            // Of the blob only the id is known yet: whoever plays the story writes it.
            blob: BlobRef {
                id: self.mint().into(),
                octets: octets as u64,
                checksum: [0; 32],
                chunks: 1,
            },
            arrival: Arrival::new(self.now()),
            priority: Priority::of(options.priority),
            due: options.hold.map_or(self.now(), |hold| hold.due(self.now())),
            options,
            recipients: recipients.collect(),
        };
        let sealed = SealedBlob {
            blob: spooled.blob.clone(),
            last_chunk: Bytes::new(),
        };
        let accept = Accept::new(spooled, sealed, "/listeners/mx/1", "250 2.0.0 ok");
        Action {
            body: Some(vec![d; octets]),
            ..self.action(Command::Accept(accept))
        }
    }

    fn append(&mut self, [_, a, b, c, d, e]: Seed, model: &Model) -> Command {
        let (tenant, message, recipient, route, blob) = pick_recipient(a, b, model);
        let local = match route {
            Some(Route::Local(account)) if c < 220 => Some((tenant, account)),
            _ => nth(model.accounts.keys(), c).copied(),
        };
        let (_, account) = local.unwrap_or((tenant, AccountId::from_bytes([c; 16])));
        let known = model.accounts.get(&(tenant, account));
        let mailbox = known
            .and_then(|account| nth(account.mailboxes.keys(), d))
            .copied()
            .filter(|_| e < 240);
        Command::Append(Append {
            tenant,
            message,
            recipient,
            blob,
            account,
            mailbox: mailbox.unwrap_or(MailboxId::from_bytes([d; 16])),
            prefix: Bytes::from_static(if e % 2 == 0 { b"" } else { b"Return-Path: <>\r\n" }),
            flags: flags(e),
            internal_date: self.now(),
            parsed: Parsed::Whole,
            structure: (e % 3 == 0).then(|| Bytes::from_static(b"structure")),
            actor: "/tenants/default/queues/local".to_owned(),
        })
    }

    fn settle(&mut self, [_, a, b, c, d, _]: Seed, model: &Model) -> Command {
        let (tenant, message, recipient, _, blob) = pick_recipient(a, b, model);
        let spooled = model.spool.get(&message);
        let known = spooled.and_then(|spooled| spooled.recipients.get(&recipient));
        let attempts = known.map_or(0, |recipient| recipient.attempts);
        let why = format!("because {c}");
        let settlement = match c % 4 {
            0 => Settlement::Delivered { reply: why },
            1 => Settlement::Bounced { why },
            2 => Settlement::Held { why },
            _ => {
                let next_due = Timestamp::from_millis(self.now().as_millis() + u64::from(d) * 1000);
                Settlement::Deferred { next_due, why }
            }
        };
        let attempt = attempts + u32::from(d % 16 != 0);
        let actor = "/tenants/default/queues/local".to_owned();
        Command::Settle(Settle {
            tenant,
            message,
            recipient,
            blob,
            attempt,
            settlement,
            actor,
        })
    }

    fn remove(&mut self, [_, a, b, c, ..]: Seed, model: &Model) -> Command {
        let (tenant, message, recipient, _, blob) = pick_recipient(a, b, model);
        let known = model.spool.get(&message);
        let mut recipients: Vec<_> = known.map_or(vec![recipient], |known| {
            known.recipients.keys().copied().collect()
        });
        if c % 8 == 0 {
            recipients.pop();
        }
        if c % 8 == 1 {
            recipients.pop();
            recipients.push(RecipientNumber::new(77));
        }
        let (why, actor) = ("unwanted".to_owned(), "/shell".to_owned());
        Command::Remove(Remove {
            tenant,
            message,
            blob,
            recipients,
            why,
            actor,
        })
    }

    fn action(&mut self, command: Command) -> Action {
        let id = CommandId::from(self.mint());
        Action {
            proposal: Proposal::new(id, self.now(), command),
            body: None,
        }
    }

    fn mint(&mut self) -> Id {
        self.mint_on(NodeId::new(0))
    }

    fn mint_on(&mut self, node: NodeId) -> Id {
        self.minted += 1;
        Id::compose(self.now(), node, self.minted)
    }
}

/// The same accept about a blob that was written.
pub(crate) fn about(accept: &Accept, sealed: SealedBlob) -> Accept {
    Accept::new(
        Arc::unwrap_or_clone(Arc::clone(&accept.spooled)),
        sealed,
        &*accept.actor,
        &*accept.reply,
    )
}
