// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Meetings as people live through them.

mod common;

use std::time::Duration;

use chrono::TimeDelta;
use common::{Bench, ELSEWHERE, LINK, OTHER, booking, noon, person};
use roomd_conference::{Command, Ended, Event, LocalSource};
use roomd_model::{BookingId, BookingLink, FaultCode, Layout, LinkRefusal, Phase, Pii, Secret};
use roomd_room::{AllowList, Input, Output, Refusal, Request, Resume, RoomConfig};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn resume_of(outputs: &[Output]) -> Option<Resume> {
    outputs.iter().find_map(|output| match output {
        Output::Persist(resume) => resume.clone(),
        _ => None,
    })
}

#[test]
fn joins_silently_and_sends_at_the_touch_of_one_button() {
    let mut bench = Bench::new(RoomConfig::default(), None);
    bench.take();
    bench.join(LINK).unwrap();
    assert_eq!(bench.said(), ["start 0", "persist true", "preview true"]);
    bench.event(Event::Joined);
    assert_eq!(bench.said(), ["tell 0 WantedHeight(720)"]);
    assert_eq!(bench.ask(Request::Microphone(true)), Err(Refusal::NotNow));
    assert!(bench.said().is_empty());
    bench.ask(Request::StartSending).unwrap();
    assert_eq!(
        bench.said(),
        [
            "preview false",
            "sending true true",
            "tell 0 Sending { microphone: true, camera: true }"
        ]
    );
    bench.ask(Request::Camera(false)).unwrap();
    assert_eq!(bench.said()[0], "sending true false");
    bench.ask(Request::Leave).unwrap();
    assert_eq!(
        bench.said(),
        [
            "sending false false",
            "tell 0 Sending { microphone: false, camera: false }",
            "tell 0 Leave { returning: false }",
            "persist false"
        ]
    );
    bench.event(Event::Ended(Ended::Left));
    assert_eq!(bench.said(), ["drop 0"]);
    assert_eq!(bench.room.phase(), Phase::Idle);
}

#[test]
fn joins_sending_only_when_configured() {
    let config = RoomConfig {
        joins_sending: true,
        ..RoomConfig::default()
    };
    let mut bench = Bench::new(config, None);
    bench.join(LINK).unwrap();
    assert!(!bench.said().iter().any(|said| said.starts_with("sending")));
    bench.event(Event::Joined);
    assert!(bench.said().contains(&"sending true true".to_owned()));
    assert!(bench.call().sending);
}

#[test]
fn content_goes_out_in_a_call_alone_and_comes_back_with_it() {
    let mut bench = Bench::new(RoomConfig::default(), None);
    bench.input(Input::Content(true)).unwrap();
    bench.take();
    bench.join(LINK).unwrap();
    bench.event(Event::Joined);
    assert!(!bench.said().iter().any(|said| said.contains("ontent")));
    bench.event(Event::Participants(vec![person("a")]));
    bench.take();
    bench.input(Input::Content(true)).unwrap();
    assert_eq!(
        bench.said(),
        [
            "content true",
            "tell 0 Content(true)",
            "tell 0 WantedHeight(360)"
        ]
    );
    // Nobody pressed the button that sends picture and sound of the room.
    let call = bench.call();
    assert!(call.content && !call.sending && !call.camera);
    assert_eq!(call.layout, Layout::Share);
    bench.event(Event::Reconnecting { attempt: 1 });
    assert_eq!(bench.said()[0], "content false");
    bench.event(Event::Joined);
    assert_eq!(bench.said()[0], "content true");
    bench.event(Event::Muted(LocalSource::Content));
    assert_eq!(
        bench.said()[..2],
        ["content false", "tell 0 Content(false)"]
    );
    bench.input(Input::Content(true)).unwrap();
    bench.take();
    bench.ask(Request::Leave).unwrap();
    assert_eq!(
        bench.said()[1..3],
        ["content false", "tell 0 Content(false)"]
    );
}

