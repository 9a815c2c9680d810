//! The page of `top`: two pictures of the server, and what happened between them. It knows no socket and no clock.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Style, Stylize as _},
    text::Line,
    widgets::{Cell as Field, Paragraph, Row, Table as Rows},
};
use shell::{Block, Cell, Table, render};

/// Room for the name of a class, and for a path.
const NARROWEST_CLASS: u16 = 20;
const NARROWEST_PATH: u16 = 30;

/// A column beside the first one.
struct Column {
    head: &'static str,
    /// What it is called in the answer; nothing where it is a rate.
    of: &'static str,
    width: u16,
    /// Who has the lowest stays longest on a narrow terminal: a number that is cut is another number.
    rank: u8,
}

const fn column(head: &'static str, of: &'static str, width: u16, rank: u8) -> Column {
    Column {
        head,
        of,
        width,
        rank,
    }
}

const CLASS_COLUMNS: &[Column] = &[
    column("running", "running", 9, 0),
    column("suspended", "suspended", 9, 5),
    column("parked", "parked", 9, 3),
    column("depth", "depth", 9, 1),
    column("msg/s", "", 9, 2),
    column("waits p99", "waits_p99", 9, 6),
    column("takes p50", "takes_p50", 9, 8),
    column("takes p99", "takes_p99", 9, 7),
    column("crashed", "crashed", 9, 4),
];

const ACTOR_COLUMNS: &[Column] = &[
    column("phase", "phase", 11, 3),
    column("depth", "depth", 8, 0),
    column("oldest", "oldest", 8, 2),
    column("msg/s", "", 8, 4),
    column("busy", "", 8, 1),
    column("restarts", "restarts", 8, 5),
];

/// What the server said at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Picture {
    server: Vec<(String, Cell)>,
    queue: Vec<(String, Cell)>,
    classes: Table,
    actors: Table,
}

/// The page.
#[derive(Debug, Default)]
pub(super) struct Page {
    now: Picture,
    before: Picture,
    /// Between the two.
    passed: Duration,
    taken: Option<Instant>,
    /// Why there is no newer picture.
    wrong: Option<String>,
}

impl Picture {
    /// From the blocks of `overview`, in their order.
    pub(super) fn of(blocks: Vec<Block>) -> Self {
        let mut picture = Self::default();
        for block in blocks {
            match block {
                Block::Fields(fields) if picture.server.is_empty() => picture.server = fields,
                Block::Fields(fields) => picture.queue = fields,
                Block::Table(table) if table.columns.first().is_some_and(|name| name == "class") => {
                    picture.classes = table;
                }
                Block::Table(table) => picture.actors = table,
                Block::Text(_) | Block::Progress { .. } => {}
            }
        }
        picture
    }

    fn number(&self, name: &str) -> u64 {
        let found = self.server.iter().find(|(known, _)| known == name);
        found.map_or(0, |(_, cell)| number(cell))
    }
}

impl Page {
    /// Takes a new picture, or the reason why there is none: the old one stays.
    pub(super) fn take(&mut self, picture: Result<Picture, String>, at: Instant) {
        match picture {
            Ok(picture) => {
                self.passed = self
                    .taken
                    .map_or(Duration::ZERO, |before| at.saturating_duration_since(before));
                self.before = std::mem::replace(&mut self.now, picture);
                self.taken = Some(at);
                self.wrong = None;
            }
            Err(why) => self.wrong = Some(why),
        }
    }

    /// Draws it, on however small a terminal.
    pub(super) fn draw(&self, frame: &mut Frame<'_>) {
        let classes = u16::try_from(self.now.classes.len())
            .unwrap_or(u16::MAX)
            .saturating_add(2);
        let [head, upper, lower] = Layout::vertical([
            Constraint::Length(3),
            Constraint::Max(classes),
            Constraint::Min(0),
        ])
        .areas(frame.area());
        frame.render_widget(Paragraph::new(self.head(usize::from(head.width))), head);
        self.draw_classes(frame, upper);
        self.draw_actors(frame, lower);
    }

