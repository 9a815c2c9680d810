//! What an operator waits for: `tree` over a hundred thousand actors, asked on a real socket as the client asks, from the
//! line sent to the end of the answer; as it is said, and as text or JSON.
//!
//! `cargo bench -p actors --bench shell`
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should stop")]

use std::{
    hint::black_box,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use actors::{
    clock::Clock,
    mint::Mint,
    reads::Reads,
    shell::{
        branch,
        desk::Desk,
        socket::{self, Socket},
        thread::Thread,
    },
};
use config::{Config, Profile};
use message::id::NodeId;
use ractor_cluster_derive::RactorMessage;
use shell::{
    Answer, Block, Exit,
    frame::{Request, Response},
    json,
    render::{self, Style},
};
use store::store::Store;
use supervision::{
    Actor, Broken, Context, Dynamic, Intensity, Reply, Restart, Running, Settings, Strategy, Supervisor,
};

const ACTORS: usize = 100_000;
const TIMES: usize = 31;
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(RactorMessage)]
struct Ping(Reply<()>);

/// Does nothing, a hundred thousand times.
struct Idle;

impl Actor for Idle {
    const CLASS: &'static str = "idle";
    type Msg = Ping;
    type Args = ();
    type State = ();

    async fn pre_start(_: &Context<Ping>, (): ()) -> Result<(), Broken> {
        Ok(())
    }

    async fn handle(_: &Context<Ping>, Ping(reply): Ping, (): &mut ()) -> Result<(), Broken> {
        reply.send(());
        Ok(())
    }
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    /// Nothing: it is read to its end.
    Frames,
    /// A line of text for each row, as a script reads them.
    Text,
    /// A table as wide as it is.
    Table,
    /// `--json`.
    Json,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let data = tempfile::tempdir().unwrap();
    let thread = Thread::begin().unwrap();
    let running = runtime.block_on(start(data.path(), &thread));
    println!(
        "{} places, median and longest of {TIMES}",
        running.summary().places
    );
    for line in ["status", "tree /shell", "tree"] {
        for wanted in [Wanted::Frames, Wanted::Text, Wanted::Table, Wanted::Json] {
            let mut seen = Vec::new();
            let mut size = 0;
            for _ in 0..TIMES {
                let (took, octets) = ask(data.path(), line, wanted);
                seen.push(took);
                size = octets;
            }
            seen.sort_unstable();
            let (median, longest) = (seen.get(TIMES / 2).unwrap(), seen.last().unwrap());
            println!("{line:<12} {wanted:?}: {median:.1?}, {longest:.1?}; {size} octets");
        }
    }
}

async fn start(data: &Path, thread: &Thread) -> Running {
    let config = Arc::new(Config::of(Profile::Development));
    let clock = Clock::system();
    let mint = Mint::new(clock, NodeId::new(1));
    let store = Store::memory().unwrap();
    let desk = Desk::new(store, Arc::clone(&config), clock, mint.clone(), Reads::new(4));
    let often = Intensity::new(10, Duration::from_secs(60));
    let pool = Dynamic::<Idle>::new("connections", ACTORS, Restart::Transient, often);
    let root = Supervisor::root(Strategy::OneForOne)
        .child(branch(desk.clone(), &Socket::bind(data, None).unwrap(), thread))
        .child(&pool);
    let running = supervision::start(root, Settings::shared(config)).await.unwrap();
    desk.seat(running.clone());
    let names = (0..ACTORS).map(|_| mint.id::<message::id::ConnectionId>().to_string());
    let all: Vec<_> = names.map(|name| pool.start(name, |_| ()).unwrap()).collect();
    for idle in all {
        idle.call(PATIENCE, Ping).await.unwrap();
    }
    running
}

/// Asks as the client does, a connection for each question. The time is that from the line to the end of the answer; the
/// octets are those read or made.
fn ask(data: &Path, line: &str, wanted: Wanted) -> (Duration, usize) {
    let mut stream = BufReader::new(socket::connect(data).unwrap());
    let began = Instant::now();
    let request = Request::new(line, None);
    stream.get_mut().write_all(request.to_line().as_bytes()).unwrap();
    let mut answer = Answer::new("tree");
    let (mut octets, mut line) = (0, String::new());
    loop {
        line.clear();
        octets += stream.read_line(&mut line).unwrap();
        if matches!(wanted, Wanted::Frames) {
            if line.starts_with("{\"end\"") {
                break;
            }
            continue;
        }
        match serde_json::from_str(&line).unwrap() {
            Response::Block(block) => answer.push(block),
            Response::End(end) => {
                assert_eq!(end.exit, Exit::DONE);
                break;
            }
        }
    }
    match wanted {
        Wanted::Frames => {}
        Wanted::Text => octets = text(&answer, Style::Plain),
        Wanted::Table => {
            octets = text(
                &answer,
                Style::Terminal {
                    width: 120,
                    colour: true,
                },
            )
        }
        Wanted::Json => octets = json::answer(&answer, None).to_string().len(),
    }
    (began.elapsed(), black_box(octets))
}

fn text(answer: &Answer, style: Style) -> usize {
    let rendered = answer
        .blocks
        .iter()
        .map(|block: &Block| render::block(block, style));
    rendered.map(|text| text.len()).sum()
}
