// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Every input of every corpus, once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use roomd_fuzz::{TARGETS, Target};

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn replay(name: &str) {
    let target = Target::named(name).expect("a target");
    let inputs = entries(&corpora().join(name));
    assert!(!inputs.is_empty(), "the corpus of {name} is empty");
    let harms = |path: &PathBuf| {
        let data = std::fs::read(path).unwrap();
        // A panic in a target does not say what it was given.
        std::panic::catch_unwind(|| target.run(&data)).is_err()
    };
    let harmful: Vec<_> = inputs.into_iter().filter(harms).collect();
    assert!(harmful.is_empty(), "{name}: {harmful:#?}");
}

macro_rules! replays {
    ($($name:ident)*) => {
        const REPLAYED: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                replay(stringify!($name));
            }
        )*
    };
}

replays! {
    candidate codec_header crypt_open datagram decode_h264 decode_opus decode_vp8 decode_vp9
    device_cec device_ddc device_edid device_hid device_table device_udev device_v4l2 device_visca
    element_call element_call_link handshake jitter livekit parameters rtcp rtp sctp sdp_answer
    sdp_offer stun_answer turn_frames
    turn_server turn_url
}

#[test]
fn every_target_is_replayed_and_every_corpus_has_a_target() {
    let targets: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(targets, REPLAYED.iter().copied().collect());
    let folders: BTreeSet<String> = entries(&corpora())
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let targets: BTreeSet<String> = targets.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(folders, targets);
}

#[test]
fn the_corpora_stay_small() {
    let folders = entries(&corpora());
    let files: Vec<PathBuf> = folders.iter().flat_map(|folder| entries(folder)).collect();
    let bytes: u64 = files
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert!(
        files.len() <= 600 && bytes <= 2 << 20,
        "{} files, {bytes} bytes",
        files.len()
    );
}
