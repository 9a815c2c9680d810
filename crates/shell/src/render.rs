//! Render: an answer as people read it. Verbs say values; how wide a column is and what is red is decided here.

mod fit;

use std::{fmt::Write as _, time::Duration};

use config::ByteSize;
use message::time::Timestamp;
use unicode_width::UnicodeWidthStr as _;

use crate::{
    answer::{Answer, Block, Receipt, Table},
    cell::{Cell, micros},
};

/// For whom it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A program or a file: rows have tabs between their cells and no head.
    Plain,
    /// A terminal.
    Terminal {
        /// How many columns it has.
        width: usize,
        /// Whether it shows colours.
        colour: bool,
    },
}

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const RED: &str = "\u{1b}[31m";
const PLAIN: &str = "\u{1b}[0m";

/// The whole answer.
#[must_use]
pub fn answer(answer: &Answer, style: Style) -> String {
    let mut text = String::new();
    for block in &answer.blocks {
        text += &self::block(block, style);
    }
    if let Some(receipt) = &answer.receipt {
        text += &self::receipt(receipt);
    }
    text
}

/// A part of an answer, with its line end.
#[must_use]
pub fn block(block: &Block, style: Style) -> String {
    match block {
        Block::Table(table) => match style {
            Style::Plain => plain(table),
            Style::Terminal { width, colour } => fit::table(table, width, colour),
        },
        Block::Fields(fields) => {
            let width = fields.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
            fields.iter().fold(String::new(), |mut text, (name, value)| {
                let name = name.replace('_', " ");
                let pad = " ".repeat(width.saturating_sub(name.width()));
                // What has nothing in it would look as if it had been forgotten.
                let value = match cell(value) {
                    empty if empty.is_empty() => "-".to_owned(),
                    value => value,
                };
                let _ = writeln!(text, "{name}{pad}  {value}");
                text
            })
        }
        Block::Text(text) => format!("{}\n", text.lines().map(tame).collect::<Vec<_>>().join("\n")),
        Block::Progress { what, done, total } => match total {
            Some(total) => format!("{}: {done} of {total}\n", tame(what)),
            None => format!("{}: {done}\n", tame(what)),
        },
    }
}

/// Rows that come one after the other for as long as somebody looks: their head stands above the first, and none is cut,
/// because nobody knows how wide the next will be.
#[must_use]
pub fn stream(table: &Table, style: Style, has_head: bool) -> String {
    let Style::Terminal { colour, .. } = style else {
        return plain(table);
    };
    let text = fit::table(table, usize::MAX, colour);
    match (has_head, text.split_once('\n')) {
        (false, Some((_, rows))) => rows.to_owned(),
        _ => text,
    }
}

/// The proof of a change, in a line or two.
#[must_use]
pub fn receipt(receipt: &Receipt) -> String {
    let touches = match receipt.touches {
        1 => "1 thing".to_owned(),
        touches => format!("{touches} things"),
    };
    if receipt.dry_run {
        return format!("would: {} ({touches}); nothing is done\n", tame(&receipt.what));
    }
    let undo = match &receipt.inverse {
        Some(inverse) => format!("undo: {}", tame(inverse)),
        None => "nothing undoes it".to_owned(),
    };
    format!(
        "{} ({touches})\nreceipt {}; {undo}\n",
        tame(&receipt.what),
        receipt.id
    )
}

/// One value.
#[must_use]
pub fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => tame(text),
        Cell::Number(number) => number.to_string(),
        Cell::Octets(octets) => size(*octets),
        Cell::Duration(duration) => self::duration(*duration),
        Cell::Time(time) => self::time(*time),
        Cell::Flag(true) => "yes".to_owned(),
        Cell::Flag(false) => "no".to_owned(),
        Cell::Nothing => "-".to_owned(),
    }
}

/// Two digits that matter, and a unit.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let us = micros(duration);
    let secs = us / 1_000_000;
    match us {
        0..1_000 => format!("{us}us"),
        1_000..10_000 => format!("{}.{}ms", us / 1_000, us % 1_000 / 100),
        10_000..1_000_000 => format!("{}ms", us / 1_000),
        1_000_000..10_000_000 => format!("{secs}.{}s", us % 1_000_000 / 100_000),
        _ => match secs {
            0..100 => format!("{secs}s"),
            100..3_600 => format!("{}m{:02}s", secs / 60, secs % 60),
            3_600..172_800 => format!("{}h{:02}m", secs / 3_600, secs % 3_600 / 60),
            _ => format!("{}d{:02}h", secs / 86_400, secs % 86_400 / 3_600),
        },
    }
}

/// A size in the unit in which it is short.
#[must_use]
pub fn size(octets: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if octets < 1024 {
        return ByteSize::bytes(octets).to_string();
    }
    let mut tenths = octets.saturating_mul(10) / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    let unit = UNITS.get(unit).copied().unwrap_or_default();
    match tenths {
        0..100 => format!("{}.{}{unit}", tenths / 10, tenths % 10),
        _ => format!("{}{unit}", tenths / 10),
    }
}

/// A time in UTC to the second.
fn time(time: Timestamp) -> String {
    let text = time.to_string();
    match text.split_once('.') {
        Some((whole, _)) => format!("{}Z", whole.replace('T', " ")),
        None => text,
    }
}

/// The same where there is little room: day and minute.
fn short_time(time: Timestamp) -> String {
    let text = self::time(time);
    text.get(5..16).map(str::to_owned).unwrap_or(text)
}

/// A text that speaks to no terminal: what was said by strangers stands in answers.
fn tame(text: &str) -> String {
    if !text.contains(is_wild) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| if is_wild(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Control characters, and those that turn the direction of writing round.
fn is_wild(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

fn plain(table: &Table) -> String {
    table.rows.iter().fold(String::new(), |mut text, row| {
        let cells: Vec<String> = row.iter().map(cell).collect();
        text += &cells.join("\t");
        text.push('\n');
        text
    })
}

#[cfg(test)]
mod tests;
