// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the virtual room boots: Debian 13's kernel, the smallest initrd that finds the root file
//! system, and the root file system, all from Debian packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::archive::Archive;
use crate::{project, root_fs};

/// Modules that the root file system needs, in the order of their needs.
const MODULES: &[&str] = &[
    "kernel/crypto/crc32c_generic",
    "kernel/lib/crc16",
    "kernel/fs/mbcache",
    "kernel/fs/jbd2/jbd2",
    "kernel/fs/ext4/ext4",
    "kernel/drivers/block/virtio_blk",
];
/// What systemd runs in the virtual room, and what it does otherwise there.
const UNITS: &[&str] = &[
    "bench.target",
    "bench-devices.service",
    "bench-ssh.service",
    "roomd.service.d/bench.conf",
];
const LISTS: &[&str] = &["image/room.packages", "hw-tests/guest/bench.packages"];
/// What the panel's screen needs beside them.
const PANEL_LIST: &str = "image/panel.packages";
/// Changes when what is kept is made otherwise.
const RECIPE: &str = "1";

/// Where it is kept.
#[derive(Debug)]
pub struct Image {
    folder: PathBuf,
}

/// What a root file system is for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose {
    /// What its folder's name begins with; there is one for each purpose.
    name: &'static str,
    lists: &'static [&'static str],
    size: &'static str,
}

/// What every room has.
pub const ROOM: Purpose = Purpose {
    name: "bench",
    lists: LISTS,
    size: "3G",
};
/// A display server and a browser as well.
pub const PANEL: Purpose = Purpose {
    name: "panel",
    lists: &[LISTS[0], LISTS[1], PANEL_LIST],
    size: "6G",
};

impl Image {
    /// Makes it when it is missing: once for each list of packages.
    pub fn ready(purpose: Purpose) -> Result<Self> {
        let mut packages = Vec::new();
        for list in purpose.lists {
            packages.extend(root_fs::packages(&project::root().join(list))?);
        }
        let mut recipe = packages.clone();
        recipe.push(RECIPE.to_owned());
        let cache = project::cache()?;
        let prefix = format!("{}-", purpose.name);
        let folder = cache.join(format!("{prefix}{:08x}", root_fs::fingerprint(&recipe)));
        if folder.join("root.ext4").exists() {
            return Ok(Self { folder });
        }
        for entry in std::fs::read_dir(&cache)? {
            let old = entry?;
            if old.file_name().to_string_lossy().starts_with(&prefix) {
                root_fs::remove(&old.path())?;
            }
        }
        std::fs::create_dir(&folder)?;
        let tree = folder.join("tree");
        root_fs::make(&packages, &tree)?;
        keep_boot_files(&tree, &folder)?;
        make_disk(&tree, &folder, purpose.size)?;
        root_fs::remove(&tree)?;
        Ok(Self { folder })
    }

    /// The root file system; nothing writes to it.
    pub fn disk(&self) -> PathBuf {
        self.folder.join("root.ext4")
    }

    /// The kernel.
    pub fn kernel(&self) -> PathBuf {
        self.folder.join("vmlinuz")
    }

    /// An initrd that lets the holder of this key in.
    pub fn initrd(&self, public_key: &str) -> Result<Vec<u8>> {
        let guest = |name: &str| std::fs::read(project::root().join("hw-tests/guest").join(name));
        let mut archive = Archive::default();
        for folder in ["bin", "dev", "root", "modules", "bench"] {
            archive.folder(folder);
        }
        archive.file("init", &guest("initrd")?);
        archive.file("bin/busybox", &std::fs::read(self.folder.join("busybox"))?);
        archive.link("bin/sh", "busybox");
        let mut order = String::new();
        for module in MODULES {
            let name = format!("{}.ko", file_name(module));
            archive.file(
                &format!("modules/{name}"),
                &std::fs::read(self.folder.join(&name))?,
            );
            order += &format!("{name}\n");
        }
        archive.file("modules/order", order.as_bytes());
        archive.file("bench/init", &guest("init")?);
        archive.file("bench/devices", &guest("devices")?);
        for folder in ["units", "units/roomd.service.d"] {
            archive.folder(&format!("bench/{folder}"));
        }
        for unit in UNITS {
            let path = format!("units/{unit}");
            archive.file(&format!("bench/{path}"), &guest(&path)?);
        }
        archive.file("bench/authorized_keys", public_key.as_bytes());
        Ok(archive.finish())
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn keep_boot_files(tree: &Path, folder: &Path) -> Result<()> {
    let version = newest(&tree.join("lib/modules"))?;
    // Debian keeps its kernels for root alone.
    let kernel = tree.join(format!("boot/vmlinuz-{version}"));
    let mut copy = project::as_root("install");
    copy.args(["-m", "644"])
        .arg(kernel)
        .arg(folder.join("vmlinuz"));
    project::run("keeping the kernel", &mut copy)?;
    std::fs::copy(tree.join("usr/bin/busybox"), folder.join("busybox"))
        .context("the root file system has no busybox")?;
    for module in MODULES {
        let packed = tree.join(format!("lib/modules/{version}/{module}.ko.xz"));
        let output = Command::new("xz").arg("-dc").arg(&packed).output();
        let output = output.context("cannot start xz")?;
        if !output.status.success() {
            bail!("cannot unpack {}", packed.display());
        }
        std::fs::write(
            folder.join(format!("{}.ko", file_name(module))),
            output.stdout,
        )?;
    }
    Ok(())
}

fn newest(folder: &Path) -> Result<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).context("the root file system has no kernel")? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    names.pop().context("the root file system has no kernel")
}

/// Whole or not there: the name comes last.
fn make_disk(tree: &Path, folder: &Path, size: &str) -> Result<()> {
    let unfinished = folder.join("unfinished");
    disk(tree, &unfinished, size)?;
    std::fs::rename(&unfinished, folder.join("root.ext4")).context("cannot name the disk")
}

/// A disk with what is in a folder, which nothing writes to.
pub fn disk(tree: &Path, path: &Path, size: &str) -> Result<()> {
    let mut command = project::as_root("mkfs.ext4");
    command.args(["-q", "-F", "-O", "^has_journal", "-d"]);
    format(command.arg(tree), path, size)
}

/// An empty disk, which is whole after a power cut.
pub fn empty_disk(path: &Path, size: &str) -> Result<()> {
    let mut command = project::as_root("mkfs.ext4");
    format(command.args(["-q", "-F"]), path, size)
}

fn format(command: &mut Command, path: &Path, size: &str) -> Result<()> {
    project::run("making a disk", command.arg(path).arg(size))?;
    project::run(
        "making it readable",
        project::as_root("chmod").arg("a+rw").arg(path),
    )
}
