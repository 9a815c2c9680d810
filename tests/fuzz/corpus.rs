//! Corpus: the files of a target, and what comes of them when they are changed.

use std::cell::Cell;
use std::path::Path;
use std::sync::Once;
use std::{env, fmt, fs, panic};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

/// Rounds without `FUZZ_ROUNDS`.
const ROUNDS: u32 = 256;

/// Changes of one input, at most.
const MAX_CHANGES: usize = 8;

/// What an input is made to hold: octets that mean something to one parser or another.
const TOKENS: [&[u8]; 38] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"\r\n\r\n",
    b"\r\n.\r\n",
    b"\n.\n",
    b"\r.\r",
    b".",
    b"..",
    b" ",
    b"\t",
    b"\r\n ",
    b":",
    b";",
    b",",
    b"<",
    b">",
    b"<>",
    b"\"",
    b"\\",
    b"(",
    b")",
    b"@",
    b"=",
    b"==",
    b"+",
    b"-",
    b"--",
    b"*",
    b"%00",
    b"\xff",
    b"\xc3\xbc",
    b"\xe2\x80\xae",
    b"\xc0\xae",
    b"0",
    b"18446744073709551616",
    b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

/// How an input reaches its parser: pieces of these sizes, again and again.
#[derive(Debug, Clone)]
pub(crate) struct Cuts(Vec<usize>);

impl Cuts {
    pub(crate) fn whole() -> Self {
        Self(vec![usize::MAX])
    }

    pub(crate) fn octets() -> Self {
        Self(vec![1])
    }

    pub(crate) fn of<'a>(&'a self, octets: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = octets;
        let mut sizes = self.0.iter().cycle();
        std::iter::from_fn(move || {
            let size = rest.len().min(*sizes.next()?);
            let (piece, behind) = rest.split_at(size);
            rest = behind;
            (!piece.is_empty()).then_some(piece)
        })
    }
}

/// Octets that are printed as a literal.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Octets(pub(crate) Vec<u8>);

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\" ({} octets)", self.0.escape_ascii(), self.0.len())
    }
}

/// Holds `check` against every file of the target's corpus and against what comes of changing them. It says with a
/// panic that something does not hold.
pub(crate) fn fuzz(target: &str, check: impl Fn(&[u8], &Cuts)) {
    let corpus = read(target);
    for (name, octets) in &corpus {
        for cuts in [Cuts::whole(), Cuts::octets(), Cuts(vec![7, 1, 64, 3])] {
            if let Err(why) = attempt(|| check(octets, &cuts)) {
                panic!("tests/corpora/{target}/{name} in {cuts:?}: {why}");
            }
        }
    }
    let files: Vec<Vec<u8>> = corpus.into_iter().map(|(_, octets)| octets).collect();
    let (seed, rounds) = (number("FUZZ_SEED", 1), number("FUZZ_ROUNDS", u64::from(ROUNDS)));
    let mut runner = TestRunner::new(Config {
        cases: u32::try_from(rounds).expect("fewer rounds"),
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    });
    let cuts = prop::collection::vec(1..100_usize, 1..6).prop_map(Cuts);
    let done = runner.run(&(changed(files), cuts), |(octets, cuts)| {
        attempt(|| check(&octets.0, &cuts)).map_err(TestCaseError::fail)
    });
    if let Err(why) = done {
        panic!("{why}\nREPRODUCE: FUZZ_SEED={seed} FUZZ_ROUNDS={rounds} cargo test --test fuzz -- {target}");
    }
}

/// Gives what a panic said. It is not printed, because the runner makes an input smaller through a hundred of them.
fn attempt(check: impl Fn()) -> Result<(), String> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if QUIET.get() {
                SAID.set(info.to_string());
            } else {
                hook(info);
            }
        }));
    });
    QUIET.set(true);
    let done = panic::catch_unwind(panic::AssertUnwindSafe(check));
    QUIET.set(false);
    done.map_err(|_| SAID.take())
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static SAID: Cell<String> = const { Cell::new(String::new()) };
}

fn read(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpora")
        .join(target);
    let mut corpus: Vec<_> = fs::read_dir(folder)
        .expect("the target has a corpus")
        .map(|entry| entry.expect("readable").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(path).expect("readable"))
        })
        .collect();
    assert!(!corpus.is_empty(), "tests/corpora/{target} is empty");
    corpus.sort();
    corpus
}

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |value| {
        value.parse().unwrap_or_else(|_| panic!("{name} is a number"))
    })
}

/// A change of an input. Where it happens is relative, so that it fits any input.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Insert(Index, &'static [u8]),
    Remove(Index, Index),
    Repeat(Index, Index, usize),
    Truncate(Index),
    /// Something of another file of the corpus.
    Splice(Index, Index, Index, Index),
}

impl Change {
    fn make(&self, octets: &mut Vec<u8>, files: &[Vec<u8>]) {
        let place = |at: &Index| at.index(octets.len() + 1);
        match self {
            Self::Set(at, octet) => {
                let at = place(at);
                if let Some(there) = octets.get_mut(at) {
                    *there = *octet;
                }
            }
            Self::Insert(at, token) => {
                let at = place(at);
                octets.splice(at..at, token.iter().copied());
            }
            Self::Remove(from, to) => {
                let (from, to) = ordered(place(from), place(to));
                octets.drain(from..to);
            }
            Self::Repeat(from, to, times) => {
                let (from, to) = ordered(place(from), place(to));
                let piece = octets[from..to.min(from + MAX_REPEATED)].repeat(*times);
                octets.splice(to..to, piece);
            }
            Self::Truncate(at) => octets.truncate(place(at)),
            Self::Splice(at, file, from, to) => {
                let file = file.get(files);
                let (from, to) = ordered(from.index(file.len() + 1), to.index(file.len() + 1));
                let at = place(at);
                octets.splice(at..at, file[from..to].iter().copied());
            }
        }
    }
}

/// Octets that are repeated, at most.
const MAX_REPEATED: usize = 200;

fn ordered(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

/// A file of the corpus after some changes.
fn changed(files: Vec<Vec<u8>>) -> impl Strategy<Value = Octets> {
    let at = any::<Index>;
    let change = prop_oneof![
        3 => (at(), any::<u8>()).prop_map(|(at, octet)| Change::Set(at, octet)),
        4 => (at(), prop::sample::select(&TOKENS[..])).prop_map(|(at, token)| Change::Insert(at, token)),
        2 => (at(), at()).prop_map(|(from, to)| Change::Remove(from, to)),
        1 => (at(), at(), 1..20_usize).prop_map(|(from, to, times)| Change::Repeat(from, to, times)),
        1 => at().prop_map(Change::Truncate),
        2 => (at(), at(), at(), at()).prop_map(|(at, file, from, to)| Change::Splice(at, file, from, to)),
    ];
    (any::<Index>(), prop::collection::vec(change, 0..=MAX_CHANGES)).prop_map(move |(first, changes)| {
        let mut octets = first.get(&files).clone();
        for change in &changes {
            change.make(&mut octets, &files);
        }
        Octets(octets)
    })
}
