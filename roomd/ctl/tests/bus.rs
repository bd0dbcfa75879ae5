// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! roomctl and the daemon's interface, over a bus of their own.
// Helpers of tests may unwrap like the tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use roomd_api::{
    Agenda, Camera, CameraAdjustment, CameraAdjusts, CameraPreset, CameraRange, CameraSetting,
    Devices, Health, HealthItem, Pairing, Refusal, Reply, Request, Room as RoomFacts, SkippedEntry,
    State, Words,
};
use roomd_interfaces::dbus::{self, Bus};
use roomd_interfaces::{PreviewError, Room, RoomOwner, SnapshotError};
use roomd_model::{
    Crop, Fault, FaultCode, Language, Layout, Phase, Pii, Secret, Severity, SkipCause,
};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

struct PrivateBus {
    daemon: Child,
    address: String,
}

impl PrivateBus {
    fn start() -> Self {
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon is installed");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        Self {
            daemon,
            address: address.trim().to_owned(),
        }
    }

    /// The bus with a room on it.
    async fn with_room(room: Room) -> Self {
        let bus = Self::start();
        let address = Bus::Address(bus.address.clone());
        tokio::spawn(dbus::serve(address, room, std::future::pending()));
        let connection = zbus::connection::Builder::address(bus.address.as_str())
            .build()
            .await
            .unwrap();
        let names = zbus::fdo::DBusProxy::new(&connection).await.unwrap();
        let name = zbus::names::BusName::try_from(dbus::NAME).unwrap();
        while !names.name_has_owner(name.clone()).await.unwrap() {
            tokio::task::yield_now().await;
        }
        bus
    }

    async fn roomctl(&self, arguments: &[&str]) -> Output {
        self.roomctl_reading("", arguments).await
    }

    async fn roomctl_reading(&self, input: &'static str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_roomctl"));
        command.args(["--bus", &self.address]).args(arguments);
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(input.as_bytes()).unwrap();
            drop(stdin);
            child.wait_with_output().unwrap()
        })
        .await
        .unwrap()
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn state() -> State {
    State {
        room: RoomFacts {
            name: "Raum Elbe".to_owned(),
            phase: Phase::Idle,
            language: Language::De,
            time_zone: "Europe/Berlin".to_owned(),
            hosts_meetings: true,
            joins_sending: false,
            version: "1.2.3".to_owned(),
            support: None,
        },
        agenda: Agenda::default(),
        call: None,
        devices: Devices::default(),
        cameras: vec![Camera {
            name: "Front".to_owned(),
            present: true,
            active: true,
            moves: true,
            zooms: true,
            adjusts: vec![CameraAdjusts {
                setting: CameraSetting::Focus,
                automatic: Some(true),
                once: false,
                value: None,
                range: Some(CameraRange {
                    min: 0,
                    max: 250,
                    step: 5,
                    default: 0,
                }),
            }],
            presets: vec![CameraPreset {
                name: "Platz von Frau Jansen".to_owned(),
                thumbnail: Some("data:image/jpeg;base64,AAAA".to_owned()),
            }],
        }],
        content: Vec::new(),
        health: Health {
            score: 70,
            items: vec![HealthItem {
                code: "microphone-missing".to_owned(),
                severity: Some(Severity::Error),
                device: "table".to_owned(),
                text: Words {
                    de: "Das Mikrofon „table“ fehlt.".to_owned(),
                    en: "The microphone “table” is missing.".to_owned(),
                },
                remedy: None,
                detail: None,
            }],
        },
        sound_test: roomd_api::SoundTest::default(),
        pairing: Some(Pairing {
            code: Some(Pii::from("482913")),
            url: Pii::from("https://room.example/"),
            expires_at: chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        }),
        faults: vec![Fault::new(FaultCode::CameraMissing)],
        statistics: roomd_api::Statistics::default(),
    }
}

