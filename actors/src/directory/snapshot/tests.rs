use message::{id::Id, time::Timestamp};

use super::*;

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text.as_bytes()).unwrap()
}

fn account(number: u8) -> AccountId {
    AccountId::new(Id::from_bytes([number; 16]))
}

fn row(number: u8) -> records::Account {
    let (name, identities) = match number {
        1 => ("alice", Vec::new()),
        _ => (
            "bob",
            ["sales@example.org", "@gone.example"].map(identity).to_vec(),
        ),
    };
    records::Account {
        address: address(&format!("{name}@example.org")),
        password: None,
        app_passwords: Vec::new(),
        identities,
        created: Timestamp::from_millis(0),
        suspended: None,
    }
}

fn identity(text: &str) -> Identity {
    match text.strip_prefix('@') {
        Some(domain) => Identity::Domain(DomainName::parse_utf8(domain).unwrap()),
        None => Identity::Address(address(text)),
    }
}

/// alice is 1, bob is 2, and there are aliases of every kind.
fn snapshot() -> Snapshot {
    let domain = |name: &str| DomainName::parse_utf8(name).unwrap();
    let alias = |targets: &[&str]| AddressOwner::Alias(targets.iter().map(|text| address(text)).collect());
    let addresses = [
        ("alice@example.org", AddressOwner::Account(account(1))),
        ("bob@example.org", AddressOwner::Account(account(2))),
        ("gone@example.org", AddressOwner::Account(account(3))),
        ("bob+work@example.org", AddressOwner::Account(account(1))),
        (
            "team@example.org",
            alias(&["alice@example.org", "bob@example.org", "alice@other.example"]),
        ),
        ("all@example.org", alias(&["team@example.org", "bob@example.org"])),
        ("dead@example.org", alias(&["nobody@example.org"])),
        ("round@example.org", alias(&["about@example.org"])),
        (
            "about@example.org",
            alias(&["round@example.org", "alice@example.org"]),
        ),
    ];
    let known = |number| {
        let inbox = MailboxId::new(Id::from_bytes([number; 16]));
        (account(number), Account::new(row(number), inbox))
    };
    Snapshot {
        decoys: None,
        is_limited: false,
        domains: HashMap::from([
            (domain("example.org"), None),
            (domain("other.example"), Some(address("bob@example.org"))),
        ]),
        discarded: HashSet::from([domain("bench.test")]),
        addresses: addresses
            .into_iter()
            .map(|(text, owner)| (address(text).lookup_key(), owner))
            .collect(),
        accounts: HashMap::from([known(1), known(2)]),
    }
}

#[test]
fn mail_goes_where_the_directory_says() {
    let snapshot = snapshot();
    let to = |numbers: &[u8]| Resolution::Accounts(numbers.iter().map(|number| account(*number)).collect());
    for (text, expected) in [
        ("alice@example.org", to(&[1])),
        ("ALICE@EXAMPLE.ORG", to(&[1])),
        ("alice+tag@example.org", to(&[1])),
        // An address of its own goes before the one without its tag.
        ("bob+work@example.org", to(&[1])),
        ("bob+play@example.org", to(&[2])),
        ("team@example.org", to(&[1, 2])),
        ("team+tag@example.org", to(&[1, 2])),
        ("all@example.org", to(&[1, 2])),
        ("anyone@other.example", to(&[2])),
        ("nobody@example.org", Resolution::Unknown),
        ("gone@example.org", Resolution::Unknown),
        ("dead@example.org", Resolution::Unknown),
        ("round@example.org", Resolution::Unclear),
        ("alice@elsewhere.example", Resolution::Foreign),
        ("alice@[192.0.2.1]", Resolution::Foreign),
        ("whoever@bench.test", Resolution::Discard),
    ] {
        assert_eq!(snapshot.resolve(&address(text)), expected, "{text}");
    }
}

fn suspend(snapshot: &mut Snapshot, number: u8, refuses_mail: bool) {
    let since = Timestamp::from_millis(0);
    snapshot.accounts.get_mut(&account(number)).unwrap().suspended = Some(Suspension { since, refuses_mail });
}