#[test]
fn never_contacts_what_is_not_allowed_and_says_why() {
    let mut bench = Bench::new(RoomConfig::default(), None);
    bench.take();
    for (url, refusal) in [
        (ELSEWHERE, Refusal::DestinationNotAllowed),
        (
            "http://room.example/meet/one",
            Refusal::DestinationNotAllowed,
        ),
        ("https://room.example/other", Refusal::PlatformUnknown),
        ("meeting", Refusal::BadLink),
        (&format!("{LINK}{}", "x".repeat(3000)), Refusal::BadLink),
    ] {
        assert_eq!(bench.join(url), Err(refusal));
    }
    let start = bench.now.utc;
    let bookings = vec![booking("x", start, 30, ELSEWHERE)];
    bench.input(Input::Bookings(bookings)).unwrap();
    assert_eq!(bench.room.phase(), Phase::Idle);
    let expected = BookingLink::Refused {
        host: Pii::from("elsewhere.example"),
        reason: LinkRefusal::NotAllowed,
    };
    assert_eq!(bench.room.view().bookings[0].link, expected);
    let id = BookingId("x".into());
    let refused = bench.ask(Request::JoinBooking(id.clone()));
    assert_eq!(refused, Err(Refusal::DestinationNotAllowed));
    assert!(bench.take().is_empty());

    let config = RoomConfig {
        allow: Some(AllowList::parse(["*.example"]).unwrap()),
        ..RoomConfig::default()
    };
    bench.input(Input::Config(config)).unwrap();
    bench.ask(Request::JoinBooking(id)).unwrap();
    assert_eq!(bench.sessions.len(), 1);
}

#[test]
fn offers_the_nearest_booking_within_its_window() {
    let mut bench = Bench::new(RoomConfig::default(), None);
    let noon = bench.now.utc;
    let hour = TimeDelta::hours(1);
    let mut all_day = booking("day", noon, 24 * 60, LINK);
    all_day.all_day = true;
    let bookings = vec![
        booking("first", noon + hour, 60, LINK),
        booking("second", noon + hour * 2, 60, OTHER),
        all_day,
    ];
    bench.input(Input::Bookings(bookings)).unwrap();
    let mut seen = Vec::new();
    for _ in 0..24 {
        let phase = match bench.room.phase() {
            Phase::Offered { booking } => booking.0,
            _ => String::from("-"),
        };
        if seen.last().is_none_or(|(_, last)| *last != phase) {
            seen.push(((bench.now.utc - noon).num_minutes(), phase));
        }
        bench.advance(secs(600));
    }
    let expected = [(0, "-"), (50, "first"), (110, "second"), (180, "-")];
    assert_eq!(seen, expected.map(|(at, id)| (at, id.to_owned())));
}

#[test]
fn a_protected_meeting_is_not_hosted_without_its_password() {
    let mut bench = Bench::new(RoomConfig::default(), None);
    let mut kept = booking("kept", bench.now.utc, 60, LINK);
    if let BookingLink::Meeting(link) = &mut kept.link {
        link.protected = true;
    }
    bench.input(Input::Bookings(vec![kept.clone()])).unwrap();
    let join = || Request::JoinBooking(kept.id.clone());
    bench.ask(join()).unwrap();
    let code = FaultCode::PasswordRequired;
    assert_eq!(bench.room.phase(), Phase::Fault { code });
    assert!(bench.sessions.is_empty());

    if let BookingLink::Meeting(link) = &mut kept.link {
        link.password = Some(Secret::new("geheim"));
    }
    bench.input(Input::Bookings(vec![kept.clone()])).unwrap();
    bench.ask(join()).unwrap();
    assert_eq!(bench.sessions.len(), 1);
}

#[test]
fn an_entry_without_length_is_offered_for_half_an_hour() {
    let mut bench = Bench::new(RoomConfig::default(), None);
    let noon = bench.now.utc;
    let point = booking("point", noon + TimeDelta::minutes(5), 0, LINK);
    bench.input(Input::Bookings(vec![point])).unwrap();
    let offered = |bench: &Bench| matches!(bench.room.phase(), Phase::Offered { .. });
    assert!(offered(&bench));
    bench.advance(secs(34 * 60));
    assert!(offered(&bench));
    bench.advance(secs(2 * 60));
    assert!(!offered(&bench));
}

#[test]
fn an_empty_call_counts_down_and_a_person_may_stay() {
    let mut bench = Bench::in_call(RoomConfig::default());
    bench.advance(secs(3600));
    assert_eq!(bench.call().countdown_ends, None);
    assert_eq!(bench.ask(Request::Stay), Err(Refusal::NotNow));
    bench.event(Event::Participants(Vec::new()));
    let ends = bench.now.utc + TimeDelta::seconds(120);
    assert_eq!(bench.call().countdown_ends, Some(ends));
    bench.event(Event::Waiting(vec![person("b")]));
    assert_eq!(bench.call().countdown_ends, Some(ends), "only waiting");
    bench.event(Event::Participants(vec![person("b")]));
    assert_eq!(bench.call().countdown_ends, None);
    bench.event(Event::Participants(Vec::new()));
    bench.event(Event::Waiting(vec![person("c")]));
    bench.advance(secs(119));
    bench.ask(Request::Stay).unwrap();
    bench.advance(secs(3000));
    assert_eq!(bench.room.phase(), Phase::InCall);
    bench.advance(secs(600));
    assert!(bench.call().countdown_ends.is_some());
    bench.advance(secs(126));
    assert_eq!(bench.room.phase(), Phase::Idle);
    assert!(bench.said().ends_with(&["drop 0".to_owned()]));
}

