// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::{fmt::Write, path::Path, time::Duration};

use roomd_model::Language;

use crate::{
    Bus, CalendarSource, Camera, EchoCancellation, HardwareEncoder, HostPattern, Loudspeaker,
    LoudspeakerLevel, MatrixEncryption, MatrixLogin, Microphone, Settings, Tls, parse, raw,
};

const FILE: &str = "/etc/roomd/roomd.toml";

#[test]
fn a_name_is_enough() {
    let settings = parse("[room]\nname = \" Elbe \"\n", FILE).unwrap();
    assert_eq!(settings, Settings::default_for("Elbe"));
    assert_eq!(settings.web.listen.to_string(), "[::]:443");
    assert!(!settings.join.sending);
}

#[test]
fn every_example_in_the_documentation_is_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = std::fs::read_to_string(folder.join("roomd.example.toml")).unwrap();
    let mut blocks = vec![("roomd.example.toml".to_owned(), example)];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let text = std::fs::read_to_string(&path).unwrap();
            for block in text.split("```toml\n").skip(1) {
                let block = block.split("```").next().unwrap();
                blocks.push((path.display().to_string(), block.to_owned()));
            }
        }
    }
    assert!(blocks.len() > 8);
    for (name, block) in blocks {
        if let Err(error) = parse(&block, &name) {
            panic!("{error}\n\n{block}");
        }
    }
}

#[test]
fn the_reference_describes_every_key() {
    let reference = include_str!("../REFERENCE.md");
    for (section, keys) in keys() {
        let headings = [format!("`[{section}]`"), format!("`[[{section}]]`")];
        let mut headings = headings.iter();
        assert!(headings.any(|it| reference.contains(it)), "[{section}]");
        assert!(!keys.is_empty());
        for key in keys {
            let row = format!("| `{key}` |");
            let row_in = format!("| `{key}` in `[{section}]` |");
            assert!(
                reference.contains(&row) || reference.contains(&row_in),
                "{section}.{key}"
            );
            let used = format!("\n{key} = ");
            assert!(reference.contains(&used), "no example of {section}.{key}");
        }
    }
}

#[test]
fn every_value_arrives() {
    let text = r#"
        [room]
        name = "Elbe"
        language = "en"
        time_zone = "Europe/Lisbon"
        [join]
        sending = true
        window_minutes = 0
        empty_call_seconds = 60
        allow = ["Meet.Example.org", "*.example.net"]
        [calendar]
        source = "ics"
        url = "http://127.0.0.1:5232/room.ics"
        [direct]
        password_default = "geheimnis"
        [matrix]
        homeserver = "https://matrix.example.org"
        user = "@room-elbe:example.org"
        password_file = "/etc/roomd/matrix-password"
        recovery_key_file = "/etc/roomd/matrix-recovery"
        ca_file = "/etc/roomd/authority.pem"
        element_call = ["call.example.org", "call.example.net:8443"]
        encryption = "preferred"
        [web]
        tls = { certificate = "/a.pem", key = "/b.pem" }
        [media]
        camera = "/recordings/guest.webm"
        hardware_encoder = "off"
        microphone = "hw:1,0"
        loudspeaker = "off"
        loudspeaker_level = "keep"
        echo_cancellation = "on"
        echo_cancelling_devices = ["046d:0857", "Table Array"]
        content_display = ":0.1"
        udp_ports = "40000-40100"
        ca_file = "/etc/roomd/authority.pem"
        [media.turn]
        urls = ["turn:[2001:db8::1]?transport=tcp", "turns:turn.example.org:443"]
        username = "sitzungsraum-2"
        password_file = "/etc/roomd/turn-password"
        [dbus]
        bus = "unix:path=/run/bus"
    "#;
    let settings = parse(text, FILE).unwrap();
    assert_eq!(settings.room.language, Language::En);
    let matrix = settings.matrix.as_ref().unwrap();
    assert_eq!(matrix.user.expose(), "@room-elbe:example.org");
    assert_eq!(matrix.default_server, "example.org");
    assert_eq!(
        matrix.element_call,
        ["call.example.org", "call.example.net:8443"]
    );
    assert_eq!(matrix.encryption, MatrixEncryption::Preferred);
    let login = MatrixLogin::Password("/etc/roomd/matrix-password".into());
    assert_eq!(matrix.login, login);
    assert_eq!(settings.room.time_zone, chrono_tz::Europe::Lisbon);
    assert!(settings.join.sending);
    assert_eq!(settings.join.window, Duration::ZERO);
    assert_eq!(settings.join.empty_call, Duration::from_secs(60));
    assert_eq!(settings.join.allow[0].to_string(), "meet.example.org");
    let CalendarSource::Ics(remote) = &settings.calendar.source else {
        panic!("{:?}", settings.calendar.source);
    };
    assert_eq!(remote.url.expose().port(), Some(5232));
    assert!(matches!(settings.web.tls, Tls::Files { .. }));
    assert_eq!(
        settings.media.camera,
        Camera::File("/recordings/guest.webm".into())
    );
    assert_eq!(
        settings.media.microphone,
        Microphone::Device("hw:1,0".into())
    );
    assert_eq!(settings.media.hardware_encoder, HardwareEncoder::Off);
    assert_eq!(settings.media.loudspeaker, Loudspeaker::Off);
    assert_eq!(settings.media.loudspeaker_level, LoudspeakerLevel::Keep);
    assert_eq!(settings.media.echo_cancellation, EchoCancellation::On);
    assert_eq!(settings.media.echo_cancelling_devices[1], "Table Array");
    let second = crate::ContentDisplay::X11(":0.1".to_owned());
    assert_eq!(settings.media.content_display, second);
    assert_eq!(settings.media.udp_ports, Some(40000..=40100));
    let ca_file = settings.media.ca_file.as_deref();
    assert_eq!(ca_file, Some("/etc/roomd/authority.pem".as_ref()));
    let turn = settings.media.turn.as_ref().unwrap();
    assert_eq!(turn.urls.len(), 2);
    assert_eq!(turn.urls[0], "turn:[2001:db8::1]?transport=tcp");
    assert_eq!(turn.username.expose(), "sitzungsraum-2");
    assert_eq!(
        turn.password_file.to_str(),
        Some("/etc/roomd/turn-password")
    );
    assert_eq!(settings.bus, Bus::Address("unix:path=/run/bus".into()));
    let printed = format!("{settings:?}");
    assert!(
        ["geheimnis", "5232", "sitzungsraum-2"]
            .iter()
            .all(|secret| !printed.contains(secret)),
        "{printed}"
    );
}

