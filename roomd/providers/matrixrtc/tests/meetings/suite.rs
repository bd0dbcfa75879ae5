// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What every provider promises, kept here too.

use std::time::{Duration, Instant};

use chrono::DateTime;
use roomd_conference::conformance::{Step, check};
use roomd_conference::{ChannelEvent, ChannelId, Command, Input, Provider};
use roomd_matrix_port::{Done, News, Reply};
use roomd_model::{Now, ParticipantId, Pii};
use url::Url;

use crate::bench::{LINK, me, provider, room};

#[test]
fn the_provider_conforms() {
    let channel = ChannelId(ChannelId::FIRST_OWN);
    let said = |reply: Reply| {
        let text = reply.to_text().unwrap();
        Step::Input(Input::Channel(channel, ChannelEvent::Text(text)))
    };
    let script = [
        Step::Input(Input::Channel(channel, ChannelEvent::Opened)),
        said(Reply::News(News::Online(me()))),
        said(Reply::Answer {
            id: 0,
            result: Ok(Done::Joined(room(true))),
        }),
        Step::Input(Input::Command(Command::Hand(true))),
        Step::Input(Input::Command(Command::Content(true))),
        Step::Input(Input::Command(Command::Chat(Pii::from("hello")))),
        Step::Input(Input::Command(Command::Admit(ParticipantId("x".into())))),
        Step::Advance(Duration::from_secs(60)),
        Step::Input(Input::Channel(channel, ChannelEvent::Closed)),
        Step::Advance(Duration::from_secs(60)),
    ];
    let link = provider(true)
        .recognise(&Url::parse(LINK).unwrap())
        .unwrap();
    let start = Now {
        mono: Instant::now(),
        utc: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
    };
    check(&|| Box::new(provider(true)), &link, &script, start);
}
