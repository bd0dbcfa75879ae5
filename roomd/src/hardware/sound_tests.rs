// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use super::super::bench::entries;
use super::*;

const OWN: (&str, &[(&str, &str)]) = (
    "/devices/pci0000:00/0000:00:1f.3/sound/card0",
    &[("ID_PATH", "pci-0000:00:1f.3"), ("attr:id", "PCH")],
);
const BAR: (&str, &[(&str, &str)]) = (
    "/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/sound/card1",
    &[
        ("ID_VENDOR_ID", "0b0e"),
        ("ID_MODEL_ID", "0420"),
        ("ID_MODEL", "Jabra_SPEAK_510"),
    ],
);

/// Sound of a machine with its own card and a speakerphone.
pub(in super::super) fn sound(microphone: Microphone) -> Option<(Sound, tempfile::TempDir)> {
    let media = Media {
        microphone,
        ..Media::default()
    };
    let proc = tempfile::tempdir().unwrap();
    let pcm = "00-00: A : A : playback 1 : capture 1\n01-00: B : B : playback 1 : capture 1\n";
    std::fs::write(proc.path().join("pcm"), pcm).unwrap();
    let mut sound = Sound::beside(&media, Table::default(), false)?;
    sound.proc = SoundProc::at(proc.path());
    Some((sound, proc))
}

/// The same, with a microphone that has a name of ALSA's.
pub(in super::super) fn named(name: &str) -> Option<(Sound, tempfile::TempDir)> {
    sound(Microphone::Device(name.to_owned()))
}

/// The machine's own card, and the speakerphone where it is plugged in.
pub(in super::super) fn plugged(bar: bool) -> Vec<Entry> {
    let cards = [Some(OWN), bar.then_some(BAR)];
    let cards = cards.into_iter().flatten();
    entries(cards.map(|(path, values)| ("sound", path, values)))
}

#[test]
fn names_of_alsa_are_left_to_alsa() {
    for (name, card) in [
        ("046d:0857", true),
        ("usb:046d:0857/A1@1-1.4:1.0", true),
        ("hw:1,0", false),
        ("default", false),
        ("sysdefault:CARD=PCH", false),
    ] {
        assert_eq!(is_card(name), card, "{name}");
    }
}

/// Takes what is done next at a device.
async fn take(
    sound: &mut Sound,
    entries: &[Entry],
    room: &watch::Receiver<RoomSound>,
) -> Option<Held> {
    let done = sound.done().await?;
    sound.take(done, entries, room)
}

#[tokio::test]
async fn a_key_that_is_refused_is_tried_again_until_it_is_gone() {
    let (mut sound, _proc) = sound(Microphone::Auto).unwrap();
    let hid = "/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.3/hidraw/hidraw97";
    let values = [
        ("DEVNAME", "/dev/no-such-hidraw97"),
        ("ID_VENDOR_ID", "0b0e"),
        ("ID_MODEL_ID", "0420"),
    ];
    let all = entries([("sound", BAR.0, BAR.1), ("hidraw", hid, &values[..])]);
    let room = watch::Sender::new(RoomSound::default()).subscribe();
    sound.refresh(&all);
    assert!(!sound.attach(&all));
    assert!(take(&mut sound, &all, &room).await.is_some());
    assert!(matches!(sound.key(), KeyState::Refused(_)));
    assert!(sound.is_failing());
    // What is open stays in hand.
    assert!(sound.attach(&all));
    assert!(take(&mut sound, &all, &room).await.is_none());
    assert!(sound.is_failing());
    sound.refresh(&[]);
    assert!(!sound.attach(&[]));
    assert!(!sound.is_failing());
}

#[tokio::test]
async fn what_was_opened_too_late_is_let_go() {
    let (mut sound, _proc) = sound(Microphone::Auto).unwrap();
    let room = watch::Sender::new(RoomSound::default()).subscribe();
    sound.refresh(&plugged(true));
    sound.attach(&plugged(true));
    sound.refresh(&[]);
    sound.attach(&[]);
    assert!(take(&mut sound, &[], &room).await.is_none());
    assert!(sound.attached.is_none() && !sound.opening.is_running());
    // It came again while it was being opened for the first time.
    sound.refresh(&plugged(true));
    sound.attach(&plugged(true));
    let mut again = plugged(true);
    again.iter_mut().for_each(|entry| entry.arrivals += 1);
    assert!(take(&mut sound, &again, &room).await.is_none());
    assert!(take(&mut sound, &again, &room).await.is_some());
}

