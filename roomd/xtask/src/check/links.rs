// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Every link of the documentation to a file of the project leads there.

use std::path::Path;

use anyhow::{Result, bail};

use crate::project;

/// Fails with every link that leads nowhere.
pub fn check() -> Result<()> {
    let mut dead = Vec::new();
    for file in project::tracked_files()? {
        if file.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = std::fs::read_to_string(project::root().join(&file))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        for target in targets(&text) {
            if !project::root().join(folder).join(target).exists() {
                dead.push(format!("{}: {target}", file.display()));
            }
        }
    }
    if !dead.is_empty() {
        bail!("links that lead nowhere:\n  {}", dead.join("\n  "));
    }
    Ok(())
}

/// Relative targets of `[text](target)` and `![text](target)`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::targets;

    #[test]
    fn only_links_to_files_are_looked_at() {
        let text = "[a](b.md) ![c](d/e.png) [f](https://example.org) [g](#here) [h](i.md#there)";
        assert_eq!(
            targets(text).collect::<Vec<_>>(),
            ["b.md", "d/e.png", "i.md"]
        );
    }
}
