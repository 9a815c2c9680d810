//! What the rows of a hundred thousand actors cost from values to the last octet on the wire, as `tree` says them:
//! `cargo run --release -p shell --example rows_as_json`

use std::time::{Duration, Instant};

use message::time::Timestamp;
use shell::{Cell, Table, columns, frame::Response};

/// How many rows there are, and how many of them are one block.
const ROWS: usize = 100_000;
const AT_ONCE: usize = 1000;

/// How often it is done.
const TIMES: usize = 10;

fn main() {
    for _ in 0..TIMES {
        let began = Instant::now();
        let mut octets = 0;
        for first in (0..ROWS).step_by(AT_ONCE) {
            let mut table = Table::new(&columns::TREE);
            for number in first..first + AT_ONCE {
                table.row(row(number));
            }
            octets += Response::Block(table.into()).to_line().len();
        }
        println!("{:?} for {octets} octets", began.elapsed());
    }
}

fn row(number: usize) -> [Cell; columns::TREE.len()] {
    [
        format!("/listeners/mx/connections/{number:026}").into(),
        "smtp_session".into(),
        "up".into(),
        Timestamp::from_millis(1_764_360_000_000).into(),
        0_u32.into(),
        0_u64.into(),
        Cell::Nothing,
        number.into(),
        Duration::from_micros(35).into(),
        Duration::from_millis(2).into(),
        Cell::Nothing,
    ]
}