#[test]
fn cameras_and_the_display_have_their_own_sections() {
    use roomd_devices_core::camera::controls::Mains;
    use roomd_devices_core::visca::Protocol;

    use crate::{CameraSize, DisplayPower};

    let text = r#"
        [room]
        name = "a"
        [media]
        camera_size = "1080p"
        mains_hz = 60
        microphone = "usb:046d:0857/A1@1-1.4:1.0"
        [[cameras]]
        name = "Vorne"
        device = "usb:046d:0857/A1@1-1.4:1.0"
        [[cameras]]
        name = "Tafel"
        device = "046d:0858"
        visca = "192.0.2.7"
        [[cameras]]
        name = "Saal"
        device = "046d:0859"
        visca = "192.0.2.8"
        visca_protocol = "tcp"
        [[cameras]]
        name = "Pult"
        device = "046d:085a"
        visca = "[2001:db8::7]:1260"
        visca_protocol = "udp"
        [[content]]
        name = "Tisch"
        device = "534d:2109"
        [[content]]
        name = "Probe"
        device = "test"
        [display]
        power = "ask"
        cec = "/dev/cec1"
        wake_minutes = 0
        standby_minutes = 30
    "#;
    let settings = parse(text, FILE).unwrap();
    let names: Vec<&str> = settings.cameras.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Vorne", "Tafel", "Saal", "Pult"]);
    assert_eq!(settings.cameras[0].visca, None);
    let visca = |at: usize| {
        let visca = settings.cameras[at].visca.unwrap();
        (visca.address.to_string(), visca.protocol)
    };
    assert_eq!(visca(1), ("192.0.2.7:52381".to_owned(), Protocol::Sony));
    assert_eq!(visca(2), ("192.0.2.8:5678".to_owned(), Protocol::Tcp));
    let udp = ("[2001:db8::7]:1260".to_owned(), Protocol::Udp);
    assert_eq!(visca(3), udp);
    let content = &settings.content[0];
    assert_eq!(
        (content.name.as_str(), content.device.as_str()),
        ("Tisch", "534d:2109")
    );
    assert_eq!(settings.content[1].device, crate::TEST_INPUT);
    assert_eq!(settings.media.mains, Mains::Hz60);
    assert_eq!(settings.media.camera_size, CameraSize::Lines1080);
    assert_eq!(
        settings.media.microphone,
        Microphone::Device("usb:046d:0857/A1@1-1.4:1.0".to_owned())
    );
    assert_eq!(settings.display.power, DisplayPower::Ask);
    assert_eq!(settings.display.wake, Duration::ZERO);
    assert_eq!(settings.display.standby, Duration::from_secs(1800));
    assert_eq!(settings.display.cec, Some("/dev/cec1".into()));
}