/// Answers every request, and hands it on.
fn answering(mut owner: RoomOwner, reply: Reply) -> tokio::sync::mpsc::Receiver<Request> {
    let (sender, requests) = tokio::sync::mpsc::channel(16);
    tokio::spawn(async move {
        while let Some(intent) = owner.intents.recv().await {
            sender.send(intent.request).await.unwrap();
            intent.reply.send(reply.clone()).unwrap();
        }
        drop(owner.state);
    });
    requests
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test]
async fn commands_become_requests() {
    let (room, owner) = Room::new(state());
    let mut requests = answering(owner, Reply::Accepted);
    let bus = PrivateBus::with_room(room).await;
    let cases: [(&[&str], Request); 5] = [
        (&["mute"], Request::Microphone { on: false }),
        (&["camera", "on"], Request::Camera { on: true }),
        (&["volume", "40"], Request::Volume { percent: 40 }),
        (
            &["layout", "share"],
            Request::Layout {
                layout: Layout::Share,
            },
        ),
        (
            &["join", "--link", "https://meet.example/x"],
            Request::JoinLink {
                url: Pii::from("https://meet.example/x"),
            },
        ),
    ];
    for (arguments, expected) in cases {
        let output = bus.roomctl(arguments).await;
        assert_eq!(output.status.code(), Some(0), "{arguments:?} {output:?}");
        assert_eq!(requests.recv().await, Some(expected));
    }
}

fn texts<const COUNT: usize>(texts: [&str; COUNT]) -> [String; COUNT] {
    texts.map(str::to_owned)
}

#[tokio::test]
async fn hardware_is_operated() {
    let (room, owner) = Room::new(state());
    let mut requests = answering(owner, Reply::Accepted);
    let bus = PrivateBus::with_room(room).await;
    let [camera, preset] = texts(["Front", "Podium"]);
    let cases: [(&[&str], Request); 15] = [
        (
            &["use-camera", "Front"],
            Request::SelectCamera {
                camera: camera.clone(),
            },
        ),
        (
            &["move-camera", "Front", "--pan", "-3", "--zoom", "1"],
            Request::MoveCamera {
                camera: camera.clone(),
                pan: -3,
                tilt: 0,
                zoom: 1,
            },
        ),
        (
            &["adjust-camera", "Front", "white-balance", "auto"],
            Request::AdjustCamera {
                camera: camera.clone(),
                setting: CameraSetting::WhiteBalance,
                to: CameraAdjustment::Automatic,
            },
        ),
        (
            &["adjust-camera", "Front", "focus", "-30"],
            Request::SetCameraValue {
                camera: camera.clone(),
                setting: CameraSetting::Focus,
                value: -30,
            },
        ),
        (
            &["preset", "recall", "Front", "2"],
            Request::RecallPreset {
                camera: camera.clone(),
                preset: "2".to_owned(),
            },
        ),
        (
            &["preset", "save", "Front", "Podium"],
            Request::SavePreset {
                camera: camera.clone(),
                preset: preset.clone(),
            },
        ),
        (
            &["preset", "delete", "Front", "Podium"],
            Request::DeletePreset { camera, preset },
        ),
        (&["display-is-on"], Request::DisplayIsOn),
        (&["sound-test", "--stop"], Request::StopSoundTest),
        (&["hear"], Request::StartSelfHear),
        (&["hear", "--stop"], Request::StopSelfHear),
        (
            &["content", "share", "Tisch"],
            Request::ShareContent {
                input: "Tisch".to_owned(),
            },
        ),
        (&["content", "stop"], Request::StopContent),
        (
            &["content", "freeze", "on"],
            Request::FreezeContent { frozen: true },
        ),
        (
            &["content", "crop", "Tisch", "0", "100", "500"],
            Request::CropContent {
                input: "Tisch".to_owned(),
                crop: Crop {
                    y: 100,
                    width: 500,
                    height: 900,
                    ..Crop::FULL
                },
            },
        ),
    ];
    for (arguments, expected) in cases {
        let output = bus.roomctl(arguments).await;
        assert_eq!(output.status.code(), Some(0), "{arguments:?} {output:?}");
        assert_eq!(requests.recv().await, Some(expected));
    }
    let list = stdout(&bus.roomctl(&["cameras"]).await);
    assert!(list.contains("Front  (in use, moves, zooms)"), "{list}");
    assert!(list.contains("1. Platz von Frau Jansen"), "{list}");
    let output = bus.roomctl(&["camera", "Front"]).await;
    assert_eq!(output.status.code(), Some(2), "a switch takes on or off");
}

