//! Course: how a reload goes, from the sources to the receipt. Each step is asked of those whom it concerns; between
//! two steps everything that must survive stands in the book.

use std::{sync::Arc, time::Duration};

use config::Config;
use message::id::ReceiptId;
use store::{
    command::{Command, KeepConfiguration, Proposal, Record},
    propose::ProposeError,
    read::configuration,
    record::configuration::{KeptConfiguration, MAX_KEPT_CONFIGURATIONS},
};
use supervision::{Address, Round, Running, Settings, Subject};
use tokio::time::Instant;

use super::{
    book::{Book, InForce, Underway},
    loader::{Loaded, Loader},
    plan::Plan,
    receipt::{Outcome, Receipt},
};
use crate::{listener::ports::Ports, shell::desk::Desk, store::gate};

/// How long actors may take to say whether they can take a configuration. Who owns something that may be refused
/// answers within it; a session that hangs must not keep an operator from anything.
const PREPARE_LIMIT: Duration = Duration::from_secs(20);

/// How long actors may take to take it. It is in force all the same: this is how long the receipt waits for them.
const COMMIT_LIMIT: Duration = Duration::from_secs(20);

/// What a reload needs.
#[derive(Clone)]
pub struct Course {
    /// Where configurations come from.
    pub loader: Arc<dyn Loader>,
    /// What is in force, and what is under way.
    pub book: Book,
    /// The tree once it runs, the store, the pool of readers, clock and ids.
    pub desk: Desk,
    /// The sockets.
    pub ports: Ports,
    /// Where proposals go.
    pub gate: Address<gate::Msg>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub who: String,
    /// The line as it was given.
    pub line: String,
    /// Why.
    pub reason: Option<String>,
    /// Only to say what would be done.
    pub is_plan: bool,
    /// What is to be in force: the sources of now, or what was kept under a receipt.
    pub to: Option<ReceiptId>,
}

impl Course {
    /// Carries a request out.
    pub(super) async fn run(&self, request: Request) -> Receipt {
        let began = Instant::now();
        let mut receipt = Receipt {
            id: self.desk.mint.id(),
            at: self.desk.clock.timestamp(),
            who: request.who,
            line: request.line,
            reason: request.reason,
            plan: None,
            told: 0,
            acknowledged: 0,
            lost: 0,
            unanswered: Vec::new(),
            by_class: Default::default(),
            took: Duration::ZERO,
            outcome: Outcome::Begun,
            inverse: None,
        };
        receipt.outcome = self.carry_out(&mut receipt, request.to, request.is_plan).await;
        receipt.took = began.elapsed();
        if receipt.outcome != Outcome::Planned {
            self.end(&mut receipt).await;
        }
        receipt
    }

    /// Ends what a reloader left that died on the way: what is stored in the tree is in force, all else is taken back.
    pub(super) async fn mend(&self) {
        let Some(Underway {
            mut receipt, next, ..
        }) = self.book.underway()
        else {
            return;
        };
        let Ok(running) = self.desk.running() else {
            return;
        };
        if receipt.outcome == Outcome::Begun {
            let is_in_force = Arc::ptr_eq(&running.settings().shared_of::<Config>(), &next.config);
            receipt.outcome = if is_in_force {
                // Once more, because nobody knows who was told, and has taken it.
                self.commit(&running, &next, &mut receipt).await;
                Outcome::Done
            } else {
                running.abandon(PREPARE_LIMIT).await;
                Outcome::Failed("the reloader died before it was in force".to_owned())
            };
            receipt.took = self.desk.clock.timestamp().since(receipt.at);
        }
        self.end(&mut receipt).await;
    }

    /// Keeps the configuration of the start, to be returned to.
    pub(super) async fn keep_first(&self) {
        if self.book.kept().is_some() {
            return;
        }
        let documents = self.book.in_force().loaded.documents.clone();
        let store = self.desk.store.clone();
        let newest = self.desk.reads.run(move || {
            let kept = configuration::configurations(&store.snapshot());
            kept.ok().and_then(|kept| kept.into_iter().next())
        });
        match newest.await {
            Ok(Some(kept)) if kept.documents == documents => self.book.keep(kept.id),
            _ => self.keep(self.desk.mint.id(), documents).await,
        }
    }

    async fn carry_out(&self, receipt: &mut Receipt, to: Option<ReceiptId>, is_plan: bool) -> Outcome {
        let Ok(running) = self.desk.running() else {
            return Outcome::Failed("the server is still starting".to_owned());
        };
        let loaded = match self.load(to).await {
            Ok(loaded) => loaded,
            Err(mistakes) => return Outcome::Invalid(mistakes),
        };
        let in_force = self.book.in_force();
        let plan = Plan::new(
            &in_force,
            &loaded,
            self.ports.forecast(&loaded.sourced.config),
            &running.tree("/"),
        );
        receipt.plan = Some(plan);
        if is_plan {
            return Outcome::Planned;
        }
        let is_other = in_force.loaded.documents != loaded.documents;
        // What the files have that settings name is not kept: nothing brings it back.
        let former = self.book.kept().filter(|_| is_other);
        receipt.inverse = former.map(|former| format!("reload --rollback {former}"));
        let sourced = loaded.sourced.clone().taken_up_from(&in_force.loaded.sourced);
        let next = Arc::new(InForce {
            config: Arc::new(sourced.config.clone()),
            loaded: Loaded { sourced, ..loaded },
        });
        self.book.begin(Underway {
            receipt: receipt.clone(),
            next: Arc::clone(&next),
            is_other,
        });
        self.record(receipt).await;
        let prepared = running
            .prepare(&Settings::shared(Arc::clone(&next.config)), PREPARE_LIMIT)
            .await;
        if let Some(refused) = self.refused(&prepared, &next.config) {
            running.abandon(PREPARE_LIMIT).await;
            return refused;
        }
        self.commit(&running, &next, receipt).await;
        Outcome::Done
    }

