//! Who lives on another runtime: with all that is below, at every start, whoever asks for it.

use std::sync::mpsc;

use supervision::Restart::{Permanent, Transient};
use supervision::{Child, Dynamic, Intensity, Running, Settings, Strategy, Supervisor, Value, start};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::probe::{Args, Journal, Msg, Probe, SOON, args, ping, probe, until};

const THERE: &str = "there";

/// Dropped where that blocks nobody.
struct There(Option<Runtime>);

impl There {
    fn new() -> Self {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name(THERE).enable_all().build();
        Self(Some(runtime.unwrap()))
    }
}

impl Drop for There {
    fn drop(&mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

async fn is_there(running: &Running, path: &str) -> bool {
    let seen = running.inspect(path).await.unwrap();
    seen.value("thread") == Some(&Value::Text(THERE.to_owned()))
}

#[tokio::test]
async fn all_below_lives_there_and_comes_back_there() {
    let there = There::new();
    let journal = Journal::default();
    let (here, to_here) = probe("here", Permanent, &journal);
    let (a, to_a) = probe("a", Permanent, &journal);
    let often = Intensity::new(100, SOON);
    let pool = Dynamic::<Probe>::new("pool", 9, Transient, often);
    let wanted = Dynamic::<Probe>::on_demand("wanted", 9, Transient, often, {
        let journal = journal.clone();
        move |_, name| Args {
            journal: journal.clone(),
            name: name.to_owned(),
            setting: 0,
        }
    });
    let apart = Supervisor::new("apart", Strategy::OneForOne)
        .intensity(100, SOON)
        .child(a)
        .child(&pool)
        .child(&wanted);
    let handle = there.0.as_ref().unwrap().handle().clone();
    let root = Supervisor::root(Strategy::OneForOne)
        .intensity(100, SOON)
        .child(here)
        .child(Child::from(apart).on(handle));
    let running = start(root, Settings::new(1_u32)).await.unwrap();
    let it = pool.start("it", args("it", &journal)).unwrap();
    let (tell, told) = oneshot::channel();
    let companion = |_| async move {
        let _ = tell.send(std::thread::current().name().map(str::to_owned));
        std::future::pending::<()>().await;
    };
    let accompanied = pool.start_with("accompanied", args("accompanied", &journal), companion);
    assert_eq!(told.await.unwrap().as_deref(), Some(THERE));
    let paths = [
        "/apart/a",
        "/apart/pool/it",
        "/apart/pool/accompanied",
        "/apart/wanted/k",
    ];
    let addresses = [to_a, it, accompanied.unwrap(), wanted.address("k")];
    for round in 1..=3 {
        for (path, address) in paths.iter().zip(&addresses) {
            assert_eq!(ping(address).await, round);
            assert!(is_there(&running, path).await, "{path}");
            running.kill(path).unwrap();
        }
    }
    assert_eq!(ping(&addresses[0]).await, 4);
    running.kill("/apart").unwrap();
    until("all new", || journal.incarnations("a") == 5).await;
    assert_eq!(ping(&addresses[0]).await, 5);
    assert!(is_there(&running, paths[0]).await);
    assert_eq!(ping(&to_here).await, 1);
    assert!(!is_there(&running, "/here").await);
    let round = running.commit(&Settings::new(2_u32), SOON).await;
    assert_eq!(round.acknowledged, round.told);
    running.drain(Instant::now() + SOON).await.unwrap();
}

/// Whoever holds up one runtime holds up nobody on the other, and who drains waits for both.
#[tokio::test]
async fn who_lives_there_answers_while_nobody_here_can() {
    let there = There::new();
    let journal = Journal::default();
    let (here, to_here) = probe("here", Permanent, &journal);
    let (a, to_a) = probe("a", Permanent, &journal);
    let handle = there.0.as_ref().unwrap().handle().clone();
    let root = Supervisor::root(Strategy::OneForOne)
        .child(here)
        .child(a.on(handle.clone()));
    let running = start(root, Settings::new(1_u32)).await.unwrap();
    ping(&to_a).await;
    let (unblock, blocked) = mpsc::channel();
    to_here.cast(Msg::Block(blocked)).unwrap();
    // Whoever was asked there has answered before anything here goes on.
    let asked = to_a.clone();
    let asking = std::thread::spawn(move || {
        let incarnation = handle.block_on(async { ping(&asked).await });
        drop(unblock);
        incarnation
    });
    assert_eq!(ping(&to_here).await, 1);
    assert_eq!(asking.join().unwrap(), 1);
    running.drain(Instant::now() + SOON).await.unwrap();
}
