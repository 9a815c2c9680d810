//! Editor: the line that is typed, its history and its completion.

use std::{
    env, fs,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustyline::{
    CompletionType, Context, Helper, completion::Completer, error::ReadlineError, highlight::Highlighter,
    hint::Hinter, history::FileHistory, validate::Validator,
};
use shell::{complete::complete, words::quoted};

use super::alive;

/// Lines that are kept of all sessions.
const HISTORY: usize = 5000;

/// Reads lines from a terminal, or from whatever standard input is.
pub(super) struct Editor {
    editor: rustyline::Editor<Candidates, FileHistory>,
    history: Option<PathBuf>,
}

impl Editor {
    pub(super) fn new(data: &Path) -> anyhow::Result<Self> {
        let config = rustyline::Config::builder()
            .max_history_size(HISTORY)?
            .history_ignore_dups(true)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .build();
        let mut editor = rustyline::Editor::with_config(config)?;
        editor.set_helper(Some(Candidates {
            data: data.to_owned(),
        }));
        let history = history();
        if let Some(history) = &history {
            // The first session has none.
            drop(editor.load_history(history));
        }
        Ok(Self { editor, history })
    }

    /// The next line. It is in the history at once: a shell that is killed forgets nothing.
    pub(super) fn read(&mut self, prompt: &str) -> Result<String, ReadlineError> {
        let line = self.editor.readline(prompt)?;
        if self.editor.add_history_entry(line.as_str())?
            && let Some(history) = &self.history
        {
            // A home that is full or read-only is no reason to stop.
            drop(self.editor.append_history(history));
        }
        Ok(line)
    }
}

/// The file of the history, made so that nobody else reads it; none where there is no home.
fn history() -> Option<PathBuf> {
    let named = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")))?;
    let directory = state.join("angarium");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .ok()?;
    let file = directory.join("history");
    fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&file)
        .ok()?;
    Some(file)
}

/// What may stand where the cursor is: from the table, and from what is alive in the server.
struct Candidates {
    data: PathBuf,
}

impl Completer for Candidates {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let found = complete(line.get(..at).unwrap_or(line));
        let mut candidates = found.candidates;
        let mut is_whole = true;
        if let Some((kind, begun)) = found.live {
            candidates.extend(alive(&self.data, kind, &begun).iter().map(|it| quoted(it)));
            // Below a path there may be another.
            is_whole = kind != "path";
        }
        if let ([candidate], true) = (candidates.as_mut_slice(), is_whole) {
            candidate.push(' ');
        }
        Ok((found.start, candidates))
    }
}

impl Hinter for Candidates {
    type Hint = String;
}

impl Highlighter for Candidates {}

impl Validator for Candidates {}

impl Helper for Candidates {}
