//! A killed session costs one 451, never a connection, and no octet of a body is ever read as a command.

use smtp::client::Reply;

use super::Broken;

/// Its name.
pub(crate) const PROMISE: &str = "a killed session costs one 451, and a body is never read as commands";

/// Checks the replies to one transaction, in order, against what each may be. A kill may cost a 451 once; what the
/// server says afterwards to commands that depended on it is among `otherwise`.
pub(crate) fn check(replies: &[Reply], expected: &[u16], otherwise: &[u16]) -> Result<(), Broken> {
    if replies.len() != expected.len() {
        return Err(broken(replies, "one reply to each command was due"));
    }
    let mut interrupted = false;
    for (reply, expected) in replies.iter().zip(expected) {
        match reply.code() {
            code if code == *expected => {}
            451 if !interrupted => interrupted = true,
            code if interrupted && otherwise.contains(&code) => {}
            _ => return Err(broken(replies, "one of these was not due")),
        }
    }
    Ok(())
}

fn broken(replies: &[Reply], how: &str) -> Broken {
    let replies: Vec<String> = replies.iter().map(Reply::to_string).collect();
    Broken::new(PROMISE, format!("{how}: {replies:?}"))
}

#[cfg(test)]
mod tests {
    use smtp::client::ReplyReader;

    use super::*;

    #[test]
    fn knows_what_a_kill_may_cost() {
        const ENVELOPE: &[u16] = &[250, 250, 354];
        for (codes, expected, holds) in [
            (&[250, 250, 354][..], ENVELOPE, true),
            (&[451, 503, 503], ENVELOPE, true),
            (&[250, 451, 554], ENVELOPE, true),
            (&[250, 250, 451], ENVELOPE, true),
            (&[451, 252], &[250, 252], true),
            (&[250, 451], &[250, 252], true),
            (&[451, 451], &[250, 252], false),
            (&[503, 503, 451], ENVELOPE, false),
            (&[250, 421], &[250, 252], false),
            (&[250, 250, 500], &[250, 252], false),
            (&[250], &[250, 252], false),
            (&[250, 503], &[250, 252], false),
        ] {
            let reply = |code: &u16| {
                let line = format!("{code} text\r\n");
                let read = ReplyReader::new().receive(line.as_bytes());
                read.unwrap().1.unwrap()
            };
            let replies: Vec<Reply> = codes.iter().map(reply).collect();
            assert_eq!(check(&replies, expected, &[503, 554]).is_ok(), holds, "{codes:?}");
        }
    }
}
