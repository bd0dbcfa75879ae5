// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A device as udev describes it, reduced to what the room needs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::identity::{DeviceId, Port, UsbId};

/// What a device is to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A V4L2 capture node.
    Camera,
    /// A sound card.
    Sound,
    /// An input device: touch, keys, switches.
    Input,
    /// The raw reports of a HID device.
    Hid,
    /// A graphics card, whose connectors are read from sysfs.
    Graphics,
    /// A CEC adapter.
    Cec,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Camera,
        Self::Sound,
        Self::Input,
        Self::Hid,
        Self::Graphics,
        Self::Cec,
    ];

    /// The kernel's subsystem.
    #[must_use]
    pub const fn subsystem(self) -> &'static str {
        match self {
            Self::Camera => "video4linux",
            Self::Sound => "sound",
            Self::Input => "input",
            Self::Hid => "hidraw",
            Self::Graphics => "drm",
            Self::Cec => "cec",
        }
    }

    /// How the kernel calls the nodes that count; a subsystem has others.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Camera => "video",
            Self::Sound | Self::Graphics => "card",
            Self::Input => "event",
            Self::Hid => "hidraw",
            Self::Cec => "cec",
        }
    }

    fn of(subsystem: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.subsystem() == subsystem)
    }
}

/// udev's properties that are read here; it has dozens.
pub const PROPERTIES: &[&str] = &[
    "DEVNAME",
    "ID_INPUT_KEY",
    "ID_INPUT_SWITCH",
    "ID_INPUT_TOUCHSCREEN",
    "ID_MODEL",
    "ID_MODEL_FROM_DATABASE",
    "ID_MODEL_ID",
    "ID_PATH",
    "ID_SERIAL_SHORT",
    "ID_V4L_CAPABILITIES",
    "ID_V4L_PRODUCT",
    "ID_VENDOR_ID",
    "LIBINPUT_IGNORE_DEVICE",
    "NAME",
    "SOUND_INITIALIZED",
    "USEC_INITIALIZED",
];
/// Attributes of the device itself, which are read under their name with `attr:` before it.
pub const ATTRIBUTES: &[&str] = &["id", "index", "name"];
/// What the USB device itself says, and as what it is read, where udev's rules pass over a subsystem.
pub const USB: &[(&str, &str)] = &[
    ("idVendor", "ID_VENDOR_ID"),
    ("idProduct", "ID_MODEL_ID"),
    ("serial", "ID_SERIAL_SHORT"),
    ("product", "ID_MODEL"),
    ("speed", "attr:speed"),
];

/// Whether whoever asks udev copies this.
fn is_copied(key: &str) -> bool {
    let attribute = key.strip_prefix("attr:");
    PROPERTIES.contains(&key)
        || attribute.is_some_and(|name| ATTRIBUTES.contains(&name))
        || USB.iter().any(|(_, name)| *name == key)
}

/// What udev says about a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// The path below `/sys`, which names it in further events.
    pub path: String,
    /// The kernel's subsystem.
    pub subsystem: String,
    /// udev's properties, and attributes under their name with `attr:` before it.
    pub values: BTreeMap<String, String>,
}

impl Properties {
    fn get(&self, key: &str) -> Option<&str> {
        debug_assert!(is_copied(key), "nobody copies {key}");
        let value = self.values.get(key).map(|value| value.trim());
        value.filter(|value| !value.is_empty())
    }

    fn is_set(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value != "0")
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// A device of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Who it is.
    pub id: DeviceId,
    /// What it is.
    pub kind: Kind,
    /// Its path below `/sys`.
    pub path: String,
    /// How it is opened: `/dev/video0`, or `hw:1` for a sound card.
    pub node: String,
    /// What it calls itself, at most 120 characters.
    pub label: String,
    /// What an input device has.
    pub input: InputKind,
    /// Speed of its USB connection in Mbit/s, where known.
    pub usb_speed: Option<u32>,
}

/// What an input device has, by udev's judgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputKind {
    /// Keys or buttons.
    pub keys: bool,
    /// A touch screen that the display server takes for input.
    pub touch: bool,
    /// Switches, such as a presence sensor's.
    pub switches: bool,
}

