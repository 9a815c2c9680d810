//! Prints the annotated sample: `cargo run -p config --example sample > config/angarium.toml`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(config::sample().as_bytes())
}
