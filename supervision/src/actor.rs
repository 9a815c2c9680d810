//! Actor: what one kind of living thing does. Not how it is started, watched or reached.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};
use tokio::time::Instant;

use crate::context::Context;
use crate::round::Roll;
use crate::settings::Settings;
use crate::slot::AnySlot;

/// One kind of actor. The type itself carries no data: arguments make a state, and the state is changed by messages.
///
/// An implementation writes `async fn` for the methods it needs.
pub trait Actor: Sized + Send + Sync + 'static {
    /// The name of this kind in the tree, in crash cards and in metrics: `"smtp_session"`.
    const CLASS: &'static str;

    /// What it accepts. Every message type derives `RactorMessage`.
    type Msg: ractor::Message;

    /// What a start needs. Made afresh from the current settings at every start.
    type Args: Send + 'static;

    /// What it remembers between messages. It is lost with the actor.
    type State: Send + 'static;

    /// Builds the state. Quick, and allowed to fail: an error, a panic or more than the start limit is a failed start,
    /// which the supervisor counts.
    fn pre_start(
        ctx: &Context<Self::Msg>,
        args: Self::Args,
    ) -> impl Future<Output = Result<Self::State, Broken>> + Send;

    /// Handles one message. An error or a panic ends the actor; a kill drops the returned future at any `.await`.
    fn handle(
        ctx: &Context<Self::Msg>,
        msg: Self::Msg,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<(), Broken>> + Send;

    /// Phase one of new settings: can they be taken? What the taking needs and may fail (a bound socket, a loaded
    /// certificate) is got here and kept beside what is in use. A [`Refusal`] cancels the change for the whole tree. The
    /// settings are not stored yet: whoever starts now starts with the old ones, so [`Actor::configure`] must do without
    /// this.
    fn prepare(
        _ctx: &Context<Self::Msg>,
        _settings: &Settings,
        _state: &mut Self::State,
    ) -> impl Future<Output = Result<Result<(), Refusal>, Broken>> + Send {
        async { Ok(Ok(())) }
    }

    /// A prepared change is off: gives back what [`Actor::prepare`] got. Also asked of those that never prepared.
    fn abandon(_ctx: &Context<Self::Msg>, _state: &mut Self::State) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Phase two: takes new settings. They have been stored already: should this fail, the restarted actor starts with
    /// them.
    fn configure(
        _ctx: &Context<Self::Msg>,
        _settings: &Settings,
        _state: &mut Self::State,
    ) -> impl Future<Output = Result<(), Broken>> + Send {
        async { Ok(()) }
    }

    /// Asks for an end before `deadline`. [`Drained::Now`]: what is queued is handled, then the actor ends.
    /// [`Drained::Later`]: the actor goes on and calls [`Context::drained`] itself; at the deadline it is killed.
    fn drain(
        _ctx: &Context<Self::Msg>,
        _deadline: Instant,
        _state: &mut Self::State,
    ) -> impl Future<Output = Result<Drained, Broken>> + Send {
        async { Ok(Drained::Now) }
    }

    /// A small picture of the state for operators, tests and chaos.
    fn inspect(_state: &Self::State) -> Inspection {
        Inspection::default()
    }

    /// For supervisors: to whom a word that goes down the tree is passed on.
    #[doc(hidden)]
    fn below(_state: &mut Self::State, _calling: &Calling) -> Below {
        Below(Vec::new())
    }
}

/// Those to whom a supervisor passes a word on.
pub struct Below(pub(crate) Vec<Arc<dyn AnySlot>>);

/// The round in which it is passed on.
pub struct Calling(pub(crate) Arc<Roll>);

/// Why new settings cannot be taken, in one sentence for the operator. An ordinary value: nothing is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl Refusal {
    /// A refusal told by anything that can be shown.
    pub fn because(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

/// A broken invariant of ours, in one sentence: it ends the actor, and the supervisor answers for it. What a peer or
/// an operator did wrong is an ordinary value, never this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

impl Broken {
    /// A broken invariant told by anything that can be shown.
    pub fn because(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

/// The answer to [`Actor::drain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Nothing is left to do but what is queued.
    Now,
    /// The actor will call [`Context::drained`].
    Later,
}

/// A small picture of an actor's state: named values in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection(Vec<(&'static str, Value)>);

impl Inspection {
    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// The value of that name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// All values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }
}

impl Serialize for Inspection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// One value of an [`Inspection`].
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A count, or octets.
    Number(u64),
    /// Seconds.
    Seconds(f64),
    /// Anything that is best read.
    Text(String),
    /// Several of them.
    List(Vec<Value>),
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(u64::from(number))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(u64::try_from(number).unwrap_or(u64::MAX))
    }
}

impl From<Duration> for Value {
    fn from(duration: Duration) -> Self {
        Self::Seconds(duration.as_secs_f64())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Inspection, Value};

    #[test]
    fn an_inspection_is_an_object_in_order() {
        let inspection = Inspection::default()
            .with("sockets", 3_usize)
            .with("open", true)
            .with("idle", Duration::from_millis(1500))
            .with("peers", vec!["a", "b"]);
        assert_eq!(
            serde_json::to_string(&inspection).unwrap(),
            r#"{"sockets":3,"open":true,"idle":1.5,"peers":["a","b"]}"#
        );
        assert_eq!(inspection.value("open"), Some(&Value::Flag(true)));
        assert_eq!(inspection.value("closed"), None);
    }
}
