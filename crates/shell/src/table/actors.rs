//! Verbs on actors.

use crate::verb::{Argument, Flag, Kind, Verb};

pub(super) const VERBS: &[Verb] = &[Verb {
    name: &["tree"],
    summary: "Shows the supervision tree, or the part of it below a path",
    arguments: &[Argument::optional(
        "path",
        Kind::Path,
        "Where to begin; everything without it",
    )],
    flags: &[Flag::value(
        "depth",
        "N",
        Kind::Number,
        "How many levels below that place",
    )],
    ..Verb::READS
}];
