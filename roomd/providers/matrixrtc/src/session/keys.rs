// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Keys of frames: one for each device in the call, told to each other over Olm.
//!
//! The format and the times are Element Call's (`io.element.call.encryption_keys`). Stricter here: a
//! key is taken only from the device that it is said to be of, as Olm authenticates it.

use std::collections::{BTreeMap, VecDeque};
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
/// A key is used so long after it was made, even though telling it is not done.
const SETTLE_AT_MOST: Duration = Duration::from_secs(5);
/// The most devices whose keys are kept before their membership is seen.
const MAX_EARLY: usize = 256;
/// The most keys of a device. Older ones open nothing that is still under way.
const MAX_INDICES: usize = 16;
/// Devices that left and whose keys are kept: a membership may vanish for a moment, and whoever has
/// not noticed tells no new key.
const MAX_GONE: usize = 64;

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

/// The key that follows.
#[derive(Debug)]
struct Next {
    key: OwnKey,
    /// When it is used.
    due: Instant,
    /// When it is used at the latest.
    latest: Instant,
}

/// All keys of a call.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// What frames are encrypted with.
    used: Option<OwnKey>,
    next: Option<Next>,
    /// Who was in the call when keys were last looked at, and since when by their membership.
    known: BTreeMap<Recipient, u64>,
    /// Who left, the first to leave first.
    gone: VecDeque<Recipient>,
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
        let next = self.next.as_ref().map(|next| &next.key);
        next.or(self.used.as_ref())
    }

    /// What frames are encrypted with.
    pub(super) const fn used(&self) -> Option<&OwnKey> {
        self.used.as_ref()
    }

    /// The others in the call are these now, each since a time by their membership. Whoever left must
    /// not read on, whoever comes must not read what was before; whoever is there since another time
    /// did both, and has forgotten our key. Gives those who are to get the newest key.
    pub(super) fn members(
        &mut self,
        others: BTreeMap<Recipient, u64>,
        random: &mut Random,
        now: Instant,
    ) -> Vec<Recipient> {
        let Some(newest) = self.newest() else {
            return Vec::new();
        };
        let is_young = now.saturating_duration_since(newest.made) < YOUNG;
        let stays = |all: &BTreeMap<Recipient, u64>, (device, since): (&Recipient, &u64)| {
            all.get(device) == Some(since)
        };
        let left = self.known.iter().any(|known| !stays(&others, known));
        let came = others.iter().filter(|other| !stays(&self.known, *other));
        let came: Vec<_> = came.map(|(device, _)| device.clone()).collect();
        // Before anybody else was there, nobody has read anything.
        let alone = self.known.is_empty();
        self.known = others;
        if left || (!came.is_empty() && !is_young && !alone) {
            self.rotate(random, now);
            return self.known.keys().cloned().collect();
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
        let latest = self.next.as_ref().map(|next| next.latest);
        let latest = latest.unwrap_or(now + SETTLE_AT_MOST);
        self.next = Some(Next {
            key,
            due: latest,
            latest,
        });
        self.rotated += 1;
    }

    /// The key of this number is on its way to everybody.
    pub(super) fn told(&mut self, index: u8, now: Instant) {
        if let Some(next) = self.next.as_mut().filter(|next| next.key.index == index) {
            next.due = next.due.min(now + SETTLE).min(next.latest);
        }
    }

    /// When the next key is used.
    pub(super) fn due(&self) -> Option<Instant> {
        self.next.as_ref().map(|next| next.due)
    }

    /// The key that is used from now on.
    pub(super) fn change(&mut self, now: Instant) -> Option<OwnKey> {
        let next = self.next.take_if(|next| next.due <= now)?;
        self.used = Some(next.key.clone());
        Some(next.key)
    }

    /// Takes a key that somebody told; none when a newer one is known.
    pub(super) fn take(&mut self, from: Recipient, told: Told) -> Option<(u8, TheirKey)> {
        if !self.theirs.contains_key(&from) && !self.known.contains_key(&from) {
            self.make_room();
        }
        let keys = self.theirs.entry(from).or_default();
        let old = keys.get(&told.index);
        if old.is_some_and(|old| old.sent > told.sent) {
            return None;
        }
        if old.is_none() && keys.len() >= MAX_INDICES {
            let oldest = keys.iter().min_by_key(|(_, key)| key.sent);
            let oldest = oldest.map(|(index, _)| *index);
            oldest.and_then(|index| keys.remove(&index));
        }
        let key = TheirKey {
            bytes: told.bytes,
            sent: told.sent,
        };
        keys.insert(told.index, key.clone());
        Some((told.index, key))
    }

    /// Strangers do not keep each other out, and nobody who is in the call: of too many, one goes whose
    /// user has the most.
    fn make_room(&mut self) {
        let strangers = self.theirs.keys();
        let strangers: Vec<_> = strangers
            .filter(|it| !self.known.contains_key(it))
            .collect();
        if strangers.len() < MAX_EARLY {
            return;
        }
        let mut users = BTreeMap::<_, usize>::new();
        for stranger in &strangers {
            *users.entry(&stranger.user).or_default() += 1;
        }
        let most = users.iter().max_by_key(|(_, devices)| **devices);
        let of = |device: &&&Recipient| most.is_some_and(|(user, _)| device.user == **user);
        if let Some(goes) = strangers.iter().find(of).map(|device| (**device).clone()) {
            self.theirs.remove(&goes);
        }
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

    /// Somebody left. Their keys are forgotten when many more have left after them, unless they are
    /// back by then.
    pub(super) fn left(&mut self, device: &Recipient) {
        self.gone.retain(|gone| gone != device);
        self.gone.push_back(device.clone());
        if self.gone.len() > MAX_GONE
            && let Some(first) = self.gone.pop_front()
            && !self.known.contains_key(&first)
        {
            self.theirs.remove(&first);
        }
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

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is of another call.
    Elsewhere,
    /// It holds no key, or claims to be of another device.
    Wrong,
}

/// Reads a message of this device.
pub(super) fn read(content: &Value, room: &RoomId, device: &DeviceId) -> Result<Told, Unread> {
    let content = Content::deserialize(content).map_err(|_| Unread::Wrong)?;
    let ours = content.room_id == room.expose()
        && content.session.application == "m.call"
        && content.session.call_id.is_empty();
    if !ours {
        return Err(Unread::Elsewhere);
    }
    let bytes = LENIENT.decode(content.keys.key);
    let bytes = bytes.map_err(|_| Unread::Wrong)?;
    if content.member.claimed_device_id != device.expose() || !(16..=64).contains(&bytes.len()) {
        return Err(Unread::Wrong);
    }
    Ok(Told {
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

    fn set(names: &[&str]) -> BTreeMap<Recipient, u64> {
        names.iter().map(|name| (device(name), 1)).collect()
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
        call.keys.told(0, call.now);
        call.keys.told(1, call.now);
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
    fn a_key_that_cannot_be_told_is_used_all_the_same() {
        let mut call = Call::new();
        call.members(&["a", "b"]);
        call.members(&["a"]);
        assert_eq!(call.keys.change(call.now + SETTLE), None);
        assert!(call.keys.change(call.now + SETTLE_AT_MOST).is_some());
    }

    #[test]
    fn whoever_reloads_the_page_gets_a_new_key() {
        let mut call = Call::new();
        assert_eq!(call.members(&["a"]), (vec![device("a")], 0));
        let again: BTreeMap<_, _> = [(device("a"), 2)].into();
        let told = call.keys.members(again.clone(), &mut call.random, call.now);
        assert_eq!(told, [device("a")]);
        assert_eq!(call.keys.newest().unwrap().index, 1);
        let told = call.keys.members(again, &mut call.random, call.now);
        assert_eq!(told, [], "once");
    }

    #[test]
    fn keys_outlive_a_membership_that_vanishes_for_a_moment() {
        let mut call = Call::new();
        let told = || Told {
            index: 3,
            bytes: vec![7; 16],
            sent: 1,
        };
        call.members(&["a"]);
        call.keys.take(device("a"), told()).unwrap();
        call.keys.left(&device("a"));
        assert!(call.keys.has(&device("a")));
        for number in 0..MAX_GONE {
            call.keys.left(&device(&format!("gone {number}")));
        }
        assert!(call.keys.has(&device("a")), "it is in the call again");
        call.members(&[]);
        call.keys.left(&device("a"));
        for number in 0..MAX_GONE {
            call.keys.left(&device(&format!("gone {number}")));
        }
        assert!(!call.keys.has(&device("a")));
    }

    #[test]
    fn the_last_keys_of_a_device_are_kept() {
        let mut call = Call::new();
        for index in 0..40 {
            let told = Told {
                index,
                bytes: vec![7; 16],
                sent: index.into(),
            };
            call.keys.take(device("a"), told).unwrap();
        }
        let kept: Vec<_> = call.keys.of(&device("a")).map(|(index, _)| index).collect();
        assert_eq!(kept, (24..40).collect::<Vec<_>>());
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
            call.now += SETTLE_AT_MOST;
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
        let elsewhere = read(&content, &RoomId::new("!other"), &me.device);
        assert_eq!(elsewhere.err(), Some(Unread::Elsewhere));
        let other = read(&content, &room, &DeviceId::new("b"));
        assert_eq!(other.err(), Some(Unread::Wrong));
        let with = |path: &str, value: Value| {
            let mut content = content.clone();
            *content.pointer_mut(path).unwrap() = value;
            read(&content, &room, &me.device).is_ok()
        };
        assert!(!with("/keys/key", json!("AAAA")), "too short");
        assert!(!with("/keys/key", json!("not base64!")));
        assert!(!with("/keys/index", json!(256)));
        assert!(!with("/session/call_id", json!("breakout")));
        assert!(
            with("/keys/key", json!("AAAAAAAAAAAAAAAAAAAAAA")),
            "without padding"
        );
        let nonsense = read(&json!([]), &room, &me.device);
        assert_eq!(nonsense.err(), Some(Unread::Wrong));
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
        for number in 0..1000 {
            let stranger = device(&number.to_string());
            assert!(call.keys.take(stranger, told(0)).is_some());
        }
        assert_eq!(call.keys.theirs.len(), MAX_EARLY);
    }

    #[test]
    fn strangers_keep_nobody_out() {
        let mut call = Call::new();
        let told = || Told {
            index: 0,
            bytes: vec![0; 16],
            sent: 0,
        };
        let of = |user: &str, name: &str| Recipient {
            user: UserId::new(user),
            device: DeviceId::new(name),
        };
        call.members(&["early", "late"]);
        let soon = of("@soon:x", "a");
        call.keys.take(device("early"), told()).unwrap();
        call.keys.take(soon.clone(), told()).unwrap();
        for number in 0..1000 {
            call.keys
                .take(of("@stranger:y", &number.to_string()), told());
        }
        call.keys.take(device("late"), told()).unwrap();
        for kept in [device("early"), device("late"), soon] {
            assert!(call.keys.has(&kept), "{kept:?}");
        }
    }
}
