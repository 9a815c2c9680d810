//! A line of the log, made from one event. Whatever stands in it may come from a peer: values are cut, and in every
//! format a control character is escaped, so that an event is one line and paints no terminal.
//!
//! The words of an event are its `text`; a field `message` is the id of a mail.

use std::{
    fmt::{self, Write as _},
    time::{SystemTime, UNIX_EPOCH},
};

use message::time::Timestamp;
use tracing::{
    Event, Level,
    field::{Field, Visit},
};

/// Longest part of a value that is written, in octets.
const MAX_VALUE: usize = 2 * 1024;
/// What most lines fit in.
const USUAL_LINE: usize = 320;
/// Longest name of a field of the journal (systemd: 64 characters).
const MAX_JOURNAL_NAME: usize = 64;

const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// For people: `2026-11-28T17:00:00.123Z  INFO angarium::message: accepted message=01m9…`.
    Text {
        /// Whether a terminal shows it.
        colour: bool,
    },
    /// For programs: one object a line.
    Json,
    /// An entry of the journal.
    Journal,
}

/// The line of an event.
pub(super) fn line(format: Format, now: SystemTime, event: &Event<'_>) -> Vec<u8> {
    let metadata = event.metadata();
    let mut page = Page::begin(format, now, *metadata.level(), metadata.target());
    let mut texts = Texts::default();
    event.record(&mut texts);
    page.text(&texts.text);
    event.record(&mut page);
    page.end()
}

/// The line that says how many are missing before it.
pub(super) fn lost_line(format: Format, now: SystemTime, lost: u64) -> Vec<u8> {
    let mut page = Page::begin(format, now, Level::WARN, "angarium::log");
    page.text("lines are missing here: they came faster than they could be written");
    page.bare("lost", lost);
    page.end()
}

/// The words of an event: its first field, by the name `message`.
#[derive(Default)]
struct Texts {
    text: String,
}

impl Visit for Texts {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if is_text(field) {
            let _ = write!(Cut(&mut self.text), "{value:?}");
        }
    }
}

/// A macro of tracing puts the words of an event first. Another field may have the same name.
fn is_text(field: &Field) -> bool {
    field.index() == 0 && field.name() == "message"
}

/// A line that is being written.
struct Page {
    format: Format,
    line: String,
    /// Fields behind MESSAGE, which closes the entry of the journal.
    fields: String,
    scratch: String,
}

impl Page {
    fn begin(format: Format, now: SystemTime, level: Level, target: &str) -> Self {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let mut line = String::with_capacity(USUAL_LINE);
        // Writing to a string cannot fail.
        let _ = match format {
            Format::Text { colour: false } => write!(line, "{time} {level:>5} {target}: "),
            Format::Text { colour: true } => {
                let paint = paint(level);
                write!(
                    line,
                    "{DIM}{time}{PLAIN} {paint}{level:>5}{PLAIN} {DIM}{target}:{PLAIN} "
                )
            }
            Format::Json => write!(
                line,
                r#"{{"time":"{time}","level":"{level}","target":"{target}","text":""#
            ),
            Format::Journal => write!(
                line,
                "PRIORITY={}\nSYSLOG_IDENTIFIER=angarium\nTARGET={target}\nMESSAGE=",
                priority(level)
            ),
        };
        Self {
            format,
            line,
            fields: String::new(),
            scratch: String::new(),
        }
    }

    fn text(&mut self, text: &str) {
        match self.format {
            Format::Text { .. } | Format::Journal => push_printable(&mut self.line, text),
            Format::Json => {
                push_json(&mut self.line, text);
                self.line.push('"');
            }
        }
    }

    /// A value that needs no quotes in any format.
    fn bare(&mut self, name: &str, value: impl fmt::Display) {
        self.name(name);
        let _ = write!(self.line, "{value}");
        if self.format == Format::Journal {
            let _ = writeln!(self.fields, "{value}");
        }
    }

