use message::{
    address::{DomainName, EmailAddress, ReversePath},
    envelope::{BodyKind, Hold, MailOptions, RecipientOptions},
    id::{AccountId, BlobId},
};
use store::{
    blob::BlobRef,
    record::spool::{Arrival, Attempt, Priority},
};

use super::*;

const ARRIVED: Timestamp = Timestamp::from_secs(1_700_000_000);

fn at(seconds: u64) -> Timestamp {
    ARRIVED + Duration::from_secs(seconds)
}

fn message(hold: Option<&[u8]>) -> SpoolMessage {
    SpoolMessage {
        reverse_path: ReversePath::Null,
        body: BodyKind::SevenBit,
        blob: BlobRef {
            id: BlobId::from_bytes([2; 16]),
            octets: 1,
            checksum: [3; 32],
            chunks: 1,
        },
        arrival: Arrival::new(ARRIVED),
        priority: Priority::Normal,
        recipients: 1,
        pending: 1,
        options: MailOptions {
            hold: hold.map(|seconds| Hold::parse_for(seconds).unwrap()),
            ..MailOptions::default()
        },
    }
}

fn recipient(state: RecipientState, attempts: u32, last: Option<&str>) -> SpoolRecipient {
    SpoolRecipient {
        address: EmailAddress::parse(b"a@example.org").unwrap(),
        original: "a@example.org".to_owned(),
        route: Route::Local(AccountId::from_bytes([4; 16])),
        state,
        attempts,
        last: last.map(|why| Attempt {
            at: at(50),
            why: why.to_owned(),
        }),
        options: RecipientOptions::default(),
    }
}

fn held(why: &str) -> SpoolRecipient {
    let state = RecipientState::Held {
        since: at(60),
        why: why.to_owned(),
    };
    recipient(state, 3, Some(why))
}

const fn up(free: usize, waiting: u64) -> Queue {
    Queue::Up { free, waiting }
}

/// A row of the table: a recipient at second 100, and what is said of it.
fn check(
    (hold, recipient, queue): (Option<&[u8]>, SpoolRecipient, Queue),
    sentence: &str,
    since: u64,
    rule: Rule,
    remedy: &str,
) {
    said_of((hold, recipient, queue, false), sentence, since, rule, remedy);
}

/// The same, also of one whose account has vanished.
fn said_of(
    (hold, recipient, queue, vanished): (Option<&[u8]>, SpoolRecipient, Queue, bool),
    sentence: &str,
    since: u64,
    rule: Rule,
    remedy: &str,
) {
    let message = message(hold);
    let said = why(&Waiting {
        id: MessageId::from_bytes([0; 16]),
        message: &message,
        recipient: &recipient,
        now: at(100),
        queue,
        retries: Retries {
            first: Duration::from_secs(30),
            longest: Duration::from_secs(100),
            whole: Duration::from_secs(1000),
        },
        vanished,
    });
    assert!(said.sentence.contains(sentence), "{said:?}");
    assert!(said.remedy.contains(remedy), "{said:?}");
    assert_eq!((said.since, said.rule), (at(since), rule), "{said:?}");
}

