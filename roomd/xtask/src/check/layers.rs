// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The direction of knowledge: which of our crates may know which, and what pure crates must not
//! reach. roomd/ARCHITECTURE.md draws the same picture.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::project;

/// Crate, and what it may know of our own crates.
const LAYERS: &[(&str, &[&str])] = &[
    ("roomd-model", &[]),
    ("roomd-api", &["roomd-model"]),
    ("roomd-conference", &["roomd-model"]),
    ("roomd-config", &["roomd-devices-core", "roomd-model"]),
    ("roomd-bookings", &["roomd-conference", "roomd-model"]),
    ("roomd-room", &["roomd-conference", "roomd-model"]),
    ("roomd-livekit", &["roomd-conference", "roomd-model"]),
    ("roomd-matrix-port", &["roomd-model"]),
    ("roomd-direct", &["roomd-conference", "roomd-model"]),
    (
        "roomd-matrixrtc",
        &[
            "roomd-conference",
            "roomd-livekit",
            "roomd-matrix-port",
            "roomd-model",
        ],
    ),
    (
        "roomd-providers",
        &[
            "roomd-conference",
            "roomd-direct",
            "roomd-matrixrtc",
            "roomd-model",
        ],
    ),
    ("roomd-media-core", &["roomd-model"]),
    ("roomd-voice", &["roomd-media-core"]),
    ("roomd-crypt", &["roomd-model"]),
    (
        "roomd-display",
        &["roomd-api", "roomd-media-core", "roomd-model"],
    ),
    ("roomd-peer", &["roomd-conference", "roomd-model"]),
    (
        "roomd-media",
        &[
            "roomd-conference",
            "roomd-crypt",
            "roomd-media-core",
            "roomd-model",
            "roomd-peer",
            "roomd-voice",
        ],
    ),
    (
        "roomd-fuzz",
        &[
            "roomd-conference",
            "roomd-crypt",
            "roomd-devices-core",
            "roomd-livekit",
            "roomd-matrixrtc",
            "roomd-media",
            "roomd-media-core",
            "roomd-model",
            "roomd-peer",
        ],
    ),
    (
        "roomd-driver",
        &["roomd-bookings", "roomd-conference", "roomd-model"],
    ),
    ("roomd-matrix", &["roomd-matrix-port", "roomd-model"]),
    ("roomd-devices-core", &["roomd-model"]),
    ("roomd-devices", &["roomd-devices-core"]),
    ("roomd-interfaces", &["roomd-api", "roomd-model"]),
    ("roomctl", &["roomd-api", "roomd-interfaces", "roomd-model"]),
    ("usb-bar", &[]),
];

/// Crates that decide and never act.
const PURE: &[&str] = &[
    "roomd-model",
    "roomd-api",
    "roomd-conference",
    "roomd-config",
    "roomd-bookings",
    "roomd-room",
    "roomd-livekit",
    "roomd-matrix-port",
    "roomd-direct",
    "roomd-matrixrtc",
    "roomd-providers",
    "roomd-media-core",
    "roomd-voice",
    "roomd-crypt",
    "roomd-devices-core",
    "roomd-display",
];

/// Libraries that act: a pure crate reaches none of them, at any distance.
const ACTING: &[&str] = &[
    "alsa",
    "async-io",
    "axum",
    "evdev",
    "gstreamer",
    "hyper",
    "if-addrs",
    "matrix-sdk",
    "mio",
    "reqwest",
    "socket2",
    "str0m",
    "tokio",
    "udev",
    "zbus",
];

/// Calls that read a clock, start a thread, open a socket or roll dice.
const IMPURE_CALLS: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    "Utc::now",
    "Local::now",
    "thread::spawn",
    "thread::sleep",
    "rand::random",
    "rand::rng(",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::net::TcpListener",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
    workspace_members: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

/// Fails with every edge that points the wrong way.
pub fn check() -> Result<()> {
    let output = Command::new("cargo")
        .current_dir(project::root())
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .context("cannot run cargo metadata")?;
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("cargo metadata is not readable")?;
    let mut faults = wrong_edges(&metadata);
    faults.extend(impure_reach(&metadata));
    faults.extend(impure_calls(&metadata)?);
    if !faults.is_empty() {
        bail!("layers:\n  {}", faults.join("\n  "));
    }
    Ok(())
}

/// Normal dependencies by package id; tests may use what they like.
fn edges(metadata: &Metadata) -> BTreeMap<&str, Vec<&str>> {
    let normal = |dependency: &&Dependency| dependency.dep_kinds.iter().any(|k| k.kind.is_none());
    metadata
        .resolve
        .nodes
        .iter()
        .map(|node| {
            let known = node
                .deps
                .iter()
                .filter(normal)
                .map(|d| d.pkg.as_str())
                .collect();
            (node.id.as_str(), known)
        })
        .collect()
}

fn names(metadata: &Metadata) -> BTreeMap<&str, &str> {
    metadata
        .packages
        .iter()
        .map(|p| (p.id.as_str(), p.name.as_str()))
        .collect()
}

fn wrong_edges(metadata: &Metadata) -> Vec<String> {
    let (edges, names) = (edges(metadata), names(metadata));
    let mut faults = Vec::new();
    for member in &metadata.workspace_members {
        let name = names[member.as_str()];
        if ["roomd", "xtask"].contains(&name) {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == name) else {
            faults.push(format!("{name} has no line in the table of layers"));
            continue;
        };
        for known in edges.get(member.as_str()).into_iter().flatten() {
            if metadata.workspace_members.iter().any(|m| m == known)
                && !allowed.contains(&names[known])
            {
                faults.push(format!("{name} must not know {}", names[known]));
            }
        }
    }
    faults
}

fn impure_reach(metadata: &Metadata) -> Vec<String> {
    let (edges, names) = (edges(metadata), names(metadata));
    let mut faults = Vec::new();
    for member in &metadata.workspace_members {
        let name = names[member.as_str()];
        if !PURE.contains(&name) {
            continue;
        }
        let mut seen = BTreeSet::new();
        let mut open = vec![member.as_str()];
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(edges.get(id).into_iter().flatten());
            }
        }
        for id in seen {
            if ACTING.contains(&names[id]) {
                faults.push(format!("{name} is pure and reaches {}", names[id]));
            }
        }
    }
    faults
}

fn impure_calls(metadata: &Metadata) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for package in metadata
        .packages
        .iter()
        .filter(|p| PURE.contains(&p.name.as_str()))
    {
        let Some(folder) = package.manifest_path.strip_suffix("Cargo.toml") else {
            continue;
        };
        for file in project::tracked_files()? {
            let path = project::root().join(&file);
            let inside = path.strip_prefix(format!("{folder}src"));
            if !inside.is_ok_and(|rest| rest.extension().is_some_and(|e| e == "rs")) {
                continue;
            }
            let stem = file.file_stem().and_then(|stem| stem.to_str());
            if stem.is_some_and(|stem| stem == "tests" || stem.ends_with("_tests")) {
                continue;
            }
            let text = std::fs::read_to_string(&path)?;
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (index, line) in code.lines().enumerate() {
                let comment = line.trim_start().starts_with("//");
                for call in IMPURE_CALLS
                    .iter()
                    .filter(|call| !comment && line.contains(**call))
                {
                    faults.push(format!(
                        "{}:{}: pure code calls {call}",
                        file.display(),
                        index + 1
                    ));
                }
            }
        }
    }
    Ok(faults)
}
