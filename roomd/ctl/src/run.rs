// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::fs::{File, Permissions};
use std::io::{BufRead, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use chrono_tz::Tz;
use roomd_api::{Agenda, SoundTest, State};
use serde_json::{Value, json};
use zbus::connection::Builder;

use crate::arguments::{Adjustment, Arguments, Command, Content, Hardware, Preset, Switch};
use crate::failure::Failure;
use crate::print;
use crate::proxy::Room1Proxy;

/// A sound test takes 13 seconds; one that takes 30 has failed.
const TEST_POLL: Duration = Duration::from_millis(500);
const TEST_POLLS: u32 = 60;

/// What a command has to say, in both forms.
#[derive(Debug)]
pub(crate) struct Output {
    text: String,
    json: Value,
}

impl Output {
    fn new(text: impl Into<String>, json: Value) -> Self {
        Self {
            text: text.into(),
            json,
        }
    }

    /// Of a request that the room accepted.
    fn accepted(text: &str) -> Self {
        Self::new(text, json!({"accepted": true}))
    }

    pub(crate) fn text(&self) -> String {
        self.text.clone()
    }

    pub(crate) fn json(&self) -> String {
        self.json.to_string()
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<Output, Failure> {
    let connection = match arguments.bus.as_str() {
        "system" => Builder::system(),
        "session" => Builder::session(),
        address => Builder::address(address),
    }
    .method_timeout(Duration::from_secs(15))
    .build()
    .await
    .map_err(|error| Failure::no_bus(&error))?;
    let room = Room1Proxy::builder(&connection)
        .cache_properties(zbus::proxy::CacheProperties::No)
        .build()
        .await?;
    match arguments.command {
        Command::Status => status(&room).await,
        Command::Meetings => meetings(&room).await,
        Command::Diagnose => diagnose(&room).await,
        Command::Cameras => cameras(&room).await,
        Command::SoundTest { last: true, .. } => sound_test(&test_state(&room).await?),
        Command::SoundTest { stop: true, .. } => {
            room.stop_sound_test().await?;
            Ok(Output::accepted("sound test ended"))
        }
        Command::SoundTest { .. } => {
            room.start_sound_test().await?;
            tested(&room).await
        }
        Command::Snapshot { file } => save(&file, &room.snapshot().await?),
        Command::Content { what } => content(&room, what).await,
        Command::Admit { id } if id == "all" => admit_all(&room).await,
        command @ (Command::Join { .. }
        | Command::StartMeeting { .. }
        | Command::Leave
        | Command::Send
        | Command::Mute
        | Command::Unmute
        | Command::Camera { .. }
        | Command::Volume { .. }
        | Command::Layout { .. }
        | Command::Admit { .. }
        | Command::Deny { .. }
        | Command::Remove { .. }
        | Command::Accept { .. }
        | Command::Decline { .. }
        | Command::Pair
        | Command::Hardware(_)) => request(&room, command).await,
    }
}

fn save(file: &Path, picture: &[u8]) -> Result<Output, Failure> {
    write_private(file, picture).map_err(|source| Failure::Write {
        path: file.to_owned(),
        source,
    })?;
    let text = format!("saved {} ({} bytes)", file.display(), picture.len());
    Ok(Output::new(
        text,
        json!({"file": file, "bytes": picture.len()}),
    ))
}

async fn content(room: &Room1Proxy<'_>, what: Content) -> Result<Output, Failure> {
    let text = match what {
        Content::List => {
            let state: State = serde_json::from_str(&room.status().await?)?;
            let json = serde_json::to_value(&state.content)?;
            return Ok(Output::new(print::content(&state.content), json));
        }
        Content::Preview { name, file } => {
            return save(&file, &room.content_preview(&name).await?);
        }
        Content::Share { name } => {
            room.share_content(&name).await?;
            "sharing"
        }
        Content::Stop => {
            room.stop_content().await?;
            "not shared any more"
        }
        Content::Freeze { switch } => {
            room.freeze_content(switch == Switch::On).await?;
            match switch {
                Switch::On => "the picture stands",
                Switch::Off => "the picture moves",
            }
        }
        Content::Crop {
            name,
            x,
            y,
            width,
            height,
        } => {
            let rest = |from: u16| 1000_u16.saturating_sub(from);
            let (width, height) = (width.unwrap_or(rest(x)), height.unwrap_or(rest(y)));
            room.crop_content(&name, x, y, width, height).await?;
            "cut"
        }
    };
    Ok(Output::accepted(text))
}

/// The picture may show people, so nobody else on the machine reads it.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(bytes)
}

async fn status(room: &Room1Proxy<'_>) -> Result<Output, Failure> {
    let answer = room.status().await?;
    let state: State = serde_json::from_str(&answer)?;
    Ok(Output::new(
        print::status(&state),
        serde_json::from_str(&answer)?,
    ))
}

async fn meetings(room: &Room1Proxy<'_>) -> Result<Output, Failure> {
    let answer = room.meetings().await?;
    let agenda: Agenda = serde_json::from_str(&answer)?;
    // Times are those of the room's clock, wherever the operator sits.
    let state: State = serde_json::from_str(&room.status().await?)?;
    let zone: Tz = state.room.time_zone.parse().unwrap_or(Tz::UTC);
    Ok(Output::new(
        print::meetings(&agenda, &zone),
        serde_json::from_str(&answer)?,
    ))
}

async fn diagnose(room: &Room1Proxy<'_>) -> Result<Output, Failure> {
    let diagnosis: Value = serde_json::from_str(&room.diagnose().await?)?;
    Ok(Output::new(print::diagnosis(&diagnosis), diagnosis))
}

async fn cameras(room: &Room1Proxy<'_>) -> Result<Output, Failure> {
    let state: State = serde_json::from_str(&room.status().await?)?;
    let json = serde_json::to_value(&state.cameras)?;
    Ok(Output::new(print::cameras(&state.cameras), json))
}

async fn test_state(room: &Room1Proxy<'_>) -> Result<SoundTest, Failure> {
    let state: State = serde_json::from_str(&room.status().await?)?;
    Ok(state.sound_test)
}

/// Waits for the end of the test that was just begun.
async fn tested(room: &Room1Proxy<'_>) -> Result<Output, Failure> {
    let mut test = test_state(room).await?;
    let before = test.result.clone();
    let mut begun = test.progress.is_some();
    for _ in 0..TEST_POLLS {
        tokio::time::sleep(TEST_POLL).await;
        test = test_state(room).await?;
        begun |= test.progress.is_some();
        if begun && test.progress.is_none() {
            break;
        }
    }
    if test.result == before {
        return Err(Failure::TestEnded);
    }
    sound_test(&test)
}

fn sound_test(test: &SoundTest) -> Result<Output, Failure> {
    let text = print::sound_test(test.result.as_ref());
    Ok(Output::new(text, serde_json::to_value(&test.result)?))
}

async fn admit_all(room: &Room1Proxy<'_>) -> Result<Output, Failure> {
    let state: State = serde_json::from_str(&room.status().await?)?;
    let waiting = state.call.map(|call| call.waiting).unwrap_or_default();
    for participant in &waiting {
        room.admit(&participant.id.0).await?;
    }
    let text = match waiting.len() {
        0 => "nobody waits".to_owned(),
        1 => "admitted one".to_owned(),
        count => format!("admitted {count}"),
    };
    Ok(Output::new(
        text,
        json!({"accepted": true, "admitted": waiting.len()}),
    ))
}

/// Commands that ask the room for something and need no other answer than its consent.
async fn request(room: &Room1Proxy<'_>, command: Command) -> Result<Output, Failure> {
    let text = match command {
        Command::Join {
            link: Some(url), ..
        } => {
            room.join_link(&url).await?;
            "joining"
        }
        Command::Join { id, link: None } => {
            room.join(id.as_deref().unwrap_or_default()).await?;
            "joining"
        }
        Command::StartMeeting { password } => {
            let password = match password.as_deref() {
                Some("-") => password_from(std::io::stdin().lock())?,
                Some(password) => password.to_owned(),
                None => String::new(),
            };
            room.start_meeting(&password).await?;
            "starting a meeting; `roomctl status` shows its link"
        }
        Command::Leave => {
            room.leave().await?;
            "leaving"
        }
        Command::Send => {
            room.send().await?;
            "sending"
        }
        Command::Mute => {
            room.set_microphone(false).await?;
            "microphone off"
        }
        Command::Unmute => {
            room.set_microphone(true).await?;
            "microphone on"
        }
        Command::Camera { switch } => {
            room.set_camera(switch == Switch::On).await?;
            match switch {
                Switch::On => "camera on",
                Switch::Off => "camera off",
            }
        }
        Command::Volume { percent } => {
            room.set_volume(percent).await?;
            "volume set"
        }
        Command::Layout { layout } => {
            room.set_layout(layout.name()).await?;
            "layout set"
        }
        Command::Admit { id } => {
            room.admit(&id).await?;
            "admitted"
        }
        Command::Deny { id } => {
            room.deny(&id).await?;
            "turned away"
        }
        Command::Remove { id } => {
            room.remove(&id).await?;
            "removed"
        }
        Command::Accept { id } => {
            room.answer(&id, true).await?;
            "accepted"
        }
        Command::Decline { id } => {
            room.answer(&id, false).await?;
            "declined"
        }
        Command::Pair => {
            room.show_pairing_code().await?;
            "the room's display shows a pairing code"
        }
        Command::Hardware(command) => hardware(room, command).await?,
        Command::Status
        | Command::Meetings
        | Command::Diagnose
        | Command::Cameras
        | Command::SoundTest { .. }
        | Command::Content { .. }
        | Command::Snapshot { .. } => {
            return status(room).await;
        }
    };
    Ok(Output::accepted(text))
}

async fn hardware(room: &Room1Proxy<'_>, command: Hardware) -> Result<&'static str, Failure> {
    Ok(match command {
        Hardware::UseCamera { name } => {
            room.select_camera(&name).await?;
            "camera in use"
        }
        Hardware::MoveCamera {
            name,
            pan,
            tilt,
            zoom,
        } => {
            room.move_camera(&name, pan.into(), tilt.into(), zoom.into())
                .await?;
            "camera moved"
        }
        Hardware::AdjustCamera { name, part, to } => {
            match to {
                Adjustment::By(word) => room.adjust_camera(&name, part.name(), word).await?,
                Adjustment::Value(value) => {
                    room.set_camera_value(&name, part.name(), value).await?;
                }
            }
            "camera adjusted"
        }
        Hardware::Preset { what } => preset(room, what).await?,
        Hardware::DisplayIsOn => {
            room.display_is_on().await?;
            "noted"
        }
        Hardware::Hear { stop: true } => {
            room.stop_self_hear().await?;
            "ended"
        }
        Hardware::Hear { stop: false } => {
            room.start_self_hear().await?;
            "speak for 5 seconds; then the room plays what the far side would hear"
        }
    })
}

async fn preset(room: &Room1Proxy<'_>, what: Preset) -> Result<&'static str, Failure> {
    Ok(match what {
        Preset::Recall { camera, name } => {
            room.recall_preset(&camera, &name).await?;
            "position recalled"
        }
        Preset::Save { camera, name } => {
            room.save_preset(&camera, &name).await?;
            "position saved"
        }
        Preset::Delete { camera, name } => {
            room.delete_preset(&camera, &name).await?;
            "position deleted"
        }
    })
}

/// The first line. None is an error: a meeting that was meant to have a password must not open
/// without one.
fn password_from(input: impl BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    let read = input.take(4096).read_line(&mut line);
    let password = line.trim_end_matches(['\r', '\n']);
    if read.is_err() || password.is_empty() {
        return Err(Failure::NoPassword);
    }
    Ok(password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line_of_the_input() {
        let check = |input: &[u8], expected: Option<&str>| {
            let password = password_from(input).ok();
            assert_eq!(password.as_deref(), expected, "{input:?}");
        };
        check(b"open sesame\n", Some("open sesame"));
        check(b"open sesame\r\nand more", Some("open sesame"));
        check(b" spaces ", Some(" spaces "));
        check(b"\n", None);
        check(b"", None);
        check(b"\xff\n", None);
    }
}