#[tokio::test]
async fn a_level_that_is_not_set_is_tried_again_later() {
    let (mut sound, proc) = sound(Microphone::Auto).unwrap();
    let room = watch::Sender::new(RoomSound::default()).subscribe();
    let mut all = plugged(true);
    for entry in &mut all {
        // No machine has so many cards.
        entry.device.node = entry.device.node.replace("hw:", "hw:3");
    }
    let pcm = "31-00: B : B : playback 1 : capture 1\n";
    std::fs::write(proc.path().join("pcm"), pcm).unwrap();
    sound.refresh(&all);
    sound.open_up(&all);
    assert!(!sound.is_failing());
    take(&mut sound, &all, &room).await;
    assert!(sound.is_failing() && !sound.opening_up.is_running());
    sound.open_up(&all);
    assert!(sound.opening_up.is_running());
    take(&mut sound, &all, &room).await;
    sound.refresh(&[]);
    sound.open_up(&[]);
    assert!(!sound.is_failing());
}

#[tokio::test]
async fn a_name_of_alsa_has_the_key_of_its_card_and_no_other() {
    for (name, binds) in [
        ("hw:1,0", true),
        ("plughw:CARD=Bar,DEV=0", true),
        ("hw:0", false),
        ("default", false),
    ] {
        let (mut sound, proc) = named(name).unwrap();
        std::fs::create_dir(proc.path().join("card1")).unwrap();
        std::fs::write(proc.path().join("card1/id"), "Bar\n").unwrap();
        let commands = sound.refresh(&plugged(true));
        let microphone = |it: &EngineCommand| matches!(it, EngineCommand::Microphone(_));
        assert!(!commands.iter().any(microphone), "{name}");
        sound.attach(&plugged(true));
        assert_eq!(sound.opening.is_running(), binds, "{name}");
    }
}

#[test]
fn a_recording_is_no_reason_to_hold_a_key() {
    let (mut sound, _proc) = sound(Microphone::File("/a.wav".into())).unwrap();
    sound.refresh(&plugged(true));
    let chosen = sound.chosen.as_ref().unwrap();
    assert!(chosen.loudspeaker.card.is_some());
    assert_eq!(chosen.microphone, Choice::default());
    assert!(sound.attachable(&plugged(true)).is_none());
}

#[test]
fn beside_a_sound_server_the_engine_is_told_nothing() {
    let media = Media::default();
    let mut sound = Sound::beside(&media, Table::default(), true).unwrap();
    assert!(sound.refresh(&plugged(true)).is_empty());
    let chosen = sound.chosen.as_ref().unwrap();
    assert_eq!(chosen.microphone, Choice::named("default", None));
    assert_eq!(chosen.loudspeaker, chosen.microphone);
}

#[test]
fn the_loudspeaker_goes_with_a_microphone_that_alsa_names() {
    let (mut sound, _proc) = named("hw:1,0").unwrap();
    let commands = sound.refresh(&plugged(true));
    let told = commands
        .iter()
        .any(|it| matches!(it, EngineCommand::Echo(policy) if policy.devices == ["0b0e:0420"]));
    assert!(told, "{commands:?}");
    let chosen = sound.chosen.as_ref().unwrap();
    assert_eq!(chosen.loudspeaker.card, chosen.microphone.card);
}

#[test]
fn whoever_cancels_by_a_user_s_table_is_known_to_the_engine() {
    let mut table = Table::default();
    let line = "[[device]]\nusb = \"1234:5678\"\ncancels-echo = true\n";
    table.add(line, "own.toml").unwrap();
    let policy = policy(&Media::default(), &table);
    assert!(policy.devices.iter().any(|it| it == "1234:5678"));
}

#[test]
fn a_room_that_plays_and_records_files_has_nothing_to_choose() {
    let media = Media {
        microphone: Microphone::Test,
        loudspeaker: Loudspeaker::Off,
        ..Media::default()
    };
    assert!(Sound::new(&media, Table::default()).is_none());
}
