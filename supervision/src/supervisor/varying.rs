//! Varying: children that follow the settings. Which of them stay, which leave and which are made is a pure function
//! over those that are there and those that are wanted.

use std::collections::HashSet;
use std::time::Duration;

use crate::child::Child;
use crate::settings::Settings;

/// What a child that is no longer wanted is given to drain, unless the supervisor says otherwise.
pub const REMOVAL_DEADLINE: Duration = Duration::from_secs(10);

type Wanted = Box<dyn Fn(&Settings) -> Vec<(String, String)> + Send + Sync>;
type Make = Box<dyn Fn(&Settings, &str) -> Child + Send + Sync>;
type Deadline = Box<dyn Fn(&Settings) -> Duration + Send + Sync>;

/// How the children of a supervisor follow from the settings.
pub(crate) struct Varying {
    pub(crate) wanted: Wanted,
    pub(crate) make: Make,
    pub(crate) removal_deadline: Deadline,
}

/// A child that is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Present<'a> {
    pub(crate) name: &'a str,
    /// `None`: it is there whatever the settings say.
    pub(crate) nature: Option<&'a str>,
    /// It has been told to leave.
    pub(crate) leaving: bool,
}

/// What is to become of those that are there, and who is to be made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrangement {
    /// For each present child its rank in the start order; `None`: it leaves, or is leaving.
    pub(crate) ranks: Vec<Option<usize>>,
    /// Rank, and place among the wanted.
    pub(crate) makes: Vec<(usize, usize)>,
}

/// Compares those that are there with those that are wanted. A name whose owner is leaving is not made yet: two of one
/// name are never there at once. Of two that are wanted under one name the first counts.
pub(crate) fn arrange(present: &[Present<'_>], wanted: &[(String, String)]) -> Arrangement {
    let fixed = present.iter().filter(|child| child.nature.is_none()).count();
    let mut arrangement = Arrangement {
        ranks: vec![None; present.len()],
        makes: Vec::new(),
    };
    let mut names = HashSet::new();
    let spots = arrangement.ranks.iter_mut().zip(present);
    for (rank, (spot, child)) in spots.filter(|(_, child)| child.nature.is_none()).enumerate() {
        *spot = Some(rank);
        names.insert(child.name);
    }
    for (place, (name, nature)) in wanted.iter().enumerate() {
        if !names.insert(name.as_str()) {
            continue;
        }
        let rank = fixed.saturating_add(place);
        let mut spots = arrangement.ranks.iter_mut().zip(present);
        match spots.find(|(_, child)| child.name == name) {
            None => arrangement.makes.push((rank, place)),
            Some((spot, child)) if !child.leaving && child.nature == Some(nature) => *spot = Some(rank),
            Some(_leaving) => {}
        }
    }
    arrangement
}

/// What is wrong with a list of wanted children, for the operator.
pub(crate) fn objection(wanted: &[(String, String)]) -> Option<String> {
    let mut names = HashSet::new();
    wanted.iter().find_map(|(name, _)| {
        if name.is_empty() || name.contains('/') {
            return Some(format!("{name:?} cannot be the name of a child"));
        }
        (!names.insert(name)).then(|| format!("two children named {name:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::{Arrangement, Present, arrange, objection};

    fn wanted(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
        wanted
            .iter()
            .map(|(name, nature)| ((*name).to_owned(), (*nature).to_owned()))
            .collect()
    }

    #[test]
    fn compares_what_is_there_with_what_is_wanted() {
        let here = |name, nature| Present {
            name,
            nature: Some(nature),
            leaving: false,
        };
        let leaving = |name, nature| Present {
            leaving: true,
            ..here(name, nature)
        };
        let fixed = |name| Present {
            name,
            nature: None,
            leaving: false,
        };
        type Row<'a> = (
            Vec<Present<'a>>,
            Vec<(&'a str, &'a str)>,
            Vec<Option<usize>>,
            Vec<(usize, usize)>,
        );
        let table: Vec<Row<'_>> = vec![
            (vec![], vec![], vec![], vec![]),
            (vec![], vec![("a", "x"), ("b", "x")], vec![], vec![(0, 0), (1, 1)]),
            (vec![here("a", "x")], vec![("a", "x")], vec![Some(0)], vec![]),
            (vec![here("a", "x")], vec![], vec![None], vec![]),
            // Another nature is another child, made when the old one has ended.
            (vec![here("a", "x")], vec![("a", "y")], vec![None], vec![]),
            (vec![leaving("a", "x")], vec![("a", "y")], vec![None], vec![]),
            (vec![leaving("a", "x")], vec![("a", "x")], vec![None], vec![]),
            // The order is that of the wanted.
            (
                vec![here("b", "x"), here("d", "x"), here("a", "x")],
                vec![("a", "x"), ("b", "x"), ("c", "x")],
                vec![Some(1), None, Some(0)],
                vec![(2, 2)],
            ),
            // The first of two of one name.
            (vec![], vec![("a", "x"), ("a", "y")], vec![], vec![(0, 0)]),
            (
                vec![here("a", "y")],
                vec![("a", "x"), ("a", "y")],
                vec![None],
                vec![],
            ),
            // Those that are always there come first, and their names are taken.
            (
                vec![fixed("f"), here("a", "x")],
                vec![("f", "x"), ("b", "x")],
                vec![Some(0), None],
                vec![(2, 1)],
            ),
        ];
        for (present, want, ranks, makes) in table {
            let expected = Arrangement { ranks, makes };
            assert_eq!(
                arrange(&present, &wanted(&want)),
                expected,
                "{present:?} and {want:?}"
            );
        }
    }

    #[test]
    fn objects_to_names_that_no_path_can_hold() {
        let table = [
            (["a", "b"], None),
            (["a", "a"], Some("two children named \"a\"")),
            (["a", ""], Some("\"\" cannot be the name of a child")),
            (["a/b", "a"], Some("\"a/b\" cannot be the name of a child")),
        ];
        for (names, expected) in table {
            let wanted = wanted(&names.map(|name| (name, "x")));
            assert_eq!(objection(&wanted).as_deref(), expected, "{names:?}");
        }
    }
}
