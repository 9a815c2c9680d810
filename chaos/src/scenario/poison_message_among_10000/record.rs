//! What the log of a server says of the poison: who crashed on it, and when it was set aside. Pure.

use message::id::MessageId;
use serde_json::Value;

use super::PROMISE;
use crate::promise::Broken;

/// The most that may die of one message: two while it is parsed, and two when it is not.
const MOST: usize = 4;

/// What a log says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// Who died of it.
    pub(super) crashes: usize,
    /// Whether it was set aside.
    pub(super) held: bool,
}

/// Reads a log of JSON lines. A message of which somebody dies who is not a delivery, or after it was set aside, and a
/// death of anything else, break the promise.
pub(super) fn read(log: &str, poison: MessageId) -> Result<Record, Broken> {
    let subject = format!("message:{:032x}", u128::from_be_bytes(poison.id().to_bytes()));
    let mut record = Record::default();
    for line in log.lines() {
        // The last line may be half written.
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let field = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
        let text = field("text");
        if text.starts_with("crashed: ") {
            let expected = field("class") == "local_delivery" && field("subject") == subject && !record.held;
            if !expected {
                return Err(Broken::new(PROMISE, format!("{} crashed: {line}", field("path"))));
            }
            record.crashes += 1;
        }
        if text == "held" {
            if field("message") != poison.to_string() {
                return Err(Broken::new(PROMISE, format!("another message is held: {line}")));
            }
            record.held = true;
        }
    }
    match record.crashes {
        0..=MOST => Ok(record),
        more => Err(Broken::new(PROMISE, format!("{more} deliveries died of it"))),
    }
}

#[cfg(test)]
mod tests {
    use message::id::Id;

    use super::*;

    const CRASH: &str = r#"{"level":"ERROR","text":"crashed: broken","path":"/d/7","class":"local_delivery","subject":"message:0000000000000000000000000000002a"}"#;
    const OTHER: &str = r#"{"level":"ERROR","text":"crashed: broken","path":"/d/7","class":"local_delivery","subject":"message:0000000000000000000000000000002b"}"#;
    const QUEUE: &str = r#"{"level":"ERROR","text":"crashed: broken","path":"/q","class":"local_queue","subject":"message:0000000000000000000000000000002a"}"#;
    const RESTART: &str = r#"{"level":"WARN","text":"restarted","path":"/d/7"}"#;

    fn poison() -> MessageId {
        MessageId::new(Id::from_bytes(0x2a_u128.to_be_bytes()))
    }

    fn held(message: &str) -> String {
        format!(r#"{{"level":"WARN","text":"held","message":"{message}"}}"#)
    }

    #[test]
    fn reads_crashes_and_the_end_of_them() {
        let held = held(&poison().to_string());
        for (lines, crashes, aside) in [
            (vec![], 0, false),
            (vec![CRASH, RESTART], 1, false),
            (vec![CRASH, RESTART, CRASH, CRASH, CRASH, &held], 4, true),
            (vec![CRASH, r#"{"level":"ERROR","te"#], 1, false),
        ] {
            let record = read(&lines.join("\n"), poison()).unwrap();
            assert_eq!(record, Record { crashes, held: aside }, "{lines:?}");
        }
    }

    #[test]
    fn sees_every_violation() {
        let (mine, other) = (held(&poison().to_string()), held("another"));
        for (lines, expected) in [
            (vec![OTHER], "crashed"),
            (vec![QUEUE], "crashed"),
            (vec![CRASH, &mine, CRASH], "crashed"),
            (vec![&*other], "another message is held"),
            (vec![CRASH; 5], "5 deliveries died"),
        ] {
            let broken = read(&lines.join("\n"), poison()).unwrap_err().to_string();
            assert!(broken.contains(expected), "{expected}: {broken}");
        }
    }
}