    /// Tells the tree.
    async fn commit(&self, running: &Running, next: &InForce, receipt: &mut Receipt) {
        let settings = Settings::shared(Arc::clone(&next.config));
        let Round {
            told,
            acknowledged,
            lost,
            unanswered,
            by_class,
            ..
        } = running.commit(&settings, COMMIT_LIMIT).await;
        receipt.told = told;
        receipt.acknowledged = acknowledged;
        receipt.lost = lost;
        receipt.unanswered = unanswered;
        receipt.by_class = by_class;
    }

    async fn load(&self, to: Option<ReceiptId>) -> Result<Loaded, Vec<String>> {
        let (loader, store) = (Arc::clone(&self.loader), self.desk.store.clone());
        let load = move || {
            let Some(receipt) = to else {
                return loader.load();
            };
            match configuration::configuration(&store.snapshot(), receipt) {
                Ok(Some(kept)) => loader.reread(&kept.documents),
                Ok(None) => Err(vec![format!("no configuration is kept under {receipt}")]),
                Err(why) => Err(vec![format!(
                    "the configuration of {receipt} cannot be read: {why}"
                )]),
            }
        };
        // A panic of the loader is a bug; the configuration stays as it was all the same.
        let loaded = self.desk.reads.run(load).await;
        loaded.unwrap_or_else(|why| Err(vec![why.to_string()]))
    }

    /// Why the change is off, if it is. Who died or did not answer is of no matter, as long as everything is there.
    fn refused(&self, prepared: &Round, config: &Arc<Config>) -> Option<Outcome> {
        if !prepared.refusals.is_empty() {
            let refusals = prepared.refusals.iter();
            let lines = refusals.flat_map(|(path, why)| why.lines().map(move |why| format!("{path}: {why}")));
            return Some(Outcome::Refused(lines.collect()));
        }
        if !self.ports.is_staged_for(config) {
            let unanswered = prepared.unanswered.join(", ");
            let why = format!(
                "the sockets could not be made ready: {} actors died, no answer from: {unanswered}",
                prepared.lost
            );
            return Some(Outcome::Failed(why));
        }
        None
    }

    /// Says how it ended: in the book first, so that whoever dies on the way is followed by one that knows.
    async fn end(&self, receipt: &mut Receipt) {
        let is_done = receipt.outcome == Outcome::Done;
        if !is_done {
            receipt.inverse = None;
        }
        self.book.conclude(receipt.clone());
        if let (Some(Underway { next, is_other, .. }), true) = (self.book.underway(), is_done) {
            self.desk.explain(next.loaded.sourced.values.clone());
            if is_other || self.book.kept().is_none() {
                self.keep(receipt.id, next.loaded.documents.clone()).await;
            }
        }
        self.record(receipt).await;
        self.book.close();
        receipt.log();
    }

    async fn keep(&self, id: ReceiptId, documents: Vec<store::record::configuration::KeptDocument>) {
        let store = self.desk.store.clone();
        let kept = self
            .desk
            .reads
            .run(move || configuration::receipts(&store.snapshot()).unwrap_or_default());
        let kept = kept.await.unwrap_or_default();
        let command = KeepConfiguration {
            kept: KeptConfiguration {
                id,
                at: self.desk.clock.timestamp(),
                documents,
            },
            forget: kept
                .into_iter()
                .skip(MAX_KEPT_CONFIGURATIONS - 1)
                .take(MAX_KEPT_CONFIGURATIONS)
                .collect(),
        };
        match self
            .propose(id, Command::KeepConfiguration(Box::new(command)))
            .await
        {
            Ok(()) => self.book.keep(id),
            Err(why) => {
                tracing::warn!(target: "angarium::reload", %why, "the configuration cannot be kept to be returned to");
            }
        }
    }

    /// Puts it on record. A reload may be what the store waits for, so it goes on without.
    async fn record(&self, receipt: &Receipt) {
        let entry = receipt.entry();
        let command = Command::Record(Box::new(Record { entry }));
        if let Err(why) = self.propose(receipt.id, command).await {
            tracing::warn!(target: "angarium::reload", receipt = %receipt.id, %why, "the reload is not on record");
        }
    }

    async fn propose(&self, about: ReceiptId, command: Command) -> Result<(), ProposeError> {
        let about = Subject::new("receipt", u128::from_be_bytes(about.to_bytes()));
        let proposal = Proposal::new(self.desk.mint.id(), self.desk.clock.timestamp(), command);
        gate::propose(&self.gate, about, proposal).await.map(|_| ())
    }
}
