use super::*;

#[test]
fn trail_and_results_are_golden() {
    let step = |event| TrailStep {
        at: AT,
        command: CommandId::from_bytes([7; 16]),
        actor: "/listeners/mx".to_owned(),
        event,
    };
    let accepted = |options, of_recipient| TrailEvent::Accepted {
        arrival: Box::new(arrival()),
        reverse_path: ReversePath::Null,
        options: Box::new(options),
        recipients: vec![TrailRecipient {
            address: address("a@example.org"),
            options: of_recipient,
        }],
        octets: 4096,
        reply: "250 2.0.0 ok".to_owned(),
    };
    check(
        &step(accepted(mail_options(), recipient_options())),
        "02fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d7800fbd095ffbc3101050505050505050505050505050505050100c0000201190a6d782e6578616d706c650645534d5450530107544c5376312e33010404040404040404040404040404040401087370663d7061737300010101010b51512b323033313431353901010d61406578616d706c652e6f726701003c0177010101fd01010d61406578616d706c652e6f7267010101000101187266633832323b612b324262406578616d706c652e6f726780200c32353020322e302e30206f6b4b2e5bed",
    );
    check_older(
        &step(accepted(MailOptions::default(), RecipientOptions::default())),
        "01fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d7800fbd095ffbc3101050505050505050505050505050505050100c0000201190a6d782e6578616d706c650645534d5450530107544c5376312e33010404040404040404040404040404040401087370663d7061737300010d61406578616d706c652e6f726780200c32353020322e302e30206f6b8aa36232",
    );
    let appended = TrailEvent::Appended {
        account: account(),
        mailbox: MailboxId::from_bytes([6; 16]),
        uid_validity: UidValidity::new(9),
        uid: Uid::new(1),
        parsed: Parsed::Whole,
    };
    let step_now = step(appended);
    check_older(
        &step_now,
        "01fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d780104040404040404040404040404040404060606060606060606060606060606060901003b577dbd",
    );
    check(
        &step_now,
        "02fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d78010404040404040404040404040404040406060606060606060606060606060606090100f8729fee",
    );
    let settled = Settlement::Deferred {
        next_due: AT,
        why: "later".to_owned(),
    };
    let step_now = step(TrailEvent::Settled(settled));
    check_older(
        &step_now,
        "01fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d780201fbd095ffbc31056c617465727e8e91e1",
    );
    check(
        &step_now,
        "02fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d780201fbd095ffbc31056c61746572fbbc8315",
    );
    let removed = step(TrailEvent::Removed {
        why: "spam".to_owned(),
    });
    check_older(
        &removed,
        "01fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d7803047370616df9e01868",
    );
    check(
        &removed,
        "02fbd095ffbc31070707070707070707070707070707070d2f6c697374656e6572732f6d7803047370616d30d40365",
    );
    let appended = Appended {
        mailbox: MailboxId::from_bytes([6; 16]),
        uid_validity: UidValidity::new(9),
        uid: Uid::new(1),
        modseq: ModSeq::new(2),
    };
    check(&appended, "01060606060606060606060606060606060901022feff178");
    check(
        &CommandResult {
            outcome: Outcome::Appended(appended),
        },
        "010106060606060606060606060606060606090102fee42ce0",
    );
    check(
        &CommandResult {
            outcome: Outcome::Done,
        },
        "010058c223be",
    );
}