#[test]
fn whoever_waits_is_told_why() {
    let due = |seconds| recipient(RecipientState::Due(at(seconds)), 0, None);
    let release = "queue release 00000000000000000000000000";
    let delete = "queue delete 00000000000000000000000000";

    // Held, each for its reason.
    check(
        (None, held("the account has vanished"), up(1, 0)),
        "held for an operator: the account has vanished",
        60,
        Rule::BuiltIn("a message goes to the account that had the address when it was accepted"),
        delete,
    );
    check(
        (
            None,
            held("over the quota of the account; tried for 600 seconds"),
            up(1, 0),
        ),
        "over the quota of the account",
        60,
        Rule::Key("queue.retry_for"),
        release,
    );
    check(
        (None, held("4 actors crashed on this message"), up(1, 0)),
        "4 actors crashed",
        60,
        Rule::BuiltIn("a message on which deliveries crash is set aside"),
        release,
    );
    check(
        (None, held("because I say so"), up(1, 0)),
        "because I say so",
        60,
        Rule::BuiltIn("an operator decides"),
        release,
    );
    // Held, and no server runs: that is not what it waits for.
    check(
        (None, held("x"), Queue::Asleep),
        "held for an operator",
        60,
        Rule::BuiltIn("an operator decides"),
        delete,
    );

    // Not due yet.
    check(
        (Some(b"900"), due(900), up(1, 0)),
        "its sender wants it to be held back until 2023-11-14T22:28:20.000Z",
        0,
        Rule::Sender("HOLDFOR or HOLDUNTIL at MAIL"),
        release,
    );
    let deferred = |attempts| {
        let why = Some("over the quota of the account");
        recipient(RecipientState::Due(at(150)), attempts, why)
    };
    check(
        (None, deferred(1), up(1, 0)),
        "attempt 1 failed: over the quota of the account; the next is at 2023-11-14T22:15:50.000Z, and from 2023-11-14T22:30:00.000Z on",
        50,
        Rule::Key("queue.retry_first"),
        release,
    );
    check(
        (None, deferred(2), up(1, 0)),
        "attempt 2",
        50,
        Rule::Key("queue.retry_first"),
        release,
    );
    check(
        (None, deferred(3), up(1, 0)),
        "attempt 3",
        50,
        Rule::Key("queue.retry_longest"),
        release,
    );
    check(
        (None, deferred(u32::MAX), up(1, 0)),
        "attempt",
        50,
        Rule::Key("queue.retry_longest"),
        release,
    );
    // Nothing goes by itself while nobody looks.
    for (queue, sentence, remedy) in [
        (Queue::Asleep, "; and no server runs", "start the server; then"),
        (
            Queue::Suspended("/q".to_owned()),
            "; and /q is suspended",
            "actor /q resume; then",
        ),
        (
            Queue::Down("/q".to_owned()),
            "; and /q is not up",
            "actor /q restart; then",
        ),
    ] {
        check(
            (None, deferred(1), queue.clone()),
            sentence,
            50,
            Rule::Key("queue.retry_first"),
            remedy,
        );
        let held_back = Rule::Sender("HOLDFOR or HOLDUNTIL at MAIL");
        check((Some(b"900"), due(900), queue), sentence, 0, held_back, remedy);
    }
    // What its sender wanted first counts for how long it is tried.
    check(
        (Some(b"40"), deferred(1), up(1, 0)),
        "from 2023-11-14T22:30:40.000Z on",
        50,
        Rule::Key("queue.retry_first"),
        release,
    );

    // Its account has vanished: what it waited for counts no more.
    let goes_to = Rule::BuiltIn("a message goes to the account that had the address when it was accepted");
    for (recipient, queue, since) in [
        (deferred(1), up(1, 0), 50),
        (due(0), Queue::Suspended("/q".to_owned()), 0),
        (due(0), Queue::Asleep, 0),
    ] {
        let sentence = "the account has vanished; the next attempt";
        said_of((None, recipient, queue, true), sentence, since, goes_to, delete);
    }

    // Due.
    let by_itself = "nothing need be done";
    check(
        (None, due(0), up(1, 0)),
        "nothing stands against it",
        0,
        Rule::None,
        by_itself,
    );
    check(
        (None, due(100), up(1, 0)),
        "nothing stands against it",
        100,
        Rule::None,
        by_itself,
    );
    check(
        (None, due(10), up(1, 9)),
        "behind 9 others",
        10,
        Rule::Key("queue.active_window"),
        by_itself,
    );
    check(
        (None, due(10), up(0, 9)),
        "all deliveries are busy, and 9",
        10,
        Rule::Key("queue.workers"),
        "queue.workers",
    );
    check(
        (None, due(10), Queue::Asleep),
        "no server runs",
        10,
        Rule::None,
        "started",
    );
    check(
        (None, due(10), Queue::Suspended("/q".to_owned())),
        "/q is suspended",
        10,
        Rule::BuiltIn("an operator suspended it"),
        "actor /q resume",
    );
    check(
        (None, due(10), Queue::Down("/q".to_owned())),
        "/q is not up",
        10,
        Rule::BuiltIn("what crashes too often is parked"),
        "actor /q restart",
    );

    // Under way.
    let working = || Queue::Working {
        delivery: "/d/7".to_owned(),
        since: Duration::from_secs(2),
    };
    check(
        (None, due(10), working()),
        "being delivered by /d/7",
        98,
        Rule::None,
        "restart /d/7",
    );
    // It works on another recipient of the message.
    check(
        (None, deferred(1), working()),
        "attempt 1 failed",
        50,
        Rule::Key("queue.retry_first"),
        release,
    );
    check(
        (None, held("because I say so"), working()),
        "held for an operator",
        60,
        Rule::BuiltIn("an operator decides"),
        release,
    );

    // Not ours to deliver.
    let remote = SpoolRecipient {
        route: Route::Remote(DomainName::parse(b"example.net").unwrap()),
        ..due(10)
    };
    check(
        (None, remote, up(1, 0)),
        "it is for example.net",
        0,
        Rule::BuiltIn("there is no queue for other servers"),
        delete,
    );
}
