//! Documents: their links lead somewhere, and the sample configuration is the defaults.

use std::{fs, path::Path};

use anyhow::Result;

use super::{File, files, root, settle};

#[test]
fn every_link_of_the_documents_leads_somewhere() -> Result<()> {
    let mut documents = files(&["docs"], "md")?;
    for name in ["README.md", "CHANGELOG.md"] {
        if let Ok(text) = fs::read_to_string(root().join(name)) {
            documents.push(File {
                path: name.to_owned(),
                text,
            });
        }
    }
    let mut complaints = Vec::new();
    for document in &documents {
        let folder = root()
            .join(&document.path)
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
        for (number, target) in links(&document.text) {
            if !folder.join(&target).exists() {
                complaints.push(format!("{}:{number}: {target} does not exist", document.path));
            }
        }
    }
    settle(&complaints)
}

#[test]
fn the_sample_configuration_is_the_defaults() {
    assert!(
        config::SAMPLE == config::sample(),
        "cargo run -p config --example sample > config/angarium.toml"
    );
    let sample = config::parse_bytes(
        "config/angarium.toml",
        config::SAMPLE.as_bytes(),
        config::Profile::Production,
    );
    assert_eq!(sample, Ok(config::Config::of(config::Profile::Development)));
}

/// The relative targets of a document's links, with their lines; fragments and code are left out.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect();
        for piece in prose.split("](").skip(1).filter(|_| !is_code) {
            let target = piece.split(')').next().unwrap_or_default();
            let target = target
                .trim_matches(['<', '>'])
                .split('#')
                .next()
                .unwrap_or_default();
            let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !target.is_empty() && !is_elsewhere {
                found.push((index + 1, target.to_owned()));
            }
        }
    }
    found
}

/// The rule can be broken: the check sees what it is there for.
mod the_check_sees {
    use super::*;

    #[test]
    fn targets_of_links() {
        let text = "[a](b.md) ![c](d/e.png#f)\n[g](https://h) [i](#j) [k](mailto:l)\n```\n[m](n)\n```\n`[o](p)` [q](<r s.md>)";
        let expected =
            [(1, "b.md"), (1, "d/e.png"), (6, "r s.md")].map(|(line, target)| (line, target.to_owned()));
        assert_eq!(links(text), expected);
    }
}
