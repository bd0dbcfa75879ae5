// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `[[cameras]]`, `[[content]]` and `[display]`: which cameras and content inputs the room has, and how
//! its display wakes and sleeps.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use roomd_devices_core::camera::controls::Mains;
use roomd_devices_core::inventory::{Role, Roles};
use roomd_devices_core::visca::Protocol;
use toml::Spanned;

use crate::check::{Checked, Checker};
use crate::{Display, NamedCamera, NamedInput, NamedVisca, TEST_INPUT, raw};

/// Cameras of one room.
const CAMERAS: usize = 8;
/// Content inputs of one room.
const INPUTS: usize = 4;
const NAME: usize = 40;

impl Checker<'_> {
    pub(crate) fn cameras(&self, cameras: &[Spanned<raw::Camera>]) -> Checked<Vec<NamedCamera>> {
        if let Some(beyond) = cameras.get(CAMERAS) {
            return Err(self.error(beyond.span(), "a room has at most 8 cameras"));
        }
        let mut names = BTreeSet::new();
        let mut checked = Vec::new();
        for camera in cameras {
            let (span, camera) = (camera.span(), camera.get_ref());
            let (Some(name), Some(device)) = (&camera.name, &camera.device) else {
                return Err(self
                    .error(span, "a camera needs `name` and `device`")
                    .with_help(CAMERA));
            };
            let camera = NamedCamera {
                name: self.words(name, NAME)?,
                device: device.get_ref().clone(),
                visca: self.visca(camera)?,
            };
            if !names.insert(camera.name.clone()) {
                return Err(self.error(name.span(), "two cameras have this name"));
            }
            Roles::default()
                .give(Role::Camera(camera.name.clone()), &camera.device)
                .map_err(|_| {
                    self.error(device.span(), "names no camera")
                        .with_help(CAMERA)
                })?;
            checked.push(camera);
        }
        Ok(checked)
    }

    pub(crate) fn content(&self, inputs: &[Spanned<raw::Content>]) -> Checked<Vec<NamedInput>> {
        if let Some(beyond) = inputs.get(INPUTS) {
            return Err(self.error(beyond.span(), "a room has at most 4 content inputs"));
        }
        let mut names = BTreeSet::new();
        let mut checked = Vec::new();
        for input in inputs {
            let (span, input) = (input.span(), input.get_ref());
            let (Some(name), Some(device)) = (&input.name, &input.device) else {
                return Err(self
                    .error(span, "a content input needs `name` and `device`")
                    .with_help(CAMERA));
            };
            let input = NamedInput {
                name: self.words(name, NAME)?,
                device: device.get_ref().clone(),
            };
            if !names.insert(input.name.clone()) {
                return Err(self.error(name.span(), "two content inputs have this name"));
            }
            let given = Roles::default().give(Role::Content(input.name.clone()), &input.device);
            if input.device != TEST_INPUT && given.is_err() {
                return Err(self
                    .error(device.span(), "names no capture device")
                    .with_help(CAMERA));
            }
            checked.push(input);
        }
        Ok(checked)
    }

    fn visca(&self, camera: &raw::Camera) -> Checked<Option<NamedVisca>> {
        let protocol = camera.visca_protocol.as_ref();
        let Some(address) = &camera.visca else {
            return match protocol {
                Some(protocol) => Err(self
                    .error(protocol.span(), "this camera has no address")
                    .with_help("write `visca = \"192.0.2.7\"` beside it")),
                None => Ok(None),
            };
        };
        let protocol = protocol.map_or_else(Protocol::default, |it| *it.get_ref());
        let text = address.get_ref();
        let alone = || Some(SocketAddr::new(text.parse().ok()?, protocol.port()));
        let address = text.parse().ok().or_else(alone).ok_or_else(|| {
            let help = format!(
                "write an IP address such as \"192.0.2.7\", with a port where it is not {}",
                protocol.port()
            );
            self.error(address.span(), "not an address").with_help(help)
        })?;
        Ok(Some(NamedVisca { address, protocol }))
    }

    pub(crate) fn display(&self, display: &raw::Display) -> Checked<Display> {
        let default = Display::default();
        let minutes = |value: &Option<Spanned<i64>>, range, default| match value {
            Some(value) => Ok(Duration::from_secs(self.number(value, range)? * 60)),
            None => Ok(default),
        };
        Ok(Display {
            power: display.power.unwrap_or_default(),
            connector: display
                .connector
                .as_ref()
                .map(|name| self.words(name, 32))
                .transpose()?,
            cec: display
                .cec
                .as_ref()
                .map(|path| self.path(path))
                .transpose()?,
            wake: minutes(&display.wake_minutes, 0..=60, default.wake)?,
            standby: minutes(&display.standby_minutes, 1..=720, default.standby)?,
            quirks: display
                .quirks
                .as_ref()
                .map(|path| self.path(path))
                .transpose()?,
        })
    }

    pub(crate) fn mains(&self, hertz: Option<&Spanned<i64>>) -> Checked<Mains> {
        let Some(hertz) = hertz else {
            return Ok(Mains::default());
        };
        match *hertz.get_ref() {
            50 => Ok(Mains::Hz50),
            60 => Ok(Mains::Hz60),
            _ => Err(self
                .error(hertz.span(), "no frequency of the mains")
                .with_help("use 50 or 60")),
        }
    }
}

const CAMERA: &str = "write `name = \"Front\"` and a device: a USB id such as \"046d:0857\", an \
                      identity such as \"usb:046d:0857/A1B2@1-1.4:1.0\", or \"/dev/video0\"";
