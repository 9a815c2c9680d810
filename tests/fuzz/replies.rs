//! Replies of other servers: whatever they hold, what is read of them is bounded and printable, and how the octets arrive
//! changes nothing.

use smtp::client::{MAX_LINE, MAX_REPLY, Reply, ReplyError, ReplyReader};

use crate::corpus::{Cuts, fuzz};

#[test]
fn replies() {
    fuzz("replies", |octets, cuts| {
        let whole = read(octets, &Cuts::whole());
        whole.0.iter().for_each(check);
        assert_eq!(read(octets, cuts), whole);
        assert_eq!(read(octets, &Cuts::octets()), whole);
    });
}

/// The replies up to the end or to what is none.
fn read(octets: &[u8], cuts: &Cuts) -> (Vec<Reply>, Option<ReplyError>) {
    let mut reader = ReplyReader::new();
    let (mut replies, mut unread) = (Vec::new(), Vec::new());
    for piece in cuts.of(octets) {
        unread.extend_from_slice(piece);
        loop {
            match reader.receive(&unread) {
                Ok((consumed, reply)) => {
                    assert!(consumed <= unread.len());
                    unread.drain(..consumed);
                    match reply {
                        Some(reply) => replies.push(reply),
                        None => break,
                    }
                }
                Err(why) => return (replies, Some(why)),
            }
        }
        assert!(unread.len() < MAX_LINE, "{} octets wait", unread.len());
    }
    (replies, None)
}

fn check(reply: &Reply) {
    assert!((200..600).contains(&reply.code()), "{reply:?}");
    assert!(!reply.lines().is_empty());
    // An octet that is no UTF-8 becomes a character of three.
    let octets: usize = reply.lines().iter().map(String::len).sum();
    assert!(octets <= 3 * MAX_REPLY, "{octets} octets");
    assert!(!reply.to_string().contains(char::is_control), "{reply:?}");
    if let Some(enhanced) = reply.enhanced() {
        assert_eq!(u16::from(enhanced.0), reply.code() / 100);
    }
}
