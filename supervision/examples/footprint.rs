//! Memory of idle children, and how fast they start: `cargo run --release -p supervision --example footprint -- pair 10000`.
//!
//! Kinds: `bare` (a ractor actor), `actor` (a dynamic child), `pair` (a dynamic child with a companion that waits on a
//! channel, as an idle connection waits on its socket).
#![expect(clippy::unwrap_used, reason = "a measurement that cannot run should stop")]

use std::time::{Duration, Instant};

use ractor::{ActorProcessingErr, ActorRef};
use ractor_cluster_derive::RactorMessage;
use supervision::{
    Actor, Broken, Context, Dynamic, Intensity, Reply, Restart, Settings, Strategy, Supervisor,
};
use tokio::sync::watch;

#[derive(RactorMessage)]
enum Msg {
    Ping(Reply<u64>),
}

struct Echo;

impl Actor for Echo {
    const CLASS: &'static str = "echo";
    type Msg = Msg;
    type Args = ();
    type State = u64;

    async fn pre_start(_: &Context<Msg>, (): ()) -> Result<u64, Broken> {
        Ok(0)
    }

    async fn handle(_: &Context<Msg>, Msg::Ping(reply): Msg, count: &mut u64) -> Result<(), Broken> {
        *count += 1;
        reply.send(*count);
        Ok(())
    }
}

struct Bare;

impl ractor::Actor for Bare {
    type Msg = String;
    type State = u64;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<String>, (): ()) -> Result<u64, ActorProcessingErr> {
        Ok(0)
    }
}

/// Proportional set size of this process in octets.
fn pss() -> u64 {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = rollup.lines().find(|line| line.starts_with("Pss:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let kind = arguments.next().unwrap_or_else(|| "pair".to_owned());
    let count: u64 = arguments.next().map_or(10_000, |count| count.parse().unwrap());
    tokio::spawn(measure(kind, count)).await.unwrap();
}

async fn measure(kind: String, count: u64) {
    let intensity = Intensity::new(5, Duration::from_secs(60));
    let pool = Dynamic::<Echo>::new("pool", usize::MAX, Restart::Transient, intensity);
    let root = Supervisor::root(Strategy::OneForOne).child(&pool);
    let running = supervision::start(root, Settings::default()).await.unwrap();
    let (close, _) = watch::channel(false);
    let (mut kept, mut addresses) = (Vec::new(), Vec::with_capacity(usize::try_from(count).unwrap()));
    if kind == "bare" {
        kept.reserve(addresses.capacity());
    }
    let before = pss();
    let clock = Instant::now();
    for key in 0..count {
        // As an acceptor does: what a start leaves behind is used by the next.
        tokio::task::yield_now().await;
        match kind.as_str() {
            "bare" => kept.push(ractor::Actor::spawn(None, Bare, ()).await.unwrap().0),
            "actor" => addresses.push(pool.start(key.to_string(), |_| ()).unwrap()),
            _ => {
                let mut closed = close.subscribe();
                let companion = move |address: supervision::Address<Msg>| async move {
                    let _ = closed.wait_for(|closed| *closed).await;
                    drop(address);
                };
                addresses.push(pool.start_with(key.to_string(), |_| (), companion).unwrap());
            }
        }
    }
    let called = clock.elapsed();
    for address in &addresses {
        address.call(Duration::from_secs(60), Msg::Ping).await.unwrap();
    }
    let up = clock.elapsed();
    let octets = pss().saturating_sub(before) / count;
    let rate = count as f64 / up.as_secs_f64();
    println!(
        "{count} of kind {kind}: {octets} octets each; start() {called:?}, all answer after {up:?}: {rate:.0}/s"
    );

    let clock = Instant::now();
    let rows = running.tree("/").len();
    println!("tree: {rows} rows in {:?}", clock.elapsed());
    if kind != "bare" {
        restarts(&running, &addresses).await;
    }
    let clock = Instant::now();
    let _ = close.send(true);
    running
        .drain(tokio::time::Instant::now() + Duration::from_secs(60))
        .await
        .unwrap();
    println!("drained in {:?}", clock.elapsed());
}

/// The time from a kill to the answer of the successor, among all the others.
async fn restarts(running: &supervision::Running, addresses: &[supervision::Address<Msg>]) {
    let mut times = Vec::new();
    for address in addresses.iter().take(2_000) {
        let path = address.path();
        let clock = Instant::now();
        running.kill(&path).unwrap();
        while address.call(Duration::from_secs(60), Msg::Ping).await != Ok(1) {}
        times.push(clock.elapsed());
    }
    times.sort();
    let at = |part: f64| {
        times
            .get((times.len() as f64 * part) as usize)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "restart after a kill: p50 {:?}, p99 {:?}, longest {:?}",
        at(0.5),
        at(0.99),
        at(0.9999)
    );
}
