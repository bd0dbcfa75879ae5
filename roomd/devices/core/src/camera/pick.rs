// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which cameras the room has, under which names, and which of them is in use.
//!
//! Cameras of the configuration come first, in its order; then whatever else is plugged in. What a
//! person chose is used while it is there, and again when it comes back.

use std::collections::BTreeSet;

use crate::device::Kind;
use crate::identity::DeviceId;
use crate::inventory::{Entry, Role};

/// A camera of the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomCamera {
    /// Its name from the configuration, or what it calls itself.
    pub name: String,
    /// Whether the configuration names it.
    pub configured: bool,
    /// Who and where it is, when it may be used.
    pub there: Option<There>,
}

impl RoomCamera {
    /// Whether it is there, and this one.
    #[must_use]
    pub fn is(&self, id: &DeviceId) -> bool {
        self.there.as_ref().is_some_and(|there| there.id == *id)
    }
}

/// A camera that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct There {
    /// Who it is.
    pub id: DeviceId,
    /// How it is opened, such as `/dev/video0`.
    pub node: String,
    /// What it calls itself.
    pub label: String,
    /// Speed of its USB connection in Mbit/s, where known.
    pub usb_speed: Option<u32>,
    /// How often it came; another number is another time that it was plugged in.
    pub arrivals: u64,
}

/// The room's cameras, given the names of the configuration in order.
#[must_use]
pub fn cameras<'a>(entries: impl Iterator<Item = &'a Entry>, named: &[String]) -> Vec<RoomCamera> {
    let usable: Vec<&Entry> = entries
        .filter(|entry| entry.usable && entry.device.kind == Kind::Camera)
        .collect();
    let role_of = |name: &str| Role::Camera(name.to_owned());
    let mut cameras: Vec<RoomCamera> = named
        .iter()
        .map(|name| {
            let mut found = usable.iter();
            let entry = found.find(|entry| entry.role.as_ref() == Some(&role_of(name)));
            RoomCamera {
                name: name.clone(),
                configured: true,
                there: entry.map(|entry| there(entry)),
            }
        })
        .collect();
    for entry in usable.iter().filter(|entry| entry.role.is_none()) {
        let name = free_name(&cameras, &entry.device.label);
        cameras.push(RoomCamera {
            name,
            configured: false,
            there: Some(there(entry)),
        });
    }
    cameras
}

pub(crate) fn there(entry: &Entry) -> There {
    There {
        id: entry.device.id.clone(),
        node: entry.device.node.clone(),
        label: entry.device.label.clone(),
        usb_speed: entry.device.usb_speed,
        arrivals: entry.arrivals,
    }
}

/// Takes what is no camera off the list, as it receives what others send; unless the configuration
/// names it one.
pub fn leave_out(cameras: &mut Vec<RoomCamera>, receivers: &BTreeSet<DeviceId>) {
    cameras.retain(|camera| {
        let id = camera.there.as_ref().map(|there| &there.id);
        camera.configured || !id.is_some_and(|id| receivers.contains(id))
    });
}

/// Two cameras of a model are called the same.
fn free_name(cameras: &[RoomCamera], label: &str) -> String {
    let taken = |name: &str| cameras.iter().any(|camera| camera.name == name);
    let mut name = label.to_owned();
    let mut number = 2;
    while taken(&name) {
        name = format!("{label} {number}");
        number += 1;
    }
    name
}