#[tokio::test]
async fn refusals_of_hardware_name_what_to_do() {
    let cases = [
        (Refusal::CameraUnknown, "CameraUnknown", "plugged in"),
        (Refusal::CameraRefused, "CameraRefused", "move or zoom"),
        (Refusal::CameraCannot, "CameraCannot", "what it has"),
        (Refusal::PresetUnknown, "PresetUnknown", "name or number"),
        (Refusal::PresetName, "PresetName", "1 to 40 characters"),
        (Refusal::PresetsFull, "PresetsFull", "delete one first"),
        (Refusal::ContentUnknown, "ContentUnknown", "plugged in"),
        (
            Refusal::ContentNoPicture,
            "ContentNoPicture",
            "cable and laptop",
        ),
        (Refusal::ContentProtected, "ContentProtected", "HDCP"),
        (Refusal::InCall, "InCall", "leave it first"),
        (Refusal::SoundTestRuns, "SoundTestRuns", "until it is over"),
        (Refusal::MicrophoneMuted, "MicrophoneMuted", "mute key"),
        (
            Refusal::MicrophoneMissing,
            "MicrophoneMissing",
            "plugged in",
        ),
        (
            Refusal::LoudspeakerMissing,
            "LoudspeakerMissing",
            "plugged in",
        ),
    ];
    for (refusal, code, hint) in cases {
        let (room, owner) = Room::new(state());
        let _requests = answering(owner, Reply::Refused { refusal });
        let bus = PrivateBus::with_room(room).await;
        let output = bus.roomctl(&["--json", "use-camera", "Rear"]).await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let error: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(error["error"]["code"], code);
        let text = error["error"]["message"].as_str().unwrap();
        assert!(text.contains(hint), "{text}");
    }
}

