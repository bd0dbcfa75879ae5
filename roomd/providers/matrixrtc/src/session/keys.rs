// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Keys of frames: one for each device in the call, told to each other over Olm.
//!
//! The format and the times are Element Call's (`io.element.call.encryption_keys`). Stricter here: a
//! key is taken only from the device that it is said to be of, as Olm authenticates it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use roomd_matrix_port::{DeviceId, Recipient, RoomId, UserId};
use roomd_model::Pii;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::random::Random;

/// The type of the message that carries a key.
pub(super) const MESSAGE: &str = "io.element.call.encryption_keys";
/// A key that is younger is told to those who come, instead of making another.
const YOUNG: Duration = Duration::from_secs(10);
/// A key is used so long after it was told, so that everybody has it by then.
const SETTLE: Duration = Duration::from_secs(1);
/// The most devices whose keys are kept before their membership is seen.
const MAX_EARLY: usize = 256;
/// The most keys of a device.
const MAX_INDICES: usize = 256;

/// Padding is optional.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A key of the room's own.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct OwnKey {
    pub(super) index: u8,
    pub(super) bytes: [u8; 16],
    made: Instant,
}

impl std::fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OwnKey({})", self.index)
    }
}

/// A key of somebody else.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct TheirKey {
    pub(super) bytes: Vec<u8>,
    sent: u64,
}

impl std::fmt::Debug for TheirKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TheirKey")
    }
}

/// All keys of a call.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// What frames are encrypted with.
    used: Option<OwnKey>,
    /// What follows it, and when.
    next: Option<(OwnKey, Instant)>,
    /// Who was in the call when keys were last looked at.
    known: BTreeSet<Recipient>,
    theirs: BTreeMap<Recipient, BTreeMap<u8, TheirKey>>,
    pub(super) rotated: u64,
}

impl Keys {
    /// The first key of the call.
    pub(super) fn begin(&mut self, random: &mut Random, now: Instant) -> OwnKey {
        let key = OwnKey {
            index: 0,
            bytes: random.draw(),
            made: now,
        };
        self.used = Some(key.clone());
        key
    }

    /// The key that people should have.
    pub(super) fn newest(&self) -> Option<&OwnKey> {
        self.next
            .as_ref()
            .map(|(key, _)| key)
            .or(self.used.as_ref())
    }

    /// What frames are encrypted with.
    pub(super) const fn used(&self) -> Option<&OwnKey> {
        self.used.as_ref()
    }

    /// The others in the call are these now. Whoever left must not read on, whoever comes must not
    /// read what was before. Gives those who are to get the newest key.
    pub(super) fn members(
        &mut self,
        others: BTreeSet<Recipient>,
        random: &mut Random,
        now: Instant,
    ) -> Vec<Recipient> {
        let Some(newest) = self.newest() else {
            return Vec::new();
        };
        let is_young = now.saturating_duration_since(newest.made) < YOUNG;
        let left = self.known.difference(&others).next().is_some();
        let came: Vec<_> = others.difference(&self.known).cloned().collect();
        // Before anybody else was there, nobody has read anything.
        let alone = self.known.is_empty();
        self.known = others;
        if left || (!came.is_empty() && !is_young && !alone) {
            self.rotate(random, now);
            return self.known.iter().cloned().collect();
        }
        came
    }

    fn rotate(&mut self, random: &mut Random, now: Instant) {
        let Some(newest) = self.newest() else {
            return;
        };
        let key = OwnKey {
            index: newest.index.wrapping_add(1),
            bytes: random.draw(),
            made: now,
        };
        // Many who leave one after the other do not put the change off for ever.
        let due = self.next.as_ref().map_or(now + SETTLE, |(_, due)| *due);
        self.next = Some((key, due));
        self.rotated += 1;
    }

    /// When the next key is used.
    pub(super) fn due(&self) -> Option<Instant> {
        self.next.as_ref().map(|(_, due)| *due)
    }

    /// The key that is used from now on.
    pub(super) fn change(&mut self, now: Instant) -> Option<OwnKey> {
        let (key, _) = self.next.take_if(|(_, due)| *due <= now)?;
        self.used = Some(key.clone());
        Some(key)
    }

