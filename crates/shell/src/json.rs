//! JSON: an answer as programs read it. Rows are objects whose keys are the columns; sizes are numbers of octets,
//! durations numbers of milliseconds, times texts of RFC 3339, and what is not there is null.

use serde_json::{Map, Value, json};

use crate::{
    answer::{Answer, Block, Receipt},
    cell::{Cell, micros},
};

/// The whole answer, with the reason if it was refused.
#[must_use]
pub fn answer(answer: &Answer, error: Option<&str>) -> Value {
    json!({
        "version": answer.version,
        "verb": answer.verb,
        "blocks": answer.blocks.iter().map(block).collect::<Vec<_>>(),
        "receipt": answer.receipt.as_ref().map(receipt),
        "exit": answer.exit.0,
        "error": error,
    })
}

/// A part of an answer, for what is told while it happens.
#[must_use]
pub fn block(block: &Block) -> Value {
    match block {
        Block::Table(table) => {
            let row = |cells: &Vec<Cell>| -> Value {
                let pairs = table.columns.iter().cloned().zip(cells.iter().map(cell));
                Value::Object(pairs.collect::<Map<_, _>>())
            };
            json!({"table": table.rows.iter().map(row).collect::<Vec<_>>()})
        }
        Block::Fields(fields) => {
            let pairs = fields.iter().map(|(name, value)| (name.clone(), cell(value)));
            json!({"fields": Value::Object(pairs.collect())})
        }
        Block::Text(text) => json!({"text": text}),
        Block::Progress { what, done, total } => {
            json!({"progress": {"what": what, "done": done, "total": total}})
        }
    }
}

fn receipt(receipt: &Receipt) -> Value {
    json!({
        "id": receipt.id,
        "at": receipt.at.to_string(),
        "what": receipt.what,
        "touches": receipt.touches,
        "inverse": receipt.inverse,
        "dry_run": receipt.dry_run,
    })
}

fn cell(cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => json!(text),
        Cell::Number(number) | Cell::Octets(number) => json!(number),
        Cell::Duration(duration) => {
            let us = micros(*duration);
            match us % 1000 {
                0 => json!(us / 1000),
                _ => json!(duration.as_secs_f64() * 1000.0),
            }
        }
        Cell::Time(time) => json!(time.to_string()),
        Cell::Flag(flag) => json!(flag),
        Cell::Nothing => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use message::time::Timestamp;

    use super::*;
    use crate::answer::Table;

    #[test]
    fn rows_are_objects() {
        let mut table = Table::new(&["path", "age", "took", "at", "size", "gone"]);
        table.row([
            Cell::from("/"),
            Cell::Duration(Duration::from_secs(2)),
            Cell::Duration(Duration::from_micros(250)),
            Cell::Time(Timestamp::from_millis(0)),
            Cell::Octets(9),
            Cell::Nothing,
        ]);
        let said = answer(&Answer::new("tree").with(table), None);
        assert_eq!(
            said,
            json!({
                "version": 1, "verb": "tree", "receipt": null, "exit": 0, "error": null,
                "blocks": [{"table": [{
                    "path": "/", "age": 2000, "took": 0.25, "at": "1970-01-01T00:00:00.000Z", "size": 9, "gone": null,
                }]}],
            })
        );
    }
}