    /// A value that may hold anything.
    fn value(&mut self, name: &str, value: fmt::Arguments<'_>) {
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        let _ = Cut(&mut text).write_fmt(value);
        self.name(name);
        match self.format {
            Format::Text { .. } => push_value(&mut self.line, &text),
            Format::Json => {
                self.line.push('"');
                push_json(&mut self.line, &text);
                self.line.push('"');
            }
            Format::Journal => {
                push_value(&mut self.line, &text);
                push_printable(&mut self.fields, &text);
                self.fields.push('\n');
            }
        }
        self.scratch = text;
    }

    fn name(&mut self, name: &str) {
        let _ = match self.format {
            Format::Text { colour: false } => write!(self.line, " {name}="),
            Format::Text { colour: true } => write!(self.line, " {DIM}{name}={PLAIN}"),
            Format::Json => write!(self.line, r#","{}":"#, json_name(name)),
            Format::Journal => {
                push_journal_name(&mut self.fields, name);
                write!(self.line, " {name}=")
            }
        };
    }

    fn end(mut self) -> Vec<u8> {
        match self.format {
            Format::Text { .. } => self.line.push('\n'),
            Format::Json => self.line.push_str("}\n"),
            Format::Journal => {
                self.line.push('\n');
                self.line.push_str(&self.fields);
            }
        }
        self.line.into_bytes()
    }
}

impl Visit for Page {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.value(field.name(), format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.value(field.name(), format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if !is_text(field) {
            self.value(field.name(), format_args!("{value:?}"));
        }
    }
}

/// Takes text up to [`MAX_VALUE`] and marks what was cut.
struct Cut<'a>(&'a mut String);

impl fmt::Write for Cut<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_VALUE.saturating_sub(self.0.len());
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0
            .push_str(text.get(..text.floor_char_boundary(room)).unwrap_or_default());
        self.0.push('…');
        // Ends the formatting of whatever else there is.
        Err(fmt::Error)
    }
}

/// Text without control characters and what else moves a cursor.
fn push_printable(line: &mut String, text: &str) {
    if text.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        line.push_str(text);
        return;
    }
    for c in text.chars() {
        match c {
            '"' | '\'' | '\\' => line.push(c),
            c => line.extend(c.escape_debug()),
        }
    }
}

/// A value as it is where that can be nothing else, and otherwise in quotes.
fn push_value(line: &mut String, text: &str) {
    let is_plain = |octet| matches!(octet, b'!' | b'#'..=b'<' | b'>'..=b'[' | b']'..=b'~');
    if !text.is_empty() && text.bytes().all(is_plain) {
        line.push_str(text);
        return;
    }
    line.push('"');
    for c in text.chars() {
        match c {
            '\'' => line.push(c),
            c => line.extend(c.escape_debug()),
        }
    }
    line.push('"');
}

/// The inside of a string of JSON (RFC 8259 §7). What a terminal would obey is escaped, too.
fn push_json(line: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' | '\\' => line.extend(['\\', c]),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            ' '..='~' => line.push(c),
            c if c.is_control() || is_invisible(c) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(line, "\\u{unit:04x}");
                }
            }
            c => line.push(c),
        }
    }
}

/// Marks of direction and line ends of Unicode, which change how the rest of a line is shown.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A name that is none of a line's own.
const fn json_name(name: &str) -> &str {
    match name.as_bytes() {
        b"time" => "time_",
        b"level" => "level_",
        b"target" => "target_",
        b"text" => "text_",
        _ => name,
    }
}

/// A name of a field as systemd wants it: capital letters, digits and underscores.
fn push_journal_name(fields: &mut String, name: &str) {
    let name = name.bytes().take(MAX_JOURNAL_NAME - "ANGARIUM_".len());
    fields.push_str("ANGARIUM_");
    fields.extend(name.map(|octet| match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => octet.to_ascii_uppercase() as char,
        _ => '_',
    }));
    fields.push('=');
}