impl Device {
    /// The device that these properties describe; none when the room has no use for its kind, such as
    /// a camera's node for metadata or a virtual terminal's.
    #[must_use]
    pub fn from_properties(properties: &Properties) -> Option<Self> {
        let kind = Kind::of(&properties.subsystem)?;
        let number = properties.name().strip_prefix(kind.prefix())?;
        if number.is_empty() || !number.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        if kind == Kind::Camera && !captures(properties)
            || kind == Kind::Sound && !is_whole(properties)
        {
            return None;
        }
        let node = match (kind, properties.get("DEVNAME")) {
            (Kind::Sound, _) => format!("hw:{number}"),
            (_, Some(node)) if node.starts_with("/dev/") => node.to_owned(),
            (_, _) => return None,
        };
        Some(Self {
            id: identity(properties, kind),
            kind,
            path: properties.path.clone(),
            node,
            label: label(properties),
            input: InputKind {
                keys: properties.is_set("ID_INPUT_KEY"),
                touch: properties.is_set("ID_INPUT_TOUCHSCREEN")
                    && !properties.is_set("LIBINPUT_IGNORE_DEVICE"),
                switches: properties.is_set("ID_INPUT_SWITCH"),
            },
            usb_speed: properties.get("attr:speed").and_then(|s| s.parse().ok()),
        })
    }
}

/// udev lists what a node can do. Where it does not, the first node of a device takes pictures.
fn captures(properties: &Properties) -> bool {
    match properties.get("ID_V4L_CAPABILITIES") {
        Some(list) => list.split(':').any(|word| word == "capture"),
        None => properties.get("attr:index").is_none_or(|i| i == "0"),
    }
}

/// A card is told of before its nodes are, and cannot be opened yet; udev tells again when all are there
/// (its `78-sound-card.rules`). Where no udev works, the nodes are the kernel's own.
fn is_whole(properties: &Properties) -> bool {
    properties.is_set("SOUND_INITIALIZED") || properties.get("USEC_INITIALIZED").is_none()
}

fn identity(properties: &Properties, kind: Kind) -> DeviceId {
    let number = |key| u16::from_str_radix(properties.get(key)?, 16).ok();
    let model = number("ID_VENDOR_ID")
        .zip(number("ID_MODEL_ID"))
        .map(|(vendor, product)| UsbId { vendor, product });
    let id = match (model, Port::in_path(&properties.path)) {
        (Some(model), Some(port)) => DeviceId::usb(model, properties.get("ID_SERIAL_SHORT"), port),
        (Some(_) | None, _) => match properties.get("ID_PATH") {
            Some(place) => DeviceId::at(place),
            None => DeviceId::at(&place(&properties.path)),
        },
    };
    match kind {
        // One driver may make several: the number of the node within its device tells them apart.
        Kind::Camera => {
            let index = properties.get("attr:index").and_then(|i| i.parse().ok());
            id.with_index(index.unwrap_or(0))
        }
        Kind::Sound | Kind::Input | Kind::Hid | Kind::Graphics | Kind::Cec => id,
    }
}

/// What stands before the subsystem's own folder in the path: the device that has the function.
fn place(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let own = parts.len().saturating_sub(2);
    let device: Vec<&str> = parts.iter().take(own).skip(1).copied().collect();
    let tail = device.len().saturating_sub(2);
    match device.get(tail..) {
        Some(tail) if !tail.is_empty() => tail.join("-"),
        Some(_) | None => parts.last().copied().unwrap_or("unknown").to_owned(),
    }
}

