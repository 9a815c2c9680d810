//! Which backups there are, and how the old ones go.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{
    BackupError,
    manifest::Manifest,
    place::{self, Place},
};

/// The backups in a directory, the oldest first: those whose manifest is whole, and the files of those that are not.
///
/// # Errors
/// [`BackupError`] when the directory cannot be read.
pub fn list(dir: &Path) -> Result<(Vec<Manifest>, Vec<PathBuf>), BackupError> {
    if !dir.join("format").is_file() {
        return Err(BackupError::Missing {
            path: dir.to_owned(),
            name: None,
        });
    }
    let (mut whole, mut damaged) = (Vec::new(), Vec::new());
    for (_, path) in manifests(&dir.join("manifests"))? {
        match Manifest::read(&path) {
            Ok(manifest) => whole.push(manifest),
            Err(BackupError::Damaged { path, .. }) => damaged.push(path),
            Err(error) => return Err(error),
        }
    }
    Ok((whole, damaged))
}

/// The backup of this name, or the newest.
pub(super) fn find(dir: &Path, name: Option<&str>) -> Result<Manifest, BackupError> {
    let missing = || BackupError::Missing {
        path: dir.to_owned(),
        name: name.map(str::to_owned),
    };
    if let Some(name) = name {
        let all = manifests(&dir.join("manifests"))?;
        let (_, path) = all
            .into_iter()
            .find(|(known, _)| known == name)
            .ok_or_else(missing)?;
        return Manifest::read(&path);
    }
    list(dir)?.0.pop().ok_or_else(missing)
}

/// Removes all but the newest backups, and every segment that none of those needs; says how many backups and octets went.
///
/// # Errors
/// [`BackupError`]; what is kept is whole all the same.
pub fn prune(dir: &Path, keep: usize) -> Result<(usize, u64), BackupError> {
    let place = Place::open(dir)?;
    let (whole, damaged) = list(dir)?;
    if !damaged.is_empty() {
        // What it needs is not known, so nothing may go.
        let path = damaged.into_iter().next().unwrap_or_default();
        return Err(BackupError::damaged(path, "which segments it needs is not known"));
    }
    let old = whole.len().saturating_sub(keep.max(1));
    let (going, staying) = whole.split_at(old);
    for manifest in going {
        let path = place.manifests().join(format!("{}.manifest", manifest.name()));
        fs::remove_file(&path).map_err(BackupError::io(path))?;
    }
    // A manifest must not be there again after a power cut when its segments are not.
    place::sync_dir(&place.manifests())?;
    let needed: BTreeSet<&str> = staying
        .iter()
        .flat_map(|manifest| manifest.parts.iter().map(|part| part.name.as_str()))
        .collect();
    let mut freed = 0;
    for folder in entries(&place.segments())? {
        for path in entries(&folder)? {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if needed.contains(name) {
                continue;
            }
            freed += fs::metadata(&path).map_or(0, |known| known.len());
            fs::remove_file(&path).map_err(BackupError::io(path))?;
        }
    }
    Ok((old, freed))
}

fn manifests(dir: &Path) -> Result<Vec<(String, PathBuf)>, BackupError> {
    let mut found = Vec::new();
    for path in entries(dir)? {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(Manifest::name_of);
        if let Some(name) = name.map(str::to_owned) {
            found.push((name, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, BackupError> {
    fs::read_dir(dir)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(BackupError::io(dir))
}
