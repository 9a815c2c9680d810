//! The tree as an operator sees it: one row for each place, read from atomics. No actor is asked.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

use crate::child::{Below, Node};
use crate::commons::Commons;
use crate::gauges::{Moment, Reading};
use crate::ledger::{CrashCard, as_unix_millis};
use crate::slot::{AnySlot, Phase};
use crate::subject::Subject;
use crate::tally::ClassTally;

/// One place of the tree.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Where.
    pub path: String,
    /// What kind of actor.
    pub class: &'static str,
    /// Where it stands.
    pub phase: Phase,
    /// It lives and handles no messages until it is resumed.
    pub suspended: bool,
    /// When its current or last incarnation was started (UTC), serialised as milliseconds since 1970.
    #[serde(rename = "started_ms", serialize_with = "maybe_unix_millis")]
    pub started: Option<SystemTime>,
    /// How often it was started again.
    pub restarts: u32,
    /// Its last crash.
    pub failure: Option<Box<CrashCard>>,
    /// Messages handled, by all incarnations.
    pub handled: u64,
    /// Messages sent and not handled yet, the one being handled included.
    pub depth: u64,
    /// Since when the oldest of them waits: of a hung actor, how long it has hung.
    #[serde(rename = "oldest_us", serialize_with = "maybe_micros")]
    pub oldest: Option<Duration>,
    /// The mean time to handle a message.
    #[serde(rename = "mean_us", serialize_with = "micros")]
    pub mean: Duration,
    /// The longest.
    #[serde(rename = "longest_us", serialize_with = "micros")]
    pub longest: Duration,
    /// What the message is about that it is handling.
    pub subject: Option<Subject>,
}

/// How all places of a tree stand together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many there are.
    pub places: u64,
    /// Of these, those that have ended for good after too many crashes.
    pub parked: u64,
    /// How often those that there are were started again.
    pub restarts: u64,
    /// Messages sent to them and not handled yet.
    pub depth: u64,
}

/// The rows of all places whose path is `prefix` or below it, parents first; all of them for `/`. Not those more than
/// `depth` levels below it.
pub(crate) fn rows(root: &Node, prefix: &str, depth: usize) -> Vec<Row> {
    let now = Moment::now();
    let mut rows = Vec::new();
    walk(root, prefix, depth, &mut |slot, path| {
        rows.reserve(path.to_come);
        rows.push(row(slot, path.joined(), now));
        ControlFlow::Continue(())
    });
    rows
}

/// The same rows, one after the other, until whoever looks has seen enough. Nothing is locked meanwhile.
pub(crate) fn survey(root: &Node, prefix: &str, depth: usize, see: &mut dyn FnMut(Row) -> ControlFlow<()>) {
    walk(root, prefix, depth, &mut |slot, path| {
        see(row(slot, path.joined(), Moment::now()))
    });
}

/// How all places stand together.
pub(crate) fn summary(root: &Node) -> Summary {
    let mut summary = Summary::default();
    walk(root, "/", usize::MAX, &mut |slot, _| {
        let place = slot.place();
        summary.places += 1;
        summary.parked += u64::from(place.phase() == Phase::Parked);
        summary.restarts += u64::from(place.restarts());
        summary.depth = summary.depth.saturating_add(place.gauges.depth());
        ControlFlow::Continue(())
    });
    summary
}

/// The rows of all places whose oldest message has waited longer than that.
pub(crate) fn stuck(root: &Node, older_than: Duration) -> Vec<Row> {
    let now = Moment::now();
    let mut rows = Vec::new();
    walk(root, "/", usize::MAX, &mut |slot, path| {
        if slot
            .place()
            .gauges
            .oldest(now)
            .is_some_and(|oldest| oldest > older_than)
        {
            rows.push(row(slot, path.joined(), now));
        }
        ControlFlow::Continue(())
    });
    rows
}

/// What all actors of each class did and where they stand, by class.
pub(crate) fn classes(root: &Node, commons: &Commons) -> Vec<ClassTally> {
    let mut tallies: BTreeMap<&'static str, ClassTally> = BTreeMap::new();
    walk(root, "/", usize::MAX, &mut |slot, _| {
        let place = slot.place();
        let tally = tallies.entry(place.class).or_default();
        match place.phase() {
            Phase::Starting | Phase::Up | Phase::Draining | Phase::Passivating => tally.running += 1,
            Phase::Parked => tally.parked += 1,
            Phase::Idle | Phase::Waiting | Phase::Closed => {}
        }
        tally.suspended += u64::from(place.is_suspended());
        tally.depth = tally.depth.saturating_add(place.gauges.depth());
        ControlFlow::Continue(())
    });
    // Also those of whom nobody is left.
    for (name, class) in commons.classes() {
        class.add_to(tallies.entry(name).or_default());
    }
    let named = tallies.into_iter();
    named
        .map(|(class, tally)| ClassTally { class, ..tally })
        .collect()
}

