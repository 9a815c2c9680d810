//! What the tallies by class cost of a message: casts to an empty handler, and in turn with them, in one process, casts to
//! one that counts each a second time, by the very code. The second count is what the first costs.
//!
//! `cargo bench -p supervision --bench counting`
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should stop")]

#[path = "../src/tally.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "only the counting of it is run here"
)]
mod tally;

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use ractor_cluster_derive::RactorMessage;
use supervision::{Actor, Address, Broken, Context, Reply, Restart, Settings, Strategy, Supervisor};
use tally::Class;

const CASTS: u64 = 10_000;
const ROUNDS: usize = 400;
const DEADLINE: Duration = Duration::from_secs(10);

static CLASS: LazyLock<Class> = LazyLock::new(Class::new);

#[derive(RactorMessage)]
enum Msg {
    Ping(Reply<()>),
    Plain(u64),
    Counted(u64),
}

struct Empty;

impl Actor for Empty {
    const CLASS: &'static str = "empty";
    type Msg = Msg;
    type Args = ();
    type State = u64;

    async fn pre_start(_: &Context<Msg>, (): ()) -> Result<u64, Broken> {
        Ok(0)
    }

    async fn handle(_: &Context<Msg>, msg: Msg, last: &mut u64) -> Result<(), Broken> {
        match msg {
            Msg::Ping(reply) => reply.send(()),
            Msg::Plain(note) => *last = black_box(note),
            Msg::Counted(note) => {
                *last = black_box(note);
                // Waits that grow as those of a burst do, and a handler that takes next to nothing.
                CLASS.record(black_box(note * 300), black_box(30));
            }
        }
        Ok(())
    }
}

fn main() {
    for workers in [1, 2] {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(workers).enable_all().build().unwrap();
        let task = async move { tokio::spawn(measure(workers)).await.unwrap() };
        runtime.block_on(task);
    }
}

async fn measure(workers: usize) {
    let (child, address) = supervision::child::<Empty>("empty", Restart::Permanent, |_| ());
    let root = Supervisor::root(Strategy::OneForOne).child(child);
    let _running = supervision::start(root, Settings::default()).await.unwrap();
    let (mut plain, mut counted, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let one = burst(&address, Msg::Plain).await;
        let other = burst(&address, Msg::Counted).await;
        plain.push(one);
        counted.push(other);
        ratios.push(other / one);
    }
    let per = |seconds: f64| seconds * 1e9 / CASTS as f64;
    println!(
        "{workers} threads: {:.1} ns a cast, {:.1} counted once more: {:+.2} %; the fastest tenth {:.1}, {:.1}: {:+.2} %; \
         ratio of neighbours {:+.2} %",
        per(at(&mut plain, 50)),
        per(at(&mut counted, 50)),
        100.0 * (at(&mut counted, 50) / at(&mut plain, 50) - 1.0),
        per(at(&mut plain, 10)),
        per(at(&mut counted, 10)),
        100.0 * (at(&mut counted, 10) / at(&mut plain, 10) - 1.0),
        100.0 * (at(&mut ratios, 50) - 1.0),
    );
}

/// Seconds of a burst of casts, until the last has been handled.
async fn burst(address: &Address<Msg>, msg: fn(u64) -> Msg) -> f64 {
    let began = Instant::now();
    for note in 0..CASTS {
        address.cast(msg(note)).unwrap();
    }
    address.call(DEADLINE, Msg::Ping).await.unwrap();
    began.elapsed().as_secs_f64()
}

fn at(values: &mut [f64], percent: usize) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() * percent / 100).copied().unwrap()
}