/// Which camera is in use: what a person chose, otherwise the first of the configuration, otherwise
/// the one of before, otherwise any.
#[must_use]
pub fn pick<'a>(
    cameras: &'a [RoomCamera],
    chosen: Option<&str>,
    before: Option<&DeviceId>,
) -> Option<&'a RoomCamera> {
    let there = || cameras.iter().filter(|camera| camera.there.is_some());
    let is_before = |camera: &&RoomCamera| {
        let there = camera.there.as_ref();
        before.is_some() && there.map(|there| &there.id) == before
    };
    there()
        .find(|camera| Some(camera.name.as_str()) == chosen)
        .or_else(|| there().find(|camera| camera.configured))
        .or_else(|| there().find(is_before))
        .or_else(|| there().next())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::device::tests::camera;
    use crate::inventory::{Event, Inventory, Roles};

    fn room(roles: &[(&str, &str)]) -> Inventory {
        let mut all = Roles::default();
        for (name, device) in roles {
            all.give(Role::Camera((*name).to_owned()), device).unwrap();
        }
        Inventory::new(all)
    }

    fn plug(inventory: &mut Inventory, port: &str, serial: &str, node: u32) {
        inventory.handle(Event::Added(camera(port, serial, node)), Instant::now());
    }

    fn picked(inventory: &Inventory, named: &[String], chosen: Option<&str>) -> Option<String> {
        let cameras = cameras(inventory.entries(), named);
        pick(&cameras, chosen, None).map(|camera| camera.name.clone())
    }

    #[test]
    fn equal_cameras_are_told_apart_by_serial_number_whatever_their_order() {
        let named = ["Front".to_owned(), "Back".to_owned()];
        let roles = [
            ("Front", "usb:046d:0857/A1@1-1.4:1.0"),
            ("Back", "usb:046d:0857/B2@1-1.3:1.0"),
        ];
        for order in [["A1", "B2"], ["B2", "A1"]] {
            let mut inventory = room(&roles);
            plug(&mut inventory, "1-1.2:1.0", order[0], 0);
            plug(&mut inventory, "1-1.1:1.0", order[1], 2);
            let cameras = cameras(inventory.entries(), &named);
            let serial = |at: usize| cameras[at].there.as_ref().unwrap().id.serial().unwrap();
            assert_eq!((cameras.len(), serial(0), serial(1)), (2, "A1", "B2"));
        }
    }

    #[test]
    fn what_a_person_chose_is_used_again_when_it_is_back() {
        let named = ["Front".to_owned(), "Back".to_owned()];
        let roles = [
            ("Front", "usb:046d:0857/A1@1-1.4:1.0"),
            ("Back", "usb:046d:0857/B2@1-1.3:1.0"),
        ];
        let mut inventory = room(&roles);
        assert_eq!(picked(&inventory, &named, Some("Back")), None);
        plug(&mut inventory, "1-1.4:1.0", "A1", 0);
        plug(&mut inventory, "1-1.3:1.0", "B2", 2);
        assert_eq!(picked(&inventory, &named, None).unwrap(), "Front");
        assert_eq!(picked(&inventory, &named, Some("Back")).unwrap(), "Back");
        let path = camera("1-1.3:1.0", "B2", 2).path;
        inventory.handle(Event::Removed(path), Instant::now());
        assert_eq!(picked(&inventory, &named, Some("Back")).unwrap(), "Front");
        plug(&mut inventory, "1-1.3:1.0", "B2", 4);
        assert_eq!(picked(&inventory, &named, Some("Back")).unwrap(), "Back");
    }

    #[test]
    fn without_a_configuration_the_camera_in_use_stays() {
        let mut inventory = room(&[]);
        plug(&mut inventory, "1-1.4:1.0", "B2", 0);
        let before = inventory.usable().next().unwrap().device.id.clone();
        plug(&mut inventory, "1-1.3:1.0", "A1", 2);
        let all = cameras(inventory.entries(), &[]);
        let names: Vec<&str> = all.iter().map(|camera| camera.name.as_str()).collect();
        assert_eq!(names, ["Logi Group Camera", "Logi Group Camera 2"]);
        let id = |camera: &RoomCamera| camera.there.clone().unwrap().id;
        assert_eq!(id(pick(&all, None, Some(&before)).unwrap()), before);
    }

    #[test]
    fn a_configured_camera_that_is_missing_is_listed_and_another_stands_in() {
        let mut inventory = room(&[("Front", "usb:046d:0857/A1@1-1.4:1.0")]);
        plug(&mut inventory, "1-1.1:1.0", "Z9", 0);
        let all = cameras(inventory.entries(), &["Front".to_owned()]);
        assert_eq!((all[0].configured, &all[0].there), (true, &None));
        let standing_in = pick(&all, None, None).unwrap();
        assert_eq!(standing_in.name, "Logi Group Camera");
        assert!(!standing_in.configured);
    }

    #[test]
    fn what_receives_is_no_camera_unless_it_is_named_one() {
        let mut inventory = room(&[("Wall", "usb:046d:0857/B2@1-1.3:1.0")]);
        plug(&mut inventory, "1-1.4:1.0", "A1", 0);
        plug(&mut inventory, "1-1.3:1.0", "B2", 2);
        let ids = inventory.usable().map(|entry| entry.device.id.clone());
        let mut all = cameras(inventory.entries(), &["Wall".to_owned()]);
        leave_out(&mut all, &ids.collect());
        let names: Vec<&str> = all.iter().map(|camera| camera.name.as_str()).collect();
        assert_eq!(names, ["Wall"]);
    }
}
