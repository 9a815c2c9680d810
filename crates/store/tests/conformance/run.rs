//! Plays stories on a store and asks the model what should have happened.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use bytes::Bytes;
use message::id::CommandId;
use store::{
    command::{Command, Proposal},
    engine::Snapshot,
    key::Keyspace,
    propose::{Answer, ProposeError},
    read::job::next_reap,
    store::Store,
};
use tokio::runtime::Runtime;

use crate::{
    compare,
    model::Model,
    story::{Action, Seed, Teller, about},
};

/// A store beside the model of what it must hold.
pub(crate) struct Player {
    pub(crate) store: Store,
    model: Model,
    teller: Teller,
    proposed: Proposed,
    /// Which commands had which answers.
    pub(crate) seen: BTreeMap<String, u32>,
    runtime: Runtime,
}

/// What was proposed: a repeat is about the same blob, not about a new one.
type Proposed = HashMap<CommandId, Proposal>;

impl Player {
    pub(crate) fn new(store: Store) -> Self {
        let mut player = Self::with(store, Model::default());
        for action in player.teller.prelude() {
            player.step(action);
        }
        player
    }

    pub(crate) fn with(store: Store, model: Model) -> Self {
        Self {
            store,
            model,
            teller: Teller::default(),
            proposed: Proposed::new(),
            seen: BTreeMap::new(),
            runtime: runtime(),
        }
    }

    pub(crate) fn into_model(self) -> Model {
        self.model
    }

    /// Plays a story, one command after another; gives the commands as they were proposed, the prelude first.
    pub(crate) fn play(&mut self, seeds: &[Seed]) -> Vec<Action> {
        let mut tale = Teller::default().prelude();
        for seed in seeds {
            let action = self.teller.next(*seed, &self.model);
            tale.push(action.clone());
            self.step(action);
        }
        tale
    }

    /// Compares everything that can be read with the model.
    pub(crate) fn check(&mut self) {
        compare::compare(&self.store, &self.model);
    }

    /// Does all the work that deletions left, and looks whether anything is still there.
    pub(crate) fn reap_everything(&mut self) {
        let tenants: Vec<_> = self.model.tenants.keys().copied().collect();
        for tenant in tenants {
            while let Some(reap) = next_reap(&self.store.snapshot(), tenant).unwrap() {
                let action = self.teller.propose(Command::Reap(reap));
                self.step(action);
            }
        }
        self.check();
        let gone = |tenant| !self.model.tenants.contains_key(&tenant);
        assert!(
            self.model.graves.values().all(|grave| gone(grave.tenant)),
            "graves are left"
        );
        assert!(
            self.model.rests.values().all(|(tenant, _)| gone(*tenant)),
            "chunks are left"
        );
    }

    fn step(&mut self, action: Action) {
        let before = dump(&self.store);
        let proposal = self
            .runtime
            .block_on(write(&self.store, &action, &mut self.proposed));
        let expected = self.model.apply(&proposal);
        let answer = self.runtime.block_on(self.store.propose(proposal.clone()));
        if answer.is_err() {
            self.runtime.block_on(discard(&self.store, &proposal));
            assert_eq!(
                dump(&self.store),
                before,
                "a rejected command changed something: {:?}",
                proposal.command
            );
        }
        match (&answer, &expected) {
            (Ok(outcome), Ok(expected)) => assert_eq!(outcome, expected, "{:?}", proposal.command),
            (Err(ProposeError::Rejected(why)), Err(expected)) => {
                assert_eq!(variant(why), *expected, "{why}: {:?}", proposal.command);
            }
            _ => panic!("{:?} gave {answer:?}, expected {expected:?}", proposal.command),
        }
        let end = expected.as_ref().map_or_else(|refusal| *refusal, |_| "Ok");
        *self
            .seen
            .entry(format!("{} {end}", variant(&proposal.command)))
            .or_default() += 1;
        if proposal.command.keeps_result() {
            let recalled = self.runtime.block_on(self.store.recall(proposal.id)).unwrap();
            assert_eq!(recalled, self.model.results.get(&proposal.id).cloned());
        }
    }
}

/// Plays commands in bursts that share groups, without waiting for answers in between.
pub(crate) fn play_in_bursts(store: &Store, tale: &[Action], bursts: &[usize]) {
    let runtime = runtime();
    let mut rest = tale;
    let mut proposed = Proposed::new();
    for burst in bursts.iter().cycle() {
        let (now, later) = rest.split_at(rest.len().min(*burst));
        rest = later;
        runtime.block_on(async {
            let mut proposals = Vec::new();
            for action in now {
                proposals.push(write(store, action, &mut proposed).await);
            }
            let answers: Vec<_> = proposals
                .iter()
                .map(|proposal| store.propose(proposal.clone()))
                .collect();
            for (proposal, answer) in proposals.iter().zip(answers) {
                let answer: Answer = answer.await;
                if answer.is_err() {
                    discard(store, proposal).await;
                }
            }
        });
        if rest.is_empty() {
            return;
        }
    }
}

/// A record where it is.
pub(crate) type Row = (Keyspace, Vec<u8>, Bytes);

/// Every record but those about the store itself.
pub(crate) fn dump(store: &Store) -> Vec<Row> {
    let snapshot = store.snapshot();
    let spaces = Keyspace::ALL.into_iter().filter(|space| *space != Keyspace::Meta);
    let rows = spaces.flat_map(|space| {
        let rows = snapshot
            .scan(space, Bound::Unbounded, Bound::Unbounded, usize::MAX)
            .unwrap();
        rows.into_iter().map(move |(key, value)| (space, key, value))
    });
    rows.collect()
}

/// Writes the message that an accept is about, and completes the proposal.
async fn write(store: &Store, action: &Action, proposed: &mut Proposed) -> Proposal {
    let proposal = &action.proposal;
    if let Some(earlier) = proposed.get(&proposal.id) {
        return earlier.clone();
    }
    let (Command::Accept(accept), Some(body)) = (&proposal.command, &action.body) else {
        return proposal.clone();
    };
    let mut writer = store.blob_writer(accept.spooled.tenant, accept.spooled.blob.id);
    writer.push(body).await.unwrap();
    let command = Command::Accept(about(accept, writer.seal()));
    let complete = Proposal::new(proposal.id, proposal.at, command);
    proposed.insert(proposal.id, complete.clone());
    complete
}

/// Takes back what was written for an accept that was rejected.
async fn discard(store: &Store, proposal: &Proposal) {
    if let Command::Accept(accept) = &proposal.command {
        store.discard_blob(accept.spooled.tenant, &accept.spooled.blob);
        // The queue is in order: when this is answered, the chunks are gone.
        store.recall(proposal.id).await.unwrap();
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// The name of a variant.
fn variant(why: &impl std::fmt::Debug) -> String {
    format!("{why:?}")
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}
