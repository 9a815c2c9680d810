//! `space`, `space reclaim`: what the store takes on the disk, and what could be given back.

use shell::{Answer, Block, Cell, Table};
use store::{key::Keyspace, record::upkeep::UpkeepTask, store::Store};

use super::upkeep::work;
use crate::shell::{
    change::Change,
    desk::{Desk, Refused, Request},
    output::Output,
};

/// `space`
pub(in crate::shell) async fn space(desk: &Desk) -> Result<Answer, Refused> {
    let (taken, free) = desk
        .read(|store| (store.disk_use(), store.statistics().free_octets))
        .await?;
    let mut table = Table::new(&["keyspace", "octets", "garbage"]);
    for space in &taken.spaces {
        table.row([
            space.space.name().into(),
            Cell::Octets(space.octets),
            Cell::Octets(space.garbage),
        ]);
    }
    table.row(["journals".into(), Cell::Octets(taken.journals), Cell::Nothing]);
    Ok(Answer::new("space").with(table).with(Block::fields([
        ("octets", Cell::Octets(taken.octets())),
        // What was deleted since the last compaction is found by the next.
        ("known_garbage", Cell::Octets(taken.garbage())),
        ("free_on_disk", free.map_or(Cell::Nothing, Cell::Octets)),
    ])))
}

/// `space reclaim`
pub(in crate::shell) async fn reclaim(
    desk: &Desk,
    request: &Request,
    out: &Output,
) -> Result<Answer, Refused> {
    let what = "gives space back that deleted mail has left";
    if desk.alive.is_some() && !request.call.is_dry_run() {
        return Ok(work(desk, request, out, UpkeepTask::Reclaim).await?.0);
    }
    let store = desk.store.clone();
    let apply = async move {
        let (before, after) = tokio::task::spawn_blocking(move || give_back(&store))
            .await
            .map_err(|why| Refused::failed(why.to_string()))??;
        Ok(vec![Block::fields([
            ("octets_before", Cell::Octets(before)),
            ("octets_after", Cell::Octets(after)),
        ])])
    };
    Change::of(1, what).make(desk, request, apply).await
}

/// What maintenance does in a server that runs.
fn give_back(store: &Store) -> Result<(u64, u64), Refused> {
    let before = store.disk_use().octets();
    // The first compaction finds what is garbage, the second leaves it out.
    store.compact(Keyspace::Blob)?;
    for space in Keyspace::ALL {
        store.compact(space)?;
    }
    store.give_back()?;
    Ok((before, store.disk_use().octets()))
}
