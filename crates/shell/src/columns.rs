//! Columns of the tables that more than one place must know: the server fills them, and others find values by them.

/// Of `tree`: an actor a row.
pub const TREE: [&str; 11] = [
    "path",
    "class",
    "phase",
    "since",
    "restarts",
    "depth",
    "oldest",
    "handled",
    "mean",
    "longest",
    "last_failure",
];

/// Of the classes in `overview`.
pub const CLASSES: [&str; 11] = [
    "class",
    "running",
    "parked",
    "suspended",
    "depth",
    "handled",
    "crashed",
    "restarted",
    "waits_p99",
    "takes_p50",
    "takes_p99",
];

/// Of the busiest actors in `overview`.
pub const BUSIEST: [&str; 8] = [
    "path", "class", "phase", "depth", "oldest", "handled", "busy", "restarts",
];