#[tokio::test]
async fn a_value_beyond_its_bounds_is_refused_with_the_bounds() {
    let (room, owner) = Room::new(state());
    let refusal = Refusal::CameraValue;
    let _requests = answering(owner, Reply::Refused { refusal });
    let bus = PrivateBus::with_room(room).await;
    let output = bus
        .roomctl(&["--json", "adjust-camera", "Front", "focus", "300"])
        .await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let error: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(error["error"]["code"], "CameraValue");
    let text = error["error"]["message"].as_str().unwrap();
    assert!(text.contains("0 to 250 in steps of 5"), "{text}");
    let output = bus.roomctl(&["adjust-camera", "Front", "nose", "3"]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[tokio::test]
async fn steps_beyond_a_byte_are_refused() {
    let (room, owner) = Room::new(state());
    let mut requests = answering(owner, Reply::Accepted);
    let bus = PrivateBus::with_room(room).await;
    let connection = zbus::connection::Builder::address(bus.address.as_str())
        .build()
        .await
        .unwrap();
    let proxy = zbus::Proxy::new(&connection, dbus::NAME, dbus::PATH, dbus::INTERFACE)
        .await
        .unwrap();
    let steps = |pan: i16| ("Front", pan, 0_i16, 0_i16);
    let refused = proxy.call::<_, _, ()>("MoveCamera", &steps(128)).await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("-128 to 127"), "{error}");
    assert!(requests.try_recv().is_err());
    proxy
        .call::<_, _, ()>("MoveCamera", &steps(-128))
        .await
        .unwrap();
    let moved = Request::MoveCamera {
        camera: "Front".to_owned(),
        pan: -128,
        tilt: 0,
        zoom: 0,
    };
    assert_eq!(requests.recv().await, Some(moved));
}

#[tokio::test]
async fn status_is_complete_but_for_the_pairing_code() {
    let (room, _owner) = Room::new(state());
    let bus = PrivateBus::with_room(room).await;
    let text = stdout(&bus.roomctl(&["status"]).await);
    assert!(
        text.contains("Raum Elbe") && text.contains("camera-missing (warning)"),
        "{text}"
    );
    assert!(
        text.contains("70 of 100") && text.contains("microphone-missing (error): The microphone"),
        "{text}"
    );
    let json = stdout(&bus.roomctl(&["--json", "status"]).await);
    assert!(!json.contains("482913"), "{json}");
    let status: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(status["room"]["version"], "1.2.3");
}

#[tokio::test]
async fn a_password_comes_from_standard_input() {
    let (room, owner) = Room::new(state());
    let mut requests = answering(owner, Reply::Accepted);
    let bus = PrivateBus::with_room(room).await;
    let start = ["start-meeting", "--password", "-"];
    let output = bus.roomctl_reading("open sesame\n", &start).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let expected = Request::StartMeeting {
        password: Some(Secret::new("open sesame")),
    };
    assert_eq!(requests.recv().await, Some(expected));
    let output = bus.roomctl_reading("", &start).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(requests.try_recv().is_err());
}

#[tokio::test]
async fn a_diagnosis_counts_what_was_skipped_and_names_nothing() {
    let mut state = state();
    let skipped = |uid: &str, cause| SkippedEntry {
        uid: uid.to_owned(),
        cause,
    };
    state.agenda.skipped = vec![
        skipped("jane.doe@mail.example", SkipCause::NoStart),
        skipped("salary talks", SkipCause::UnknownZone),
        skipped("", SkipCause::NoStart),
    ];
    let (room, _owner) = Room::new(state);
    let bus = PrivateBus::with_room(room).await;
    let json = stdout(&bus.roomctl(&["diagnose", "--json"]).await);
    assert!(!json.contains("jane") && !json.contains("salary"), "{json}");
    // Of a camera its name alone.
    assert!(
        !json.contains("Jansen") && !json.contains("data:"),
        "{json}"
    );
    let diagnosis: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(diagnosis["healthy"], json!(false));
    assert_eq!(
        diagnosis["calendar"]["skipped"],
        json!({"the entry has no start": 2, "the time zone is unknown": 1})
    );
    assert_eq!(diagnosis["cameras"], json!(["Front"]));
    assert_eq!(diagnosis["health"]["score"], 70);
    assert_eq!(diagnosis["health"]["items"][0]["severity"], "error");
    let text = stdout(&bus.roomctl(&["diagnose"]).await);
    assert!(text.contains("table: microphone-missing (error)"), "{text}");
    assert!(text.contains("the entry has no start: 2"), "{text}");
}

#[tokio::test]
async fn refusals_and_absence_have_their_exit_codes() {
    let (room, owner) = Room::new(state());
    let refusal = Reply::Refused {
        refusal: Refusal::NotNow,
    };
    let _requests = answering(owner, refusal);
    let bus = PrivateBus::with_room(room).await;
    let output = bus.roomctl(&["leave"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: "));
    let output = bus.roomctl(&["--json", "leave"]).await;
    let error: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(error["error"]["code"], "NotNow");
    let output = bus.roomctl(&["join"]).await;
    assert_eq!(output.status.code(), Some(1), "nothing to join: {output:?}");
    assert_eq!(bus.roomctl(&["volume", "101"]).await.status.code(), Some(2));
    let empty = PrivateBus::start();
    let output = empty.roomctl(&["--json", "status"]).await;
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let error: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(error["error"]["code"], "Unreachable");
}

#[tokio::test]
async fn a_snapshot_is_saved() {
    let (room, mut owner) = Room::new(state());
    let bus = PrivateBus::with_room(room).await;
    tokio::spawn(async move {
        let first = owner.snapshots.recv().await.unwrap();
        first.send(Ok(b"\x89PNG picture".to_vec())).unwrap();
        let second = owner.snapshots.recv().await.unwrap();
        second.send(Err(SnapshotError::Failed)).unwrap();
        std::future::pending::<()>().await;
        drop(owner);
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("display.png");
    let path = file.to_str().unwrap();
    let output = bus.roomctl(&["snapshot", path]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(std::fs::read(&file).unwrap(), b"\x89PNG picture");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it shows people");
    let output = bus.roomctl(&["snapshot", path]).await;
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn a_preview_of_content_is_saved_or_said_why_not() {
    let (room, mut owner) = Room::new(state());
    let bus = PrivateBus::with_room(room).await;
    tokio::spawn(async move {
        let first = owner.previews.recv().await.unwrap();
        assert_eq!(first.input, "Tisch");
        first.reply.send(Ok(b"\x89PNG slide".to_vec())).unwrap();
        let second = owner.previews.recv().await.unwrap();
        second.reply.send(Err(PreviewError::NoPicture)).unwrap();
        std::future::pending::<()>().await;
        drop(owner);
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slide.png");
    let arguments = [
        "--json",
        "content",
        "preview",
        "Tisch",
        file.to_str().unwrap(),
    ];
    let output = bus.roomctl(&arguments).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(std::fs::read(&file).unwrap(), b"\x89PNG slide");
    let output = bus.roomctl(&arguments).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let error: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(error["error"]["code"], "ContentNoPicture");
    assert_eq!(
        stdout(&bus.roomctl(&["content", "list"]).await),
        "no content inputs\n"
    );
}

#[tokio::test]
async fn properties_change_with_a_signal() {
    let (room, owner) = Room::new(state());
    let bus = PrivateBus::with_room(room).await;
    let connection = zbus::connection::Builder::address(bus.address.as_str())
        .build()
        .await
        .unwrap();
    let proxy = zbus::Proxy::new(&connection, dbus::NAME, dbus::PATH, dbus::INTERFACE)
        .await
        .unwrap();
    let phase: String = proxy.get_property("Phase").await.unwrap();
    assert_eq!(phase, "idle");
    let mut changes = proxy.receive_property_changed::<String>("Phase").await;
    let mut next = state();
    next.room.phase = Phase::Joining;
    owner.state.send_replace(Arc::new(next));
    loop {
        let change = futures_util::StreamExt::next(&mut changes).await.unwrap();
        if change.get().await.unwrap() == "joining" {
            break;
        }
    }
}

#[tokio::test]
async fn hardware_has_properties_that_change_with_a_signal() {
    let (room, owner) = Room::new(state());
    let bus = PrivateBus::with_room(room).await;
    let connection = zbus::connection::Builder::address(bus.address.as_str())
        .build()
        .await
        .unwrap();
    let proxy = zbus::Proxy::new(&connection, dbus::NAME, dbus::PATH, dbus::INTERFACE)
        .await
        .unwrap();
    let score: u8 = proxy.get_property("HealthScore").await.unwrap();
    let camera: String = proxy.get_property("ActiveCamera").await.unwrap();
    assert_eq!((score, camera.as_str()), (70, "Front"));
    let mut scores = proxy.receive_property_changed::<u8>("HealthScore").await;
    let mut cameras = proxy
        .receive_property_changed::<String>("ActiveCamera")
        .await;
    let mut next = state();
    next.health = Health::default();
    next.cameras.clear();
    owner.state.send_replace(Arc::new(next));
    loop {
        let change = futures_util::StreamExt::next(&mut scores).await.unwrap();
        if change.get().await.unwrap() == 100 {
            break;
        }
    }
    loop {
        let change = futures_util::StreamExt::next(&mut cameras).await.unwrap();
        if change.get().await.unwrap().is_empty() {
            break;
        }
    }
}

/// What `busctl introspect` asks for, held against the documentation, both ways.
#[tokio::test]
async fn the_interface_is_as_documented() {
    let (room, _owner) = Room::new(state());
    let bus = PrivateBus::with_room(room).await;
    let connection = zbus::connection::Builder::address(bus.address.as_str())
        .build()
        .await
        .unwrap();
    let proxy = zbus::fdo::IntrospectableProxy::builder(&connection)
        .destination(dbus::NAME)
        .path(dbus::PATH)
        .build()
        .await
        .unwrap();
    let xml = proxy.introspect().await.unwrap();
    let own = xml.split("<interface name=\"org.roomd.Room1\">").nth(1);
    let own = own.unwrap().split("</interface>").next().unwrap();
    let documented = include_str!("../../interfaces/DBUS.md");
    let methods = documented_in(documented, "## Methods");
    let properties = documented_in(documented, "## Properties");
    assert!(methods.len() > 10 && properties.len() > 10);
    assert_eq!(named(own, "<method name=\""), methods);
    assert_eq!(named(own, "<property name=\""), properties);
    assert!(
        !own.contains("EmitsChangedSignal"),
        "every change is announced"
    );
}

/// The names in an interface's description.
fn named(xml: &str, element: &str) -> BTreeSet<String> {
    let found = xml.split(element).skip(1);
    found
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

/// The names in the first column of a section's table.
fn documented_in(text: &str, heading: &str) -> BTreeSet<String> {
    let section = text.split(heading).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.flat_map(|row| {
        let names = row.split(" |").next().unwrap();
        names
            .split(", ")
            .map(|name| name.trim_matches('`').to_owned())
    })
    .collect()
}
