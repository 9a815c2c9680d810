//! `tree`: the supervision tree, read from atomics. No actor is asked.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use shell::{Answer, Cell, Table, columns::TREE};
use supervision::{Phase, Row, Running};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::shell::{
    desk::{Desk, Refused, Request},
    output::{Gone, Output},
};

/// Rows of one block: what is written at once, and a reader can stop.
const ROWS_AT_ONCE: usize = 1000;

/// Trees that are told at once. Each has a thread as long as it is told, and what its reader has not read yet.
pub(crate) const TREES_AT_ONCE: usize = 4;

/// The longest that one more waits for its turn.
const TURN_LIMIT: Duration = Duration::from_secs(5);

/// The turns of those who tell a tree. Copies are the same.
#[derive(Clone, Debug)]
pub(crate) struct Trees(Arc<Semaphore>);

impl Default for Trees {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(TREES_AT_ONCE)))
    }
}

impl Trees {
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Refused> {
        match timeout(TURN_LIMIT, Arc::clone(&self.0).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Refused::failed(format!(
                "{TREES_AT_ONCE} trees are told already, and their readers are slow: try again"
            ))),
        }
    }
}

pub(in crate::shell) async fn tree(desk: &Desk, request: &Request, out: &Output) -> Result<Answer, Refused> {
    let running = desk.running()?;
    let turn = desk.trees.turn().await?;
    let prefix = request.call.value("path").unwrap_or("/").to_owned();
    let asked = prefix.clone();
    let depth = request.call.number("depth");
    let depth = depth.map_or(usize::MAX, |depth| usize::try_from(depth).unwrap_or(usize::MAX));
    let out = out.clone();
    // A walk over a hundred thousand slots must not keep the shell's thread from anybody else.
    let told = tokio::task::spawn_blocking(move || {
        let told = tell(&running, &prefix, depth, &out);
        drop(turn);
        told
    });
    match told.await.map_err(|why| Refused::failed(why.to_string()))? {
        Ok(0) => Err(Refused::failed(format!(
            "nothing is at {asked}; tree lists what there is"
        ))),
        Ok(_) => Ok(Answer::new("tree")),
        Err(gone) => Err(gone.into()),
    }
}

/// Tells rows as they are read, a block at a time: of a hundred thousand only those are held for which the reader is not
/// ready yet. Says how many there were.
fn tell(running: &Running, prefix: &str, depth: usize, out: &Output) -> Result<usize, Gone> {
    let mut count = 0;
    let mut table = Table::new(&TREE);
    let mut said = Ok(());
    running.survey(prefix, depth, |row| {
        count += 1;
        table.row(cells(row));
        if table.len() < ROWS_AT_ONCE {
            return ControlFlow::Continue(());
        }
        said = out.say_blocking(std::mem::replace(&mut table, Table::new(&TREE)));
        match said {
            Ok(()) => ControlFlow::Continue(()),
            Err(Gone) => ControlFlow::Break(()),
        }
    });
    said?;
    if !table.is_empty() {
        out.say_blocking(table)?;
    }
    Ok(count)
}

/// Rows in one table.
pub(super) fn table(rows: impl Iterator<Item = Row>) -> Table {
    let mut table = Table::new(&TREE);
    rows.for_each(|row| table.row(cells(row)));
    table
}

