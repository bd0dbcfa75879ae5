// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::BTreeMap;
use std::fmt::Debug;

use roomd_model::{Pii, Secret};
use serde_json::json;

use super::*;

fn room() -> RoomId {
    RoomId::new("!room")
}

fn me() -> Me {
    Me {
        user: UserId::new("@room:server"),
        device: DeviceId::new("DEVICE"),
        cross_signed: true,
    }
}

fn info() -> RoomInfo {
    RoomInfo {
        name: Pii::from("Weekly"),
        encrypted: true,
        can_call: true,
        can_invite: false,
        can_kick: false,
    }
}

/// Writes a message, compares its text, reads it back, and looks for personal data in its debug form.
fn check<T: PartialEq + Debug>(
    message: &T,
    text: Result<Pii<String>, BadText>,
    read: fn(&str) -> Result<T, BadText>,
    expected: serde_json::Value,
) {
    let text = text.unwrap().into_inner();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value, expected);
    assert_eq!(&read(&text).unwrap(), message);
    let printed = format!("{message:?}");
    for personal in [
        "!room", "@room", "DEVICE", "Weekly", "$event", "hunter2", "hello",
    ] {
        assert!(!printed.contains(personal), "{printed}");
    }
}

fn check_ask(ask: Ask, expected: serde_json::Value) {
    let request = Request { id: 7, ask };
    check(
        &request,
        request.to_text(),
        Request::from_text,
        json!({"id": 7, "ask": expected}),
    );
}

fn check_reply(reply: Reply, expected: serde_json::Value) {
    check(&reply, reply.to_text(), Reply::from_text, expected);
}

fn check_done(done: Done, expected: serde_json::Value) {
    let reply = Reply::Answer {
        id: 7,
        result: Ok(done),
    };
    check_reply(
        reply,
        json!({"answer": {"id": 7, "result": {"Ok": expected}}}),
    );
}

#[test]
fn requests_are_text_and_back() {
    check_ask(
        Ask::Join {
            room: Pii::from("!room"),
            via: vec![Pii::from("server")],
            reason: None,
        },
        json!({"join": {"room": "!room", "via": ["server"], "reason": null}}),
    );
    check_ask(Ask::Transports, json!("transports"));
    check_ask(
        Ask::DelayState {
            room: room(),
            kind: "org.matrix.msc3401.call.member".into(),
            state_key: Pii::from("_@room:server_DEVICE_m.call"),
            content: Pii::new(json!({})),
            delay_ms: 18_000,
        },
        json!({"delay_state": {
            "room": "!room", "kind": "org.matrix.msc3401.call.member",
            "state_key": "_@room:server_DEVICE_m.call", "content": {}, "delay_ms": 18_000,
        }}),
    );
    check_ask(
        Ask::Delayed {
            delay: DelayId::new("syd_1"),
            action: DelayedAction::Restart,
        },
        json!({"delayed": {"delay": "syd_1", "action": "restart"}}),
    );
    check_ask(
        Ask::CancelOthers {
            room: room(),
            kind: "org.matrix.msc3401.call.member".into(),
            state_key: Pii::from("_@room:server_DEVICE_m.call"),
            but: DelayId::new("syd_1"),
        },
        json!({"cancel_others": {
            "room": "!room", "kind": "org.matrix.msc3401.call.member",
            "state_key": "_@room:server_DEVICE_m.call", "but": "syd_1",
        }}),
    );
    check_ask(
        Ask::ToDevice {
            kind: "io.element.call.encryption_keys".into(),
            content: Pii::new(json!({"keys": {"key": "hunter2"}})),
            recipients: vec![Recipient {
                user: me().user,
                device: me().device,
            }],
        },
        json!({"to_device": {
            "kind": "io.element.call.encryption_keys", "content": {"keys": {"key": "hunter2"}},
            "recipients": [{"user": "@room:server", "device": "DEVICE"}],
        }}),
    );
}