#[test]
fn buttons_are_named_by_device_and_key() {
    use roomd_devices_core::keys::{Action, Code};

    let text = "[room]\nname = \"a\"\n[buttons]\ndevices = [\"046d:0857\"]\n\
                keys = { KEY_F1 = \"join\" }\n";
    let buttons = parse(text, FILE).unwrap().buttons;
    assert!(!buttons.devices.is_empty());
    assert_eq!(buttons.keys.action(Code::Key(59)), Some(Action::Join));
    assert_eq!(buttons.keys.action(Code::Key(113)), None);
    assert!(buttons.refused.is_empty());
    let without = parse("[room]\nname = \"a\"\n", FILE).unwrap().buttons;
    assert!(without.devices.is_empty());
    assert_eq!(without.keys.action(Code::Key(113)), Some(Action::Mute));
    let wrong = text.replace("046d:0857", "the red one");
    let error = parse(&wrong, FILE).unwrap_err().to_string();
    assert!(error.contains("names no input device"), "{error}");
}

#[test]
fn a_line_of_the_key_map_that_is_wrong_leaves_the_others() {
    use roomd_devices_core::keys::{Action, Code};

    let text = "[room]\nname = \"a\"\n[buttons.keys]\nKEY_F1 = \"join\"\nKEY_FF2 = \"mute\"\n\
                KEY_F3 = \"jion\"\nSW_LID = \"mute\"\nkey_f1 = \"mute\"\n";
    let buttons = parse(text, FILE).unwrap().buttons;
    assert_eq!(buttons.keys.action(Code::Key(59)), Some(Action::Join));
    let refused = |key: &str| {
        let mut lines = buttons.refused.iter();
        let line = lines.find(|line| line.key == key).unwrap();
        (line.error.place(), line.error.to_string())
    };
    for (key, at, cause) in [
        ("KEY_FF2", "5:1", "did you mean `KEY_F2`"),
        ("KEY_F3", "6:10", "did you mean `join`"),
        ("SW_LID", "7:1", "only be `presence`"),
        ("key_f1", "8:1", "`KEY_F1` is there twice"),
    ] {
        let (place, error) = refused(key);
        assert_eq!(place, format!("{FILE}:{at}"), "{key}");
        assert!(error.contains(cause), "{error}");
    }
    assert_eq!(buttons.refused.len(), 4);
}

