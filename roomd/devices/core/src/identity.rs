// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Who a device is, across unplugging, other ports and reboots.
//!
//! A USB device is its model (vendor and product), its serial number where it has one, the port that
//! it is plugged into, and the interface of its function. Two devices of one model stay apart by
//! serial number, and by port where the maker gave both the same or none. Any other device is where
//! it sits on its bus. Source of the port's form: the kernel's `Documentation/driver-api/usb`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A serial number is cut here; longer ones are nonsense.
const SERIAL: usize = 64;
/// USB allows five hubs between the host and a device, so a port has at most seven numbers.
const HUBS: usize = 7;

/// Vendor and product of a USB device, shown as `046d:0857`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsbId {
    /// The maker.
    pub vendor: u16,
    /// The maker's number for the model.
    pub product: u16,
}

impl fmt::Display for UsbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor, self.product)
    }
}

impl FromStr for UsbId {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |digits: &str| {
            let plain = digits.len() == 4 && digits.chars().all(|c| c.is_ascii_hexdigit());
            plain
                .then(|| u16::from_str_radix(digits, 16).ok())
                .flatten()
        };
        text.split_once(':')
            .and_then(|(vendor, product)| {
                Some(Self {
                    vendor: number(vendor)?,
                    product: number(product)?,
                })
            })
            .ok_or_else(|| IdentityError::UsbId(shown(text)))
    }
}

/// A place on the USB: bus, then the port on each hub, then configuration and interface, shown as
/// `1-1.4:1.0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    bus: u16,
    hubs: Vec<u8>,
    interface: (u8, u8),
}

impl Port {
    /// The same plug, whatever the function behind it.
    #[must_use]
    pub fn same_plug(&self, other: &Self) -> bool {
        self.bus == other.bus && self.hubs == other.hubs
    }

    /// The same plug and function, had the kernel numbered its buses the same.
    #[must_use]
    pub fn differs_in_bus_only(&self, other: &Self) -> bool {
        self.bus != other.bus && self.hubs == other.hubs && self.interface == other.interface
    }

    /// Configuration and interface: which function of the device.
    #[must_use]
    pub const fn interface(&self) -> (u8, u8) {
        self.interface
    }

    /// The port within a device's path below `/sys`, the last that is one.
    #[must_use]
    pub fn in_path(path: &str) -> Option<Self> {
        path.rsplit('/').find_map(|part| part.parse().ok())
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hubs: Vec<String> = self.hubs.iter().map(u8::to_string).collect();
        let (configuration, interface) = self.interface;
        let (bus, hubs) = (self.bus, hubs.join("."));
        write!(f, "{bus}-{hubs}:{configuration}.{interface}")
    }
}

impl FromStr for Port {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (bus, rest) = text.split_once('-')?;
            let (hubs, interface) = rest.split_once(':')?;
            let hubs: Vec<u8> = hubs.split('.').map(number).collect::<Option<_>>()?;
            let (configuration, interface) = interface.split_once('.')?;
            (hubs.len() <= HUBS).then_some(Self {
                bus: number(bus)?,
                hubs,
                interface: (number(configuration)?, number(interface)?),
            })
        };
        parse().ok_or_else(|| IdentityError::Port(shown(text)))
    }
}

