// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Who is in the call: memberships of every form that clients send.
//!
//! - State events `org.matrix.msc3401.call.member`, one for each device (MSC4143, as Element Call sends
//!   them in its compatibility mode).
//! - Sticky events `org.matrix.msc4143.rtc.member` (MSC4354), in the form with `rtc_transports` and
//!   in the later one with `transports`.
//!
//! What has another form is left out, never guessed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use roomd_livekit::Identity;
use roomd_matrix_port::{Call, DeviceId, EventId, Recipient, StateEvent, StickyEvent, UserId};
use roomd_model::Pii;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

/// The type of a membership that is state.
pub(crate) const MEMBER: &str = "org.matrix.msc3401.call.member";
/// How long a membership lasts that does not say.
const LASTS: u64 = 4 * 60 * 60 * 1000;
/// The longest that a membership lasts, in milliseconds; one of the past that lasts for ever would never go.
pub(crate) const LASTS_AT_MOST: u64 = 24 * 60 * 60 * 1000;
/// The call of a whole room.
const SLOT: &str = "m.call#ROOM";

/// A device in the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Whose it is.
    pub(crate) device: Recipient,
    /// What the media servers call it.
    pub(crate) identity: Identity,
    /// Its membership.
    pub(crate) event: EventId,
    /// Where it sends: the service that gives tokens for its LiveKit server.
    pub(crate) service: Option<Pii<Url>>,
    /// Where it may send instead: clients of an earlier kind all send to the server of the oldest member.
    pub(crate) oldest: Option<Pii<Url>>,
    /// It is of that kind.
    follows: bool,
    /// When it joined, in milliseconds of the server's clock.
    pub(crate) since: u64,
    /// When the membership expires, in milliseconds of the server's clock.
    pub(crate) expires: u64,
}

#[cfg(test)]
impl Member {
    pub(crate) fn of_test(user: &str, device: &str) -> Self {
        let user = UserId::new(user);
        Self {
            identity: plain_identity(&user, device),
            device: recipient(&user, device.to_owned()),
            event: EventId::new("$event"),
            service: None,
            oldest: None,
            follows: false,
            since: 0,
            expires: u64::MAX,
        }
    }
}

/// What a snapshot of a call says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Members {
    /// The devices in it, the first to come first.
    pub(crate) all: Vec<Member>,
    /// Memberships that make no sense.
    pub(crate) bad: u64,
}

/// Reads a snapshot at a moment of the server's clock, in milliseconds.
pub(crate) fn read(call: &Call, now: u64) -> Members {
    let mut found: BTreeMap<Recipient, Member> = BTreeMap::new();
    let mut bad = 0;
    let state = call.memberships.iter().map(state_member);
    let sticky = call.sticky.iter().map(sticky_member);
    for member in state.chain(sticky) {
        match member {
            Read::Member(member) if member.expires > now => {
                found.entry(member.device.clone()).or_insert(*member);
            }
            Read::Member(_) | Read::Left => {}
            Read::Bad => bad += 1,
        }
    }
    let mut all: Vec<Member> = found.into_values().collect();
    // Of those who all send to the server of the oldest, the oldest decides.
    all.sort_by(|a, b| (a.since, &a.device).cmp(&(b.since, &b.device)));
    let oldest = all.first().and_then(|oldest| oldest.service.clone());
    for member in all.iter_mut().filter(|member| member.follows) {
        member.oldest.clone_from(&oldest);
    }
    Members { all, bad }
}

enum Read {
    Member(Box<Member>),
    Left,
    Bad,
}

#[derive(Deserialize)]
struct StateContent {
    application: String,
    #[serde(default)]
    call_id: String,
    scope: Option<String>,
    device_id: String,
    expires: Option<u64>,
    created_ts: Option<u64>,
    #[serde(default)]
    foci_preferred: Vec<Value>,
    #[serde(default)]
    focus_active: Value,
}