#[test]
fn errors_print_no_secret_wherever_it_was_written() {
    for text in [
        "[direct]\npassword = \"hunter2\"\n",
        "[direct]\npassword_default = hunter2\n",
        "[matrix]\n\"access_token\" = \"hunter2\"\n",
        "[matrix]\npasphrase = 1\nclient_secret = \"hunter2\"\n",
        "[room]\nname = \"a\"\n[calendar]\nsource = \"ics\"\nurl = \"https://me:hunter2@example.org/\"\n",
        "[room]\nname = \"a\"\n[matrix]\nhomeserver = \"https://hunter2@example.org/a@b\"\nuser = \"@a:b.org\"\npassword_file = \"/a\"\n",
    ] {
        let error = parse(text, FILE).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
    // What only names a file is shown, as people need it.
    let error = parse("[matrix]\npassword_file = \"secrets\"\n", FILE).unwrap_err();
    assert!(!error.to_string().contains('*'), "{error}");
    let error = parse(
        "[room]\nname = \"a\"\n[matrix]\nhomeserver = \"https://h.org\"\nuser = \"@a:b.org\"\npassword_file = \"secrets\"\n",
        FILE,
    );
    assert!(error.unwrap_err().to_string().contains("secrets"));
}

#[test]
fn errors_name_line_caret_and_cause() {
    let room = "[room]\nname = \"Elbe\"\n";
    let mut all = String::new();
    for wrong in [
        "[room]\nlanguage = \"de\"\nnmae = \"Sitzungsraum 2\"\n",
        "",
        "[room]\n",
        "[room]\nname = 7\n",
        "[direct]\npassword_default = 12345678\n",
        "[room]\nname = \"\"\n",
        "[room]\nname = \"a\"\nname = \"b\"\n",
        "[room\nname = \"a\"\n",
        "[rooom]\nname = \"a\"\n",
        "[room]\nname = \"ä\"\nlanguage = \"fr\"\n",
        "[room]\nname = \"a\"\ntime_zone = \"Berlin\"\n",
        "[join]\nwindow_minutes = 61\n",
        "[join]\nempty_call_seconds = -1\n",
        "[join]\nallow = [\"meet.example.org\", \"https://example.org/\"]\n",
        "[join]\nallow = [\"*.org\"]\n",
        "[join]\nsending = \"no\"\n",
        "[calendar]\nsource = \"caldav\"\n",
        "[calendar]\nsource = \"none\"\nurl = \"https://example.org/\"\n",
        "[calendar]\nsource = \"ics\"\nurl = \"http://example.org/a.ics\"\n",
        "[calendar]\nsource = \"ics\"\nurl = \"https://me:pw@example.org/\"\n",
        "[calendar]\nsource = \"caldav\"\naddress = \"Raum Elbe\"\nurl = \"https://example.org/\"\n",
        "[calendar]\nsource = \"ics\"\naddress = \"elbe@example.org\"\nurl = \"https://example.org/\"\n",
        "[calendar]\nsource = \"caldav\"\nurl = \"https://example.org/\"\nusername = \"room\"\n",
        "[calendar]\nsource = \"webdav\"\n",
        "[calendar]\npoll_seconds = 90\n",
        "[direct]\nmax_guests = 7\n",
        "[direct]\nhost = \"https://room.example.org\"\n",
        "[direct]\npassword_default = \"kurz\"\n",
        "[matrix]\nuser = \"@room:example.org\"\n",
        "[matrix]\nhomeserver = \"http://matrix.example.org\"\nuser = \"@room:example.org\"\npassword_file = \"/a\"\n",
        "[matrix]\nhomeserver = \"https://matrix.example.org\"\nuser = \"room\"\npassword_file = \"/a\"\n",
        "[matrix]\nhomeserver = \"https://matrix.example.org\"\nuser = \"@room:example.org\"\n",
        "[matrix]\nhomeserver = \"https://matrix.example.org\"\nuser = \"@room:example.org\"\npassword_file = \"/a\"\ntoken_file = \"/b\"\n",
        "[matrix]\nhomeserver = \"https://matrix.example.org\"\nuser = \"@room:example.org\"\npassword_file = \"/a\"\nelement_call = [\"https://call.example.org\"]\n",
        "[matrix]\nhomeserver = \"https://matrix.example.org\"\nuser = \"@room:example.org\"\npassword_file = \"/a\"\nencryption = \"off\"\n",
        "[web]\nlisten = \"[::]:70000\"\n",
        "[web]\ntls = \"none\"\n",
        "[web]\ntls = { certificate = \"/a.pem\" }\n",
        "[web]\nkiosk_dir = \"kiosk\"\n",
        "[media]\ncamera = \"front\"\n",
        "[media]\nmicrophone = \"my microphone\"\n",
        "[media]\necho_cancellation = \"maybe\"\n",
        "[media]\necho_cancelling_devices = [\"\"]\n",
        "[media]\ncontent_display = \"second\"\n",
        "[display]\nconnector = \"DP-1\"\n[media]\ncontent_display = \"DP-1\"\n",
        "[media]\nudp_ports = \"40100-40000\"\n",
        "[media]\naddresses = [\"192.0.2.300\"]\n",
        "[media]\n\tstun = [\"turn:example.org\"]\n",
        "[media]\nca_file = \"authority.pem\"\n",
        "[media.turn]\nurls = [\"turns:example.org?transport=udp\"]\nusername = \"a\"\npassword_file = \"/p\"\n",
        "[media.turn]\nurls = [\"turn:me@example.org\"]\nusername = \"a\"\npassword_file = \"/p\"\n",
        "[media.turn]\nurls = []\nusername = \"a\"\npassword_file = \"/p\"\n",
        "[media.turn]\nurls = [\"turn:a\"]\nusername = \"\"\npassword_file = \"/p\"\n",
        "[media.turn]\nurls = [\"turn:a\"]\nusername = \"a\"\n",
        "[media.turn]\nurls = [\"turn:a\"]\nusername = \"a\"\npassword = \"b\"\n",
        "[media]\nmains_hz = 400\n",
        "[media]\ncamera_size = \"4k\"\n",
        "[media]\nhardware_encoder = \"on\"\n",
        "[[content]]\nname = \"Tisch\"\n",
        "[[content]]\nname = \"Tisch\"\ndevice = \"under the table\"\n",
        "[[cameras]]\nname = \"Vorne\"\n",
        "[[cameras]]\nname = \"Vorne\"\ndevice = \"the left one\"\n",
        "[[cameras]]\nname = \"A\"\ndevice = \"/dev/video0\"\n[[cameras]]\nname = \"A\"\ndevice = \"/dev/video2\"\n",
        "[[cameras]]\nname = \"A\"\ndevice = \"/dev/video0\"\nvisca = \"camera.example.org\"\n",
        "[[cameras]]\nname = \"A\"\ndevice = \"/dev/video0\"\nvisca = \"192.0.2.7\"\nvisca_protocol = \"pelco\"\n",
        "[[cameras]]\nname = \"A\"\ndevice = \"/dev/video0\"\nvisca_protocol = \"tcp\"\n",
        "[display]\npower = \"maybe\"\n",
        "[display]\nstandby_minutes = 0\n",
        "[display]\ncec = \"cec0\"\n",
        "[dbus]\nbus = \"user\"\n",
        "[log]\nlevel = \"loud\"\n",
    ] {
        let text = if wrong.starts_with("[room") || wrong.is_empty() {
            wrong.to_owned()
        } else {
            format!("{room}\n{wrong}")
        };
        let error = parse(&text, FILE).unwrap_err();
        let _ = writeln!(all, "{error}\n");
    }
    insta::assert_snapshot!(all);
}

#[test]
fn an_error_never_prints_a_password() {
    let text = "[room]\nname = \"a\"\n[direct]\npassword_default = \"kurz\"\n";
    let error = parse(text, FILE).unwrap_err();
    assert_eq!(error.place(), format!("{FILE}:4:20"));
    assert!(!error.to_string().contains("kurz"), "{error}");
}

#[test]
fn no_text_makes_it_panic() {
    let example = include_str!("../roomd.example.toml");
    for (at, _) in example.char_indices() {
        for inserted in ["", "\"", "=", "[", "\u{0}", "ä", "\n\r"] {
            let text = format!("{}{inserted}{}", &example[..at], &example[at..]);
            if let Err(error) = parse(&text, FILE) {
                assert!(error.to_string().starts_with("error: "));
            }
            let _ = parse(&format!("{}{inserted}", &example[..at]), FILE).map_err(|e| e.place());
        }
    }
}

#[test]
fn patterns_match_hosts_below_a_domain_only() {
    let below = HostPattern::parse("*.example.org").unwrap();
    let host = HostPattern::parse("Example.org").unwrap();
    for (name, in_below, is_host) in [
        ("meet.example.org", true, false),
        ("a.b.EXAMPLE.org.", true, false),
        ("example.org", false, true),
        (".example.org", false, false),
        ("badexample.org", false, false),
        ("example.org.evil.net", false, false),
    ] {
        assert_eq!(below.matches(name), in_below, "{name}");
        assert_eq!(host.matches(name), is_host, "{name}");
    }
    for wrong in [
        "*",
        "*.",
        "*.org",
        "a b",
        "example.org:443",
        "user@example.org",
        "",
        "a/b",
    ] {
        assert_eq!(HostPattern::parse(wrong), None, "{wrong}");
    }
}

/// Every section and its keys, as the parser itself lists them.
fn keys() -> Vec<(String, Vec<String>)> {
    let listed = |text: &str| -> Vec<String> {
        let error = toml::from_str::<raw::File>(text).unwrap_err();
        let names = error.message().split('`').skip(1).step_by(2).skip(1);
        names.map(str::to_owned).collect()
    };
    listed("zz = 1")
        .into_iter()
        .map(|section| {
            let mut keys = listed(&format!("[{section}]\nzz = 1\n"));
            if keys.is_empty() {
                // A section that may stand several times.
                keys = listed(&format!("[[{section}]]\nzz = 1\n"));
            }
            (section, keys)
        })
        .collect()
}