/// A decimal number without sign or leading zero, so that each port has one spelling.
fn number<T: FromStr>(text: &str) -> Option<T> {
    let plain = text.chars().all(|c| c.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

/// Who a device is. Its text is what the configuration names:
///
/// - `usb:046d:0857/A1B2@1-1.4:1.0`, with serial number and port,
/// - `usb:046d:0857@1-1.4:1.0`, a device without a serial number,
/// - `at:platform-vivid.0`, a device on another bus,
///
/// and `#1` behind it for a device's second node of the same kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DeviceId {
    place: Place,
    index: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Place {
    Usb {
        model: UsbId,
        serial: Option<String>,
        port: Port,
    },
    At(String),
}

/// How far a device is the one that was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Another device.
    No,
    /// Of the same model, without a serial number, in another port: a guess.
    Model,
    /// By its serial number, in another port.
    Moved,
    /// The same in the same place.
    Same,
}

impl DeviceId {
    /// A USB device. A serial number without a usable character counts as none.
    #[must_use]
    pub fn usb(model: UsbId, serial: Option<&str>, port: Port) -> Self {
        let serial = serial.map(clean).filter(|serial| is_a_serial(serial));
        let place = Place::Usb {
            model,
            serial,
            port,
        };
        Self { place, index: 0 }
    }

    /// A device on another bus, by a text that names its place.
    #[must_use]
    pub fn at(place: &str) -> Self {
        let place = Place::At(clean(place));
        Self { place, index: 0 }
    }

    /// The device's node of this number, where it has several of one kind.
    #[must_use]
    pub fn with_index(mut self, index: u8) -> Self {
        self.index = index;
        self
    }

    /// The number of its node among several of one kind.
    #[must_use]
    pub const fn index(&self) -> u8 {
        self.index
    }

    /// Vendor and product, where it is on the USB.
    #[must_use]
    pub const fn model(&self) -> Option<UsbId> {
        match &self.place {
            Place::Usb { model, .. } => Some(*model),
            Place::At(_) => None,
        }
    }

    /// The serial number, where it has one.
    #[must_use]
    pub fn serial(&self) -> Option<&str> {
        match &self.place {
            Place::Usb { serial, .. } => serial.as_deref(),
            Place::At(_) => None,
        }
    }

    /// The port, where it is on the USB.
    #[must_use]
    pub const fn port(&self) -> Option<&Port> {
        match &self.place {
            Place::Usb { port, .. } => Some(port),
            Place::At(_) => None,
        }
    }

    /// How far the two are one device.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> Likeness {
        if self == other {
            return Likeness::Same;
        }
        let (
            Place::Usb {
                model,
                serial,
                port,
            },
            Place::Usb { .. },
        ) = (&self.place, &other.place)
        else {
            return Likeness::No;
        };
        let function = Some(port.interface()) == other.port().map(Port::interface);
        if Some(*model) != other.model() || !function || self.index != other.index {
            return Likeness::No;
        }
        match (serial.as_deref(), other.serial()) {
            (Some(own), Some(theirs)) if own == theirs => Likeness::Moved,
            (None, None) => Likeness::Model,
            (Some(_) | None, _) => Likeness::No,
        }
    }

    /// Whether this one, seen as `other`, is in another place. The kernel numbers its buses as it finds
    /// them: where a serial number says that it is the same, that is no move of anybody's.
    #[must_use]
    pub fn is_moved_to(&self, other: &Self) -> bool {
        let counted_otherwise = self
            .port()
            .zip(other.port())
            .is_some_and(|(own, theirs)| own.differs_in_bus_only(theirs));
        match self.likeness(other) {
            Likeness::Same => false,
            Likeness::Moved => !counted_otherwise,
            Likeness::Model | Likeness::No => true,
        }
    }

    /// Two functions behind one plug: camera and microphone of one conference bar.
    #[must_use]
    pub fn same_plug(&self, other: &Self) -> bool {
        match (self.port(), other.port()) {
            (Some(own), Some(theirs)) => own.same_plug(theirs) && self.model() == other.model(),
            (None, None) => self.place == other.place,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Usb {
                model,
                serial: Some(serial),
                port,
            } => write!(f, "usb:{model}/{serial}@{port}")?,
            Place::Usb {
                model,
                serial: None,
                port,
            } => write!(f, "usb:{model}@{port}")?,
            Place::At(place) => write!(f, "at:{place}")?,
        }
        if self.index > 0 {
            write!(f, "#{}", self.index)?;
        }
        Ok(())
    }
}

impl FromStr for DeviceId {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || IdentityError::Form(shown(text));
        let (rest, index) = match text.split_once('#') {
            Some((rest, index)) => (rest, number(index).ok_or_else(wrong)?),
            None => (text, 0),
        };
        let id = if let Some(place) = rest.strip_prefix("at:") {
            (!place.is_empty() && clean(place) == place).then(|| Self::at(place))
        } else {
            let (model, port) = rest
                .strip_prefix("usb:")
                .and_then(|rest| rest.split_once('@'))
                .ok_or_else(wrong)?;
            let (model, serial) = match model.split_once('/') {
                Some((model, serial)) => (model, Some(serial)),
                None => (model, None),
            };
            let id = Self::usb(model.parse()?, serial, port.parse()?);
            (id.serial() == serial).then_some(id)
        };
        Ok(id.ok_or_else(wrong)?.with_index(index))
    }
}

impl TryFrom<String> for DeviceId {
    type Error = IdentityError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DeviceId> for String {
    fn from(id: DeviceId) -> Self {
        id.to_string()
    }
}

/// Only characters that an identity's text does not need for itself.
fn clean(text: &str) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || "-_.:+".contains(c);
    text.trim()
        .chars()
        .take(SERIAL)
        .map(|c| if keep(c) { c } else { '_' })
        .collect()
}

