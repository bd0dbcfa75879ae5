// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::fmt;

use crate::device::{Device, Kind};
use crate::identity::{DeviceId, Likeness, UsbId};

/// What the room uses a device for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The camera with this name, such as `front`.
    Camera(String),
    /// The input for content with this name, such as a laptop's HDMI.
    Content(String),
    /// The microphone.
    Microphone,
    /// The loudspeaker.
    Loudspeaker,
    /// Microphone and loudspeaker in one.
    Speakerphone,
    /// The touch panel.
    Panel,
    /// Buttons and sensors.
    Keys,
    /// Mute key and lamp of a telephony device.
    Telephony,
    /// The adapter that speaks to the display.
    Cec,
}

impl Role {
    const fn fits(&self, kind: Kind) -> bool {
        match self {
            Self::Camera(_) | Self::Content(_) => matches!(kind, Kind::Camera),
            Self::Microphone | Self::Loudspeaker | Self::Speakerphone => {
                matches!(kind, Kind::Sound)
            }
            Self::Panel | Self::Keys => matches!(kind, Kind::Input),
            Self::Telephony => matches!(kind, Kind::Hid),
            Self::Cec => matches!(kind, Kind::Cec),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Camera(name) => return write!(f, "camera `{name}`"),
            Self::Content(name) => return write!(f, "content input `{name}`"),
            Self::Microphone => "microphone",
            Self::Loudspeaker => "loudspeaker",
            Self::Speakerphone => "speakerphone",
            Self::Panel => "panel",
            Self::Keys => "keys",
            Self::Telephony => "telephony",
            Self::Cec => "display control",
        };
        f.write_str(name)
    }
}

/// Which device the configuration gives a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    lines: Vec<(Role, Wanted)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// This one, wherever it is plugged in.
    Device(DeviceId),
    /// Any of this model.
    Model(UsbId),
    /// Whatever has this node.
    Node(String),
}

impl Wanted {
    fn is(&self, device: &Device) -> bool {
        match self {
            Self::Device(id) => id.likeness(&device.id) >= Likeness::Moved,
            Self::Model(model) => device.id.model() == Some(*model),
            Self::Node(node) => device.node == *node,
        }
    }

    /// The place that it names.
    const fn place(&self) -> Option<&DeviceId> {
        match self {
            Self::Device(id) => Some(id),
            Self::Model(_) | Self::Node(_) => None,
        }
    }

    /// Whether it names this device in this place.
    fn names(&self, device: &Device) -> bool {
        self.place() == Some(&device.id)
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(id) => id.fmt(f),
            Self::Model(model) => model.fmt(f),
            Self::Node(node) => f.write_str(node),
        }
    }
}

impl Roles {
    /// Gives a role to a device by the text of its identity, a USB id such as `046d:0857`, or a node
    /// such as `/dev/video0` or `hw:1`. What names a device in its place comes before what else fits it;
    /// of several the first wins.
    ///
    /// # Errors
    ///
    /// A text that names no device.
    pub fn give(&mut self, role: Role, device: &str) -> Result<(), WrongRole> {
        let wanted = if device.starts_with("/dev/") || device.starts_with("hw:") {
            Wanted::Node(device.to_owned())
        } else if let Ok(model) = device.parse() {
            Wanted::Model(model)
        } else {
            let parsed = device.parse();
            Wanted::Device(parsed.map_err(|source| WrongRole {
                role: role.clone(),
                source,
            })?)
        };
        self.lines.push((role, wanted));
        Ok(())
    }

    /// Whether no role is given.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What the configuration gives this role, as it names it, and no device is. A device that has the
    /// role although no line fits it, as it moved to another port, counts for one line.
    #[must_use]
    pub fn unseen(&self, role: &Role, devices: &[&Device]) -> Vec<String> {
        let lines = || self.lines.iter().filter(|(given, _)| given == role);
        let unseen = lines().filter(|(_, wanted)| !devices.iter().any(|it| self.means(wanted, it)));
        let strays = devices
            .iter()
            .filter(|device| !lines().any(|(_, wanted)| wanted.is(device)));
        unseen
            .skip(strays.count())
            .map(|(_, wanted)| wanted.to_string())
            .collect()
    }

    /// Whether a line means a device. A place that another line names is not this one's new place.
    fn means(&self, wanted: &Wanted, device: &Device) -> bool {
        let named = || self.lines.iter().any(|(_, other)| other.names(device));
        wanted.is(device) && (wanted.place().is_none() || wanted.names(device) || !named())
    }

    /// The role that the configuration gives to the very place of a device.
    pub(crate) fn at(&self, device: &Device) -> Option<&Role> {
        let line = self
            .lines
            .iter()
            .find(|(role, wanted)| role.fits(device.kind) && wanted.names(device));
        line.map(|(role, _)| role)
    }

    /// The role of a device. One with the same serial number that is in the place which a line names is
    /// the one that is meant; `is_there` tells.
    pub(crate) fn of(&self, device: &Device, is_there: impl Fn(&DeviceId) -> bool) -> Option<Role> {
        let fits = |(role, wanted): &&(Role, Wanted)| {
            let taken = wanted.place().is_some_and(&is_there);
            role.fits(device.kind) && wanted.is(device) && !taken
        };
        let found = || self.lines.iter().find(fits).map(|(role, _)| role);
        self.at(device).or_else(found).cloned()
    }

    /// Whether the configuration gives this role to the device in another place only.
    pub(crate) fn is_elsewhere(&self, role: &Role, device: &Device) -> bool {
        let lines = || self.lines.iter().filter(|(given, _)| given == role);
        let is_here = |wanted: &Wanted| match wanted.place() {
            Some(place) => wanted.is(device) && !place.is_moved_to(&device.id),
            None => wanted.is(device),
        };
        let is_like = |place: &DeviceId| place.likeness(&device.id) >= Likeness::Model;
        lines().any(|(_, wanted)| wanted.place().is_some_and(is_like))
            && !lines().any(|(_, wanted)| is_here(wanted))
    }
}

/// A role was given to what is no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no device for {role}")]
pub struct WrongRole {
    role: Role,
    source: crate::identity::IdentityError,
}