#[test]
fn waits_alone_for_the_first_participant_but_not_for_ever() {
    let mut bench = Bench::new(RoomConfig::default(), None);
    bench.join(LINK).unwrap();
    bench.event(Event::Joined);
    bench.advance(secs(15 * 60 - 1));
    assert_eq!(bench.call().countdown_ends, None);
    bench.advance(secs(1));
    assert!(bench.call().countdown_ends.is_some());
    bench.advance(secs(126));
    assert_eq!(bench.room.phase(), Phase::Idle);
}

#[test]
fn joining_and_leaving_are_bounded() {
    let mut bench = Bench::new(RoomConfig::default(), None);
    bench.join(LINK).unwrap();
    bench.advance(secs(59));
    assert_eq!(bench.room.phase(), Phase::Joining);
    bench.advance(secs(1));
    assert_eq!(bench.room.phase(), Phase::Leaving);
    bench.advance(secs(5));
    let code = FaultCode::MeetingUnreachable;
    assert_eq!(bench.room.phase(), Phase::Fault { code });
    assert!(bench.room.view().call.is_none());
    let wrong = Request::Acknowledge(FaultCode::CameraMissing);
    assert_eq!(bench.ask(wrong), Err(Refusal::Unknown));
    bench.ask(Request::Acknowledge(code)).unwrap();
    assert_eq!(bench.room.phase(), Phase::Idle);
    bench.event(Event::Joined);
    assert_eq!(
        bench.room.phase(),
        Phase::Idle,
        "late news of a dropped session"
    );
}

#[test]
fn a_password_is_asked_for_and_kept_for_the_restart() {
    let mut bench = Bench::new(RoomConfig::default(), None);
    bench.join(LINK).unwrap();
    let password = || Request::Password(Secret::new("sesame"));
    assert_eq!(bench.ask(password()), Err(Refusal::NotNow));
    bench.event(Event::PasswordRequired { wrong: false });
    bench.advance(secs(200));
    assert_eq!(bench.call().password_wanted, Some(false));
    bench.take();
    bench.ask(password()).unwrap();
    let outputs = bench.take();
    let kept = resume_of(&outputs).and_then(|resume| resume.password);
    assert_eq!(kept, Some(Secret::new("sesame")));
    let told = |output: &Output| matches!(output, Output::Session(_, Command::Password(_)));
    assert!(outputs.iter().any(told));
    bench.event(Event::PasswordRequired { wrong: true });
    assert_eq!(bench.call().password_wanted, Some(true));
    bench.advance(secs(310));
    let code = FaultCode::PasswordRequired;
    assert_eq!(bench.room.phase(), Phase::Fault { code });
}

#[test]
fn a_password_stays_wanted_through_joining_and_reconnecting() {
    let mut bench = Bench::new(RoomConfig::default(), None);
    bench.join(LINK).unwrap();
    bench.event(Event::PasswordRequired { wrong: false });
    for event in [
        Event::Joined,
        Event::Reconnecting { attempt: 1 },
        Event::Reconnecting { attempt: 2 },
        Event::Joined,
    ] {
        bench.event(event.clone());
        assert_eq!(bench.call().password_wanted, Some(false), "{event:?}");
    }
    let password = Request::Password(Secret::new("sesame"));
    bench.ask(password).unwrap();
    assert_eq!(bench.call().password_wanted, None);
}

#[test]
fn a_lost_meeting_is_silent_until_it_is_back() {
    let mut bench = Bench::in_call(RoomConfig::default());
    bench.ask(Request::StartSending).unwrap();
    bench.take();
    bench.event(Event::Reconnecting { attempt: 1 });
    assert_eq!(bench.said()[0], "sending false false");
    bench.advance(secs(60));
    bench.event(Event::Reconnecting { attempt: 2 });
    assert_eq!(bench.room.phase(), Phase::Reconnecting { attempt: 2 });
    bench.event(Event::Joined);
    assert_eq!(bench.said()[0], "sending true true");
    assert!(bench.call().microphone);
    bench.event(Event::Reconnecting { attempt: 1 });
    bench.advance(secs(125));
    let code = FaultCode::ConnectionLost;
    assert_eq!(bench.room.phase(), Phase::Fault { code });
}

