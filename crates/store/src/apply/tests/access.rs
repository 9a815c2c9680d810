//! Who may log in to an account, and how it is called: what is asked for twice, too late, or of nobody.

use super::*;
use crate::record::directory::{Account, Address, AddressOwner, Domain, MAX_ALIAS_TARGETS, Suspension};

const LATER: Timestamp = Timestamp::from_millis(1_700_000_001_000);

fn suspend(account: AccountId, refuses_mail: bool) -> Command {
    Command::SuspendAccount(SuspendAccount {
        tenant: TENANT,
        account,
        refuses_mail,
    })
}

fn resume(account: AccountId) -> Command {
    Command::ResumeAccount(ResumeAccount {
        tenant: TENANT,
        account,
    })
}

fn of(text: &str) -> EmailAddress {
    text.parse().expect("an address")
}

fn rename(from: EmailAddress, to: EmailAddress) -> RenameAccount {
    RenameAccount {
        tenant: TENANT,
        account: account(),
        from,
        to,
        keeps_alias: false,
        aliases: Vec::new(),
        domains: Vec::new(),
    }
}

fn alias(map: &mut Map, address: EmailAddress, targets: Vec<EmailAddress>) {
    map.must(Command::CreateAlias(CreateAlias {
        tenant: TENANT,
        address,
        targets,
    }));
}

#[test]
fn a_suspension_is_one_and_ends_once() {
    let mut map = Map::with_account(0);
    let nobody = AccountId::from_bytes([9; 16]);
    for command in [suspend(nobody, false), resume(nobody)] {
        assert_eq!(map.apply(command).err(), Some(Rejected::NoSuchAccount));
    }
    assert_eq!(map.apply(resume(account())).err(), Some(Rejected::NotSuspended));
    let suspended = |map: &Map| -> Option<Suspension> {
        let row: Account = map.get(&key::directory::account(TENANT, account()));
        row.suspended
    };
    map.must(suspend(account(), false));
    let twice = map.apply(suspend(account(), false)).err();
    assert_eq!(twice, Some(Rejected::Exists(Noun::Suspension)));
    // On other terms it is the same suspension, and as old as it was.
    let id = Id::compose(LATER, NodeId::new(0), 1).into();
    map.propose(&Proposal::new(id, LATER, suspend(account(), true)))
        .expect("other terms");
    let refuses_mail = true;
    assert_eq!(
        suspended(&map),
        Some(Suspension {
            since: AT,
            refuses_mail
        })
    );
    map.must(resume(account()));
    assert_eq!(suspended(&map), None);
    assert_eq!(map.apply(resume(account())).err(), Some(Rejected::NotSuspended));
}

#[test]
fn a_rename_that_comes_too_late_changes_nothing() {
    let mut map = Map::with_account(0);
    let team = of("team@example.org");
    alias(&mut map, team.clone(), vec![address()]);
    let good = rename(address(), of("new@example.org"));
    let follows = |before: Vec<EmailAddress>| FollowingAlias {
        address: team.clone(),
        before,
        after: vec![of("new@example.org")],
    };
    let stale = |why| Rejected::Stale(why);
    for (command, expected) in [
        (
            rename(of("old@example.org"), good.to.clone()),
            stale("the account has another address"),
        ),
        (rename(address(), address()), Rejected::Exists(Noun::Address)),
        (rename(address(), of("new@example.net")), Rejected::NoSuchDomain),
        (rename(address(), of("new@[192.0.2.1]")), Rejected::NoSuchDomain),
        (
            RenameAccount {
                aliases: vec![follows(vec![address(), address()])],
                ..good.clone()
            },
            stale("an alias stands for others"),
        ),
        (
            RenameAccount {
                aliases: vec![FollowingAlias {
                    address: of("gone@example.org"),
                    ..follows(vec![address()])
                }],
                ..good.clone()
            },
            stale("an alias is gone"),
        ),
        (
            RenameAccount {
                aliases: vec![FollowingAlias {
                    address: good.to.clone(),
                    ..follows(vec![address()])
                }],
                ..good.clone()
            },
            Rejected::NotPermitted("an account does not follow itself"),
        ),
        (
            RenameAccount {
                domains: vec![DomainName::parse(b"example.org").expect("a name")],
                ..good.clone()
            },
            stale("a domain has another catch-all"),
        ),
        (
            RenameAccount {
                account: AccountId::from_bytes([9; 16]),
                ..good.clone()
            },
            Rejected::NoSuchAccount,
        ),
    ] {
        let before = map.rows.clone();
        assert_eq!(map.apply(Command::RenameAccount(command)).err(), Some(expected));
        assert_eq!(map.rows, before);
    }
    let twice = good.clone();
    map.must(Command::RenameAccount(RenameAccount {
        aliases: vec![follows(vec![address()])],
        ..good
    }));
    let twice = map.apply(Command::RenameAccount(twice)).err();
    assert_eq!(twice, Some(stale("the account has another address")));
    let row: Address = map.get(&key::directory::address(TENANT, "team@example.org"));
    assert_eq!(row.owner, AddressOwner::Alias(vec![of("new@example.org")]));
}

#[test]
fn the_most_that_follows_an_account_fits_a_batch() {
    let mut map = Map::with_account(0);
    let long = |number: usize, of: usize| {
        let local = format!("{:x<60}{number:04}", "");
        let domain = format!("{}.{}.example.org", "y".repeat(63), "z".repeat(63));
        EmailAddress::parse(format!("{local}@{}{domain}", "w.".repeat(of)).as_bytes()).expect("an address")
    };
    let targets: Vec<_> = (1..MAX_ALIAS_TARGETS).map(|number| long(number, 20)).collect();
    let before = [vec![address()], targets.clone()].concat();
    let after = [vec![of("new@example.org")], targets].concat();
    let following = |number: usize| of(&format!("a{number}@example.org"));
    for number in 0..=MAX_FOLLOWING {
        alias(&mut map, following(number), before.clone());
        map.must(Command::CreateDomain(CreateDomain {
            tenant: TENANT,
            name: DomainName::parse(format!("d{number}.example").as_bytes()).expect("a name"),
            catch_all: Some(address()),
        }));
    }
    let with = |most: usize| RenameAccount {
        aliases: (0..most)
            .map(|number| FollowingAlias {
                address: following(number),
                before: before.clone(),
                after: after.clone(),
            })
            .collect(),
        domains: (0..most)
            .map(|number| DomainName::parse(format!("d{number}.example").as_bytes()).expect("a name"))
            .collect(),
        ..rename(address(), of("new@example.org"))
    };
    let too_many = map.apply(Command::RenameAccount(with(MAX_FOLLOWING + 1))).err();
    assert_eq!(
        too_many,
        Some(Rejected::TooLarge {
            what: "following aliases",
            limit: MAX_FOLLOWING
        })
    );
    // The map itself looks at the size of what it is given.
    map.must(Command::RenameAccount(with(MAX_FOLLOWING)));
    let domain = DomainName::parse(b"d7.example").expect("a name");
    let domain: Domain = map.get(&key::directory::domain(TENANT, &domain));
    assert_eq!(domain.catch_all, Some(of("new@example.org")));
}
