// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Into rooms, out of them, and who else is there.

use reqwest::Method;
use roomd_matrix_port::{Ask, Done, Failure, KnockOutcome, News, RoomGone, UserId};
use serde_json::{Value, json};

use super::line::{Room, room_id};
use super::person::{Person, fresh};
use super::synapse::shared;

#[tokio::test]
async fn a_public_room_is_joined_by_id_and_by_alias() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let alias = fresh("weekly");
    let id = bob.room(json!({"room_alias_name": alias})).await;
    let (_account, mut line, me) = Room::new(server).await.online().await;
    let joined = line.join(&format!("#{alias}:localhost")).await;
    assert_eq!(joined.room, room_id(&id));
    assert_eq!(joined.version, "12");
    assert!(!joined.belongs);
    assert_eq!(joined.me, me);
    let info = &joined.info;
    assert_eq!(info.name.expose(), "Weekly");
    assert!(
        !info.encrypted && info.can_call && !info.can_kick,
        "{info:?}"
    );
    let again = line.join(&id).await;
    assert!(!again.belongs, "it was entered for the meeting");
    line.call(|call| call.room == joined.room).await;
    bob.set_state(&id, "m.room.name", "", json!({"name": "Monthly"}))
        .await;
    bob.set_state(
        &id,
        "m.room.encryption",
        "",
        json!({"algorithm": "m.megolm.v1.aes-sha2"}),
    )
    .await;
    line.news(|news| match news {
        News::Room { info, .. } => {
            (info.name.expose() == "Monthly" && info.encrypted).then_some(())
        }
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn a_room_that_lets_nobody_call_says_so() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let id = bob.room(json!({"power_level_content_override": {}})).await;
    let (_account, mut line, _) = Room::new(server).await.online().await;
    assert!(!line.join(&id).await.info.can_call);
    let state = Ask::SetState {
        room: room_id(&id),
        kind: "org.matrix.msc3401.call.member".into(),
        state_key: "key".into(),
        content: json!({}).into(),
    };
    assert_eq!(line.ask(state).await, Err(Failure::Forbidden));
}

#[tokio::test]
async fn rooms_that_do_not_let_the_account_in_say_why() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let room = Room::new(server).await;
    let (_account, mut line, me) = room.online().await;
    for unknown in [
        "#nothing:localhost",
        "!nothing:localhost",
        "!dzwQg9regU2vSuV7UzZ6Yj0Rw5s3hkLq1yQ9Nw6ck0Q",
    ] {
        assert_eq!(
            line.try_join(unknown).await,
            Err(Failure::UnknownRoom),
            "{unknown}"
        );
    }
    let private = bob.room(json!({"preset": "private_chat"})).await;
    assert_eq!(line.try_join(&private).await, Err(Failure::InviteOnly));
    let public = bob.room(json!({})).await;
    bob.in_room(&public, "ban", json!({"user_id": me.user.expose()}))
        .await;
    assert_eq!(line.try_join(&public).await, Err(Failure::Banned));
}

#[tokio::test]
async fn an_invitation_opens_a_private_room() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let (_account, mut line, me) = Room::new(server).await.online().await;
    let private = bob.room(json!({"preset": "private_chat"})).await;
    bob.in_room(&private, "invite", json!({"user_id": me.user.expose()}))
        .await;
    assert!(line.join(&private).await.belongs);
}

#[tokio::test]
async fn a_knock_is_answered() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let (_account, mut line, me) = Room::new(server).await.online().await;
    let outcome = |news: &News| match news {
        News::Knock { outcome, .. } => Some(*outcome),
        _ => None,
    };
    let [denied, invited] = [bob.knock_room().await, bob.knock_room().await];
    for room in [&denied, &invited] {
        let knocked = Done::Knocked {
            room: room_id(room),
        };
        assert_eq!(line.try_join(room).await, Ok(knocked));
    }
    let path = format!("v3/rooms/{denied}/state/m.room.member/{}", me.user.expose());
    let member = bob.ok(Method::GET, &path, Value::Null).await;
    assert_eq!(member["reason"], "the meeting");
    bob.in_room(&denied, "kick", json!({"user_id": me.user.expose()}))
        .await;
    assert_eq!(line.news(outcome).await, KnockOutcome::Denied);
    bob.in_room(&invited, "invite", json!({"user_id": me.user.expose()}))
        .await;
    assert_eq!(line.news(outcome).await, KnockOutcome::Invited);
    line.join(&invited).await;
}