#[test]
fn goes_straight_to_the_next_meeting() {
    let mut bench = Bench::in_call(RoomConfig::default());
    bench.ask(Request::StartSending).unwrap();
    let next = booking("next", bench.now.utc, 30, OTHER);
    bench.input(Input::Bookings(vec![next])).unwrap();
    let join = || Request::JoinBooking(BookingId("next".into()));
    bench.take();
    bench.ask(join()).unwrap();
    assert_eq!(bench.ask(join()), Err(Refusal::NotNow));
    assert_eq!(bench.room.phase(), Phase::Leaving);
    bench.event(Event::Ended(Ended::Left));
    assert_eq!(
        bench.said(),
        [
            "sending false false",
            "tell 0 Sending { microphone: false, camera: false }",
            "tell 0 Leave { returning: false }",
            "persist false",
            "drop 0",
            "start 1",
            "persist true",
            "preview true"
        ]
    );
    assert!(!bench.call().sending, "each meeting begins silent");
    assert_eq!(bench.call().booking, Some(BookingId("next".into())));
}

#[test]
fn a_restart_inside_a_meeting_comes_back_silently() {
    let mut bench = Bench::in_call(RoomConfig::default());
    bench.ask(Request::StartSending).unwrap();
    let resume = resume_of(&bench.take()).unwrap();
    bench.input(Input::Shutdown).unwrap();
    assert_eq!(bench.ask(Request::Stay), Err(Refusal::Busy));
    bench.event(Event::Ended(Ended::Left));
    let said = bench.said();
    assert_eq!(said.last().unwrap(), "finished");
    assert!(!said.contains(&"persist false".to_owned()));
    assert!(said.contains(&"tell 0 Leave { returning: true }".to_owned()));

    let text = serde_json::to_string(&resume).unwrap();
    let resume: Resume = serde_json::from_str(&text).unwrap();
    for joins_sending in [false, true] {
        let config = RoomConfig {
            joins_sending,
            ..RoomConfig::default()
        };
        let mut back = Bench::new(config, Some(resume.clone()));
        assert_eq!(back.room.phase(), Phase::Joining);
        back.event(Event::Joined);
        assert!(!back.call().sending);
        assert_eq!(back.call().since, resume.since);
    }

    let late = Resume {
        until: noon().utc,
        ..resume.clone()
    };
    let mut late = Bench::new(RoomConfig::default(), Some(late));
    assert_eq!(late.room.phase(), Phase::Idle);
    assert_eq!(late.said(), ["volume 60", "persist false"]);

    let elsewhere = Resume {
        link: common::link(ELSEWHERE),
        ..resume
    };
    let refused = Bench::new(RoomConfig::default(), Some(elsewhere));
    let code = FaultCode::DestinationNotAllowed;
    assert_eq!(refused.room.phase(), Phase::Fault { code });
    assert!(refused.sessions.is_empty());
}

#[test]
fn a_restart_after_the_end_of_the_booking_ends_the_meeting() {
    let mut bench = Bench::new(RoomConfig::default(), None);
    let booked = booking("short", bench.now.utc, 30, LINK);
    bench.input(Input::Bookings(vec![booked])).unwrap();
    bench
        .ask(Request::JoinBooking(BookingId("short".into())))
        .unwrap();
    bench.event(Event::Joined);
    bench.event(Event::Participants(vec![person("a")]));
    bench.advance(secs(31 * 60));
    bench.input(Input::Shutdown).unwrap();
    let said = bench.said();
    assert!(said.contains(&"tell 0 Leave { returning: false }".to_owned()));
}

#[test]
fn hosts_a_meeting_whose_link_guests_open() {
    let mut bench = Bench::new(RoomConfig::default(), None);
    bench
        .ask(Request::StartMeeting {
            password: Some(Secret::new("sesame")),
            seed: [9; 32],
        })
        .unwrap();
    let url = bench.call().guest_url.unwrap();
    assert_eq!(url.expose(), "https://room.example/meet/9");
    assert_eq!(bench.sessions[0].1.password, Some(Secret::new("sesame")));
    bench.event(Event::Joined);
    let admit = |id: &str| Request::Admit(roomd_model::ParticipantId(id.into()));
    assert_eq!(bench.ask(admit("a")), Err(Refusal::Unknown));
    bench.event(Event::Waiting(vec![person("a")]));
    bench.ask(admit("a")).unwrap();
    assert!(
        bench
            .said()
            .contains(&"tell 0 Admit(ParticipantId(\"a\"))".to_owned())
    );
}
