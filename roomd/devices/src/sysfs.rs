// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the kernel shows as files below `/sys`: the connectors of graphics cards and the displays on
//! them, and how HID devices describe their reports.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use roomd_devices_core::display::edid::{Edid, EdidError};

/// More data than any display or HID device has.
const LENGTH: u64 = 32 * 1024;
/// Connectors that are looked at.
const CONNECTORS: usize = 32;

/// The folder, which tests put elsewhere.
#[derive(Clone, Debug)]
pub struct Sysfs(PathBuf);

impl Default for Sysfs {
    fn default() -> Self {
        Self(PathBuf::from("/sys"))
    }
}

/// A connector of a graphics card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connector {
    /// The graphics card, such as `card0`.
    pub card: String,
    /// The connector, such as `HDMI-A-1`.
    pub name: String,
    /// The kernel's number for it on its card, which CEC adapters name; older kernels do not say.
    pub number: Option<u32>,
    /// Whether a display is plugged in.
    pub connected: bool,
    /// Whether it shows something.
    pub enabled: bool,
    /// What the display says about itself.
    pub edid: Result<Edid, EdidError>,
    /// The bus for DDC/CI, such as `/dev/i2c-4`; none where the kernel gives programs no node for it.
    pub bus: Option<PathBuf>,
}

impl Sysfs {
    /// Another folder than `/sys`.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// The connectors of all graphics cards, by their names; none on a machine without one.
    #[must_use]
    pub fn connectors(&self) -> Vec<Connector> {
        let folders = fs::read_dir(self.0.join("class/drm")).into_iter().flatten();
        let mut connectors: Vec<Connector> = folders
            .flatten()
            .filter_map(|folder| {
                let name = folder.file_name().into_string().ok()?;
                let (card, name) = name.split_once('-')?;
                card.starts_with("card")
                    .then(|| self.connector(&folder.path(), card, name))
            })
            .take(CONNECTORS)
            .collect();
        connectors.sort_by(|a, b| (&a.card, &a.name).cmp(&(&b.card, &b.name)));
        connectors
    }

    /// Whether the CEC adapter with this path below `/sys` belongs to a device that also has nodes for
    /// video, as a receiver of HDMI has: what it speaks to is no display of the room.
    pub(crate) fn captures(&self, path: &str) -> bool {
        // The kernel puts an adapter right below its device.
        let path = Path::new(path.trim_start_matches('/'));
        let device = path.parent().filter(|it| !it.as_os_str().is_empty());
        device.is_some_and(|device| self.0.join(device).join("video4linux").is_dir())
    }

    /// How the HID device behind a node such as `/dev/hidraw0` describes its reports.
    pub(crate) fn report_descriptor(&self, node: &Path) -> io::Result<Vec<u8>> {
        let name = node.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let device = self.0.join("class/hidraw").join(name).join("device");
        read(&device.join("report_descriptor"))
    }

    fn connector(&self, folder: &Path, card: &str, name: &str) -> Connector {
        let word = |file: &str| {
            let bytes = read(&folder.join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).trim().to_owned()
        };
        Connector {
            card: card.to_owned(),
            name: name.to_owned(),
            number: word("connector_id").parse().ok(),
            connected: word("status") == "connected",
            enabled: word("enabled") == "enabled",
            edid: Edid::parse(&read(&folder.join("edid")).unwrap_or_default()),
            bus: self.bus(folder),
        }
    }

