//! Output: a thread that writes lines to one place. It may be slow, nobody waits for it: what does not fit into its
//! bounded queue is lost, counted, and said as soon as there is room.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, SystemTime},
};

use super::line::{Format, lost_line};

/// Octets of lines that may wait for one output: some 40,000 lines.
const MAX_WAITING: usize = 8 << 20;

/// How long the end of the process waits for an output to take what waits.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// What the thread is given.
enum Entry {
    /// A whole line.
    Line(Vec<u8>),
    /// Write out everything before this, and say so.
    Finish(Sender<()>),
}

/// One output of the log. Copies are the same output.
#[derive(Clone)]
pub(super) struct Output {
    format: Format,
    entries: Sender<Entry>,
    queue: Arc<Queue>,
}

/// What the thread and those who log know of each other.
#[derive(Default)]
struct Queue {
    /// Octets that wait.
    waiting: AtomicUsize,
    /// Lines that were lost since it was last said.
    lost: AtomicU64,
}

impl Output {
    /// Starts the thread of an output.
    pub(super) fn start(name: &str, format: Format, output: impl Write + Send + 'static) -> io::Result<Self> {
        let (entries, received) = mpsc::channel();
        let queue = Arc::new(Queue::default());
        let of_thread = Arc::clone(&queue);
        thread::Builder::new()
            .name(format!("log-{name}"))
            .spawn(move || run(&received, &of_thread, format, output))?;
        Ok(Self {
            format,
            entries,
            queue,
        })
    }

    pub(super) const fn format(&self) -> Format {
        self.format
    }

    /// Hands over a line without waiting. Is there no room, it is lost and counted.
    pub(super) fn write(&self, line: Vec<u8>) {
        let octets = line.len();
        let waiting = self.queue.waiting.fetch_add(octets, Ordering::Relaxed);
        if waiting.saturating_add(octets) > MAX_WAITING || self.entries.send(Entry::Line(line)).is_err() {
            self.queue.waiting.fetch_sub(octets, Ordering::Relaxed);
            self.queue.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything so far is written, or until that has taken too long.
    pub(super) fn finish(&self) {
        let (done, finished) = mpsc::channel();
        if self.entries.send(Entry::Finish(done)).is_ok() {
            // An output that is stuck must not hold up the exit.
            let _: Result<(), RecvTimeoutError> = finished.recv_timeout(LAST_WAIT);
        }
    }
}

fn run(entries: &Receiver<Entry>, queue: &Queue, format: Format, mut output: impl Write) {
    while let Ok(first) = entries.recv() {
        let mut next = Some(first);
        let mut finished = None;
        while let Some(entry) = next {
            match entry {
                Entry::Line(line) => {
                    queue.waiting.fetch_sub(line.len(), Ordering::Relaxed);
                    if output.write_all(&line).is_err() {
                        queue.lost.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Entry::Finish(done) => {
                    finished = Some(done);
                    break;
                }
            }
            next = entries.try_recv().ok();
        }
        say_lost(queue, format, &mut output);
        let _ = output.flush();
        if let Some(done) = finished {
            let _ = done.send(());
        }
    }
}

/// Says how many lines are missing. Cannot that be written either, it is said later.
fn say_lost(queue: &Queue, format: Format, output: &mut impl Write) {
    let lost = queue.lost.swap(0, Ordering::Relaxed);
    if lost == 0 {
        return;
    }
    let line = lost_line(format, SystemTime::now(), lost);
    if output.write_all(&line).is_err() {
        queue.lost.fetch_add(lost, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

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
            output.write(format!("{n}\n").into_bytes());
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
        let lines = 2 * MAX_WAITING / line.len();
        for _ in 0..lines {
            output.write(line.clone());
        }
        gate.open();
        output.finish();
        let text = gate.text();
        let written = text.lines().filter(|line| line.starts_with('x')).count();
        let said = text.lines().last().unwrap();
        // One line more than fits may have left the queue already.
        assert!(written == lines / 2 || written == lines / 2 + 1, "{written}");
        assert!(
            said.contains("lines are missing here") && said.contains(&format!("lost={}", lines - written)),
            "{said}"
        );
    }
}
