use super::*;

#[test]
fn spool_records_are_golden() {
    let message = SpoolMessage {
        reverse_path: ReversePath::Address(address("sender@example.net")),
        body: BodyKind::EightBitMime,
        blob: blob(),
        arrival: arrival(),
        priority: Priority::Normal,
        recipients: 2,
        pending: 1,
        options: MailOptions::default(),
    };
    check_older(
        &message,
        "01011273656e646572406578616d706c652e6e657401020202020202020202020202020202028020030303030303030303030303030303030303030303030303030303030303030301fbd095ffbc3101050505050505050505050505050505050100c0000201190a6d782e6578616d706c650645534d5450530107544c5376312e33010404040404040404040404040404040401087370663d70617373010201c9b5da13",
    );
    check(
        &SpoolMessage {
            options: mail_options(),
            ..message
        },
        "02011273656e646572406578616d706c652e6e657401020202020202020202020202020202028020030303030303030303030303030303030303030303030303030303030303030301fbd095ffbc3101050505050505050505050505050505050100c0000201190a6d782e6578616d706c650645534d5450530107544c5376312e33010404040404040404040404040404040401087370663d70617373010201010101010b51512b323033313431353901010d61406578616d706c652e6f726701003c0177010101fd011cf3750d",
    );
    let recipient = SpoolRecipient {
        address: address("a@example.org"),
        original: "a@example.org".to_owned(),
        route: Route::Local(account()),
        state: RecipientState::Due(AT),
        attempts: 1,
        last: Some(Attempt {
            at: AT,
            why: "later".to_owned(),
        }),
        options: RecipientOptions::default(),
    };
    check_older(
        &recipient,
        "010d61406578616d706c652e6f72670d61406578616d706c652e6f7267000404040404040404040404040404040400fbd095ffbc310101fbd095ffbc31056c61746572c756e354",
    );
    let options = recipient_options();
    check(
        &SpoolRecipient {
            options,
            ..recipient.clone()
        },
        "020d61406578616d706c652e6f72670d61406578616d706c652e6f7267000404040404040404040404040404040400fbd095ffbc310101fbd095ffbc31056c61746572010101000101187266633832323b612b324262406578616d706c652e6f7267ff27d757",
    );
    let state = RecipientState::Held {
        since: AT,
        why: "gone".to_owned(),
    };
    let route = Route::Remote(message::address::DomainName::parse(b"example.net").expect("a name"));
    check_older(
        &SpoolRecipient {
            route,
            state,
            last: None,
            ..recipient
        },
        "010d61406578616d706c652e6f72670d61406578616d706c652e6f7267010b6578616d706c652e6e657401fbd095ffbc3104676f6e650100a4068c04",
    );
    check(&Due, "01a505df1b");
}