#[tokio::test]
async fn a_knock_is_taken_back() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let (_account, mut line, me) = Room::new(server).await.online().await;
    let room = bob.knock_room().await;
    line.try_join(&room).await.unwrap();
    assert_eq!(
        line.ask(Ask::Leave {
            room: room_id(&room)
        })
        .await,
        Ok(Done::Done)
    );
    let path = format!("v3/rooms/{room}/state/m.room.member/{}", me.user.expose());
    let member = bob.ok(Method::GET, &path, Value::Null).await;
    assert_eq!(member["membership"], "leave");
}

#[tokio::test]
async fn those_who_knock_are_let_in_or_turned_away() {
    let server = shared().await;
    let (bob, eve, host) = (
        Person::new(server, "bob").await,
        Person::new(server, "eve").await,
        Person::new(server, "host").await,
    );
    let room = host.knock_room().await;
    let (_account, mut line, me) = Room::new(server).await.online().await;
    host.in_room(&room, "invite", json!({"user_id": me.user.expose()}))
        .await;
    assert!(!line.join(&room).await.info.can_kick);
    for (person, reason) in [(&bob, "late"), (&eve, "")] {
        person
            .ok(
                Method::POST,
                &format!("v3/knock/{room}"),
                json!({"reason": reason}),
            )
            .await;
    }
    let call = line.call(|call| call.knocking.len() == 2).await;
    let knocking = call
        .knocking
        .iter()
        .find(|knocking| knocking.user.expose() == bob.user);
    let reason = knocking.and_then(|knocking| knocking.reason.clone());
    assert_eq!(
        reason.map(roomd_model::Pii::into_inner).as_deref(),
        Some("late")
    );
    assert!(call.names.contains_key(&UserId::new(&bob.user)));
    let kick = Ask::Kick {
        room: room_id(&room),
        user: UserId::new(&eve.user),
    };
    assert_eq!(line.ask(kick.clone()).await, Err(Failure::Forbidden));
    let creator = json!({"users": {me.user.expose(): 50}});
    host.set_state(&room, "m.room.power_levels", "", creator)
        .await;
    line.news(|news| match news {
        News::Room { info, .. } => (info.can_kick && info.can_invite).then_some(()),
        _ => None,
    })
    .await;
    assert_eq!(line.ask(kick).await, Ok(Done::Done));
    let invite = Ask::Invite {
        room: room_id(&room),
        user: UserId::new(&bob.user),
    };
    assert_eq!(line.ask(invite).await, Ok(Done::Done));
    line.call(|call| call.knocking.is_empty()).await;
    bob.ok(Method::POST, &format!("v3/join/{room}"), json!({}))
        .await;
}

#[tokio::test]
async fn whoever_leaves_is_forgotten_and_whoever_is_removed_is_told() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let (_account, mut line, me) = Room::new(server).await.online().await;
    let gone = |news: &News| match news {
        News::Gone { why, .. } => Some(*why),
        _ => None,
    };
    let [left, kicked, banned] = [
        bob.room(json!({})).await,
        bob.room(json!({})).await,
        bob.room(json!({})).await,
    ];
    for room in [&left, &kicked, &banned] {
        line.join(room).await;
    }
    assert_eq!(
        line.ask(Ask::Leave {
            room: room_id(&left)
        })
        .await,
        Ok(Done::Done)
    );
    let text = Ask::SendMessage {
        room: room_id(&left),
        text: "hello".into(),
    };
    assert_eq!(line.ask(text).await, Err(Failure::NotInRoom));
    for (room, action, why) in [
        (&kicked, "kick", RoomGone::Kicked),
        (&banned, "ban", RoomGone::Banned),
    ] {
        bob.in_room(room, action, json!({"user_id": me.user.expose()}))
            .await;
        assert_eq!(line.news(gone).await, why);
    }
    assert!(!line.join(&left).await.belongs);
}
