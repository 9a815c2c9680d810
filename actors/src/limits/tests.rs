//! What is counted for whom, what is too much, and who is spared. Time is paused and moved.

use std::time::Duration;

use config::Profile;
use message::id::Id;
use store::record::ban::{Ban, Network as Banned, Origin};
use tokio::time::advance;

use super::*;

/// Limits with a clock that stands, and settings of one's own.
fn limits(change: impl FnOnce(&mut config::Limits)) -> Limits {
    let mut config = Config::of(Profile::Development);
    change(&mut config.limits);
    Limits::new(&config, Clock::starting(Timestamp::from_secs(1_800_000_000)))
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn sender(peer: &str) -> Sender<'static> {
    Sender {
        peer: ip(peer),
        account: None,
        domain: None,
    }
}

fn ban(until: Option<Timestamp>) -> Ban {
    Ban {
        since: Timestamp::from_secs(1_800_000_000),
        until,
        reason: "test".to_owned(),
        origin: Origin::Automatic,
        count: 1,
    }
}

#[tokio::test(start_paused = true)]
async fn open_connections_have_a_cap_for_each_address_and_network() {
    let limits = limits(|limits| {
        limits.max_connections_per_address = 3;
        limits.max_connections_per_network = 5;
    });
    let door = limits.door("mx");
    let mut held: Vec<_> = (0..3).map(|_| door.admit(ip("192.0.2.1")).unwrap()).collect();
    assert_eq!(door.admit(ip("192.0.2.1")).err(), Some(Exceeded::Open));
    assert_eq!(door.admit(ip("::ffff:192.0.2.1")).err(), Some(Exceeded::Open));
    held.extend((0..2).map(|_| door.admit(ip("192.0.2.2")).unwrap()));
    assert_eq!(door.admit(ip("192.0.2.3")).err(), Some(Exceeded::Open));
    // What the network refused is not open for the address either.
    assert_eq!(
        limits
            .shared
            .open_addresses
            .count(&subject::address(ip("192.0.2.3"))),
        0
    );
    assert!(door.admit(ip("192.0.3.1")).is_ok());
    // Also at another listener.
    assert!(limits.door("submission").admit(ip("192.0.2.1")).is_err());
    drop(held);
    assert!(door.admit(ip("192.0.2.1")).is_ok());
    assert_eq!(limits.refused(), 4);
}

#[tokio::test(start_paused = true)]
async fn connections_have_a_rate_for_each_address_network_and_listener() {
    let limits = limits(|limits| {
        limits.connections_per_address = 3;
        limits.connections_per_network = 5;
        limits.connections_per_listener = 7;
    });
    let door = limits.door("mx");
    let admitted = |door: &Door, peer: &str| (0..10).filter(|_| door.admit(ip(peer)).is_ok()).count();
    assert_eq!(admitted(&door, "192.0.2.1"), 3);
    assert_eq!(admitted(&door, "192.0.2.2"), 2);
    assert_eq!(admitted(&door, "2001:db8::1"), 2);
    assert_eq!(admitted(&limits.door("submission"), "2001:db8::2"), 3);
    advance(Duration::from_secs(120)).await;
    assert_eq!(admitted(&door, "192.0.2.2"), 3);
    assert_eq!(door.admit(ip("192.0.2.2")).err(), Some(Exceeded::Connections));
}

