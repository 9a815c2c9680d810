use super::*;

#[test]
fn mailbox_records_are_golden() {
    check(
        &Named {
            mailbox: MailboxId::from_bytes([6; 16]),
        },
        "01060606060606060606060606060606067cf07e30",
    );
    let rights = Rights::parse("lr").expect("rights");
    let mailbox = Mailbox {
        name: MailboxName::new("Sent").expect("a name"),
        owner: account(),
        special_use: Some(SpecialUse::Sent),
        subscribed: true,
        rights: vec![Grant {
            identifier: "anyone".to_owned(),
            rights,
        }],
        created: AT,
    };
    check(
        &mailbox,
        "010453656e74040404040404040404040404040404040103010106616e796f6e6503fbd095ffbc3123893477",
    );
    let state = MailboxState {
        owner: account(),
        uid_validity: UidValidity::new(1_700_000_000),
        uid_next: Uid::new(3),
        highest_modseq: ModSeq::new(300),
        usage: Usage {
            octets: 8192,
            messages: 2,
        },
        unseen: 1,
        vanished: 1,
        vanished_floor: ModSeq::new(2),
    };
    check(
        &state,
        "010404040404040404040404040404040480e2cfaa0603ac02804002010102e9f16f00",
    );
    let keyword = Keyword::new("$Forwarded").expect("a keyword");
    let message = MailboxMessage {
        message: MessageId::from_bytes([1; 16]),
        blob: blob(),
        prefix: Bytes::from_static(b"Return-Path: <>\r\n"),
        size: 4113,
        flags: Flags::new(SystemFlags::SEEN, [keyword]),
        internal_date: AT,
        appended: ModSeq::new(2),
        modseq: ModSeq::new(3),
        parsed: Parsed::Partly,
        structure: Some(Bytes::from_static(b"structure")),
    };
    check(
        &message,
        "01010101010101010101010101010101010202020202020202020202020202020280200303030303030303030303030303030303030303030303030303030303030303011152657475726e2d506174683a203c3e0d0a912001010a24666f72776172646564fbd095ffbc31020301010973747275637475726538a6d476",
    );
    check(&Changed, "01a505df1b");
    check(
        &Vanished::new(AT, &[1, 2, 3, 7].map(Uid::new)),
        "01fbd095ffbc3102010307078a269c12",
    );
    let owner = account();
    check(
        &MailboxTombstone {
            owner,
            messages: 2,
            vanished: 1,
        },
        "01040404040404040404040404040404040201c6846fbc",
    );
    check(&BlobTombstone { next: 0, chunks: 20 }, "010014e4596758");
    check(
        &BlobRow {
            refs: 1,
            octets: 4096,
            checksum: [3; 32],
            chunks: 1,
        },
        "01018020030303030303030303030303030303030303030303030303030303030303030301502929a9",
    );
}
