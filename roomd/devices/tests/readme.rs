// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the README shows is true.

use roomd_devices::core::display::quirks::QuirkTable;
use roomd_devices::core::health::Subject;
use roomd_devices::core::sound::table::Table;

const README: &str = include_str!("../README.md");

#[test]
fn its_tables_are_read() {
    let mut blocks = README.split("```toml\n").skip(1);
    let mut next = || blocks.next().unwrap().split("```").next().unwrap();
    let (mut sound, mut displays) = (Table::default(), QuirkTable::default());
    sound.add(next(), "README.md").unwrap();
    displays.add(next(), "README.md").unwrap();
    assert_ne!(sound, Table::default());
    assert_ne!(displays, QuirkTable::default());
}

#[test]
fn its_weights_are_the_score_s() {
    let weights = [
        ("| microphone, loudspeaker | 40 each |", Subject::Microphone),
        ("| display, camera | 30 each |", Subject::Camera),
        ("| panel | 20 |", Subject::Panel),
        ("| panel's touch screen | 20 |", Subject::PanelTouch),
        ("| content input | 10 |", Subject::Content),
        (
            "| mute key, buttons, display control, video encoder | 5 each |",
            Subject::Keys,
        ),
    ];
    for (line, subject) in weights {
        assert!(README.contains(line), "{line}");
        assert!(line.contains(&subject.weight().to_string()), "{line}");
    }
}
