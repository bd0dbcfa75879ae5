// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Services of this device.

use roomd_conference::{ChannelCommand, Endpoint, Refusal};
use roomd_driver::channels::{Attachment, Services, Settings};
use roomd_model::Pii;
use tokio::sync::mpsc;

use crate::support::{ONE, Room, TWO, text};

const ECHO: &str = "echo";

/// Echoes; `bye` is answered and ends it. Tells what it heard, and when the session is gone.
fn echo(to_test: mpsc::UnboundedSender<Option<String>>) -> Settings {
    let attach = move || {
        let to_test = to_test.clone();
        async move {
            let (to, mut from_session) = mpsc::channel::<Pii<String>>(1);
            let (to_session, from) = mpsc::channel(1);
            tokio::spawn(async move {
                while let Some(said) = from_session.recv().await {
                    let last = said.expose() == "bye";
                    let _ = to_test.send(Some(said.expose().clone()));
                    let _ = to_session.send(said).await;
                    if last {
                        return;
                    }
                }
                let _ = to_test.send(None);
            });
            Attachment { to, from }
        }
    };
    let mut services = Services::default();
    services.add(ECHO, attach);
    Settings {
        services,
        ..Settings::default()
    }
}

fn open(name: &'static str) -> ChannelCommand {
    ChannelCommand::Open(Endpoint::Service(name))
}

#[tokio::test]
async fn a_service_is_a_channel_like_any_other() {
    let (to_test, mut said) = mpsc::unbounded_channel();
    let mut room = Room::start(echo(to_test));
    room.says(ONE, [open(ECHO)]);
    room.hears_opened(ONE).await;
    room.says(ONE, [text("one"), text("two")]);
    assert_eq!(room.hears_text(ONE).await, "one");
    assert_eq!(room.hears_text(ONE).await, "two");
    room.says(ONE, [text("bye")]);
    assert_eq!(room.hears_text(ONE).await, "bye", "the last word is heard");
    room.hears_closed(ONE).await;
    for word in ["one", "two", "bye"] {
        assert_eq!(said.recv().await.unwrap().as_deref(), Some(word));
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_refused() {
    let mut room = Room::start(Settings::default());
    room.says(ONE, [open("nothing")]);
    assert_eq!(room.hears_refused(ONE).await, Refusal::NoService);
}

#[tokio::test]
async fn closing_and_the_end_of_the_session_detach() {
    for close in [true, false] {
        let (to_test, mut said) = mpsc::unbounded_channel();
        let mut room = Room::start(echo(to_test));
        room.says(TWO, [open(ECHO)]);
        room.hears_opened(TWO).await;
        if close {
            // Fifty wait in a queue of one.
            let texts = (0..50).map(|_| text("hello"));
            room.says(TWO, texts.chain([ChannelCommand::Close]));
        } else {
            room.says(TWO, (0..50).map(|_| text("hello")));
            room.ends();
        }
        for _ in 0..50 {
            assert_eq!(said.recv().await.unwrap().as_deref(), Some("hello"));
        }
        assert_eq!(said.recv().await.unwrap(), None);
        if close {
            room.hears_nothing().await;
        }
    }
}
