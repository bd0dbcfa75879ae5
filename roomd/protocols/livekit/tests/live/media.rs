// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Sound, pictures and packets from one room to another.

use std::time::Duration;

use roomd_conference::{FrameScheme, LocalSource, MediaCommand};
use roomd_livekit::{Event, Packet, Publish, Source, TrackRefusal, Update};
use roomd_model::{PictureSize, PictureSizes, Pii};
use serde_json::json;

use crate::peer::size_of;
use crate::room::{Room, options};
use crate::server::Server;
use crate::{BOTH, Pair};

async fn pair(server: &Server) -> Pair {
    let anna = Room::join(server, "meeting", "anna", &BOTH).await;
    let bert = Room::join(server, "meeting", "bert", &BOTH).await;
    Pair { anna, bert }
}

fn hears(room: &Room, other: &str) -> bool {
    room.received(other, Source::Microphone).len() > 20
}

fn sees(room: &Room, other: &str) -> bool {
    room.received(other, Source::Camera).len() > 10
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn two_rooms_hear_and_see_each_other() {
    let server = Server::start(json!({ "auto_create": true })).await;
    let mut pair = pair(&server).await;
    pair.until("sound and picture", |pair| {
        hears(&pair.anna, "bert")
            && sees(&pair.anna, "bert")
            && hears(&pair.bert, "anna")
            && sees(&pair.bert, "anna")
    })
    .await;
    for room in [&pair.anna, &pair.bert] {
        assert_eq!(room.connection.bad_messages(), 0);
        let published = |source| room.has(|event| *event == Event::Published { source });
        assert!(BOTH.into_iter().all(published));
    }
    let name = pair.anna.connection.participants().next().unwrap();
    assert_eq!(name.name.expose(), "BERT");
    pair.until("a round trip", |pair| {
        pair.anna.connection.round_trip().is_some()
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn pictures_come_in_the_size_of_their_tile_and_leave_in_no_other() {
    let server = Server::start(json!({ "auto_create": true })).await;
    let mut pair = pair(&server).await;
    pair.until("a picture", |pair| sees(&pair.bert, "anna"))
        .await;
    let stream = pair.bert.stream("anna", Source::Camera).unwrap();
    for size in [PictureSize::High, PictureSize::Low, PictureSize::Medium] {
        let (width, height) = size.pixels();
        pair.bert
            .wish(|connection, _| connection.want(stream, height));
        pair.until("the size", |pair| {
            let frames = pair.bert.received("anna", Source::Camera);
            let recent = frames.iter().rev().take(5);
            frames.len() >= 5
                && recent.filter_map(size_of).count() == 5
                && frames
                    .iter()
                    .rev()
                    .take(5)
                    .all(|frame| size_of(frame) == Some((width as u16, height as u16)))
        })
        .await;
        // The server tells the sender what nobody wants.
        pair.until("the wish", |pair| {
            let wanted = pair
                .anna
                .media
                .iter()
                .rev()
                .find_map(|command| match command {
                    MediaCommand::Want { sizes, .. } => Some(*sizes),
                    _ => None,
                });
            wanted.unwrap_or(PictureSizes::LAYERS) == PictureSizes::up_to(height)
        })
        .await;
        pair.bert.frames.clear();
    }
    pair.bert.wish(|connection, _| connection.want(stream, 0));
    pair.live(Duration::from_secs(1)).await;
    pair.bert.frames.clear();
    pair.live(Duration::from_secs(1)).await;
    assert_eq!(pair.bert.received("anna", Source::Camera).len(), 0);
    pair.bert.wish(|connection, _| connection.want(stream, 360));
    pair.until("the picture again", |pair| sees(&pair.bert, "anna"))
        .await;
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn mutes_go_both_ways() {
    let server = Server::start(json!({ "auto_create": true })).await;
    let mut pair = pair(&server).await;
    pair.until("sound", |pair| hears(&pair.bert, "anna")).await;
    let muted = |pair: &Pair, wanted: bool| {
        let mut tracks = pair.bert.connection.tracks();
        tracks.any(|track| track.source == Source::Microphone && track.muted == wanted)
    };
    pair.anna
        .wish(|c, now| c.set_muted(LocalSource::Microphone, true, now));
    pair.until("the mute", |pair| muted(pair, true)).await;
    let anna = pair.bert.connection.participants().next().unwrap();
    assert!(!anna.microphone && anna.camera);
    pair.anna
        .wish(|c, now| c.set_muted(LocalSource::Microphone, false, now));
    pair.until("its end", |pair| muted(pair, false)).await;
    // A moderator.
    let sid = server.track("anna", "MICROPHONE").await;
    let body = json!({ "room": "meeting", "identity": "anna", "track_sid": sid, "muted": true });
    server.service("MutePublishedTrack", body).await;
    pair.until("the moderator's mute", |pair| {
        pair.anna.has(|event| {
            *event
                == Event::MutedByServer {
                    source: LocalSource::Microphone,
                    muted: true,
                }
        }) && muted(pair, true)
    })
    .await;
    let held = pair
        .anna
        .media
        .iter()
        .rev()
        .find_map(|command| match command {
            MediaCommand::Hold { held, .. } => Some(*held),
            _ => None,
        });
    assert_eq!(held, Some(true));
    pair.anna
        .wish(|c, now| c.set_muted(LocalSource::Microphone, false, now));
    pair.until("the person's own decision", |pair| muted(pair, false))
        .await;
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn content_comes_goes_and_comes_again() {
    let server = Server::start(json!({ "auto_create": true })).await;
    let mut pair = pair(&server).await;
    pair.until("the others", |pair| sees(&pair.bert, "anna"))
        .await;
    pair.anna.sends.push(LocalSource::Content);
    for _ in 0..2 {
        let publish = Publish {
            source: LocalSource::Content,
            muted: false,
        };
        pair.anna
            .wish(|connection, now| connection.publish(publish, now));
        pair.until("content", |pair| {
            pair.bert.received("anna", Source::Screen).len() > 10
        })
        .await;
        assert!(pair.bert.connection.participants().next().unwrap().sharing);
        let size = size_of(&pair.bert.received("anna", Source::Screen)[0]);
        assert_eq!(size, Some((1920, 1080)));
        pair.anna
            .wish(|connection, now| connection.unpublish(LocalSource::Content, now));
        pair.until("its end", |pair| {
            let sharing = pair.bert.connection.participants().any(|p| p.sharing);
            pair.bert.stream("anna", Source::Screen).is_none() && !sharing
        })
        .await;
    }
    assert_eq!(pair.anna.connection.bad_messages(), 0);
    assert!(sees(&pair.bert, "anna"));
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn packets_and_words_reach_the_other() {
    let server = Server::start(json!({ "auto_create": true })).await;
    let start = |name: &str, sources: &[LocalSource]| {
        let mut options = options(&server, &server.token("meeting", name), sources);
        options.data = true;
        Room::start(name, options)
    };
    // One with tracks and one without.
    let mut pair = Pair {
        anna: start("anna", &[LocalSource::Microphone]),
        bert: start("bert", &[]),
    };
    let packet = |reliable: bool, text: &str| Packet {
        payload: Pii::new(text.as_bytes().to_vec()),
        topic: "test".into(),
        reliable,
        to: Vec::new(),
    };
    let heard = |room: &Room, text: &str| {
        room.has(|event| {
            matches!(event, Event::Data(data)
                if data.payload.expose() == text.as_bytes() && data.topic == "test"
                    && data.from.is_some())
        })
    };
    pair.until("reliable packets", |pair| {
        pair.anna
            .wish(|connection, _| connection.send_data(packet(true, "from anna")));
        pair.bert
            .wish(|connection, _| connection.send_data(packet(true, "from bert")));
        heard(&pair.anna, "from bert") && heard(&pair.bert, "from anna")
    })
    .await;
    pair.until("lossy packets", |pair| {
        pair.anna
            .wish(|connection, _| connection.send_data(packet(false, "lossy")));
        heard(&pair.bert, "lossy")
    })
    .await;
    let update = Update {
        name: Pii::from("Anna A."),
        metadata: Pii::from("{}"),
        attributes: [("hand".to_owned(), Pii::from("up"))].into(),
    };
    let request = pair.anna.wish(|connection, _| connection.update(update));
    pair.until("the words", |pair| {
        let mut participants = pair.bert.connection.participants();
        participants.any(|anna| {
            anna.name.expose() == "Anna A."
                && anna.metadata.expose() == "{}"
                && anna
                    .attributes
                    .get("hand")
                    .is_some_and(|hand| hand.expose() == "up")
        })
    })
    .await;
    let request = request.unwrap();
    pair.until("the answer", |pair| {
        let accepted = true;
        pair.anna
            .has(|event| *event == Event::Updated { request, accepted })
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn who_encrypts_and_who_does_not_do_not_meet() {
    let server = Server::start(json!({ "auto_create": true })).await;
    let start = |name: &str, encryption| {
        let mut options = options(&server, &server.token("meeting", name), &BOTH);
        options.encryption = encryption;
        Room::start(name, options)
    };
    let mut pair = Pair {
        anna: start("anna", Some(FrameScheme::ElementCall)),
        bert: start("bert", None),
    };
    let refused = |room: &Room, source: Source, reason: TrackRefusal| {
        room.has(|event| {
            matches!(event, Event::TrackRefused { source: s, reason: r, .. }
            if *s == source && *r == reason)
        })
    };
    pair.until("refusals", |pair| {
        [Source::Microphone, Source::Camera]
            .into_iter()
            .all(|source| {
                refused(&pair.anna, source, TrackRefusal::Unencrypted)
                    && refused(&pair.bert, source, TrackRefusal::Encrypted)
            })
    })
    .await;
    pair.live(Duration::from_secs(1)).await;
    assert!(pair.anna.frames.is_empty() && pair.bert.frames.is_empty());
    // The server's mark of its own frames is known.
    let marked = pair.anna.media.iter().any(|command| {
        matches!(command, MediaCommand::Encrypt { encryption, .. } if !encryption.server_mark.is_empty())
    });
    assert!(marked);
    let mut clara = start("clara", Some(FrameScheme::ElementCall));
    pair.bert.wish(|connection, _| connection.leave());
    std::mem::swap(&mut pair.bert, &mut clara);
    pair.until("those alike", |pair| {
        hears(&pair.anna, "clara") && sees(&pair.bert, "anna")
    })
    .await;
}