    /// Takes a key that somebody told; none when it makes no sense, or a newer one is known.
    pub(super) fn take(&mut self, from: Recipient, told: Told) -> Option<(u8, TheirKey)> {
        if !self.theirs.contains_key(&from) && self.theirs.len() >= MAX_EARLY + self.known.len() {
            return None;
        }
        let keys = self.theirs.entry(from).or_default();
        let old = keys.get(&told.index);
        if old.is_some_and(|old| old.sent > told.sent) || old.is_none() && keys.len() >= MAX_INDICES
        {
            return None;
        }
        let key = TheirKey {
            bytes: told.bytes,
            sent: told.sent,
        };
        keys.insert(told.index, key.clone());
        Some((told.index, key))
    }

    /// The keys of a device.
    pub(super) fn of(&self, device: &Recipient) -> impl Iterator<Item = (u8, &TheirKey)> {
        let keys = self.theirs.get(device).into_iter().flatten();
        keys.map(|(index, key)| (*index, key))
    }

    /// Whether a device has told any.
    pub(super) fn has(&self, device: &Recipient) -> bool {
        self.theirs.contains_key(device)
    }

    /// Forgets those who are gone: when they come back, they tell new ones.
    pub(super) fn forget(&mut self, device: &Recipient) {
        self.theirs.remove(device);
    }
}

/// The message that tells our key.
pub(super) fn message(
    key: &OwnKey,
    room: &RoomId,
    me: (&UserId, &DeviceId),
    sent: u64,
) -> Pii<Value> {
    let (user, device) = me;
    Pii::new(json!({
        "keys": {"index": key.index, "key": STANDARD.encode(key.bytes)},
        "room_id": room.expose(),
        "member": {
            "id": format!("{}:{}", user.expose(), device.expose()),
            "claimed_device_id": device.expose(),
        },
        "session": {"application": "m.call", "call_id": "", "scope": "m.room"},
        "sent_ts": sent,
    }))
}

/// A key that somebody told.
#[derive(PartialEq, Eq)]
pub(super) struct Told {
    index: u8,
    bytes: Vec<u8>,
    sent: u64,
}

#[derive(Deserialize)]
struct Content {
    keys: Key,
    room_id: String,
    member: Claim,
    session: Call,
    #[serde(default)]
    sent_ts: u64,
}

#[derive(Deserialize)]
struct Key {
    index: u8,
    key: String,
}

#[derive(Deserialize)]
struct Claim {
    claimed_device_id: String,
}

#[derive(Deserialize)]
struct Call {
    application: String,
    #[serde(default)]
    call_id: String,
}