#[tokio::test(start_paused = true)]
async fn messages_and_recipients_are_counted_for_everybody_concerned_or_for_nobody() {
    let limits = limits(|limits| {
        limits.messages_per_address = 4;
        limits.messages_per_network = 6;
        limits.messages_per_account = 3;
        limits.messages_per_sender_domain = 2;
        limits.recipients_per_address = 3;
    });
    let account = AccountId::new(Id::from_bytes([9; 16]));
    let domain = DomainName::parse_utf8("example.org").unwrap();
    let from = |peer, account, domain| Sender {
        account,
        domain,
        ..sender(peer)
    };
    let sent = |sender: Sender<'_>| (0..10).filter(|_| limits.message(sender).is_ok()).count();
    assert_eq!(sent(from("192.0.2.1", None, Some(&domain))), 2);
    assert_eq!(sent(from("192.0.2.1", Some(account), None)), 2);
    assert_eq!(sent(from("198.51.100.1", Some(account), None)), 1);
    assert_eq!(sent(sender("192.0.2.2")), 2);
    assert_eq!(limits.message(sender("192.0.2.3")), Err(Exceeded::Messages));
    // Recipients have windows of their own.
    let named = (0..10)
        .filter(|_| limits.recipient(sender("192.0.2.1")).is_ok())
        .count();
    assert_eq!(named, 3);
    assert_eq!(limits.recipient(sender("192.0.2.1")), Err(Exceeded::Recipients));
    // Little by little they come back.
    advance(Duration::from_secs(3_600 + 1_800)).await;
    assert_eq!(sent(sender("192.0.2.1")), 2);
    advance(Duration::from_secs(2 * 3_600)).await;
    assert_eq!(sent(sender("192.0.2.1")), 4);
}

#[tokio::test(start_paused = true)]
async fn zero_is_no_limit() {
    let limits = limits(|limits| {
        limits.max_connections_per_address = 0;
        limits.max_connections_per_network = 0;
        limits.connections_per_address = 0;
        limits.connections_per_network = 0;
        limits.messages_per_address = 0;
        limits.auth_failures = 0;
    });
    let door = limits.door("mx");
    let held: Vec<_> = (0..2_000).map(|_| door.admit(ip("192.0.2.1"))).collect();
    assert!(held.iter().all(Result::is_ok));
    assert!((0..2_000).all(|_| limits.message(sender("192.0.2.1")).is_ok()));
    limits.offences(ip("192.0.2.1"), Offence::AuthFailure, 1_000_000);
    assert_eq!(limits.suspects().take(), []);
}