/// The colour of a level, as ANSI escapes.
const fn paint(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

/// The number that syslog has for a level (RFC 5424 §6.2.1).
const fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::Subscriber;
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

    use super::*;

    struct Keep(Format, Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Keep {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let line = line(self.0, UNIX_EPOCH, event);
            self.1.lock().unwrap().push(String::from_utf8(line).unwrap());
        }
    }

    fn lines(format: Format, log: impl FnOnce()) -> Vec<String> {
        let kept = Arc::default();
        let subscriber = tracing_subscriber::registry().with(Keep(format, Arc::clone(&kept)));
        tracing::subscriber::with_default(subscriber, log);
        kept.lock().unwrap().clone()
    }

    const TEXT: Format = Format::Text { colour: false };

    fn step() {
        let peer = "192.0.2.1:25";
        tracing::info!(target: "angarium::message", message = %"01m9", peer, size = 5, tls = true, "accepted");
    }

    #[test]
    fn an_event_is_a_line_in_every_format() {
        assert_eq!(
            lines(TEXT, step),
            [
                "1970-01-01T00:00:00.000Z  INFO angarium::message: accepted message=01m9 peer=192.0.2.1:25 size=5 tls=true\n"
            ]
        );
        assert_eq!(
            lines(Format::Json, step),
            [concat!(
                r#"{"time":"1970-01-01T00:00:00.000Z","level":"INFO","target":"angarium::message","text":"accepted","#,
                r#""message":"01m9","peer":"192.0.2.1:25","size":5,"tls":true}"#,
                "\n"
            )]
        );
        assert_eq!(
            lines(Format::Journal, step),
            [
                "PRIORITY=6\nSYSLOG_IDENTIFIER=angarium\nTARGET=angarium::message\n\
                MESSAGE=accepted message=01m9 peer=192.0.2.1:25 size=5 tls=true\n\
                ANGARIUM_MESSAGE=01m9\nANGARIUM_PEER=192.0.2.1:25\nANGARIUM_SIZE=5\nANGARIUM_TLS=true\n"
            ]
        );
        let coloured = lines(Format::Text { colour: true }, step).concat();
        assert!(coloured.contains("\x1b[32m INFO\x1b[0m"), "{coloured}");
    }

    #[test]
    fn what_a_peer_says_stays_inside_its_value() {
        let hostile = "a\r\n1970 ERROR forged\x1b[2J\0\u{202e}\u{85}\u{2028}\" level=\"x\" \\";
        let say = || tracing::warn!(target: "angarium::smtp", helo = hostile, why = %hostile, debug = ?hostile, "said {hostile}");
        for format in [TEXT, Format::Json, Format::Journal] {
            let line = lines(format, say).concat();
            let is_safe = |c: char| c == '\n' || !(c.is_control() || is_invisible(c));
            assert!(line.chars().all(is_safe), "{line:?}");
            let ends = line.matches('\n').count();
            assert_eq!(ends, if format == Format::Journal { 7 } else { 1 }, "{line:?}");
        }
        let json: serde_json::Value = serde_json::from_str(&lines(Format::Json, say).concat()).unwrap();
        assert_eq!(json["helo"], hostile);
        assert_eq!(json["why"], hostile);
        assert_eq!(json["text"], format!("said {hostile}"));
        let text = lines(TEXT, say).concat();
        assert!(
            text.contains(
                r#" helo="a\r\n1970 ERROR forged\u{1b}[2J\0\u{202e}\u{85}\u{2028}\" level=\"x\" \\" why="#
            ),
            "{text}"
        );
    }

    #[test]
    fn a_long_value_is_cut() {
        let long = "é".repeat(100_000);
        for format in [TEXT, Format::Json, Format::Journal] {
            let line = lines(format, || tracing::info!(long, again = ?long, "{long}")).concat();
            assert!(line.len() < 8 * MAX_VALUE && line.contains('…'), "{}", line.len());
        }
    }

    #[test]
    fn a_value_that_could_be_read_otherwise_has_quotes() {
        for (value, expected) in [
            ("plain", "plain"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            ("a=b", "\"a=b\""),
            ("<a@b.example>", "<a@b.example>"),
            ("\"", r#""\"""#),
            ("größe", "\"größe\""),
        ] {
            let mut line = String::new();
            push_value(&mut line, value);
            assert_eq!(line, expected, "{value}");
        }
    }

    #[test]
    fn a_line_may_say_that_others_are_missing() {
        let line = String::from_utf8(lost_line(Format::Json, UNIX_EPOCH, 5)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&json["lost"], &json["target"]),
            (&5.into(), &"angarium::log".into())
        );
    }
}
