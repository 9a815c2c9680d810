//! Prints the page of all metrics: `cargo run -p actors --example metrics > docs/metrics.md`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(actors::telemetry::page::page().as_bytes())
}