pub(super) fn cells(row: Row) -> [Cell; TREE.len()] {
    let since = row
        .started
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let millis = since.map(|since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
    let word = word(&row);
    let failure = row.failure.as_ref().map(ToString::to_string);
    [
        row.path.into(),
        Cell::word(row.class),
        Cell::word(word),
        millis.map(message::time::Timestamp::from_millis).into(),
        row.restarts.into(),
        row.depth.into(),
        row.oldest.into(),
        row.handled.into(),
        row.mean.into(),
        row.longest.into(),
        failure.into(),
    ]
}

/// The word for where it stands, as its JSON has it.
pub(super) fn word(row: &Row) -> &'static str {
    match row.phase {
        Phase::Up if row.suspended => "suspended",
        Phase::Idle => "idle",
        Phase::Waiting => "waiting",
        Phase::Starting => "starting",
        Phase::Up => "up",
        Phase::Draining => "draining",
        Phase::Passivating => "passivating",
        Phase::Parked => "parked",
        Phase::Closed => "closed",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ractor_cluster_derive::RactorMessage;
    use shell::{Block, Call, Role, frame::Response};
    use supervision::{
        Actor, Address, Broken, Context, Dynamic, Intensity, Restart, Running, Settings, Strategy, Supervisor,
    };
    use tokio::{sync::mpsc::Receiver, task::yield_now, time::Instant};

    use super::{ROWS_AT_ONCE, TREES_AT_ONCE, TURN_LIMIT, Trees, tree};
    use crate::{
        fixture::Fixture,
        reads::Reads,
        shell::{
            desk::{Caller, Desk, Request},
            output::{Output, WAITING_BLOCKS},
        },
    };

    /// More than wait for a reader.
    const PLACES: usize = (WAITING_BLOCKS + 4) * ROWS_AT_ONCE;

    #[derive(RactorMessage)]
    struct Nothing;

    struct Sleeper;

    impl Actor for Sleeper {
        const CLASS: &'static str = "sleeper";
        type Msg = Nothing;
        type Args = ();
        type State = ();

        async fn pre_start(_: &Context<Nothing>, (): ()) -> Result<(), Broken> {
            Ok(())
        }

        async fn handle(_: &Context<Nothing>, Nothing: Nothing, (): &mut ()) -> Result<(), Broken> {
            Ok(())
        }
    }

    /// A tree of so many places, at which nobody has been woken; it forgets those whose address nobody holds.
    async fn desk() -> (Desk, Running, Vec<Address<Nothing>>) {
        let fixture = Fixture::new().await;
        let pool = Dynamic::on_demand("pool", 1, Restart::Transient, Intensity::default(), |_, _| ());
        let _: &Dynamic<Sleeper> = &pool;
        let root = Supervisor::root(Strategy::OneForOne).child(&pool);
        let running = supervision::start(root, Settings::default()).await.unwrap();
        let places = (0..PLACES).map(|place| pool.address(&place.to_string()));
        let places = places.collect();
        let (store, config) = (fixture.store.clone(), Arc::clone(&fixture.config));
        let desk = Desk::new(store, config, fixture.clock, fixture.mint.clone(), Reads::new(1));
        desk.seat(running.clone());
        (desk, running, places)
    }

    fn asked() -> Request {
        Request {
            call: Call::parse("tree").unwrap(),
            caller: Caller {
                uid: 0,
                name: "root".to_owned(),
                role: Role::Reader,
            },
            secret: None,
        }
    }

    async fn rows(mut said: Receiver<Response>) -> usize {
        let mut rows = 0;
        while let Some(Response::Block(block)) = said.recv().await {
            let Block::Table(table) = block else {
                panic!("{block:?}")
            };
            assert!(table.len() <= ROWS_AT_ONCE);
            rows += table.len();
        }
        rows
    }

    #[tokio::test]
    async fn readers_who_do_not_read_hold_no_more_than_their_turn_and_a_few_blocks() {
        let (desk, running, _places) = desk().await;
        let mut unread = Vec::new();
        for _ in 0..TREES_AT_ONCE {
            let (out, said) = Output::channel();
            let desk = desk.clone();
            unread.push((
                said,
                tokio::spawn(async move { tree(&desk, &asked(), &out).await }),
            ));
        }
        while unread.iter().any(|(said, _)| said.len() < WAITING_BLOCKS) {
            yield_now().await;
        }
        assert_eq!(desk.trees.0.available_permits(), 0);
        let (out, said) = Output::channel();
        let one_more = tokio::spawn({
            let desk = desk.clone();
            async move { tree(&desk, &asked(), &out).await.map(drop) }
        });
        // One reads to the end, and all have what they asked for; who goes away leaves his turn as well.
        let (first, done) = unread.remove(0);
        assert_eq!(rows(first).await, PLACES + 2);
        assert!(done.await.unwrap().is_ok());
        assert_eq!(rows(said).await, PLACES + 2);
        assert_eq!(one_more.await.unwrap(), Ok(()));
        for (said, done) in unread {
            drop(said);
            assert!(done.await.unwrap().is_err());
        }
        assert_eq!(desk.trees.0.available_permits(), TREES_AT_ONCE);
        desk.unseat();
        running.kill("/").unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn one_more_waits_for_its_turn_and_is_told_in_time() {
        let trees = Trees::default();
        let mut turns = Vec::new();
        for _ in 0..TREES_AT_ONCE {
            turns.push(trees.turn().await.unwrap());
        }
        let began = Instant::now();
        let refused = trees.turn().await.unwrap_err();
        assert!(refused.why.contains("told already"), "{refused}");
        assert_eq!(began.elapsed(), TURN_LIMIT);
        let (turn, ()) = tokio::join!(trees.turn(), async { drop(turns.pop()) });
        assert!(turn.is_ok());
    }
}
