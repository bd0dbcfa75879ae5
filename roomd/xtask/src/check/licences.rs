// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Every file says its licence and its holder, as the REUSE specification 3.3 asks.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::project;

#[derive(Deserialize)]
struct Reuse {
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Annotation {
    path: Vec<String>,
    #[serde(rename = "SPDX-License-Identifier")]
    licence: String,
}

/// Fails with every file that has neither a header nor an annotation.
pub fn check() -> Result<()> {
    let text = std::fs::read_to_string(project::root().join("REUSE.toml"))
        .context("cannot read REUSE.toml")?;
    let reuse: Reuse = toml::from_str(&text).context("REUSE.toml is not readable")?;
    let mut silent = Vec::new();
    for file in project::tracked_files()? {
        let name = file.to_string_lossy().into_owned();
        if name.starts_with("LICENSES/") || !project::root().join(&file).exists() {
            continue;
        }
        let annotated = reuse
            .annotations
            .iter()
            .any(|a| !a.licence.is_empty() && a.path.iter().any(|p| matches(p, &name)));
        if !annotated && !has_header(&file)? {
            silent.push(name);
        }
    }
    if !silent.is_empty() {
        bail!(
            "no SPDX header, and no annotation in REUSE.toml:\n  {}",
            silent.join("\n  ")
        );
    }
    Ok(())
}

fn has_header(file: &std::path::Path) -> Result<bool> {
    let bytes = std::fs::read(project::root().join(file))?;
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(600)]).into_owned();
    Ok(start.contains("SPDX-License-Identifier:") && start.contains("SPDX-FileCopyrightText:"))
}

/// `**` crosses folders, `*` does not.
fn matches(pattern: &str, name: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix("**/") {
        return matches(rest, name)
            || name
                .match_indices('/')
                .any(|(at, _)| matches(rest, &name[at + 1..]));
    }
    if let Some(folder) = pattern.strip_suffix("/**") {
        return name.starts_with(&format!("{folder}/"));
    }
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|middle| !middle.contains('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_follow_the_specification() {
        assert!(matches("**/*.md", "roomd/ARCHITECTURE.md"));
        assert!(matches("**/*.md", "README.md"));
        assert!(matches("kiosk/src/api/**", "kiosk/src/api/types.ts"));
        assert!(!matches("*.md", "roomd/ARCHITECTURE.md"));
        assert!(!matches("Cargo.lock", "roomd/Cargo.lock"));
    }
}