/// The path of a place, made only for those who want it.
struct Path<'a> {
    above: &'a str,
    name: Option<&'a str>,
    /// How many are certainly still visited, this one included.
    to_come: usize,
}

impl Path<'_> {
    fn joined(&self) -> String {
        match self.name {
            Some(name) => join(self.above, name),
            None if self.above.is_empty() => "/".to_owned(),
            None => self.above.to_owned(),
        }
    }
}

/// Visits all places at or below `prefix`, parents first, `depth` levels deep, until it is told to stop.
fn walk(
    root: &Node,
    prefix: &str,
    depth: usize,
    visit: &mut dyn FnMut(&dyn AnySlot, Path<'_>) -> ControlFlow<()>,
) {
    let prefix = prefix.trim_end_matches('/');
    // Depth is that of the code that builds the tree; the stack holds nodes whose rows are still to come. A level is
    // counted from the prefix; above it there is none.
    let mut pending = vec![(root.clone(), String::new(), 0_usize)];
    while let Some((node, path, level)) = pending.pop() {
        let covered = covers(prefix, &path);
        if covered {
            let path = Path {
                above: &path,
                name: None,
                to_come: 1,
            };
            if visit(&*node.slot, path).is_break() {
                return;
            }
        }
        let level = level + usize::from(covered);
        if level > depth {
            continue;
        }
        match &node.below {
            Below::Nothing => {}
            Below::Children(plan) => {
                for child in plan.children().iter().rev() {
                    let below = join(&path, child.name());
                    if covers(prefix, &below) || covers(&below, prefix) {
                        pending.push((child.node.clone(), below, level));
                    }
                }
            }
            Below::Members(members) => {
                let key = prefix
                    .strip_prefix(path.as_str())
                    .and_then(|rest| rest.strip_prefix('/'));
                let slots = key.map_or_else(|| members.all(), |key| members.find(key).into_iter().collect());
                for (before, slot) in slots.iter().enumerate() {
                    let name = Some(&*slot.place().name);
                    let to_come = slots.len() - before;
                    let path = Path {
                        above: &path,
                        name,
                        to_come,
                    };
                    if visit(&**slot, path).is_break() {
                        return;
                    }
                }
            }
        }
    }
}

fn join(path: &str, name: &str) -> String {
    let mut joined = String::with_capacity(path.len() + 1 + name.len());
    joined.push_str(path);
    joined.push('/');
    joined.push_str(name);
    joined
}

/// Whether a path is `prefix` or below it.
fn covers(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The place of a path, and its supervisor's.
pub(crate) fn find(root: &Node, path: &str) -> Option<(Option<Node>, Node)> {
    let mut rest = path.strip_prefix('/')?.trim_end_matches('/');
    let (mut above, mut node) = (None, root.clone());
    while !rest.is_empty() {
        let (name, beyond) = rest.split_once('/').unwrap_or((rest, ""));
        let (next, beyond) = match &node.below {
            Below::Nothing => return None,
            Below::Children(plan) => {
                let children = plan.children();
                let child = children.iter().find(|child| &**child.name() == name)?;
                (child.node.clone(), beyond)
            }
            // A key may hold anything, a slash too.
            Below::Members(members) => (
                Node {
                    slot: members.find(rest)?,
                    below: Below::Nothing,
                },
                "",
            ),
        };
        above = Some(std::mem::replace(&mut node, next));
        rest = beyond;
    }
    Some((above, node))
}

fn row(slot: &dyn AnySlot, path: String, now: Moment) -> Row {
    let place = slot.place();
    let Reading {
        depth,
        oldest,
        handled,
        mean,
        longest,
        subject,
    } = place.gauges.read(now);
    let started = match place.started.load(Ordering::Relaxed) {
        0 => None,
        millis => SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis)),
    };
    Row {
        path,
        class: place.class,
        phase: place.phase(),
        suspended: place.is_suspended(),
        started,
        restarts: place.restarts(),
        failure: place.control().failure.as_deref().cloned().map(Box::new),
        handled,
        depth,
        oldest,
        mean,
        longest,
        subject,
    }
}

fn micros<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

fn maybe_micros<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => micros(duration, serializer),
        None => serializer.serialize_none(),
    }
}

fn maybe_unix_millis<S: Serializer>(at: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => as_unix_millis(at, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_prefix_covers_whole_names() {
        let table = [
            ("", "", true),
            ("", "/store", true),
            ("/store", "/store", true),
            ("/store", "/store/gate", true),
            ("/store", "/stores", false),
            ("/store/gate", "/store", false),
        ];
        for (prefix, path, expected) in table {
            assert_eq!(covers(prefix, path), expected, "{prefix:?} {path:?}");
        }
    }
}
