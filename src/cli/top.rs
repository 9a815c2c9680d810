//! `top`: a full screen of what the server does, over the same socket.

mod page;

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    time::{Duration, Instant},
};

use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
};
use shell::{Block, Exit, frame::Request};

use self::page::{Page, Picture};
use super::client::Client;

/// Shows the page until it is left.
pub(super) fn run(data: &Path, every: Duration) -> anyhow::Result<Exit> {
    if !io::stdout().is_terminal() {
        eprintln!("angarium: top needs a terminal; scripts read \"overview --json\"");
        return Ok(Exit::USAGE);
    }
    if let Err(why) = Client::connect(data) {
        eprintln!("angarium: {}", why.told(&data.display().to_string()));
        return Ok(why.exit());
    }
    // It also gives the terminal back when this panics.
    let mut terminal = ratatui::try_init()?;
    let shown = show(&mut terminal, data, every);
    ratatui::try_restore()?;
    shown?;
    Ok(Exit::DONE)
}

fn show(terminal: &mut DefaultTerminal, data: &Path, every: Duration) -> anyhow::Result<()> {
    let mut page = Page::default();
    let mut due = Instant::now();
    loop {
        if Instant::now() >= due {
            page.take(picture(data), Instant::now());
            due = Instant::now() + every;
        }
        terminal.draw(|frame| page.draw(frame))?;
        if event::poll(due.saturating_duration_since(Instant::now()))? && is_over(&event::read()?) {
            return Ok(());
        }
    }
}

fn is_over(event: &Event) -> bool {
    let Event::Key(key) = event else {
        return false;
    };
    let is_interrupt = key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
    key.kind == KeyEventKind::Press && (is_interrupt || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc))
}

/// What the server says now, or why it does not.
fn picture(data: &Path) -> Result<Picture, String> {
    let name = data.display().to_string();
    let mut client = Client::connect(data).map_err(|why| why.told(&name))?;
    client.hurry();
    let mut blocks = Vec::new();
    let mut keep = |block: Block| {
        blocks.push(block);
        Ok(())
    };
    let end = client.ask(&Request::new("overview", None), &mut keep);
    match end.map_err(|why| why.to_string())?.error {
        Some(why) => Err(why),
        None => Ok(Picture::of(blocks)),
    }
}