/// Some makers leave a filler where the serial number belongs.
fn is_a_serial(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_alphanumeric() && c != '0')
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// A text that names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not vendor and product.
    #[error("`{0}` is not a USB id; write four hexadecimal digits each, such as `046d:0857`")]
    UsbId(String),
    /// Not a port.
    #[error("`{0}` is not a USB port; write bus, ports and interface, such as `1-1.4:1.0`")]
    Port(String),
    /// Of no known form.
    #[error(
        "`{0}` names no device; write it as the log shows it, such as \
         `usb:046d:0857@1-1.4:1.0`"
    )]
    Form(String),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(text: &str) -> DeviceId {
        text.parse().unwrap()
    }

    #[test]
    fn a_text_names_one_device() {
        for text in [
            "usb:046d:0857/A1B2@1-1.4:1.0",
            "usb:046d:0857@1-1.4:1.0",
            "usb:046d:0857@3-2:1.4#1",
            "at:platform-vivid.0",
            "at:pci-0000:00:1f.3#2",
        ] {
            assert_eq!(id(text).to_string(), text);
        }
        for text in [
            "",
            "usb:",
            "usb:46d:857@1-1:1.0",
            "usb:046d:0857@1-1",
            "usb:046d:0857@1-01:1.0",
            "usb:046d:0857/a b@1-1:1.0",
            "usb:046d:0857/000@1-1:1.0",
            "usb:046d:0857@1-1.1.1.1.1.1.1.1:1.0",
            "at:",
            "at:x#999",
            "camera",
        ] {
            let error = text.parse::<DeviceId>().unwrap_err().to_string();
            assert!(error.contains("such as"), "{text}: {error}");
        }
    }

    #[test]
    fn the_port_is_in_the_path() {
        let path = "/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.4/1-1.4:1.0/video4linux/video0";
        assert_eq!(Port::in_path(path).unwrap().to_string(), "1-1.4:1.0");
        assert_eq!(
            Port::in_path("/devices/platform/vivid.0/video4linux/video0"),
            None
        );
    }

    #[test]
    fn serial_number_and_port_tell_devices_apart() {
        let check = |one: &str, other: &str, likeness| {
            assert_eq!(id(one).likeness(&id(other)), likeness, "{one} {other}");
            assert_eq!(id(other).likeness(&id(one)), likeness, "{other} {one}");
        };
        let one = "usb:046d:0857/A@1-1.4:1.0";
        check(one, one, Likeness::Same);
        check(one, "usb:046d:0857/A@1-2:1.0", Likeness::Moved);
        check(one, "usb:046d:0857/B@1-1.4:1.0", Likeness::No);
        check(one, "usb:046d:0858/A@1-1.4:1.0", Likeness::No);
        check(one, "usb:046d:0857/A@1-1.4:1.2", Likeness::No);
        check(one, "usb:046d:0857@1-2:1.0", Likeness::No);
        let bare = "usb:046d:0857@1-1.4:1.0";
        check(bare, "usb:046d:0857@1-2:1.0", Likeness::Model);
        check("at:platform-a", "at:platform-b", Likeness::No);
        let moves = |from: &str, to: &str| id(from).is_moved_to(&id(to));
        assert!(!moves(one, one) && moves(one, "usb:046d:0857/A@1-2:1.0"));
        assert!(!moves(one, "usb:046d:0857/A@2-1.4:1.0"));
        assert!(moves(bare, "usb:046d:0857@2-1.4:1.0"));
        assert!(id(one).same_plug(&id("usb:046d:0857/A@1-1.4:1.2")));
        assert!(!id(one).same_plug(&id("usb:046d:0857/A@1-2:1.0")));
    }

    #[test]
    fn fillers_are_no_serial_numbers() {
        let port: Port = "1-1:1.0".parse().unwrap();
        let model: UsbId = "046d:0857".parse().unwrap();
        for filler in ["", "0000000", "  ", "----", "\u{0}\u{0}"] {
            let id = DeviceId::usb(model, Some(filler), port.clone());
            assert_eq!(id.serial(), None, "{filler:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_device_says_has_a_text_that_reads_back(
            serial in proptest::option::of(".{0,100}"), at in ".{1,100}", index: u8,
        ) {
            let port: Port = "2-4.1:1.3".parse().unwrap();
            let model: UsbId = "0b0e:0420".parse().unwrap();
            let usb = DeviceId::usb(model, serial.as_deref(), port).with_index(index);
            prop_assert_eq!(&usb.to_string().parse::<DeviceId>().unwrap(), &usb);
            let other = DeviceId::at(&at).with_index(index);
            if !other.to_string().starts_with("at:#") && other.to_string() != "at:" {
                prop_assert_eq!(&other.to_string().parse::<DeviceId>().unwrap(), &other);
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = text.parse::<DeviceId>();
            let _ = Port::in_path(&text);
        }
    }
}