fn state_member(event: &StateEvent) -> Read {
    // Who left says nothing, or says why; contents of before memberships were a device's have no
    // application either (matrix-js-sdk reads them so).
    let content = event.content.expose().as_object();
    if content.is_some_and(|content| !content.contains_key("application")) {
        return Read::Left;
    }
    let Ok(content) = StateContent::deserialize(event.content.expose()) else {
        return Read::Bad;
    };
    if content.application != "m.call" || !content.call_id.is_empty() {
        // Another application, or another call of the same room.
        return Read::Left;
    }
    let whole = content.scope.is_none_or(|scope| scope == "m.room");
    if !whole || !is_own_key(event, &content.device_id) {
        return Read::Bad;
    }
    let since = content.created_ts.unwrap_or(event.ts);
    let ends = since.saturating_add(content.expires.unwrap_or(LASTS));
    Read::Member(Box::new(Member {
        identity: plain_identity(&event.sender, &content.device_id),
        device: recipient(&event.sender, content.device_id),
        event: event.event.clone(),
        service: livekit(&content.foci_preferred),
        oldest: None,
        follows: content.focus_active["focus_selection"] != "multi_sfu",
        since,
        // A membership that is renewed lasts from its first announcement on.
        expires: ends.min(event.ts.saturating_add(LASTS_AT_MOST)),
    }))
}

/// Servers do not check every form of state key, so that somebody might speak for another.
fn is_own_key(event: &StateEvent, device: &str) -> bool {
    let key = event.state_key.expose();
    let key = key.strip_prefix('_').unwrap_or(key);
    let key = key.strip_suffix("_m.call").unwrap_or(key);
    key == format!("{}_{device}", event.sender.expose())
}

#[derive(Deserialize)]
struct StickyContent {
    slot_id: String,
    member: StickyMember,
    application: Option<Application>,
    rtc_transports: Option<Vec<Value>>,
    transports: Option<Transports>,
}

#[derive(Deserialize)]
struct StickyMember {
    id: String,
    #[serde(alias = "claimed_user_id")]
    user_id: Option<String>,
    #[serde(alias = "claimed_device_id")]
    device_id: String,
}

#[derive(Deserialize)]
struct Application {
    r#type: String,
}

#[derive(Deserialize)]
struct Transports {
    #[serde(default)]
    published: Vec<Value>,
}

fn sticky_member(event: &StickyEvent) -> Read {
    let content = event.content.expose();
    let sticks_only = |content: &serde_json::Map<String, Value>| {
        content.keys().all(|key| key.ends_with("sticky_key"))
    };
    if content.as_object().is_some_and(sticks_only) {
        return Read::Left;
    }
    let Ok(content) = StickyContent::deserialize(content) else {
        return Read::Bad;
    };
    let is_call = |application: &Application| application.r#type == "m.call";
    if content.slot_id != SLOT || !content.application.as_ref().is_none_or(is_call) {
        return Read::Left;
    }
    let member = content.member;
    if member
        .user_id
        .is_some_and(|user| user != event.sender.expose())
    {
        return Read::Bad;
    }
    let published = content.transports.map(|it| it.published);
    let transports = content.rtc_transports.or(published).unwrap_or_default();
    Read::Member(Box::new(Member {
        identity: hashed_identity(&event.sender, &member.device_id, &member.id),
        device: recipient(&event.sender, member.device_id),
        event: event.event.clone(),
        service: livekit(&transports),
        oldest: None,
        follows: false,
        since: event.ts,
        expires: event
            .ts
            .saturating_add(event.duration_ms.min(LASTS_AT_MOST)),
    }))
}

fn recipient(user: &UserId, device: String) -> Recipient {
    Recipient {
        user: user.clone(),
        device: DeviceId::new(device),
    }
}

