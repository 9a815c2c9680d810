//! Output: a thread that writes lines to one place. It may be slow, nobody waits for it: what does not fit into its
//! bounded queue is lost, counted, and said as soon as there is room.
//!
//! A thread that is woken for each line costs more than the line. It is woken by the first, and gathers for a moment.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use super::line::{Format, lost_line};

/// Octets of lines that may wait for one output: some 40,000 lines.
const MAX_WAITING: usize = 8 << 20;

/// How long lines are gathered before they are written together.
const GATHER: Duration = Duration::from_millis(10);

/// Octets of a block that is written without gathering more.
pub(super) const ENOUGH: usize = 64 << 10;

/// How long the end of the process waits for an output to take what waits.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// One output of the log. Copies are the same output.
#[derive(Clone)]
pub(super) struct Output {
    format: Format,
    shared: Arc<Shared>,
}

/// What the thread and those who log have in common.
#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is something to do for the thread.
    called: Condvar,
    /// The thread has written everything.
    finished: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: Block,
    /// Lines that were lost since it was last said.
    lost: u64,
    /// Whether the thread is writing a block.
    is_writing: bool,
    /// Whether somebody waits for the end of it: nothing is gathered any more.
    is_ending: bool,
    /// Nothing more comes: the thread ends when it has written what waits.
    is_closed: bool,
}

/// Whole lines.
#[derive(Default)]
struct Block {
    octets: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl Block {
    fn push(&mut self, line: &[u8]) {
        self.octets.extend_from_slice(line);
        self.ends.push(self.octets.len());
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins
            .zip(&self.ends)
            .filter_map(|(begin, end)| self.octets.get(begin..*end))
    }

    fn clear(&mut self) {
        self.octets.clear();
        self.ends.clear();
        // What a flood needed is not kept for ever.
        self.octets.shrink_to(ENOUGH);
        self.ends.shrink_to(ENOUGH / 64);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it is held; were it so, the queue would still be whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Output {
    /// Starts the thread of an output. It is given whole lines, one a call.
    pub(super) fn start(name: &str, format: Format, output: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        thread::Builder::new()
            .name(format!("log-{name}"))
            .spawn(move || run(&of_thread, format, output))?;
        Ok(Self { format, shared })
    }

    pub(super) const fn format(&self) -> Format {
        self.format
    }

    /// Hands over a line without waiting. Is there no room, it is lost and counted.
    pub(super) fn write(&self, line: &[u8]) {
        let mut queue = self.shared.lock();
        let before = queue.waiting.octets.len();
        let after = before + line.len();
        if after > MAX_WAITING {
            queue.lost += 1;
            return;
        }
        queue.waiting.push(line);
        drop(queue);
        if before == 0 || (before < ENOUGH && after >= ENOUGH) {
            self.shared.called.notify_one();
        }
    }

    /// Takes nothing more. What waits is written, and then the place is given back.
    pub(super) fn close(&self) {
        self.shared.lock().is_closed = true;
        self.shared.called.notify_one();
    }

    /// Waits until everything so far is written, or until that has taken too long: an output that is stuck must not hold
    /// up the exit.
    pub(super) fn finish(&self) {
        let until = Instant::now() + LAST_WAIT;
        let mut queue = self.shared.lock();
        queue.is_ending = true;
        self.shared.called.notify_one();
        while !queue.waiting.octets.is_empty() || queue.is_writing {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.shared.finished.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Writes until the output is closed, or the process ends.
fn run(shared: &Shared, format: Format, mut output: impl Write) {
    let mut block = Block::default();
    loop {
        let Some(lost) = take(shared, &mut block) else {
            return;
        };
        let mut missing = 0;
        for line in block.lines() {
            missing += u64::from(output.write_all(line).is_err());
        }
        block.clear();
        let lost = lost + missing;
        let is_said = lost == 0 || {
            let line = lost_line(format, SystemTime::now(), lost);
            output.write_all(&line).is_ok()
        };
        let is_out = output.flush().is_ok();
        let mut queue = shared.lock();
        queue.is_writing = false;
        if !(is_said && is_out) {
            queue.lost += lost;
        }
        drop(queue);
        shared.finished.notify_all();
    }
}

/// Waits for lines, gathers more of them for a moment, and takes them all; `None` when there will be no more.
fn take(shared: &Shared, block: &mut Block) -> Option<u64> {
    let mut queue = shared.lock();
    while queue.waiting.octets.is_empty() {
        if queue.is_closed {
            return None;
        }
        let waited = shared.called.wait(queue);
        queue = waited.unwrap_or_else(PoisonError::into_inner);
    }
    let until = Instant::now() + GATHER;
    while queue.waiting.octets.len() < ENOUGH && !queue.is_ending {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let waited = shared.called.wait_timeout(queue, left);
        queue = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
    std::mem::swap(&mut queue.waiting, block);
    queue.is_writing = true;
    Some(std::mem::take(&mut queue.lost))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An output that takes nothing until it is opened.
    #[derive(Clone, Default)]
    struct Gate {
        written: Arc<Mutex<Written>>,
        opened: Arc<Condvar>,
    }

    #[derive(Default)]
    struct Written {
        is_open: bool,
        octets: Vec<u8>,
    }

    impl Gate {
        fn open(&self) {
            self.written.lock().unwrap().is_open = true;
            self.opened.notify_all();
        }

        fn text(&self) -> String {
            String::from_utf8(self.written.lock().unwrap().octets.clone()).unwrap()
        }
    }

    impl Write for Gate {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let mut written = self.written.lock().unwrap();
            while !written.is_open {
                written = self.opened.wait(written).unwrap();
            }
            written.octets.extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const TEXT: Format = Format::Text { colour: false };

    #[test]
    fn what_waits_is_written_at_the_end() {
        let gate = Gate::default();
        gate.open();
        let output = Output::start("test", TEXT, gate.clone()).unwrap();
        for n in 0..1_000 {
            output.write(format!("{n}\n").as_bytes());
        }
        output.finish();
        let expected: String = (0..1_000).map(|n| format!("{n}\n")).collect();
        assert_eq!(gate.text(), expected);
    }

    #[test]
    fn nobody_waits_for_a_slow_output_and_what_is_lost_is_said() {
        let gate = Gate::default();
        let output = Output::start("test", TEXT, gate.clone()).unwrap();
        let line = [vec![b'x'; 1023], vec![b'\n']].concat();
        let lines = 4 * MAX_WAITING / line.len();
        for _ in 0..lines {
            output.write(&line);
        }
        gate.open();
        output.finish();
        let text = gate.text();
        let written = text.lines().filter(|line| line.starts_with('x')).count();
        let said = text.lines().last().unwrap();
        // As many as fit, and at most as many again that the thread had taken already.
        assert!((lines / 4..=lines / 2).contains(&written), "{written}");
        assert!(
            said.contains("lines are missing here") && said.contains(&format!("lost={}", lines - written)),
            "{said}"
        );
    }
}
