//! What supervision costs: messages through an address beside bare ractor, starts, restarts, the tree.
//!
//! Loops run in a spawned task: one in `block_on` would measure the wake-up of the main thread.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should stop")]

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use ractor::{ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use supervision::{
    Actor, Address, Broken, Context, Dynamic, Intensity, Reply, Restart, Running, Settings, Strategy,
    Subject, Supervisor,
};
use tokio::runtime::Runtime;

const CALLS: usize = 10_000;
const DEADLINE: Duration = Duration::from_secs(10);

/// One processor shows what the code costs, two what it costs to pass its cache lines from one to the other.
static ONE: LazyLock<Runtime> = LazyLock::new(|| runtime(1));
static TWO: LazyLock<Runtime> = LazyLock::new(|| runtime(2));

fn main() {
    divan::main();
}

fn runtime(workers: usize) -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .unwrap()
}

fn run<F>(workers: usize, task: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let runtime = if workers == 1 { &ONE } else { &TWO };
    runtime.block_on(async { tokio::spawn(task).await.unwrap() })
}

#[derive(RactorMessage)]
enum Msg {
    Ping(Reply<u64>),
    Note(u64),
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

    async fn handle(_: &Context<Msg>, msg: Msg, count: &mut u64) -> Result<(), Broken> {
        *count += 1;
        match msg {
            Msg::Ping(reply) => reply.send(*count),
            Msg::Note(note) => *count = black_box(note),
        }
        Ok(())
    }
}

#[derive(RactorMessage)]
enum BareMsg {
    Ping(RpcReplyPort<u64>),
    Note(u64),
}

struct Bare;

impl ractor::Actor for Bare {
    type Msg = BareMsg;
    type State = u64;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<BareMsg>, (): ()) -> Result<u64, ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(
        &self,
        _: ActorRef<BareMsg>,
        msg: BareMsg,
        count: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        *count += 1;
        match msg {
            BareMsg::Ping(reply) => drop(reply.send(*count)),
            BareMsg::Note(note) => *count = black_box(note),
        }
        Ok(())
    }
}

/// A tree with one echo.
fn echo(workers: usize) -> (Running, Address<Msg>) {
    run(workers, async {
        let (child, address) = supervision::child::<Echo>("echo", Restart::Permanent, |_| ());
        let root = Supervisor::root(Strategy::OneForOne).child(child);
        (
            supervision::start(root, Settings::default()).await.unwrap(),
            address,
        )
    })
}

fn pool(children: usize) -> (Running, Dynamic<Echo>) {
    run(2, async move {
        let often = Intensity::new(u32::MAX, Duration::from_secs(1));
        let pool = Dynamic::<Echo>::new("pool", usize::MAX, Restart::Transient, often);
        let root = Supervisor::root(Strategy::OneForOne).child(&pool);
        let running = supervision::start(root, Settings::default()).await.unwrap();
        populate(&pool, children).await;
        (running, pool)
    })
}

/// Starts so many children and waits until all answer.
async fn populate(pool: &Dynamic<Echo>, children: usize) {
    let addresses: Vec<_> = (0..children)
        .map(|key| pool.start(key.to_string(), |_| ()).unwrap())
        .collect();
    for address in addresses {
        address.call(DEADLINE, Msg::Ping).await.unwrap();
    }
}

fn bare(workers: usize) -> ActorRef<BareMsg> {
    run(workers, async {
        ractor::Actor::spawn(None, Bare, ()).await.unwrap().0
    })
}

mod round_trip {
    use super::*;

    #[divan::bench(args = [1, 2])]
    fn bare_ractor(bencher: Bencher<'_, '_>, workers: usize) {
        let actor = bare(workers);
        bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
            let actor = actor.clone();
            run(workers, async move {
                for _ in 0..CALLS {
                    black_box(ractor::call_t!(actor, BareMsg::Ping, 10_000).unwrap());
                }
            });
        });
    }

    #[divan::bench(args = [1, 2])]
    fn address(bencher: Bencher<'_, '_>, workers: usize) {
        let (_running, address) = echo(workers);
        bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
            let address = address.clone();
            run(workers, async move {
                for _ in 0..CALLS {
                    black_box(address.call(DEADLINE, Msg::Ping).await.unwrap());
                }
            });
        });
    }

    #[divan::bench(args = [1, 2])]
    fn address_with_subject(bencher: Bencher<'_, '_>, workers: usize) {
        let (_running, address) = echo(workers);
        bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
            let address = address.clone();
            run(workers, async move {
                for id in 0..CALLS {
                    let subject = Subject::new("message", id as u128);
                    black_box(address.subject(subject).call(DEADLINE, Msg::Ping).await.unwrap());
                }
            });
        });
    }
}

