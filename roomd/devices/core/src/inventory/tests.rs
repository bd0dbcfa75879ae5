// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use proptest::prelude::*;

use super::*;
use crate::device::tests::{camera, properties};

const LEFT: &str = "1-1.4:1.0";
const RIGHT: &str = "1-2:1.0";

fn roles(lines: &[(Role, &str)]) -> Roles {
    let mut roles = Roles::default();
    for (role, device) in lines {
        roles.give(role.clone(), device).unwrap();
    }
    roles
}

fn front() -> Role {
    Role::Camera("front".to_owned())
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn gone(properties: &Properties) -> Event {
    Event::Removed(properties.path.clone())
}

#[test]
fn a_camera_comes_goes_and_returns() {
    let front_id = "usb:046d:0857/A@1-1.4:1.0";
    let mut inventory = Inventory::new(roles(&[(front(), front_id)]));
    let (start, one) = (Instant::now(), camera(LEFT, "A", 0));
    let id: DeviceId = front_id.parse().unwrap();
    let effects = inventory.handle(Event::Added(one.clone()), start);
    assert_eq!(effects, [Effect::Appeared(id.clone(), Some(front()))]);
    assert_eq!(inventory.handle(Event::Changed(one.clone()), start), []);
    let effects = inventory.handle(gone(&one), start + seconds(1));
    assert_eq!(effects, [Effect::Gone(id.clone(), Some(front()))]);
    assert_eq!(inventory.with_role(&front()), None);
    assert_eq!(inventory.handle(gone(&one), start + seconds(1)), []);
    // The kernel counts nodes on: another number is the same camera.
    let again = camera(LEFT, "A", 4);
    let effects = inventory.handle(Event::Added(again), start + seconds(3));
    assert_eq!(effects, [Effect::Returned(id, Some(front()), seconds(2))]);
    let entry = inventory.with_role(&front()).unwrap();
    assert_eq!(entry.device.node, "/dev/video4");
    assert_eq!(entry.arrivals, 2);
}

#[test]
fn a_serial_number_follows_to_another_port_and_keeps_the_role() {
    let left = "usb:046d:0857/A@1-1.4:1.0";
    let mut inventory = Inventory::new(roles(&[(front(), left)]));
    let (start, one) = (Instant::now(), camera(LEFT, "A", 0));
    inventory.handle(Event::Added(one.clone()), start);
    inventory.handle(gone(&one), start);
    let effects = inventory.handle(Event::Added(camera(RIGHT, "A", 0)), start);
    assert_eq!(
        effects,
        [Effect::Moved {
            from: left.parse().unwrap(),
            to: "usb:046d:0857/A@1-2:1.0".parse().unwrap(),
            role: Some(front()),
            certain: true,
        }]
    );
    // After a restart in the other port the role is found by the serial number.
    let mut fresh = Inventory::new(roles(&[(front(), left)]));
    fresh.handle(Event::Added(camera(RIGHT, "A", 0)), start);
    assert_eq!(fresh.usable().next().unwrap().role, Some(front()));
}

#[test]
fn one_serial_number_for_two_gives_each_the_role_of_its_port() {
    let back = Role::Camera("back".to_owned());
    let (left, right) = (camera(LEFT, "A", 0), camera(RIGHT, "A", 2));
    let (at_left, at_right) = ("usb:046d:0857/A@1-1.4:1.0", "usb:046d:0857/A@1-2:1.0");
    let lines = [(front(), at_left), (back.clone(), at_right)];
    let role = |inventory: &Inventory, device: &Properties| {
        let mut usable = inventory.usable();
        let entry = usable
            .find(|entry| entry.device.path == device.path)
            .unwrap();
        (entry.role.clone(), entry.elsewhere)
    };
    for order in [[&left, &right], [&right, &left]] {
        let (inventory, _) = restarted(&lines, &Places::default(), &order.map(Clone::clone));
        assert_eq!(role(&inventory, &left), (Some(front()), false));
        assert_eq!(role(&inventory, &right), (Some(back.clone()), false));
    }
    // Whoever is in the other one's port is the other one, also while that is away.
    let (mut inventory, now) = (Inventory::new(roles(&lines)), Instant::now());
    inventory.handle(Event::Added(left.clone()), now);
    inventory.handle(gone(&left), now);
    let effects = inventory.handle(Event::Added(right.clone()), now);
    let id = at_right.parse().unwrap();
    assert_eq!(effects, [Effect::Appeared(id, Some(back))]);
    // Where one place is named, the one in it is meant, whichever was seen first.
    let lines = [(front(), at_right)];
    for order in [[&left, &right], [&right, &left]] {
        let (inventory, _) = restarted(&lines, &Places::default(), &order.map(Clone::clone));
        assert_eq!(role(&inventory, &left), (None, false));
        assert_eq!(role(&inventory, &right), (Some(front()), false));
    }
}

#[test]
fn what_is_plugged_back_is_where_the_configuration_names_it() {
    let now = Instant::now();
    for serial in ["A", ""] {
        let (left, right) = (camera(LEFT, serial, 0), camera(RIGHT, serial, 0));
        let id = Device::from_properties(&left).unwrap().id.to_string();
        let mut inventory = Inventory::new(roles(&[(front(), &id)]));
        let mut elsewhere = |there: &Properties, before: &Properties| {
            inventory.handle(gone(before), now);
            inventory.handle(Event::Added(there.clone()), now);
            inventory.with_role(&front()).unwrap().elsewhere
        };
        assert!(!elsewhere(&left, &right));
        assert!(elsewhere(&right, &left));
        assert!(!elsewhere(&left, &right));
        assert_eq!(inventory.entries().count(), 1);
    }
    // A place that no setting names, and a bus that is numbered otherwise, are no other ones.
    let other_bus = camera("2-1.4:1.0", "A", 0);
    for lines in [vec![], vec![(front(), "usb:046d:0857/A@1-1.4:1.0")]] {
        let mut inventory = Inventory::new(roles(&lines));
        inventory.handle(Event::Added(other_bus.clone()), now);
        assert!(inventory.usable().all(|entry| !entry.elsewhere));
    }
}

/// What a restart tells: the places are kept, and everything is listed again.
fn restarted(
    lines: &[(Role, &str)],
    places: &Places,
    there: &[Properties],
) -> (Inventory, Vec<Effect>) {
    let mut inventory = Inventory::new(roles(lines));
    for device in there {
        inventory.list(device, Instant::now());
    }
    let effects = inventory.recall(places.clone());
    (inventory, effects)
}

fn moved(from: &str, to: &str, role: Option<Role>, certain: bool) -> Effect {
    Effect::Moved {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        role,
        certain,
    }
}

#[test]
fn what_was_moved_while_the_room_was_off_is_told_at_its_start() {
    let lines = [(front(), "usb:046d:0857/A@1-1.4:1.0")];
    let (left, right) = (camera(LEFT, "A", 0), camera(RIGHT, "A", 0));
    let (first, effects) = restarted(&lines, &Places::default(), std::slice::from_ref(&left));
    assert_eq!(effects, [], "what was never seen is not moved");
    let (_, effects) = restarted(&lines, &first.places(), &[left]);
    assert_eq!(effects, []);
    let there = std::slice::from_ref(&right);
    let (second, effects) = restarted(&lines, &first.places(), there);
    let to = "usb:046d:0857/A@1-2:1.0";
    assert_eq!(effects, [moved(lines[0].1, to, Some(front()), true)]);
    // It is told once: the serial number gives it its role in the new place too.
    let (_, effects) = restarted(&lines, &second.places(), there);
    assert_eq!(effects, []);
    // The kernel numbered its buses otherwise.
    let other_bus = camera("2-1.4:1.0", "A", 0);
    let (_, effects) = restarted(&lines, &first.places(), &[other_bus]);
    assert_eq!(effects, []);
    // It comes after the start.
    let (mut late, effects) = restarted(&lines, &first.places(), &[]);
    assert_eq!(effects, []);
    let effects = late.handle(Event::Added(right), Instant::now());
    assert_eq!(effects, [moved(lines[0].1, to, Some(front()), true)]);
}

#[test]
fn a_guess_over_a_restart_holds_until_the_setting_fits() {
    let lines = [(front(), "usb:046d:0857@1-1.4:1.0")];
    let (left, right) = (camera(LEFT, "", 0), camera(RIGHT, "", 0));
    let (first, _) = restarted(&lines, &Places::default(), std::slice::from_ref(&left));
    let to = "usb:046d:0857@1-2:1.0";
    let guess = moved(lines[0].1, to, Some(front()), false);
    let there = std::slice::from_ref(&right);
    let (mut places, mut last) = (first.places(), None);
    for _ in 0..3 {
        let (inventory, effects) = restarted(&lines, &places, there);
        assert_eq!(effects, std::slice::from_ref(&guess));
        assert_eq!(
            inventory.with_role(&front()).unwrap().device.path,
            right.path
        );
        places = inventory.places();
        last = Some(inventory);
    }
    // A move that was seen is kept the same way.
    let mut seen = first;
    seen.handle(gone(&left), Instant::now());
    seen.handle(Event::Added(right.clone()), Instant::now());
    assert_eq!(seen.places(), last.unwrap().places());
    // Another one is plugged in where it was: the setting means that one.
    let (inventory, effects) = restarted(&lines, &places, &[left.clone(), right.clone()]);
    assert_eq!(effects, []);
    assert_eq!(
        inventory.with_role(&front()).unwrap().device.path,
        left.path
    );
    // The setting is changed.
    let changed = [(front(), to)];
    let (_, effects) = restarted(&changed, &places, there);
    assert_eq!(effects, []);
}

#[test]
fn of_several_that_it_might_be_nothing_is_guessed_over_a_restart() {
    let lines = [(front(), "usb:046d:0857@1-1.4:1.0")];
    let (first, _) = restarted(&lines, &Places::default(), &[camera(LEFT, "", 0)]);
    // Two new ones, either of which might be the missing one.
    let there = [camera(RIGHT, "", 0), camera("1-3:1.0", "", 2)];
    let (inventory, effects) = restarted(&lines, &first.places(), &there);
    assert_eq!(effects, []);
    assert_eq!(inventory.with_role(&front()), None);
}

#[test]
fn two_equal_cameras_stay_apart() {
    // No serial number, and one that the maker gave to all.
    for serial in ["", "200901010001"] {
        let mut inventory = Inventory::default();
        let now = Instant::now();
        let (left, right) = (camera(LEFT, serial, 0), camera(RIGHT, serial, 1));
        let kinds = |effects: Vec<Effect>| {
            let appeared = |e: &Effect| matches!(e, Effect::Appeared(..));
            assert!(effects.iter().all(appeared), "{serial}: {effects:?}");
        };
        kinds(inventory.handle(Event::Added(left.clone()), now));
        kinds(inventory.handle(Event::Added(right.clone()), now));
        assert_eq!(inventory.usable().count(), 2);
        // Both gone, back in the other order: each is itself.
        inventory.handle(gone(&left), now);
        inventory.handle(gone(&right), now);
        for one in [right, left] {
            let effects = inventory.handle(Event::Added(one), now);
            assert!(matches!(effects[..], [Effect::Returned(..)]), "{effects:?}");
        }
    }
}

#[test]
fn a_move_without_serial_number_is_a_guess_and_only_when_one_is_missing() {
    let now = Instant::now();
    let (left, right) = (camera(LEFT, "", 0), camera(RIGHT, "", 1));
    let mut inventory = Inventory::default();
    inventory.handle(Event::Added(left.clone()), now);
    inventory.handle(Event::Added(right.clone()), now);
    inventory.handle(gone(&left), now);
    let elsewhere = camera("1-3:1.0", "", 2);
    let effects = inventory.handle(Event::Added(elsewhere.clone()), now);
    assert!(
        matches!(effects[..], [Effect::Moved { certain: false, .. }]),
        "{effects:?}"
    );
    inventory.handle(gone(&elsewhere), now);
    inventory.handle(gone(&right), now);
    let effects = inventory.handle(Event::Added(camera("1-4:1.0", "", 3)), now);
    assert!(matches!(effects[..], [Effect::Appeared(..)]), "{effects:?}");
}

#[test]
fn several_nodes_of_one_driver_are_several_devices() {
    let now = Instant::now();
    let mut inventory = Inventory::default();
    for node in [0, 2] {
        let path = format!("/devices/platform/vivid.0/video4linux/video{node}");
        let name = format!("/dev/video{node}");
        let vivid = properties(&path, "video4linux", &[("DEVNAME", &name)]);
        inventory.handle(Event::Added(vivid.clone()), now);
        assert_eq!(inventory.list(&vivid, now), []);
        assert_eq!(inventory.handle(Event::Changed(vivid), now), []);
    }
    let ids: Vec<String> = inventory
        .usable()
        .map(|e| e.device.id.to_string())
        .collect();
    assert_eq!(ids, ["at:platform-vivid.0", "at:platform-vivid.0#1"]);
}

#[test]
fn a_graphics_card_says_that_a_display_was_plugged() {
    let now = Instant::now();
    let mut inventory = Inventory::default();
    let path = "/devices/pci0000:00/0000:00:02.0/drm/card0";
    let card = properties(path, "drm", &[("DEVNAME", "/dev/dri/card0")]);
    inventory.handle(Event::Added(card.clone()), now);
    assert_eq!(inventory.list(&card, now), []);
    let effects = inventory.handle(Event::Changed(card), now);
    assert!(matches!(effects[..], [Effect::Changed(..)]), "{effects:?}");
}

#[test]
fn a_sound_card_is_there_once_udev_has_seen_to_its_nodes() {
    let now = Instant::now();
    let path = "/devices/pci0000:00/0000:00:1f.3/sound/card0";
    let known = ("USEC_INITIALIZED", "1");
    let bare = properties(path, "sound", &[]);
    let early = properties(path, "sound", &[known]);
    let whole = properties(path, "sound", &[known, ("SOUND_INITIALIZED", "1")]);
    let mut inventory = Inventory::default();
    assert_eq!(inventory.handle(Event::Added(early.clone()), now), []);
    assert_eq!(inventory.list(&early, now), []);
    let effects = inventory.handle(Event::Changed(whole.clone()), now);
    assert!(matches!(effects[..], [Effect::Appeared(..)]), "{effects:?}");
    assert_eq!(inventory.list(&whole, now), []);
    // It was there before the start.
    let effects = Inventory::default().list(&whole, now);
    assert!(matches!(effects[..], [Effect::Appeared(..)]), "{effects:?}");
    // udev is not up yet, or never is.
    let mut inventory = Inventory::default();
    let effects = inventory.list(&bare, now);
    assert!(matches!(effects[..], [Effect::Appeared(..)]), "{effects:?}");
    let effects = inventory.handle(Event::Added(early), now);
    assert!(matches!(effects[..], [Effect::Gone(..)]), "{effects:?}");
    let effects = inventory.handle(Event::Changed(whole), now);
    assert!(matches!(effects[..], [Effect::Returned(..)]), "{effects:?}");
}

#[test]
fn a_loose_plug_is_set_aside_until_it_is_quiet() {
    let mut inventory = Inventory::default();
    let (start, one) = (Instant::now(), camera(LEFT, "A", 0));
    let (mut now, mut effects) = (start, Vec::new());
    for _ in 0..200 {
        now += Duration::from_millis(50);
        effects.extend(inventory.handle(Event::Added(one.clone()), now));
        effects.extend(inventory.handle(gone(&one), now));
    }
    let aside = |e: &&Effect| matches!(e, Effect::SetAside(..));
    assert_eq!(effects.iter().filter(aside).count(), 1);
    assert!(effects.len() < 30, "{}", effects.len());
    assert_eq!(inventory.handle(Event::Added(one), now), []);
    assert_eq!(inventory.usable().count(), 0);
    let (at, _) = inventory.poll_timeout().unwrap();
    assert_eq!(inventory.handle_timeout(at - seconds(1)), []);
    let effects = inventory.handle_timeout(at);
    assert!(matches!(effects[..], [Effect::Returned(..)]), "{effects:?}");
    assert_eq!(inventory.poll_timeout(), None);
}

#[test]
fn a_person_who_plugs_a_hundred_times_is_no_flood_and_costs_nothing() {
    let mut inventory = Inventory::default();
    let (mut now, one) = (Instant::now(), camera(LEFT, "A", 0));
    for _ in 0..100 {
        now += seconds(2);
        assert_eq!(inventory.handle(Event::Added(one.clone()), now).len(), 1);
        now += seconds(1);
        let effects = inventory.handle(gone(&one), now);
        assert!(matches!(effects[..], [Effect::Gone(..)]), "{effects:?}");
    }
    assert_eq!(inventory.entries().count(), 1);
    assert!(inventory.entries().all(|e| e.changes.len() <= CHANGES));
}

#[test]
fn a_flood_of_devices_has_a_bound_and_roles_are_kept() {
    let front_id = "usb:046d:0857/A@1-1.4:1.0";
    let mut inventory = Inventory::new(roles(&[(front(), front_id)]));
    let now = Instant::now();
    inventory.handle(Event::Added(camera(LEFT, "A", 0)), now);
    inventory.handle(gone(&camera(LEFT, "A", 0)), now);
    for n in 0..1000 {
        inventory.handle(Event::Added(camera("1-9:1.0", &format!("S{n}"), n)), now);
    }
    assert_eq!(inventory.usable().count(), PRESENT);
    for n in 0..1000 {
        inventory.handle(gone(&camera("1-9:1.0", "", n)), now);
    }
    assert_eq!(inventory.entries().count(), ABSENT);
    assert!(inventory.entries().any(|entry| entry.role == Some(front())));
}

#[test]
fn a_role_is_given_by_identity_model_or_node() {
    let now = Instant::now();
    let check = |device: &str, fits: bool| {
        let mut inventory = Inventory::new(roles(&[(Role::Content("Table".to_owned()), device)]));
        inventory.handle(Event::Added(camera(LEFT, "A", 0)), now);
        assert_eq!(
            inventory
                .with_role(&Role::Content("Table".to_owned()))
                .is_some(),
            fits,
            "{device}"
        );
    };
    check("usb:046d:0857/A@1-1.4:1.0", true);
    check("usb:046d:0857/A@1-2:1.0", true);
    check("usb:046d:0857/B@1-1.4:1.0", false);
    check("046d:0857", true);
    check("/dev/video0", true);
    check("/dev/video1", false);
    let error = Roles::default().give(Role::Microphone, "mic").unwrap_err();
    assert_eq!(error.to_string(), "no device for microphone");
}

#[test]
fn what_was_never_plugged_in_is_named() {
    let (left, other) = ("usb:046d:0857@1-1.4:1.0", "1111:0002");
    let front = front();
    let roles = roles(&[
        (front.clone(), left),
        (front.clone(), other),
        (Role::Panel, "1111:0003"),
    ]);
    let mut inventory = Inventory::new(roles.clone());
    assert_eq!(roles.unseen(&front, &[]), [left, other]);
    let now = Instant::now();
    let one = camera(LEFT, "", 0);
    inventory.handle(Event::Added(one.clone()), now);
    let seen = |inventory: &Inventory| -> Vec<String> {
        let devices: Vec<&Device> = inventory
            .entries()
            .filter(|entry| entry.role.as_ref() == Some(&front))
            .map(|entry| &entry.device)
            .collect();
        roles.unseen(&front, &devices)
    };
    assert_eq!(seen(&inventory), [other]);
    // Gone is seen all the same, and so is what was plugged in elsewhere.
    inventory.handle(gone(&one), now);
    assert_eq!(seen(&inventory), [other]);
    inventory.handle(Event::Added(camera(RIGHT, "", 0)), now);
    assert_eq!(seen(&inventory), [other]);
}

#[test]
fn one_of_two_with_a_serial_number_does_not_stand_for_the_other() {
    let (left, right) = ("usb:046d:0857/A@1-1.4:1.0", "usb:046d:0857/A@1-2:1.0");
    let roles = roles(&[(Role::Keys, left), (Role::Keys, right)]);
    let one = Device::from_properties(&camera(LEFT, "A", 0)).unwrap();
    assert_eq!(roles.unseen(&Role::Keys, &[&one]), [right]);
    let moved = Device::from_properties(&camera("1-3:1.0", "A", 0)).unwrap();
    let alone = self::roles(&[(Role::Keys, left)]);
    assert_eq!(alone.unseen(&Role::Keys, &[&moved]), Vec::<String>::new());
}

proptest! {
    /// Whatever comes and goes, the inventory says what is there, and effects agree with it.
    #[test]
    fn effects_and_inventory_agree(
        steps in proptest::collection::vec((0..4_usize, 0..3_usize, any::<bool>(), 0..8000_u64), 0..300),
    ) {
        let mut inventory = Inventory::default();
        let mut now = Instant::now();
        let ports = [LEFT, RIGHT, "1-3:1.0", "2-1:1.0"];
        let mut used = std::collections::BTreeSet::new();
        for (port, serial, added, wait) in steps {
            now += Duration::from_millis(wait);
            let one = camera(ports[port], ["", "A", "B"][serial], u32::try_from(port).unwrap());
            let event = if added { Event::Added(one) } else { gone(&one) };
            let mut effects = inventory.handle(event, now);
            effects.extend(inventory.handle_timeout(now));
            for effect in effects {
                match effect {
                    Effect::Appeared(id, _) | Effect::Returned(id, ..) => {
                        prop_assert!(used.insert(id));
                    }
                    Effect::Moved { to, .. } => prop_assert!(used.insert(to)),
                    Effect::Gone(id, _) => prop_assert!(used.remove(&id)),
                    Effect::SetAside(id, _) => { used.remove(&id); }
                    Effect::Changed(id, _) => prop_assert!(used.contains(&id)),
                    Effect::Refused(_) => {}
                }
            }
            let usable: std::collections::BTreeSet<_> =
                inventory.usable().map(|e| e.device.id.clone()).collect();
            prop_assert_eq!(&usable, &used);
            prop_assert!(inventory.entries().count() <= PRESENT + ABSENT);
        }
    }
}