/// Reads a message of this device; none when it is of another call, claims another device, or holds
/// no key.
pub(super) fn read(content: &Value, room: &RoomId, device: &DeviceId) -> Option<Told> {
    let content = Content::deserialize(content).ok()?;
    let ours = content.room_id == room.expose()
        && content.session.application == "m.call"
        && content.session.call_id.is_empty();
    if !ours || content.member.claimed_device_id != device.expose() {
        return None;
    }
    let bytes = LENIENT.decode(content.keys.key).ok()?;
    (16..=64).contains(&bytes.len()).then_some(Told {
        index: content.keys.index,
        bytes,
        sent: content.sent_ts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str) -> Recipient {
        Recipient {
            user: UserId::new("@a:x"),
            device: DeviceId::new(name),
        }
    }

    fn set(names: &[&str]) -> BTreeSet<Recipient> {
        names.iter().map(|name| device(name)).collect()
    }

    struct Call {
        keys: Keys,
        random: Random,
        now: Instant,
    }

    impl Call {
        fn new() -> Self {
            let (mut keys, mut random, now) =
                (Keys::default(), Random::new([1; 32]), Instant::now());
            keys.begin(&mut random, now);
            Self { keys, random, now }
        }

        fn members(&mut self, names: &[&str]) -> (Vec<Recipient>, u8) {
            let told = self.keys.members(set(names), &mut self.random, self.now);
            (told, self.keys.newest().unwrap().index)
        }
    }

    #[test]
    fn those_who_come_soon_get_the_same_key_and_later_ones_another() {
        let mut call = Call::new();
        assert_eq!(call.members(&["a"]), (vec![device("a")], 0));
        call.now += Duration::from_secs(9);
        assert_eq!(call.members(&["a", "b"]), (vec![device("b")], 0));
        call.now += Duration::from_secs(9);
        let all = vec![device("a"), device("b"), device("c")];
        assert_eq!(call.members(&["a", "b", "c"]), (all, 1));
        assert_eq!(call.keys.used().unwrap().index, 0);
        assert_eq!(call.keys.change(call.now), None);
        assert_eq!(call.keys.change(call.now + SETTLE).unwrap().index, 1);
        assert_eq!(call.keys.used().unwrap().index, 1);
        assert_eq!(call.keys.due(), None);
    }

    #[test]
    fn whoever_leaves_reads_no_further() {
        let mut call = Call::new();
        call.members(&["a", "b", "c"]);
        let before = call.keys.newest().unwrap().bytes;
        assert_eq!(
            call.members(&["a", "b"]),
            (vec![device("a"), device("b")], 1)
        );
        assert_ne!(call.keys.newest().unwrap().bytes, before);
        let due = call.keys.due().unwrap();
        call.now += Duration::from_millis(500);
        assert_eq!(call.members(&["a"]), (vec![device("a")], 2));
        assert_eq!(call.keys.due(), Some(due), "not put off");
        assert_eq!(call.members(&["a"]), (vec![], 2));
        assert_eq!(call.keys.rotated, 2);
    }

    #[test]
    fn whoever_waits_alone_keeps_the_key() {
        let mut call = Call::new();
        call.now += Duration::from_secs(600);
        assert_eq!(call.members(&["a"]), (vec![device("a")], 0));
    }

    #[test]
    fn indices_count_round() {
        let mut call = Call::new();
        for count in 1..=256_u32 {
            call.members(&["a", "b"]);
            let (_, index) = call.members(&["a"]);
            call.now += SETTLE;
            call.keys.change(call.now);
            assert_eq!(u32::from(index), count % 256);
        }
    }

    #[test]
    fn a_key_is_read_as_it_was_told() {
        let mut call = Call::new();
        let (room, me) = (RoomId::new("!room"), device("a"));
        let key = call.keys.newest().unwrap().clone();
        let content = message(&key, &room, (&me.user, &me.device), 5).into_inner();
        let told = read(&content, &room, &me.device).unwrap();
        assert_eq!(
            (told.index, &told.bytes[..], told.sent),
            (0, &key.bytes[..], 5)
        );
        assert!(read(&content, &RoomId::new("!other"), &me.device).is_none());
        assert!(read(&content, &room, &DeviceId::new("b")).is_none());
        let with = |path: &str, value: Value| {
            let mut content = content.clone();
            *content.pointer_mut(path).unwrap() = value;
            read(&content, &room, &me.device).is_some()
        };
        assert!(!with("/keys/key", json!("AAAA")), "too short");
        assert!(!with("/keys/key", json!("not base64!")));
        assert!(!with("/keys/index", json!(256)));
        assert!(!with("/session/call_id", json!("breakout")));
        assert!(
            with("/keys/key", json!("AAAAAAAAAAAAAAAAAAAAAA")),
            "without padding"
        );
        assert!(read(&json!([]), &room, &me.device).is_none());
        let (_, taken) = call.keys.take(me.clone(), told).unwrap();
        assert_eq!(taken.bytes, key.bytes);
        let older = read(
            &message(&key, &room, (&me.user, &me.device), 4).into_inner(),
            &room,
            &me.device,
        );
        assert!(call.keys.take(me, older.unwrap()).is_none());
    }

    #[test]
    fn keys_of_strangers_are_bounded() {
        let mut call = Call::new();
        let told = |index| Told {
            index,
            bytes: vec![0; 16],
            sent: 0,
        };
        let taken = (0..1000).filter(|number| {
            call.keys
                .take(device(&number.to_string()), told(0))
                .is_some()
        });
        assert_eq!(taken.count(), MAX_EARLY);
    }
}