#[test]
fn answers_are_text_and_back() {
    check_done(Done::Done, json!("done"));
    check_done(
        Done::Joined(JoinedRoom {
            room: room(),
            version: "12".into(),
            info: info(),
            belongs: false,
            me: me(),
        }),
        json!({"joined": {
            "room": "!room", "version": "12", "belongs": false,
            "info": {"name": "Weekly", "encrypted": true, "can_call": true, "can_invite": false, "can_kick": false},
            "me": {"user": "@room:server", "device": "DEVICE", "cross_signed": true},
        }}),
    );
    check_done(
        Done::Transports(vec![Transport {
            livekit_service_url: Pii::new("https://rtc.example.org/".parse().unwrap()),
        }]),
        json!({"transports": [{"livekit_service_url": "https://rtc.example.org/"}]}),
    );
    check_done(
        Done::OpenId(OpenIdToken {
            access_token: Secret::new("hunter2"),
            token_type: "Bearer".into(),
            matrix_server_name: Pii::from("server"),
            expires_in: 3600,
        }),
        json!({"open_id": {
            "access_token": "hunter2", "token_type": "Bearer", "matrix_server_name": "server",
            "expires_in": 3600,
        }}),
    );
    check_reply(
        Reply::Answer {
            id: 7,
            result: Err(Failure::TooMany {
                retry_after_ms: 500,
            }),
        },
        json!({"answer": {"id": 7, "result": {"Err": {"too_many": {"retry_after_ms": 500}}}}}),
    );
    check_reply(
        Reply::Answer {
            id: 7,
            result: Err(Failure::Account(Why::TokenRevoked)),
        },
        json!({"answer": {"id": 7, "result": {"Err": {"account": "token_revoked"}}}}),
    );
}

#[test]
fn news_is_text_and_back() {
    check_reply(
        Reply::News(News::Online(me())),
        json!({"news": {"online": {"user": "@room:server", "device": "DEVICE", "cross_signed": true}}}),
    );
    check_reply(Reply::News(News::Offline), json!({"news": "offline"}));
    let membership = StateEvent {
        state_key: Pii::from("_@room:server_DEVICE_m.call"),
        sender: me().user,
        event: EventId::new("$event"),
        ts: 1,
        content: Pii::new(json!({"application": "m.call"})),
    };
    check_reply(
        Reply::News(News::Call(Call {
            room: room(),
            memberships: vec![membership],
            sticky: Vec::new(),
            slots: Vec::new(),
            names: BTreeMap::from([(me().user, Pii::from("Weekly"))]),
            knocking: vec![Knocking {
                user: me().user,
                reason: Some(Pii::from("hello")),
            }],
            left_out: 0,
        })),
        json!({"news": {"call": {
            "room": "!room",
            "memberships": [{
                "state_key": "_@room:server_DEVICE_m.call", "sender": "@room:server",
                "event": "$event", "ts": 1, "content": {"application": "m.call"},
            }],
            "sticky": [], "slots": [], "names": {"@room:server": "Weekly"},
            "knocking": [{"user": "@room:server", "reason": "hello"}], "left_out": 0,
        }}}),
    );
    check_reply(
        Reply::News(News::ToDevice {
            sender: me().user,
            device: me().device,
            kind: "io.element.call.encryption_keys".into(),
            content: Pii::new(json!({"key": "hunter2"})),
        }),
        json!({"news": {"to_device": {
            "sender": "@room:server", "device": "DEVICE",
            "kind": "io.element.call.encryption_keys", "content": {"key": "hunter2"},
        }}}),
    );
}

#[test]
fn what_is_no_message_is_refused() {
    for text in [
        "",
        "null",
        "{}",
        r#"{"id": -1, "ask": "transports"}"#,
        r#"{"id": 1, "ask": "fly"}"#,
    ] {
        assert_eq!(Request::from_text(text), Err(BadText), "{text}");
        assert_eq!(Reply::from_text(text), Err(BadText), "{text}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(Request::from_text(&deep), Err(BadText));
    let large = format!(
        r#"{{"id": 1, "ask": "transports"}}{}"#,
        " ".repeat(MAX_TEXT_BYTES)
    );
    assert_eq!(Request::from_text(&large), Err(BadText));
    let text = Pii::new("x".repeat(MAX_TEXT_BYTES));
    let ask = Ask::SendMessage { room: room(), text };
    assert_eq!(Request { id: 1, ask }.to_text(), Err(BadText));
}

#[test]
fn only_what_may_pass_is_worth_another_try() {
    for (failure, retryable) in [
        (Failure::Unreachable, true),
        (Failure::TooMany { retry_after_ms: 1 }, true),
        (Failure::Forbidden, false),
        (Failure::Gone, false),
        (Failure::Account(Why::Stopped), false),
    ] {
        assert_eq!(failure.is_retryable(), retryable, "{failure}");
    }
}
