//! Gate: where proposals pass to the committer.
//!
//! Owner:    /store (static, permanent)
//! Accepts:  Msg::{Propose, Recall}
//! Calls:    the committer, without waiting for it
//! Owns:     nothing; the database and the committer thread belong to the process
//! On death: proposals that had not passed yet are lost and their callers are told `Unavailable` or `Unknown`; those
//!           that had passed commit and answer as if nothing had happened.
//! Limits:   config.store.{max_waiting, max_waiting_size}, kept by the committer

use message::id::CommandId;
use ractor_cluster_derive::RactorMessage;
use store::{
    apply::Outcome,
    command::Proposal,
    propose::{Answer, ProposeError},
    store::Store,
};
use supervision::{Actor, Address, Broken, CallError, Context, Inspection, Reply, Subject};

/// What the gate is asked.
#[derive(RactorMessage)]
pub enum Msg {
    /// Pass this on; the committer answers.
    Propose {
        /// The command with its id.
        proposal: Box<Proposal>,
        /// Where the answer goes, straight from the committer.
        reply: Reply<Answer>,
    },
    /// What became of this command? Asked behind everything that passed before.
    Recall {
        /// Its id.
        command: CommandId,
        /// Where the answer goes, straight from the committer.
        reply: Reply<Recalled>,
    },
}

/// The outcome of a command that committed, or none.
pub type Recalled = Result<Option<Outcome>, ProposeError>;

/// What a gate needs.
pub struct Args {
    /// The store of this process.
    pub store: Store,
}

/// The gate.
pub struct Gate;

/// What a gate holds.
pub struct State {
    store: Store,
}

impl Actor for Gate {
    const CLASS: &'static str = "store_gate";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(_: &Context<Msg>, args: Args) -> Result<State, Broken> {
        Ok(State { store: args.store })
    }

    async fn handle(_: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Propose { proposal, reply } => state.store.propose_with(*proposal, reply.into_sender()),
            Msg::Recall { command, reply } => state.store.recall_with(command, reply.into_sender()),
        }
        Ok(())
    }

    fn inspect(state: &State) -> Inspection {
        let statistics = state.store.statistics();
        Inspection::default()
            .with("sequence", statistics.sequence)
            .with("waiting", statistics.queued)
    }
}

/// How long a proposal may take: a sync behind a full queue, with a wide margin.
pub const PROPOSE_LIMIT: std::time::Duration = std::time::Duration::from_secs(30);

/// Proposes through the gate; `about` is what a crash on it is counted under.
///
/// # Errors
/// [`ProposeError`]; a gate that cannot be reached in time counts as `Overloaded` (nothing was changed), one that died
/// with the proposal as `Unknown`.
pub async fn propose(gate: &Address<Msg>, about: Subject, proposal: Proposal) -> Answer {
    let proposal = Box::new(proposal);
    let asked = gate
        .subject(about)
        .call(PROPOSE_LIMIT, |reply| Msg::Propose { proposal, reply });
    match asked.await {
        Ok(answer) => answer,
        Err(CallError::Unavailable) => Err(ProposeError::Overloaded),
        Err(CallError::Unknown) => Err(ProposeError::Unknown),
    }
}

/// Asks through the gate what became of a command.
///
/// # Errors
/// [`ProposeError`] when nobody could say.
pub async fn recall(gate: &Address<Msg>, command: CommandId) -> Recalled {
    match gate
        .call(PROPOSE_LIMIT, |reply| Msg::Recall { command, reply })
        .await
    {
        Ok(recalled) => recalled,
        Err(CallError::Unavailable | CallError::Unknown) => Err(ProposeError::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use ::store::command::CreateDomain;
    use message::address::DomainName;
    use store::{apply::Rejected, command::Command};
    use supervision::{Settings, alone};

    use super::*;
    use crate::{fixture::Fixture, subject, tree::DEFAULT_TENANT};

    fn domain(name: &str) -> Command {
        Command::CreateDomain(CreateDomain {
            tenant: DEFAULT_TENANT,
            name: DomainName::parse_utf8(name).unwrap(),
            catch_all: None,
        })
    }

    #[tokio::test]
    async fn what_passed_is_known_by_its_id_afterwards() {
        let fixture = Fixture::new().await;
        let store = fixture.store.clone();
        let gate = alone::<Gate>(Settings::default(), Args { store });
        let about = subject::account(fixture.account);
        let proposal = fixture.proposal(domain("other.example"));
        assert_eq!(recall(&gate, proposal.id).await.unwrap(), None);
        let outcome = propose(&gate, about, proposal.clone()).await.unwrap();
        assert_eq!(recall(&gate, proposal.id).await.unwrap(), Some(outcome.clone()));
        // The same id again is answered, not done again.
        assert_eq!(propose(&gate, about, proposal).await.unwrap(), outcome);
        let again = propose(&gate, about, fixture.proposal(domain("other.example"))).await;
        assert!(
            matches!(again, Err(ProposeError::Rejected(Rejected::Exists(_)))),
            "{again:?}"
        );
    }

    #[tokio::test]
    async fn a_gate_that_is_away_changed_nothing_and_one_that_died_may_have() {
        let fixture = Fixture::new().await;
        let about = subject::account(fixture.account);
        let proposal = fixture.proposal(domain("other.example"));
        let away = Address::closed();
        let answer = propose(&away, about, proposal.clone()).await;
        assert!(matches!(answer, Err(ProposeError::Overloaded)), "{answer:?}");
        let recalled = recall(&away, proposal.id).await;
        assert!(matches!(recalled, Err(ProposeError::Unknown)), "{recalled:?}");
        // Without an inbox the message is taken and never answered.
        let (dying, _) = Address::detached();
        let answer = propose(&dying, about, proposal).await;
        assert!(matches!(answer, Err(ProposeError::Unknown)), "{answer:?}");
    }
}