#[test]
fn a_suspended_account_gets_its_mail_unless_that_is_refused() {
    let mut snapshot = snapshot();
    let alone = |number| Resolution::Accounts(vec![account(number)]);
    suspend(&mut snapshot, 1, false);
    assert_eq!(snapshot.resolve(&address("alice+x@example.org")), alone(1));
    assert!(snapshot.may_send_as(account(1), &address("alice@example.org")));
    suspend(&mut snapshot, 1, true);
    for text in ["alice@example.org", "alice+x@example.org", "bob+work@example.org"] {
        assert_eq!(snapshot.resolve(&address(text)), Resolution::Refused, "{text}");
    }
    // Who stands beside it behind an alias gets his.
    assert_eq!(snapshot.resolve(&address("team@example.org")), alone(2));
    suspend(&mut snapshot, 2, true);
    for text in ["team@example.org", "anyone@other.example"] {
        assert_eq!(snapshot.resolve(&address(text)), Resolution::Refused, "{text}");
    }
    assert_eq!(
        snapshot.resolve(&address("nobody@example.org")),
        Resolution::Unknown
    );
}

#[test]
fn nobody_logs_in_to_a_suspended_account() {
    let mut snapshot = snapshot();
    assert!(snapshot.suspended_login("alice@example.org").is_none());
    suspend(&mut snapshot, 1, false);
    assert!(snapshot.login("alice@example.org").is_none());
    assert!(snapshot.suspended_login("alice@example.org").is_some());
    assert!(snapshot.login("bob@example.org").is_some());
    let suspended = [1, 2, 9].map(|number| snapshot.is_suspended(account(number)));
    assert_eq!(suspended, [true, false, false]);
}

#[test]
fn an_address_that_stands_for_too_many_is_unclear() {
    let mut snapshot = snapshot();
    let targets = (0..=MAX_ACCOUNTS_PER_ADDRESS).map(|_| address("alice@example.org"));
    let owner = AddressOwner::Alias(targets.collect());
    snapshot.addresses.insert("many@example.org".to_owned(), owner);
    assert_eq!(
        snapshot.resolve(&address("many@example.org")),
        Resolution::Unclear
    );
}

#[test]
fn an_account_sends_as_itself_and_its_identities() {
    let snapshot = snapshot();
    let check = |number, text: &str, expected| {
        assert_eq!(
            snapshot.may_send_as(account(number), &address(text)),
            expected,
            "{number} {text}"
        );
    };
    check(1, "alice@example.org", true);
    check(1, "Alice+x@Example.org", true);
    check(1, "bob@example.org", false);
    check(1, "team@example.org", false);
    // Its identities: an address, and a domain that is not ours any more.
    check(2, "sales@example.org", true);
    check(2, "Sales+x@example.org", true);
    check(2, "alice@example.org", false);
    // Its own without the tag, but somebody else's as it is.
    check(2, "bob+play@example.org", true);
    check(2, "bob+work@example.org", false);
    check(2, "anyone@gone.example", false);
    check(2, "bob@[127.0.0.1]", false);
    check(9, "alice@example.org", false);
}

#[test]
fn a_domain_as_identity_is_every_address_of_it() {
    let mut snapshot = snapshot();
    snapshot
        .domains
        .insert(DomainName::parse_utf8("gone.example").unwrap(), None);
    assert!(snapshot.may_send_as(account(2), &address("anyone+x@gone.example")));
    assert!(!snapshot.may_send_as(account(1), &address("anyone@gone.example")));
}

#[test]
fn nobody_logs_in_without_a_password_or_by_an_alias() {
    let snapshot = snapshot();
    for name in ["team@example.org", "nobody@example.org"] {
        assert!(snapshot.login(name).is_none(), "{name}");
    }
    let (id, credentials) = snapshot.login("alice@example.org").unwrap();
    assert_eq!(id, account(1));
    assert!(credentials.password.is_none() && credentials.app_passwords.is_empty());
}
