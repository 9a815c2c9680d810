//! Spike (a): how many messages a second the committer makes durable.
//!
//! Each writer seals a 4 KiB body, proposes `Accept` and, in the runs named `accept+append`, then `Append`. All writers
//! are tasks of one runtime of two workers, as sessions are. `cargo bench -p store --bench committer`; arguments behind
//! `--` choose writers and seconds: `-- 1,50 3`. Each figure is the median of three runs, each on a store of its own.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on ends")]

#[path = "../tests/engine/fixture.rs"]
#[expect(dead_code, reason = "the bench needs a part of what the tests need")]
mod fixture;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use message::id::{CommandId, MailboxId};
use store::{
    command::{Append, Command, Proposal},
    options::Options,
    record::{
        mailbox::{Flags, Parsed},
        spool::RecipientNumber,
    },
    store::Store,
};

use fixture::{NOW, TENANT, accept, account, blob, furnish, id, message, noise, octets};

const BODY_OCTETS: usize = 4096;
const RUNS: usize = 3;

#[derive(Clone, Copy)]
struct Case {
    writers: u64,
    append: bool,
    text: bool,
}

#[derive(Clone, Debug, Default)]
struct Figures {
    messages_per_second: f64,
    commands_per_sync: f64,
    p50: Duration,
    p99: Duration,
    write_share: f64,
    cpu_millis_per_message: f64,
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"));
    let writers = arguments.next().unwrap_or_else(|| "1,10,50,200".to_owned());
    let seconds = arguments.next().map_or(3, |seconds| seconds.parse().unwrap());
    let place = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    println!(
        "| run | body | writers | messages/s | commands/sync | Accept p50 | p99 | in write+sync | CPU ms/message |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for append in [false, true] {
        for text in [true, false] {
            for writers in writers.split(',').map(|writers| writers.parse().unwrap()) {
                let case = Case {
                    writers,
                    append,
                    text,
                };
                print(case, &median(case, Duration::from_secs(seconds), &place));
            }
        }
    }
}

fn print(case: Case, figures: &Figures) {
    println!(
        "| {} | {} | {} | {:.0} | {:.1} | {:.2} ms | {:.2} ms | {:.0} % | {:.3} |",
        if case.append { "accept+append" } else { "accept" },
        if case.text { "text" } else { "random" },
        case.writers,
        figures.messages_per_second,
        figures.commands_per_sync,
        figures.p50.as_secs_f64() * 1e3,
        figures.p99.as_secs_f64() * 1e3,
        figures.write_share * 100.0,
        figures.cpu_millis_per_message,
    );
}

fn median(case: Case, length: Duration, place: &Path) -> Figures {
    let mut runs: Vec<Figures> = (0..RUNS).map(|_| run(case, length, place)).collect();
    runs.sort_by(|one, other| one.messages_per_second.total_cmp(&other.messages_per_second));
    runs.swap_remove(RUNS / 2)
}

fn run(case: Case, length: Duration, place: &Path) -> Figures {
    let dir = tempfile::tempdir_in(place).unwrap();
    let (store, _) = Store::open(dir.path(), Options::default()).unwrap();
    furnish(&store);
    let bodies: Arc<Vec<Vec<u8>>> = Arc::new((0..64).map(|n| body(case, n)).collect());
    let next = Arc::new(AtomicU64::new(0));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let before = store.statistics();
    let (cpu, start) = (cpu_time(), Instant::now());
    let end = start + length;
    let writers: Vec<_> = (0..case.writers)
        .map(|_| {
            let (store, bodies, next) = (store.clone(), Arc::clone(&bodies), Arc::clone(&next));
            runtime.spawn(async move { write(case, &store, &bodies, &next, end).await })
        })
        .collect();
    let mut latencies: Vec<Duration> = runtime
        .block_on(async { all(writers).await })
        .into_iter()
        .flatten()
        .collect();
    let (took, cpu) = (start.elapsed(), cpu_time() - cpu);
    let after = store.statistics();
    store.close().unwrap();
    latencies.sort_unstable();
    let messages = latencies.len() as f64;
    let at = |part: f64| {
        latencies
            .get((messages * part) as usize)
            .copied()
            .unwrap_or_default()
    };
    Figures {
        messages_per_second: messages / took.as_secs_f64(),
        commands_per_sync: (after.commands - before.commands) as f64 / (after.syncs - before.syncs) as f64,
        p50: at(0.50),
        p99: at(0.99),
        write_share: (after.write_time - before.write_time).as_secs_f64() / took.as_secs_f64(),
        cpu_millis_per_message: cpu.as_secs_f64() * 1e3 / messages,
    }
}

async fn all(writers: Vec<tokio::task::JoinHandle<Vec<Duration>>>) -> Vec<Vec<Duration>> {
    let mut latencies = Vec::new();
    for writer in writers {
        latencies.push(writer.await.unwrap());
    }
    latencies
}

/// One writer; gives how long each accept took, from its proposal to its answer.
async fn write(
    case: Case,
    store: &Store,
    bodies: &[Vec<u8>],
    next: &AtomicU64,
    end: Instant,
) -> Vec<Duration> {
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let n = next.fetch_add(1, Relaxed);
        let mut writer = store.blob_writer(TENANT, blob(n));
        writer
            .push(bodies.get(n as usize % bodies.len()).unwrap())
            .await
            .unwrap();
        let proposal = accept(n, writer.seal());
        let start = Instant::now();
        store.propose(proposal).await.unwrap();
        latencies.push(start.elapsed());
        if case.append {
            store.propose(append(n)).await.unwrap();
        }
    }
    latencies
}

fn append(n: u64) -> Proposal {
    let append = Append {
        tenant: TENANT,
        message: message(n),
        recipient: RecipientNumber::new(0),
        blob: blob(n),
        account: account(),
        // INBOX is the first mailbox of the account.
        mailbox: MailboxId::new(id(2, 0)),
        prefix: bytes::Bytes::from_static(b"Delivered-To: anna@example.org\r\n"),
        flags: Flags::default(),
        internal_date: NOW,
        parsed: Parsed::Whole,
        structure: Some(bytes::Bytes::from_static(&[0x55; 300])),
        actor: "/tenants/default/queues/local".to_owned(),
    };
    Proposal::new(CommandId::new(id(7, n)), NOW, Command::Append(append))
}

fn body(case: Case, n: u64) -> Vec<u8> {
    if !case.text {
        return noise(n, BODY_OCTETS);
    }
    // Words in an order of their own, so that the text compresses about as mail does.
    const WORDS: [&str; 24] = [
        "meeting", "the", "of", "report", "Tuesday", "please", "find", "attached", "regards", "budget",
        "and", "to", "we", "server", "question", "about", "delivery", "invoice", "next", "week", "team",
        "thanks", "draft", "\r\n",
    ];
    let mut text = octets(n, 200);
    for octet in noise(n, BODY_OCTETS) {
        text.extend_from_slice(WORDS.get(usize::from(octet) % WORDS.len()).unwrap().as_bytes());
        text.push(b' ');
    }
    text.truncate(BODY_OCTETS);
    text
}

/// CPU time of this process so far, in user and system mode.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // Fields 14 and 15 of proc(5), in ticks of 10 ms; the first two were cut off.
    let ticks: u64 = fields
        .iter()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 10)
}