mod fifty_callers {
    use super::*;

    const CALLERS: usize = 50;

    #[divan::bench(args = [1, 2])]
    fn bare_ractor(bencher: Bencher<'_, '_>, workers: usize) {
        let actor = bare(workers);
        bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
            let actor = actor.clone();
            run(workers, async move {
                let callers = (0..CALLERS).map(|_| {
                    let actor = actor.clone();
                    tokio::spawn(async move {
                        for _ in 0..CALLS / CALLERS {
                            black_box(ractor::call_t!(actor, BareMsg::Ping, 10_000).unwrap());
                        }
                    })
                });
                for caller in callers.collect::<Vec<_>>() {
                    caller.await.unwrap();
                }
            });
        });
    }

    #[divan::bench(args = [1, 2])]
    fn address(bencher: Bencher<'_, '_>, workers: usize) {
        let (_running, address) = echo(workers);
        bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
            let address = address.clone();
            run(workers, async move {
                let callers = (0..CALLERS).map(|_| {
                    let address = address.clone();
                    tokio::spawn(async move {
                        for _ in 0..CALLS / CALLERS {
                            black_box(address.call(DEADLINE, Msg::Ping).await.unwrap());
                        }
                    })
                });
                for caller in callers.collect::<Vec<_>>() {
                    caller.await.unwrap();
                }
            });
        });
    }
}

mod cast {
    use super::*;

    #[divan::bench(args = [1, 2])]
    fn bare_ractor(bencher: Bencher<'_, '_>, workers: usize) {
        let actor = bare(workers);
        bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
            let actor = actor.clone();
            run(workers, async move {
                for note in 0..CALLS as u64 {
                    actor.send_message(BareMsg::Note(note)).unwrap();
                }
                black_box(ractor::call_t!(actor, BareMsg::Ping, 10_000).unwrap());
            });
        });
    }

    #[divan::bench(args = [1, 2])]
    fn address(bencher: Bencher<'_, '_>, workers: usize) {
        let (_running, address) = echo(workers);
        bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
            let address = address.clone();
            run(workers, async move {
                for note in 0..CALLS as u64 {
                    address.cast(Msg::Note(note)).unwrap();
                }
                black_box(address.call(DEADLINE, Msg::Ping).await.unwrap());
            });
        });
    }
}

mod living {
    use super::*;

    const CHILDREN: usize = 10_000;

    /// From nothing until all answer.
    #[divan::bench(sample_count = 10)]
    fn start(bencher: Bencher<'_, '_>) {
        bencher
            .counter(ItemsCount::new(CHILDREN))
            .with_inputs(|| pool(0))
            .bench_local_refs(|(_running, pool)| {
                let pool = pool.clone();
                run(2, async move { populate(&pool, CHILDREN).await });
            });
    }

    /// From the kill until the successor answers: the first restart of a period.
    #[divan::bench(sample_count = 1000)]
    fn restart(bencher: Bencher<'_, '_>) {
        let (running, pool) = pool(0);
        let mut key = 0;
        bencher
            .with_inputs(|| {
                key += 1;
                let pool = pool.clone();
                run(2, async move {
                    let address = pool.start(key.to_string(), |_| ()).unwrap();
                    address.call(DEADLINE, Msg::Ping).await.unwrap();
                    (format!("/pool/{key}"), address)
                })
            })
            .bench_local_refs(|(path, address)| {
                let (running, path, address) = (running.clone(), path.clone(), address.clone());
                run(2, async move {
                    running.kill(&path).unwrap();
                    // The successor counts from one again.
                    while address.call(DEADLINE, Msg::Ping).await != Ok(1) {}
                });
            });
    }

    #[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 10)]
    fn tree(bencher: Bencher<'_, '_>, children: usize) {
        let (running, _pool) = pool(children);
        bencher
            .counter(ItemsCount::new(children))
            .bench_local(|| running.tree("/"));
    }

    #[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 10)]
    fn classes(bencher: Bencher<'_, '_>, children: usize) {
        let (running, _pool) = pool(children);
        bencher
            .counter(ItemsCount::new(children))
            .bench_local(|| running.classes());
    }

    /// New settings, from the first envelope to the last answer.
    #[divan::bench(args = [1_000, 10_000], sample_count = 10)]
    fn commit(bencher: Bencher<'_, '_>, children: usize) {
        let (running, _pool) = pool(children);
        bencher.counter(ItemsCount::new(children)).bench_local(|| {
            let running = running.clone();
            run(
                2,
                async move { running.commit(&Settings::default(), DEADLINE).await },
            )
        });
    }
}
