// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Cameras and the devices' health.

use std::fmt::Write;

use roomd_api::{
    Camera, CameraAdjusts, ContentInput, ContentShare, Health, HealthItem, SoundTestResult,
};
use roomd_model::Crop;
use serde_json::Value;

use super::{clean, row, tree, word};

/// The cameras, each with what it can do, what `adjust-camera` takes, and its saved positions as `preset`
/// counts them.
pub(crate) fn cameras(cameras: &[Camera]) -> String {
    if cameras.is_empty() {
        return "no cameras".to_owned();
    }
    let mut lines = Vec::new();
    for camera in cameras {
        let marks: Vec<_> = [
            (camera.active, "in use"),
            (!camera.present, "not plugged in"),
            (camera.moves, "moves"),
            (camera.zooms, "zooms"),
        ]
        .into_iter()
        .filter_map(|(is, word)| is.then_some(word))
        .collect();
        let name = clean(&camera.name);
        lines.push(if marks.is_empty() {
            name
        } else {
            format!("{name}  ({})", marks.join(", "))
        });
        lines.extend(camera.adjusts.iter().map(adjusts));
        for (number, preset) in camera.presets.iter().enumerate() {
            lines.push(format!("  {}. {}", number + 1, clean(&preset.name)));
        }
    }
    lines.join("\n")
}

/// A part of a camera's picture: how it is, and what it takes.
fn adjusts(adjusts: &CameraAdjusts) -> String {
    let mut words = Vec::new();
    match adjusts.automatic {
        Some(true) => words.push("automatic".to_owned()),
        Some(false) => words.push("by hand".to_owned()),
        None => {}
    }
    // An automatic changes it all the time.
    let value = adjusts.value.filter(|_| adjusts.automatic != Some(true));
    words.extend(value.map(|value| value.to_string()));
    let range = adjusts.range.map(|range| {
        let step = match range.step {
            1 => String::new(),
            step => format!(" in steps of {step}"),
        };
        format!("takes {} to {}{step}", range.min, range.max)
    });
    words.extend(range);
    words.extend(adjusts.once.then(|| "once".to_owned()));
    format!("  {}: {}", word(&adjusts.setting), words.join(", "))
}

/// The content inputs, each with its signal and what is shared of it.
pub(crate) fn content(inputs: &[ContentInput]) -> String {
    if inputs.is_empty() {
        return "no content inputs".to_owned();
    }
    let line = |input: &ContentInput| {
        let mut words = vec![word(&input.signal)];
        if let (Some(width), Some(height)) = (input.width, input.height) {
            words.push(format!("{width}x{height}"));
        }
        if input.share != ContentShare::Off {
            words.push(format!("share {}", word(&input.share)));
        }
        if input.frozen {
            words.push("frozen".to_owned());
        }
        let Crop {
            x,
            y,
            width,
            height,
        } = input.crop;
        if input.crop != Crop::FULL {
            words.push(format!("cut to {width}x{height} at {x},{y} of 1000"));
        }
        format!("{}  ({})", clean(&input.name), words.join(", "))
    };
    let lines: Vec<String> = inputs.iter().map(line).collect();
    lines.join("\n")
}

/// The score, and every device in trouble.
pub(super) fn health_rows(health: &Health) -> Vec<String> {
    let mut rows = vec![row("Health", &score(health))];
    for item in health.items.iter().filter(|item| item.severity.is_some()) {
        let mut line = format!("{}: {}", heading(item), clean(&item.text.en));
        if let Some(remedy) = &item.remedy {
            let _ = write!(line, " {}", clean(&remedy.en));
        }
        rows.push(row("Trouble", &line));
    }
    rows
}

/// What a sound test found, and what to do about it.
pub(crate) fn sound_test(result: Option<&SoundTestResult>) -> String {
    let Some(result) = result else {
        return "no sound test yet".to_owned();
    };
    let mut lines = vec![format!("sound test of {}", result.at.format("%F %T UTC"))];
    let devices = [
        ("microphone", &result.microphone),
        ("loudspeaker", &result.loudspeaker),
    ];
    for (role, name) in devices {
        lines.extend(name.as_ref().map(|name| format!("{role}: {}", clean(name))));
    }
    for line in &result.lines {
        let mark = line.severity.as_ref().map_or_else(|| "ok".to_owned(), word);
        lines.push(format!("  {mark}: {}", clean(&line.text.en)));
        let remedy = line.remedy.as_ref();
        lines.extend(remedy.map(|remedy| format!("    {}", clean(&remedy.en))));
    }
    lines.join("\n")
}

/// A diagnosis for people: the devices in sentences, the rest as a list.
pub(crate) fn diagnosis(diagnosis: &Value) -> String {
    let mut rest = diagnosis.clone();
    let health = rest.as_object_mut().and_then(|all| all.remove("health"));
    let health = health.and_then(|value| serde_json::from_value::<Health>(value).ok());
    let mut lines = Vec::new();
    if let Some(health) = health {
        lines.push(format!("health: {}", score(&health)));
        for item in &health.items {
            lines.push(format!("  {}: {}", clean(&item.device), heading(item)));
            // The code says that it is well; more there is not to say.
            if item.severity.is_some() {
                lines.push(format!("    {}", clean(&item.text.en)));
            }
            let remedy = item.remedy.as_ref().map(|remedy| &remedy.en);
            let more = remedy.into_iter().chain(&item.detail);
            lines.extend(more.map(|text| format!("    {}", clean(text))));
        }
    }
    lines.push(tree(&rest));
    lines.join("\n")
}

