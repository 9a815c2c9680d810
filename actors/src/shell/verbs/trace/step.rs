//! A step of the trail in words.

use std::fmt::Write as _;

use store::record::{
    mailbox::Parsed,
    spool::Arrival,
    trail::{Settlement, TrailEvent, TrailRecipient, TrailStep},
};

/// What happened, in one line.
pub(super) fn describe(step: &TrailStep) -> String {
    match &step.event {
        TrailEvent::Accepted {
            arrival,
            reverse_path,
            options,
            recipients,
            octets,
            reply,
        } => {
            let mut line = format!("accepted {octets} bytes from {}", reverse_path.shown());
            if !options.is_empty() {
                let _ = write!(line, " {options}");
            }
            for TrailRecipient { address, options } in recipients {
                let _ = write!(line, " to <{}>", address.shown());
                if !options.is_empty() {
                    let _ = write!(line, " {options}");
                }
            }
            let _ = write!(line, "{}; told {reply:?}", describe_arrival(arrival));
            line
        }
        TrailEvent::Appended {
            account,
            mailbox,
            uid_validity,
            uid,
            parsed,
        } => {
            let how = match parsed {
                Parsed::Whole => "",
                Parsed::Partly => ", structure cut short",
                Parsed::Not => ", unparsed",
            };
            format!("appended to mailbox {mailbox} of account {account} as {uid_validity}.{uid}{how}")
        }
        TrailEvent::Settled(settlement) => match settlement {
            Settlement::Delivered { reply } => format!("delivered: {reply}"),
            Settlement::Deferred { next_due, why } => format!("deferred until {next_due}: {why}"),
            Settlement::Bounced { why } => format!("bounced: {why}"),
            Settlement::Held { why } => format!("held for an operator: {why}"),
        },
        TrailEvent::Removed { why } => format!("removed: {why}"),
    }
}

fn describe_arrival(arrival: &Arrival) -> String {
    let mut text = String::new();
    if let Some(peer) = arrival.peer {
        let _ = write!(
            text,
            " by {} from {peer}, who said {:?}",
            arrival.protocol, arrival.helo
        );
    }
    if let Some(tls) = &arrival.tls {
        let _ = write!(text, ", under {tls}");
    }
    for verdict in &arrival.verdicts {
        let _ = write!(text, ", {verdict}");
    }
    text
}

#[cfg(test)]
mod tests {
    use message::{
        address::{EmailAddress, ReversePath},
        envelope::{MailOptions, MtPriority, Notify, OriginalRecipient, RecipientOptions},
        id::CommandId,
        time::Timestamp,
    };

    use super::*;

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse_utf8(text).unwrap()
    }

    #[test]
    fn what_was_asked_for_is_told_with_names_as_people_write_them() {
        let recipient = |text, options| TrailRecipient {
            address: address(text),
            options,
        };
        let asked = RecipientOptions {
            notify: Some(Notify::Never),
            original: OriginalRecipient::parse(b"rfc822;a+2Bb@example.org").ok(),
        };
        let event = TrailEvent::Accepted {
            arrival: Box::new(Arrival::new(Timestamp::EPOCH)),
            reverse_path: ReversePath::Address(address("j\u{fc}rgen@b\u{fc}cher.example")),
            options: Box::new(MailOptions {
                utf8: true,
                priority: MtPriority::parse(b"3").ok(),
                ..MailOptions::default()
            }),
            recipients: vec![
                recipient("a@example.org", asked),
                recipient("b@\u{430}pple.example", RecipientOptions::default()),
            ],
            octets: 10,
            reply: "250 Ok".to_owned(),
        };
        let step = TrailStep {
            at: Timestamp::EPOCH,
            command: CommandId::from_bytes([7; 16]),
            actor: "/listeners/mx".to_owned(),
            event,
        };
        assert_eq!(
            describe(&step),
            "accepted 10 bytes from <j\u{fc}rgen@b\u{fc}cher.example> SMTPUTF8 MT-PRIORITY=3 to <a@example.org> \
             NOTIFY=NEVER ORCPT=rfc822;a+2Bb@example.org to <b@xn--pple-43d.example>; told \"250 Ok\""
        );
    }
}