fn label(properties: &Properties) -> String {
    // What a device calls itself comes before what a list of numbers calls it.
    let words = [
        "ID_V4L_PRODUCT",
        "attr:name",
        "ID_MODEL",
        "ID_MODEL_FROM_DATABASE",
        "attr:id",
        "NAME",
    ];
    let found = words
        .into_iter()
        .find_map(|key| Some((key, properties.get(key)?)));
    let (key, words) = found.unwrap_or(("", properties.name()));
    // udev writes this one without blanks.
    let blank = |c| {
        if c == '_' && key == "ID_MODEL" {
            ' '
        } else {
            c
        }
    };
    words
        .trim_matches('"')
        .chars()
        .filter(|c| !c.is_control())
        .take(120)
        .map(blank)
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What udev says about a camera on a port.
    pub(crate) fn camera(port: &str, serial: &str, node: u32) -> Properties {
        let (plug, _) = port.split_once(':').unwrap();
        let path =
            format!("/devices/pci0000:00/0000:00:14.0/usb1/{plug}/{port}/video4linux/video{node}");
        properties(
            &path,
            "video4linux",
            &[
                ("DEVNAME", &format!("/dev/video{node}")),
                ("ID_VENDOR_ID", "046d"),
                ("ID_MODEL_ID", "0857"),
                ("ID_SERIAL_SHORT", serial),
                ("ID_V4L_CAPABILITIES", ":capture:"),
                ("ID_V4L_PRODUCT", "Logi Group Camera"),
                ("attr:index", "0"),
                ("attr:speed", "480"),
            ],
        )
    }

    pub(crate) fn properties(path: &str, subsystem: &str, values: &[(&str, &str)]) -> Properties {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Properties {
            path: path.to_owned(),
            subsystem: subsystem.to_owned(),
            values: values.iter().map(owned).collect(),
        }
    }

    #[test]
    fn a_camera_is_who_and_where_it_is() {
        let device = Device::from_properties(&camera("1-1.4:1.0", "A1", 2)).unwrap();
        assert_eq!(device.id.to_string(), "usb:046d:0857/A1@1-1.4:1.0");
        assert_eq!(device.node, "/dev/video2");
        assert_eq!(device.label, "Logi Group Camera");
        assert_eq!(device.usb_speed, Some(480));
    }

    #[test]
    fn metadata_and_other_nodes_are_left_out() {
        let mut metadata = camera("1-1.4:1.0", "A1", 3);
        metadata
            .values
            .insert("ID_V4L_CAPABILITIES".to_owned(), ":".to_owned());
        assert_eq!(Device::from_properties(&metadata), None);
        let check = |path: &str, subsystem: &str| {
            let properties = properties(path, subsystem, &[("DEVNAME", "/dev/x")]);
            assert_eq!(Device::from_properties(&properties), None, "{path}");
        };
        check("/devices/x/sound/card0/controlC0", "sound");
        check("/devices/x/drm/card0/card0-HDMI-A-1", "drm");
        check("/devices/x/drm/renderD128", "drm");
        check("/devices/x/input/input4", "input");
        check("/devices/x/net/eth0", "net");
        check("", "video4linux");
    }

    #[test]
    fn whatever_is_read_is_copied() {
        // Each that says nothing is asked for everything; what nobody copies is a panic.
        for kind in Kind::ALL {
            let (subsystem, prefix) = (kind.subsystem(), kind.prefix());
            let path = format!("/devices/x/{subsystem}/{prefix}0");
            let device = properties(&path, subsystem, &[("DEVNAME", "/dev/x")]);
            assert!(Device::from_properties(&device).is_some(), "{path}");
        }
        let usb = properties(
            "/devices/usb1/1-1/1-1:1.0/input/input1/event1",
            "input",
            &[
                ("DEVNAME", "/dev/x"),
                ("ID_VENDOR_ID", "046d"),
                ("ID_MODEL_ID", "0857"),
            ],
        );
        assert!(Device::from_properties(&usb).is_some());
        assert!(is_copied("SOUND_INITIALIZED") && is_copied("USEC_INITIALIZED"));
        assert!(is_copied("attr:speed") && !is_copied("speed") && !is_copied("attr:serial"));
    }

    #[test]
    fn a_device_on_no_usb_is_where_it_sits() {
        let vivid = |node: u32| {
            let path = format!("/devices/platform/vivid.0/video4linux/video{node}");
            let node = format!("/dev/video{node}");
            Device::from_properties(&properties(
                &path,
                "video4linux",
                &[("DEVNAME", &node), ("attr:index", "0")],
            ))
        };
        assert_eq!(vivid(0).unwrap().id.to_string(), "at:platform-vivid.0");
        assert_eq!(vivid(0).unwrap().id, vivid(4).unwrap().id);
        let mut card = properties(
            "/devices/pci0000:00/0000:00:1f.3/sound/card0",
            "sound",
            &[("ID_PATH", "pci-0000:00:1f.3"), ("attr:id", "PCH")],
        );
        let known = Device::from_properties(&card);
        let mut tell = |key: &str| {
            card.values.insert(key.to_owned(), "1".to_owned());
            Device::from_properties(&card)
        };
        assert_eq!(tell("USEC_INITIALIZED"), None, "without its nodes");
        assert_eq!(tell("SOUND_INITIALIZED"), known);
        let card = known.unwrap();
        assert_eq!((card.node.as_str(), card.label.as_str()), ("hw:0", "PCH"));
        assert_eq!(card.id.to_string(), "at:pci-0000:00:1f.3");
    }
}
