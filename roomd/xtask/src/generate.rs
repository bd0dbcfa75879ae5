// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! TypeScript types from the Rust contracts.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::{kiosk, project};

/// Writes the types.
pub fn write() -> Result<()> {
    for (path, content) in files() {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, content)
            .with_context(|| format!("cannot write {}", path.display()))?;
        project::say(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// Fails when the committed types are not those of the contracts.
pub fn check() -> Result<()> {
    for (path, content) in files() {
        if std::fs::read_to_string(&path).ok().as_deref() != Some(content.as_str()) {
            bail!("{} is out of date: run ./x generate", path.display());
        }
    }
    Ok(())
}

fn files() -> Vec<(PathBuf, String)> {
    let source = kiosk::directory().join("src");
    let api = roomd_api::typescript()
        .into_iter()
        .map(|(file, text)| ("api", file, text));
    let wire = roomd_direct::typescript()
        .into_iter()
        .map(|(file, text)| ("wire", file, text));
    api.chain(wire)
        .map(|(folder, file, text)| (source.join(folder).join(file), text))
        .collect()
}