fn score(health: &Health) -> String {
    format!("{} of 100", health.score)
}

fn heading(item: &HealthItem) -> String {
    let code = clean(&item.code);
    item.severity.map_or(code.clone(), |severity| {
        format!("{code} ({})", word(&severity))
    })
}

#[cfg(test)]
mod tests {
    use roomd_api::{CameraPreset, CameraRange, CameraSetting, ContentSignal, Words};
    use roomd_model::Severity;

    use super::*;

    fn words(en: &str) -> Words {
        Words {
            de: "auf Deutsch".to_owned(),
            en: en.to_owned(),
        }
    }

    fn health() -> Health {
        Health {
            score: 70,
            items: vec![
                HealthItem {
                    code: "camera-missing".to_owned(),
                    severity: Some(Severity::Error),
                    device: "front".to_owned(),
                    text: words("The camera “Front\u{1b}[2J” is missing."),
                    remedy: Some(words("Please check cable and power.")),
                    detail: Some("usb 1-1.2".to_owned()),
                },
                HealthItem {
                    code: "microphone-ok".to_owned(),
                    severity: None,
                    device: "usb:0b0e:2420@1-1.4:1.0".to_owned(),
                    text: words("The microphone “Jabra” is well."),
                    remedy: None,
                    detail: None,
                },
            ],
        }
    }

    #[test]
    fn a_status_says_what_is_in_trouble_and_nothing_of_the_rest() {
        let expected = "\
Health      70 of 100
Trouble     camera-missing (error): The camera “Front\u{fffd}[2J” is missing. Please check cable and power.";
        assert_eq!(health_rows(&health()).join("\n"), expected);
        let well = health_rows(&Health::default());
        assert_eq!(well, ["Health      100 of 100"]);
    }

    #[test]
    fn a_diagnosis_reads_well() {
        let value = serde_json::json!({
            "health": health(),
            "cameras": ["Front", "Table"],
            "healthy": false,
        });
        let expected = "\
health: 70 of 100
  front: camera-missing (error)
    The camera “Front\u{fffd}[2J” is missing.
    Please check cable and power.
    usb 1-1.2
  usb:0b0e:2420@1-1.4:1.0: microphone-ok
cameras:
  1. Front
  2. Table
healthy: no";
        assert_eq!(diagnosis(&value), expected);
        assert_eq!(
            diagnosis(&serde_json::json!({"healthy": true})),
            "healthy: yes"
        );
    }

    #[test]
    fn cameras_are_listed_with_their_positions() {
        let camera = |name: &str, presets: &[&str]| Camera {
            name: name.to_owned(),
            present: true,
            active: false,
            moves: false,
            zooms: false,
            adjusts: Vec::new(),
            presets: presets
                .iter()
                .map(|name| CameraPreset {
                    name: (*name).to_owned(),
                    thumbnail: None,
                })
                .collect(),
        };
        let adjusts = |setting, automatic| CameraAdjusts {
            setting,
            automatic,
            once: false,
            value: Some(30),
            range: Some(CameraRange {
                min: 0,
                max: 250,
                step: 5,
                default: 0,
            }),
        };
        let all = [
            Camera {
                active: true,
                moves: true,
                zooms: true,
                adjusts: vec![
                    adjusts(CameraSetting::Focus, Some(false)),
                    adjusts(CameraSetting::WhiteBalance, Some(true)),
                ],
                ..camera("Front", &["Podium", "Ganzer Tisch"])
            },
            Camera {
                present: false,
                ..camera("Table", &[])
            },
            camera("Board", &[]),
        ];
        let expected = "\
Front  (in use, moves, zooms)
  focus: by hand, 30, takes 0 to 250 in steps of 5
  white-balance: automatic, takes 0 to 250 in steps of 5
  1. Podium
  2. Ganzer Tisch
Table  (not plugged in)
Board";
        assert_eq!(cameras(&all), expected);
        assert_eq!(cameras(&[]), "no cameras");
    }

    #[test]
    fn content_inputs_say_how_they_are() {
        let input = ContentInput {
            name: "Tisch\u{1b}".to_owned(),
            signal: ContentSignal::Live,
            width: Some(1920),
            height: Some(1080),
            share: ContentShare::On,
            frozen: true,
            crop: Crop {
                width: 500,
                ..Crop::FULL
            },
        };
        let missing = ContentInput {
            name: "Wand".to_owned(),
            signal: ContentSignal::NoSignal,
            width: None,
            height: None,
            share: ContentShare::Off,
            frozen: false,
            crop: Crop::FULL,
        };
        let expected = "\
Tisch\u{fffd}  (live, 1920x1080, share on, frozen, cut to 500x1000 at 0,0 of 1000)
Wand  (no-signal)";
        assert_eq!(content(&[input, missing]), expected);
        assert_eq!(content(&[]), "no content inputs");
    }
}