    /// A link to the bus, or a folder of it within the connector's. Graphics drivers name it whether
    /// or not `i2c-dev`, which makes the nodes, is loaded.
    fn bus(&self, connector: &Path) -> Option<PathBuf> {
        let link = fs::read_link(connector.join("ddc")).ok();
        let name = link.as_deref().and_then(Path::file_name);
        let name = match name {
            Some(name) => name.to_owned(),
            None => fs::read_dir(connector)
                .ok()?
                .flatten()
                .map(|entry| entry.file_name())
                .find(|name| name.to_string_lossy().starts_with("i2c-"))?,
        };
        let number = name.to_str()?.strip_prefix("i2c-")?.parse::<u32>().ok()?;
        let name = format!("i2c-{number}");
        let has_node = self.0.join("class/i2c-dev").join(&name).exists();
        has_node.then(|| Path::new("/dev").join(name))
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LENGTH).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A folder with one connector that has a display with damaged data.
    pub(crate) fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let drm = root.path().join("class/drm");
        let connector = drm.join("card0-HDMI-A-1");
        fs::create_dir_all(connector.join("i2c-7")).unwrap();
        fs::create_dir_all(root.path().join("class/i2c-dev/i2c-7")).unwrap();
        fs::create_dir_all(drm.join("card0-eDP-1")).unwrap();
        fs::create_dir_all(drm.join("renderD128")).unwrap();
        fs::write(connector.join("status"), "connected\n").unwrap();
        fs::write(connector.join("enabled"), "enabled\n").unwrap();
        fs::write(connector.join("edid"), [0; 128]).unwrap();
        fs::write(drm.join("version"), "drm 1.1.0").unwrap();
        root
    }

    #[test]
    fn connectors_are_folders() {
        let root = tree();
        let connectors = Sysfs::at(root.path()).connectors();
        let names: Vec<&str> = connectors.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["HDMI-A-1", "eDP-1"]);
        let hdmi = &connectors[0];
        assert!(hdmi.connected && hdmi.enabled);
        assert_eq!(hdmi.number, None);
        let number = root.path().join("class/drm/card0-HDMI-A-1/connector_id");
        fs::write(number, "92\n").unwrap();
        let numbered = &Sysfs::at(root.path()).connectors()[0];
        assert_eq!(numbered.number, Some(92));
        assert_eq!(hdmi.edid, Err(EdidError::Header));
        assert_eq!(hdmi.bus, Some(PathBuf::from("/dev/i2c-7")));
        assert!(!connectors[1].connected);
        assert_eq!(connectors[1].edid, Err(EdidError::Empty));
    }

    #[test]
    fn a_bus_without_a_node_is_none() {
        let root = tree();
        let sysfs = Sysfs::at(root.path());
        fs::remove_dir(root.path().join("class/i2c-dev/i2c-7")).unwrap();
        assert_eq!(sysfs.connectors()[0].bus, None);
        // A link names the bus as well, and dangles in this folder.
        let connector = root.path().join("class/drm/card0-HDMI-A-1");
        std::os::unix::fs::symlink("../../i2c-4", connector.join("ddc")).unwrap();
        assert_eq!(sysfs.connectors()[0].bus, None);
        fs::create_dir(root.path().join("class/i2c-dev/i2c-4")).unwrap();
        let bus = sysfs.connectors()[0].bus.clone();
        assert_eq!(bus, Some(PathBuf::from("/dev/i2c-4")));
    }

    #[test]
    fn an_adapter_beside_nodes_for_video_is_a_receivers() {
        let root = tempfile::tempdir().unwrap();
        let sysfs = Sysfs::at(root.path());
        for device in ["devices/platform/vivid.0/video4linux", "devices/serio0"] {
            fs::create_dir_all(root.path().join(device)).unwrap();
        }
        assert!(sysfs.captures("/devices/platform/vivid.0/cec0"));
        for other in ["/devices/serio0/cec0", "/devices/none/cec1", "/cec2", ""] {
            assert!(!sysfs.captures(other), "{other}");
        }
    }

    #[test]
    fn a_machine_without_devices_has_nothing() {
        let root = tempfile::tempdir().unwrap();
        let sysfs = Sysfs::at(root.path());
        assert_eq!(sysfs.connectors(), []);
        assert!(sysfs.report_descriptor(Path::new("/dev/hidraw0")).is_err());
        assert!(sysfs.report_descriptor(Path::new("/")).is_err());
    }
}