#[tokio::test(start_paused = true)]
async fn offences_of_all_kinds_add_up_within_the_window() {
    let limits = limits(|_| {});
    let suspected = |limits: &Limits| {
        let suspects = limits.suspects().take();
        suspects
            .iter()
            .map(|one| one.network.to_string())
            .collect::<Vec<_>>()
    };
    let default = config::Limits::default();
    let peer = ip("192.0.2.1");
    limits.offences(peer, Offence::AuthFailure, default.auth_failures - 1);
    assert_eq!(suspected(&limits), [""; 0]);
    limits.offence(peer, Offence::AuthFailure);
    assert_eq!(suspected(&limits), ["192.0.2.1"]);
    // Told once.
    limits.offence(peer, Offence::AuthFailure);
    assert_eq!(suspected(&limits), [""; 0]);
    // Half of one kind and half of another.
    let peer = ip("192.0.2.2");
    limits.offences(peer, Offence::UnknownCommand, default.unknown_commands / 2);
    limits.offences(peer, Offence::ErrorReply, default.errors / 2);
    assert_eq!(suspected(&limits), ["192.0.2.2"]);
    // Of IPv6 the whole network is one host.
    for host in 0..default.early_talkers {
        let peer = ip(&format!("2001:db8::{host:x}"));
        limits.offence(peer, Offence::EarlyTalker);
    }
    assert_eq!(suspected(&limits), ["2001:db8::/64"]);
    // Slowly is no offence.
    for _ in 0..10 {
        limits.offences(ip("192.0.2.3"), Offence::AuthFailure, default.auth_failures / 3);
        advance(default.offence_window).await;
    }
    assert_eq!(suspected(&limits), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn who_logged_in_lately_is_no_suspect() {
    let limits = limits(|_| {});
    let peer = ip("192.0.2.1");
    limits.authenticated(peer);
    limits.offences(peer, Offence::AuthFailure, 10_000);
    assert_eq!(limits.suspects().take(), []);
    advance(2 * config::Limits::default().login_grace).await;
    limits.offences(peer, Offence::AuthFailure, 10_000);
    assert_eq!(limits.suspects().take().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn suspects_that_wait_are_bounded() {
    let limits = limits(|_| {});
    for number in 0..5_000_u32 {
        let peer = IpAddr::from((0x0a00_0000 + number).to_be_bytes());
        limits.offences(peer, Offence::AuthFailure, 1_000);
    }
    assert_eq!(limits.suspects().take().len(), 1_024);
}

#[tokio::test(start_paused = true)]
async fn the_allow_list_wins_over_everything() {
    let limits = limits(|limits| {
        limits.max_connections_per_address = 1;
        limits.messages_per_address = 1;
        limits.allow.push("192.0.2.0/24".parse().unwrap());
    });
    for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.7"] {
        limits.bans_mut().put(Banned::one(ip(peer)), Some(&ban(None)));
        let door = limits.door("mx");
        let held: Vec<_> = (0..10).map(|_| door.admit(ip(peer))).collect();
        assert!(held.iter().all(Result::is_ok), "{peer}");
        assert!((0..10).all(|_| limits.message(sender(peer)).is_ok()), "{peer}");
        limits.offences(ip(peer), Offence::AuthFailure, 10_000);
        assert!(!limits.is_banned(ip(peer)), "{peer}");
    }
    assert_eq!(limits.suspects().take(), []);
}

#[tokio::test(start_paused = true)]
async fn who_is_banned_comes_in_nowhere_until_the_ban_ends() {
    let limits = limits(|_| {});
    let until = Timestamp::from_secs(1_800_000_000) + Duration::from_secs(60);
    limits
        .bans_mut()
        .put("192.0.2.0/24".parse().unwrap(), Some(&ban(Some(until))));
    let door = limits.door("mx");
    assert_eq!(door.admit(ip("192.0.2.1")).err(), Some(Exceeded::Banned));
    assert_eq!(limits.message(sender("192.0.2.1")), Err(Exceeded::Banned));
    assert!(limits.is_banned(ip("::ffff:192.0.2.1")));
    assert!(door.admit(ip("192.0.3.1")).is_ok());
    advance(Duration::from_secs(60)).await;
    assert!(door.admit(ip("192.0.2.1")).is_ok());
}

#[tokio::test(start_paused = true)]
async fn counters_go_on_after_a_restart_as_far_as_they_still_count() {
    let of = |limits: &Limits, peer| (0..10).filter(|_| limits.message(sender(peer)).is_ok()).count();
    let change = |limits: &mut config::Limits| limits.messages_per_address = 4;
    let before = limits(change);
    assert_eq!(of(&before, "192.0.2.1"), 4);
    let at = Timestamp::from_secs(1_800_000_000);
    let saved = before.saved(at);
    for (minutes, left) in [(0, 0), (30, 2), (60, 4), (100_000, 4)] {
        let after = limits(change);
        after.restore(&saved, at + Duration::from_secs(60 * minutes));
        assert_eq!(of(&after, "192.0.2.1"), left, "{minutes}");
        assert_eq!(of(&after, "192.0.2.2"), 4);
    }
    // What counts already is not counted again.
    before.restore(&saved, at);
    before.restore(&saved, at);
    assert_eq!(before.saved(at).addresses[0].counts[1], 8);
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_counts_on_under_other_settings() {
    let limits = limits(|limits| limits.messages_per_address = 2);
    let sender = Sender {
        peer: "192.0.2.7".parse().unwrap(),
        account: None,
        domain: None,
    };
    assert!(limits.message(sender).is_ok());
    let mut config = Config::of(Profile::Development);
    config.limits.messages_per_address = 2;
    config.limits.memory = config::ByteSize::mib(2);
    config.limits.message_window *= 2;
    limits.configure(&config);
    assert!(limits.message(sender).is_ok());
    assert!(limits.message(sender).is_err());
    config.limits.messages_per_address = 3;
    limits.configure(&config);
    assert!(limits.message(sender).is_ok());
    assert!(limits.message(sender).is_err());
}