    fn head(&self, width: usize) -> Vec<Line<'static>> {
        let value = |name: &str| {
            let found = self.now.server.iter().find(|(known, _)| known == name);
            found.map_or_else(String::new, |(_, cell)| render::cell(cell))
        };
        let commands = self
            .now
            .number("commands")
            .saturating_sub(self.before.number("commands"));
        let first = [
            format!("angarium {}", value("hostname")),
            format!("up {}", value("up")),
            format!("commands {}/s", self.rate(commands)),
            format!("waiting {}", value("waiting_commands")),
            format!("free {}", value("free_space")),
        ];
        let queue: Vec<String> = self
            .now
            .queue
            .iter()
            .map(|(name, cell)| format!("{} {}", name.replace('_', " "), render::cell(cell)))
            .collect();
        let last = match &self.wrong {
            Some(why) => Line::from(why.clone()).red(),
            None => Line::from("q leaves").dim(),
        };
        let queue: Vec<String> = std::iter::once("queue".to_owned()).chain(queue).collect();
        vec![
            Line::from(fitting(&first, width)).bold(),
            Line::from(fitting(&queue, width)),
            last,
        ]
    }

    fn draw_classes(&self, frame: &mut Frame<'_>, area: Rect) {
        let before = by_first(&self.before.classes);
        let table = &self.now.classes;
        let room = area.width.saturating_sub(NARROWEST_CLASS);
        let mut rows: Vec<(u64, Row<'static>)> = Vec::new();
        for row in &table.rows {
            let cell = |name: &str| value(table, row, name);
            let handled = number(&cell("handled"));
            let name = render::cell(&cell("class"));
            let earlier = before.get(&name).map_or(handled, |row| {
                number(&value(&self.before.classes, row, "handled"))
            });
            let rate = handled.saturating_sub(earlier);
            let shown = |name: &str| Field::from(Line::from(render::cell(&cell(name))).right_aligned());
            let fields = CLASS_COLUMNS.iter().map(|column| match column.of {
                "" => Field::from(Line::from(self.rate(rate)).right_aligned()),
                of => shown(of),
            });
            let line =
                Row::new(std::iter::once(Field::from(name)).chain(chosen(fields, CLASS_COLUMNS, room)));
            rows.push((rate, line.style(mood(&cell("parked"), &cell("suspended")))));
        }
        rows.sort_by_key(|(rate, _)| std::cmp::Reverse(*rate));
        draw(frame, area, "class", CLASS_COLUMNS, room, rows);
    }

    fn draw_actors(&self, frame: &mut Frame<'_>, area: Rect) {
        let before = by_first(&self.before.actors);
        let table = &self.now.actors;
        let room = area.width.saturating_sub(NARROWEST_PATH);
        let mut rows: Vec<((u64, u64), Row<'static>)> = Vec::new();
        for row in &table.rows {
            let cell = |name: &str| value(table, row, name);
            let path = render::cell(&cell("path"));
            let since = |name: &str, of: fn(&Cell) -> u64| {
                let now = of(&cell(name));
                let earlier = before
                    .get(&path)
                    .map_or(now, |row| of(&value(&self.before.actors, row, name)));
                now.saturating_sub(earlier)
            };
            let (busy, handled) = (since("busy", micros), since("handled", number));
            let share = match u64::try_from(self.passed.as_micros()) {
                Ok(passed) if passed > 0 => format!("{}%", busy.saturating_mul(100) / passed),
                _ => "-".to_owned(),
            };
            let right = |text: String| Field::from(Line::from(text).right_aligned());
            let fields = [
                Field::from(render::cell(&cell("phase"))),
                right(render::cell(&cell("depth"))),
                right(render::cell(&cell("oldest"))),
                right(self.rate(handled)),
                right(share),
                right(render::cell(&cell("restarts"))),
            ];
            let line = Row::new(std::iter::once(Field::from(path)).chain(chosen(
                fields.into_iter(),
                ACTOR_COLUMNS,
                room,
            )));
            rows.push(((busy, number(&cell("depth"))), line));
        }
        rows.sort_by_key(|(order, _)| std::cmp::Reverse(*order));
        draw(frame, area, "busiest", ACTOR_COLUMNS, room, rows);
    }

    /// How many a second, of so many since the picture before.
    fn rate(&self, count: u64) -> String {
        match self.passed.as_secs_f64() {
            passed if passed > 0.0 => format!("{:.0}", count as f64 / passed),
            _ => "-".to_owned(),
        }
    }
}

/// As many of the parts as there is room for.
fn fitting(parts: &[String], width: usize) -> String {
    let mut line = String::new();
    for part in parts {
        if line.chars().count() + part.chars().count() + 2 > width {
            break;
        }
        line += part;
        line += "  ";
    }
    line
}

/// Whether there is room for a column and for all that stay longer than it.
fn has_room(column: &Column, columns: &[Column], room: u16) -> bool {
    let stay = columns.iter().filter(|other| other.rank <= column.rank);
    stay.map(|other| other.width + 1).sum::<u16>() <= room
}

/// Of the fields, those of the columns for which there is room.
fn chosen<T>(fields: impl Iterator<Item = T>, columns: &[Column], room: u16) -> impl Iterator<Item = T> {
    let paired = fields.zip(columns);
    paired.filter_map(move |(field, column)| has_room(column, columns, room).then_some(field))
}

fn draw<O>(
    frame: &mut Frame<'_>,
    area: Rect,
    first: &'static str,
    columns: &[Column],
    room: u16,
    rows: Vec<(O, Row<'static>)>,
) {
    let heads = chosen(columns.iter().map(|column| column.head), columns, room);
    let widths = chosen(columns.iter().map(|column| column.width), columns, room);
    let widths = std::iter::once(Constraint::Fill(1)).chain(widths.map(Constraint::Length));
    let heads = Row::new(std::iter::once(first).chain(heads)).style(Style::new().reversed());
    let rows = Rows::new(rows.into_iter().map(|(_, row)| row), widths).header(heads);
    frame.render_widget(rows, area);
}

fn by_first(table: &Table) -> HashMap<String, &Vec<Cell>> {
    let rows = table.rows.iter();
    rows.filter_map(|row| Some((render::cell(row.first()?), row)))
        .collect()
}

fn value(table: &Table, row: &[Cell], name: &str) -> Cell {
    let at = table.columns.iter().position(|column| column == name);
    at.and_then(|at| row.get(at)).cloned().unwrap_or(Cell::Nothing)
}

fn number(cell: &Cell) -> u64 {
    match cell {
        Cell::Number(number) | Cell::Octets(number) => *number,
        Cell::Duration(_) | Cell::Text(_) | Cell::Time(_) | Cell::Flag(_) | Cell::Nothing => 0,
    }
}

fn micros(cell: &Cell) -> u64 {
    match cell {
        Cell::Duration(duration) => u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
        other => number(other),
    }
}

/// What is parked or suspended catches the eye.
fn mood(parked: &Cell, suspended: &Cell) -> Style {
    match (number(parked), number(suspended)) {
        (0, 0) => Style::new(),
        (0, _) => Style::new().yellow(),
        _ => Style::new().red(),
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};
    use shell::columns;

    use super::*;

    fn picture(handled: u64) -> Picture {
        let mut classes = Table::new(&columns::CLASSES);
        let ms = |ms| Cell::Duration(Duration::from_millis(ms));
        for (class, handled) in [("store_gate", handled), ("smtp_session", 2 * handled)] {
            classes.row([
                class.into(),
                1_u64.into(),
                0_u64.into(),
                0_u64.into(),
                7_u64.into(),
                handled.into(),
                0_u64.into(),
                0_u64.into(),
                ms(3),
                ms(1),
                ms(2),
            ]);
        }
        let mut actors = Table::new(&columns::BUSIEST);
        actors.row([
            "/store/gate".into(),
            "store_gate".into(),
            "up".into(),
            7_u64.into(),
            ms(4),
            handled.into(),
            ms(handled),
            0_u64.into(),
        ]);
        Picture::of(vec![
            Block::fields([
                ("hostname", "mx.example.org".into()),
                ("commands", handled.into()),
            ]),
            Block::fields([("due", 5_u64.into())]),
            classes.into(),
            actors.into(),
        ])
    }

    fn drawn(page: &Page, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| page.draw(frame)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn rates_are_what_happened_between_two_pictures() {
        let start = Instant::now();
        let mut page = Page::default();
        page.take(Ok(picture(100)), start);
        page.take(Ok(picture(300)), start + Duration::from_secs(2));
        let text = drawn(&page, 120, 20);
        assert!(
            text.contains("mx.example.org") && text.contains("commands 100/s"),
            "{text}"
        );
        assert!(text.contains("due 5"), "{text}");
        let line = |name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
        assert!(line("store_gate").contains(" 100 "), "{text}");
        assert!(line("smtp_session").contains(" 200 "), "{text}");
        assert!(line("/store/gate").contains("10%"), "{text}");
        assert!(
            text.find("smtp_session").unwrap() < text.find("store_gate").unwrap(),
            "the busiest class is the first: {text}"
        );
    }

    #[test]
    fn it_fits_whatever_the_terminal_is() {
        let mut page = Page::default();
        for (width, height) in [(1, 1), (5, 2), (20, 4), (80, 24), (300, 3), (10, 100)] {
            drawn(&page, width, height);
            page.take(Ok(picture(1)), Instant::now());
        }
    }

    #[test]
    fn no_number_is_cut_to_another() {
        let start = Instant::now();
        let mut page = Page::default();
        page.take(Ok(picture(1_000)), start);
        page.take(Ok(picture(124_456)), start + Duration::from_secs(1));
        for width in 1..200 {
            let text = drawn(&page, width, 20);
            let rates = ["123456", "246912"];
            for word in text.split_whitespace().filter(|word| word.parse::<u64>().is_ok()) {
                assert!(
                    ["0", "1", "5", "7"].contains(&word) || rates.contains(&word),
                    "{width}: {word} in {text}"
                );
            }
        }
        let text = drawn(&page, 40, 20);
        assert!(text.contains("running") && !text.contains("takes"), "{text}");
    }

    #[test]
    fn a_server_that_went_away_is_told_and_its_last_picture_stays() {
        let mut page = Page::default();
        page.take(Ok(picture(1)), Instant::now());
        page.take(Err("no server runs on /data".to_owned()), Instant::now());
        let text = drawn(&page, 100, 12);
        assert!(
            text.contains("no server runs on /data") && text.contains("/store/gate"),
            "{text}"
        );
    }
}