/// The first LiveKit server that can be used at all.
fn livekit(transports: &[Value]) -> Option<Pii<Url>> {
    #[derive(Deserialize)]
    struct LiveKit {
        r#type: String,
        livekit_service_url: Url,
    }
    let known = transports
        .iter()
        .filter_map(|it| LiveKit::deserialize(it).ok());
    let mut usable = known.filter(|it| it.r#type == "livekit" && it.livekit_service_url.has_host());
    usable.next().map(|it| Pii::new(it.livekit_service_url))
}

/// In the compatibility mode: user and device.
pub(crate) fn plain_identity(user: &UserId, device: &str) -> Identity {
    Identity::new(format!("{}:{device}", user.expose()))
}

/// With sticky events: a hash, so that the media server learns no name (MSC4195).
fn hashed_identity(user: &UserId, device: &str, member: &str) -> Identity {
    let parts = Value::from(vec![user.expose(), device, member]);
    let hash = Sha256::digest(parts.to_string().as_bytes());
    Identity::new(STANDARD_NO_PAD.encode(hash))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    fn call() -> Call {
        Call {
            room: roomd_matrix_port::RoomId::new("!room"),
            memberships: Vec::new(),
            sticky: Vec::new(),
            slots: Vec::new(),
            names: BTreeMap::new(),
            knocking: Vec::new(),
            left_out: 0,
        }
    }

    fn state(key: &str, sender: &str, content: Value) -> Members {
        let mut call = call();
        call.memberships.push(StateEvent {
            state_key: Pii::new(key.to_owned()),
            sender: UserId::new(sender),
            event: EventId::new("$event"),
            ts: NOW,
            content: Pii::new(content),
        });
        read(&call, NOW + 1000)
    }

    fn sticky(sender: &str, content: Value) -> Members {
        let mut call = call();
        call.sticky.push(StickyEvent {
            sender: UserId::new(sender),
            event: EventId::new("$event"),
            ts: NOW,
            duration_ms: 60_000,
            content: Pii::new(content),
        });
        read(&call, NOW + 1000)
    }

    fn content() -> Value {
        json!({
            "application": "m.call", "call_id": "", "scope": "m.room", "device_id": "DEV",
            "membershipID": "@a:x:DEV", "expires": 14_400_000, "m.call.intent": "video",
            "focus_active": {"type": "livekit", "focus_selection": "multi_sfu"},
            "foci_preferred": [
                {"type": "other"},
                {"type": "livekit", "livekit_service_url": "https://sfu.x/jwt", "livekit_alias": "!room"},
            ],
        })
    }

    #[test]
    fn state_events_say_who_is_there() {
        for key in ["_@a:x_DEV_m.call", "@a:x_DEV_m.call", "_@a:x_DEV"] {
            let members = state(key, "@a:x", content());
            let [member] = &members.all[..] else {
                panic!("{key}: {} members", members.all.len());
            };
            assert_eq!(member.identity, Identity::new("@a:x:DEV"));
            assert_eq!(member.device, recipient(&UserId::new("@a:x"), "DEV".into()));
            let service = member.service.as_ref().map(|it| it.expose().as_str());
            assert_eq!(service, Some("https://sfu.x/jwt"));
            assert_eq!(member.expires, NOW + 14_400_000);
        }
        for left in [
            json!({}),
            json!({"leave_reason": "LOST_CONNECTION"}),
            json!({"memberships": [{"application": "m.call", "device_id": "DEV"}]}),
        ] {
            assert_eq!(state("@a:x", "@a:x", left), Members::default());
        }
        assert_eq!(state("@a:x", "@a:x", json!([])).bad, 1);
    }

    #[test]
    fn nobody_speaks_for_another() {
        for (key, sender) in [("_@a:x_DEV_m.call", "@b:x"), ("_@a:x_OTHER_m.call", "@a:x")] {
            let members = state(key, sender, content());
            assert_eq!((members.all.len(), members.bad), (0, 1));
        }
        let other = json!({"slot_id": "m.call#ROOM", "member": {"id": "i", "user_id": "@b:x", "device_id": "D"}});
        assert_eq!(sticky("@a:x", other).bad, 1);
    }

    #[test]
    fn other_calls_and_old_memberships_are_not_this_call() {
        let with = |key: &str, value: Value| {
            let mut content = content();
            content[key] = value;
            state("_@a:x_DEV_m.call", "@a:x", content)
        };
        assert_eq!(
            with("application", json!("m.whiteboard")),
            Members::default()
        );
        assert_eq!(with("call_id", json!("breakout")), Members::default());
        assert_eq!(with("expires", json!(1000)), Members::default());
        assert_eq!(with("scope", json!("m.user")).bad, 1);
        assert_eq!(with("device_id", json!(7)).bad, 1);
        assert_eq!(
            with("created_ts", json!(NOW - 14_400_000)),
            Members::default()
        );
        assert_eq!(with("foci_preferred", json!([])).all[0].service, None);
    }

    #[test]
    fn sticky_events_of_both_forms_say_who_is_there() {
        let transport = json!([{"type": "livekit", "livekit_service_url": "https://sfu.x/jwt"}]);
        for content in [
            json!({
                "slot_id": "m.call#ROOM", "application": {"type": "m.call"}, "versions": [],
                "member": {"id": "uuid", "user_id": "@a:x", "device_id": "DEV"},
                "rtc_transports": transport, "msc4354_sticky_key": "uuid",
            }),
            json!({
                "slot_id": "m.call#ROOM", "application": {"type": "m.call"},
                "member": {"id": "uuid", "claimed_user_id": "@a:x", "claimed_device_id": "DEV"},
                "transports": {"published": transport, "can_subscribe": ["livekit"]},
            }),
        ] {
            let members = sticky("@a:x", content);
            let [member] = &members.all[..] else {
                panic!("{} members, {} bad", members.all.len(), members.bad);
            };
            // printf '["@a:x","DEV","uuid"]' | sha256sum | xxd -r -p | base64
            let hash = "0aClk9EnbUZBZl9fXmlW6tLjvLnb15oIDsPcucV+RXU";
            assert_eq!(member.identity, Identity::new(hash));
            assert_eq!(member.expires, NOW + 60_000);
            assert!(member.service.is_some());
        }
        let left = json!({"msc4354_sticky_key": "uuid"});
        assert_eq!(sticky("@a:x", left), Members::default());
    }

    fn of_device(device: &str, content: Value) -> StateEvent {
        StateEvent {
            state_key: Pii::new(format!("_@a:x_{device}_m.call")),
            sender: UserId::new("@a:x"),
            event: EventId::new("$event"),
            ts: NOW,
            content: Pii::new(content),
        }
    }

    #[test]
    fn clients_of_an_earlier_kind_send_to_the_oldest() {
        let mut call = call();
        for (device, since, selection) in [
            ("A", 1, "multi_sfu"),
            ("B", 2, "oldest_membership"),
            ("C", 3, "multi_sfu"),
        ] {
            let mut content = content();
            content["device_id"] = json!(device);
            content["created_ts"] = json!(NOW + since);
            content["focus_active"]["focus_selection"] = json!(selection);
            let service = format!("https://{device}.x/");
            content["foci_preferred"][1]["livekit_service_url"] = json!(service);
            call.memberships.push(of_device(device, content));
        }
        let members = read(&call, NOW);
        let text = |url: &Option<Pii<Url>>| url.as_ref().map(|url| url.expose().to_string());
        let all: Vec<_> = members.all.iter().map(|it| text(&it.oldest)).collect();
        assert_eq!(all, [None, Some("https://a.x/".to_owned()), None]);
    }

    #[test]
    fn the_first_to_come_is_first() {
        let mut call = call();
        for (device, since) in [("B", 5), ("A", 9), ("C", 1)] {
            let mut content = content();
            content["device_id"] = json!(device);
            content["created_ts"] = json!(NOW + since);
            call.memberships.push(of_device(device, content));
        }
        let members = read(&call, NOW);
        let order: Vec<_> = members
            .all
            .iter()
            .map(|it| it.device.device.expose())
            .collect();
        assert_eq!(order, ["C", "B", "A"]);
    }
}
