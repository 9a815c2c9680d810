//! Addresses: what is taken prints as something that is taken as the same again, and that can stand in a header field or
//! a command.

use std::fmt::{Debug, Display};

use auth::Login;
use message::address::{MAX_DOMAIN, MAX_PATH};
use message::{Domain, EmailAddress, ForwardPath, LocalPart, ReversePath};

use crate::corpus::fuzz;

#[test]
fn addresses() {
    fuzz("addresses", |octets, _| {
        same(octets, ReversePath::parse, MAX_PATH + 2);
        same(octets, ForwardPath::parse, MAX_PATH + 2);
        same(octets, EmailAddress::parse, MAX_PATH);
        same(octets, LocalPart::parse, MAX_PATH);
        same(octets, Domain::parse, MAX_DOMAIN);
        if let Ok((path, rest)) = ForwardPath::parse_prefix(octets) {
            let written = &octets[..octets.len() - rest.len()];
            assert_eq!(ForwardPath::parse(written), Ok(path));
        }
        let Ok(text) = std::str::from_utf8(octets) else {
            return;
        };
        let utf8 = |octets: &[u8]| EmailAddress::parse_utf8(std::str::from_utf8(octets).expect("printed"));
        same(octets, utf8, MAX_PATH);
        if let Ok(address) = EmailAddress::parse_utf8(text) {
            assert_eq!(address.base().base(), address.base());
            let key = address.lookup_key();
            assert!(!key.contains(char::is_control), "{key:?}");
        }
        if let Ok(login) = Login::parse(text, None) {
            assert!(!login.as_str().contains(char::is_control), "{login:?}");
        }
    });
}

fn same<T, E>(octets: &[u8], parse: impl Fn(&[u8]) -> Result<T, E>, limit: usize)
where
    T: Debug + Display + PartialEq,
    E: Debug + PartialEq,
{
    let Ok(value) = parse(octets) else {
        return;
    };
    let printed = value.to_string();
    assert!(printed.len() <= limit, "{} octets: {printed}", printed.len());
    assert!(!printed.contains(char::is_control), "{printed:?}");
    assert_eq!(parse(printed.as_bytes()), Ok(value), "printed as {printed:?}");
}
