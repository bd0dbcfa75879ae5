// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's programs, as a disk that the virtual room mounts: the release build, as a room has it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::image;
use crate::{kiosk, project};

/// Builds them and puts them on a disk in this folder.
pub fn disk(folder: &Path) -> Result<PathBuf> {
    project::cargo(
        "building roomd and roomctl for release",
        &[
            "build",
            "--release",
            "--locked",
            "-p",
            "roomd",
            "-p",
            "roomctl",
        ],
    )?;
    kiosk::build()?;
    let tree = folder.join("programs");
    std::fs::create_dir_all(tree.join("bin"))?;
    for name in ["roomd", "roomctl"] {
        let built = project::target().join("release").join(name);
        std::fs::copy(&built, tree.join("bin").join(name))
            .with_context(|| format!("{} was not built", built.display()))?;
    }
    copy_folder(&kiosk::dist(), &tree.join("panel"))?;
    copy_folder(&project::root().join("systemd"), &tree.join("systemd"))?;
    let disk = folder.join("programs.ext4");
    image::disk(&tree, &disk, "256M")?;
    std::fs::remove_dir_all(&tree)?;
    Ok(disk)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    let entries =
        std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
