// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Content before and while it is sent: looked at, frozen, cut, held.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;

use std::time::{Duration, Instant};

use bench::{LIMIT, Room};
use roomd_media::{
    CameraSource, ContentInput, ContentPicture, ContentRun, EngineCommand, EngineEvent, Settings,
};
use roomd_media_core::scene::TileSource;
use roomd_model::Crop;

/// What the source id of the test picture becomes for content.
const SOURCE: u8 = 111;

fn input(run: ContentRun) -> ContentInput {
    ContentInput {
        source: CameraSource::TestPicture,
        run,
        frozen: false,
        crop: Crop::FULL,
    }
}

async fn take(room: &Room, input: ContentInput) {
    let command = EngineCommand::ContentInput(input);
    room.engine.command(command).await;
}

async fn gives(room: &mut Room, picture: bool) {
    room.wait("news of content", |event| match event {
        EngineEvent::Content(ContentPicture::Some { plain, .. }) => {
            assert!(!plain, "the test picture has many colours");
            picture.then_some(())
        }
        EngineEvent::Content(ContentPicture::None) => (!picture).then_some(()),
        _ => None,
    })
    .await;
}

async fn thumbnail(room: &Room) -> bool {
    room.engine.content_thumbnail().await.unwrap().is_some()
}

async fn code_is(room: &Room, wanted: impl Fn(Option<u64>) -> bool) {
    let end = Instant::now() + LIMIT;
    while !wanted(room.code().await.map(|code| code.millis)) {
        assert!(Instant::now() < end, "the picture never comes");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_is_looked_at_frozen_cut_and_held() {
    let mut room = Room::with(Settings {
        content: CameraSource::TestPicture,
        ..Room::settings(11, 1000.0)
    });
    room.show(TileSource::OwnContent).await;
    take(&room, input(ContentRun::WhileSent)).await;
    assert!(!thumbnail(&room).await, "open without anybody looking");
    take(&room, input(ContentRun::Open)).await;
    gives(&mut room, true).await;
    assert!(thumbnail(&room).await);
    assert_eq!(room.code().await, None, "on the display before it is sent");
    take(&room, input(ContentRun::WhileSent)).await;
    gives(&mut room, false).await;
    assert!(!thumbnail(&room).await);

    room.engine.command(EngineCommand::Content(true)).await;
    let first = room.sees(SOURCE).await;
    room.sees_later(SOURCE, first).await;

    let frozen = ContentInput {
        frozen: true,
        ..input(ContentRun::Open)
    };
    take(&room, frozen).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let still = room.sees(SOURCE).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(room.sees(SOURCE).await, still, "a frozen picture moves");

    // The time code stands at the lower edge.
    let cut = ContentInput {
        crop: Crop {
            height: 500,
            ..Crop::FULL
        },
        ..input(ContentRun::Open)
    };
    take(&room, cut).await;
    code_is(&room, |code| code.is_none()).await;
    take(&room, input(ContentRun::Open)).await;
    room.sees_later(SOURCE, still).await;

    take(&room, input(ContentRun::Held)).await;
    gives(&mut room, false).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let last = room.sees(SOURCE).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(room.sees(SOURCE).await, last, "a held picture moves");
    assert!(thumbnail(&room).await);

    room.engine.command(EngineCommand::Content(false)).await;
    let end = Instant::now() + LIMIT;
    while thumbnail(&room).await {
        assert!(Instant::now() < end, "the last picture is kept");
    }
    room.engine.shutdown().await;
}
