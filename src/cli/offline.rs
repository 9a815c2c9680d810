//! Offline: verbs on the store of a server that does not run, by the code that a running one uses.

use actors::{
    clock::Clock,
    mint::Mint,
    reads::Reads,
    shell::{
        desk::{Caller, Desk, Request},
        output::Output,
        verb,
    },
};
use anyhow::Context as _;
use config::{Config, Explained};
use rustix::process::geteuid;
use shell::{
    Call, Exit, Role,
    frame::{End, Response},
};

use super::verb::say;
use crate::boot::open_store;

/// Opens the store, does what was asked, and closes it. Who may open it may change it.
pub(super) async fn run(
    config: &Config,
    explained: Vec<Explained>,
    call: Call,
    secret: Option<String>,
) -> anyhow::Result<Exit> {
    let (store, _) = open_store(config, false)?;
    let clock = Clock::system();
    let mint = Mint::new(clock, config.server.node);
    let reads = Reads::new(config.store.readers as usize);
    let desk = Desk::new(store.clone(), config.clone().into(), clock, mint, reads);
    desk.explain(explained);
    let uid = geteuid().as_raw();
    let request = Request {
        call: call.clone(),
        caller: Caller {
            uid,
            name: format!("uid {uid}"),
            role: Role::Administrator,
        },
        secret: secret.map(auth::Secret::new),
    };
    let (out, mut said) = Output::channel();
    let work = tokio::spawn(async move {
        match verb::run(&desk, &request, &out).await {
            Ok(answer) => answer.into_frames(),
            Err(refused) => (Vec::new(), refused.end(&request.call.verb().words())),
        }
    });
    let exit = tokio::task::spawn_blocking(move || {
        say(&call, |show| {
            while let Some(response) = said.blocking_recv() {
                match response {
                    Response::Block(block) => show(block)?,
                    Response::End(_) => {}
                }
            }
            let (blocks, end): (Vec<_>, End) = tokio::runtime::Handle::current().block_on(work)?;
            for block in blocks {
                show(block)?;
            }
            Ok(end)
        })
    });
    let exit = exit.await?;
    store.close().context("the store did not close in order")?;
    exit
}
