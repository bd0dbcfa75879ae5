// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use super::*;
use crate::content::known::{ASK, ASK_AGAIN};
use crate::content::timings::Timings;
use crate::device::tests::camera;
use crate::inventory::{Event, Inventory, Roles};

const SECOND: Duration = Duration::from_secs(1);
const PICTURE: Picture = Picture::Some {
    width: 1280,
    height: 720,
    plain: false,
};
const NAME: &str = "Logi Group Camera";

/// A room with one receiver, and the time.
struct Room {
    inputs: ContentInputs,
    inventory: Inventory,
    now: Instant,
    cable: Answer,
}

impl Room {
    /// A receiver that nobody named, with a signal; in a call.
    fn new() -> Self {
        let mut room = Self::empty(&[]);
        room.plug(true);
        room.inputs.room(Some(1), room.now);
        room
    }

    fn empty(named: &[(&str, &str)]) -> Self {
        let mut roles = Roles::default();
        for (name, device) in named {
            roles
                .give(Role::Content((*name).to_owned()), device)
                .unwrap();
        }
        let names = named.iter().map(|(name, _)| (*name).to_owned()).collect();
        Self {
            inputs: ContentInputs::new(names),
            inventory: Inventory::new(roles),
            now: Instant::now(),
            cable: Answer::Signal(Timings::of(1280, 720), true),
        }
    }

    fn plug(&mut self, there: bool) {
        let properties = camera("1-1.4:1.0", "A1", 0);
        let event = if there {
            Event::Added(properties)
        } else {
            Event::Removed(properties.path)
        };
        self.inventory.handle(event, self.now);
        self.inputs.refresh(self.inventory.entries(), self.now);
        self.ask();
    }

    /// Answers whoever is asked.
    fn ask(&mut self) {
        while let Some(ask) = self.inputs.poll_ask(self.now) {
            if let Answer::Signal(_, set) = &mut self.cable {
                *set |= ask.may_set;
            }
            let report = Report {
                receiver: self.cable != Answer::Silent,
                answer: self.cable,
            };
            self.inputs
                .answered(&ask.id, ask.arrivals, Some(report), self.now);
        }
    }

    /// Lets time pass; the engine sends pictures while the device is open and there is a signal.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now += SECOND / 10;
            self.inputs.handle_timeout(self.now);
            self.ask();
            let open = self.inputs.goal(self.now).run == Run::Open;
            let signal = matches!(self.cable, Answer::Signal(..) | Answer::Silent);
            self.inputs.sent(
                if open && signal {
                    PICTURE
                } else {
                    Picture::None
                },
                self.now,
            );
        }
    }

    fn cable(&mut self, answer: Answer) {
        self.cable = answer;
    }

    fn share(&self) -> Share {
        self.inputs
            .shared(self.now)
            .map_or(Share::Off, |(_, share)| share)
    }

    fn shown(&self) -> Shown {
        self.inputs.shown(self.now).remove(0)
    }

    fn goal(&self) -> Goal {
        self.inputs.goal(self.now)
    }
}

#[test]
fn a_receiver_that_could_not_be_asked_is_asked_again() {
    let mut room = Room::empty(&[]);
    let properties = camera("1-1.4:1.0", "A1", 0);
    room.inventory.handle(Event::Added(properties), room.now);
    room.inputs.refresh(room.inventory.entries(), room.now);
    let ask = room.inputs.poll_ask(room.now).unwrap();
    room.inputs.answered(&ask.id, ask.arrivals, None, room.now);
    assert_eq!(room.inputs.poll_ask(room.now), None);
    let (at, _) = room.inputs.poll_timeout(room.now).unwrap();
    assert_eq!(at, room.now + ASK_AGAIN);
    room.now = at;
    room.ask();
    assert_eq!(room.shown().name, NAME);
    // What answers that it is no receiver is left alone.
    let mut camera = Room::empty(&[]);
    camera.cable(Answer::Silent);
    camera.plug(true);
    camera.now += 100 * SECOND;
    assert_eq!(camera.inputs.poll_ask(camera.now), None);
}

#[test]
fn a_signal_is_told_and_nothing_is_opened_or_shared() {
    let mut room = Room::new();
    let shown = room.shown();
    assert_eq!((shown.name.as_str(), shown.configured), (NAME, false));
    assert_eq!(shown.signal, Signal::Ready(Some((1280, 720))));
    room.pass(SECOND * 20);
    assert_eq!((room.goal().run, room.share()), (Run::Closed, Share::Off));
    room.cable(Answer::NoSignal);
    room.pass(ASK);
    assert_eq!(room.shown().signal, Signal::NoSignal);
    assert_eq!(room.inputs.share(NAME, room.now), Err(Refused::NoPicture));
    room.cable(Answer::Protected);
    room.pass(ASK);
    assert_eq!(room.inputs.share(NAME, room.now), Err(Refused::Protected));
}

#[test]
fn a_preview_ends_when_nobody_asks_for_it() {
    let mut room = Room::new();
    room.inputs.look(NAME, room.now).unwrap();
    assert_eq!(room.goal().run, Run::Open);
    room.pass(SECOND);
    assert_eq!(room.shown().signal, Signal::Live((1280, 720)));
    assert_eq!(room.share(), Share::Off);
    room.inputs.look(NAME, room.now).unwrap();
    room.pass(LEASE - SECOND / 10);
    assert_eq!(room.goal().run, Run::Open);
    room.pass(SECOND / 5);
    assert_eq!(room.goal().run, Run::Closed);
    assert_eq!(room.inputs.look("no", room.now), Err(Refused::Unknown));
}

#[test]
fn sharing_begins_with_a_word_and_ends_with_the_call() {
    let mut room = Room::new();
    room.inputs.room(None, room.now);
    assert_eq!(room.inputs.share(NAME, room.now), Err(Refused::NotNow));
    room.inputs.room(Some(1), room.now);
    room.inputs.share(NAME, room.now).unwrap();
    assert_eq!((room.share(), room.goal().shared), (Share::Starting, false));
    room.pass(SECOND);
    assert_eq!((room.share(), room.goal().shared), (Share::On, true));
    room.inputs.crop(NAME, crop(500)).unwrap();
    room.inputs.room(None, room.now);
    assert_eq!((room.share(), room.goal()), (Share::Off, Goal::default()));
    room.inputs.room(Some(1), room.now);
    room.pass(SECOND);
    assert_eq!((room.share(), room.shown().crop), (Share::Off, Crop::FULL));
    // Another call at once is another call.
    room.inputs.share(NAME, room.now).unwrap();
    room.inputs.room(Some(2), room.now);
    assert_eq!(room.share(), Share::Off);
}

#[test]
fn a_signal_that_is_back_soon_is_shared_again() {
    for (away, after) in [(2, Share::Held), (7, Share::Paused)] {
        let mut room = Room::new();
        room.inputs.share(NAME, room.now).unwrap();
        room.pass(SECOND);
        room.cable(Answer::NoSignal);
        room.pass(SECOND * away);
        assert_eq!(room.share(), after);
        assert_eq!(room.goal().run, Run::Held);
        assert_eq!(room.goal().shared, after == Share::Held);
        room.cable(Answer::Signal(Timings::of(1920, 1080), false));
        room.pass(SECOND * 2);
        assert_eq!((room.share(), room.goal().shared), (Share::On, true));
    }
}

#[test]
fn a_signal_that_stays_away_takes_another_word() {
    let mut room = Room::new();
    room.inputs.share(NAME, room.now).unwrap();
    room.pass(SECOND);
    room.cable(Answer::NoSignal);
    room.pass(SECOND * 11);
    assert_eq!((room.share(), room.goal().run), (Share::Ended, Run::Closed));
    room.cable(Answer::Signal(Timings::of(1280, 720), true));
    room.pass(SECOND * 10);
    assert_eq!((room.share(), room.goal().shared), (Share::Ended, false));
    room.inputs.share(NAME, room.now).unwrap();
    room.pass(SECOND);
    assert_eq!(room.share(), Share::On);
    room.inputs.stop(room.now);
    assert_eq!((room.share(), room.goal().run), (Share::Off, Run::Closed));
}

#[test]
fn the_word_that_it_ended_goes_by_itself() {
    let mut room = Room::new();
    room.inputs.share(NAME, room.now).unwrap();
    room.pass(SECOND);
    room.plug(false);
    room.pass(SECOND * 11);
    assert_eq!(room.share(), Share::Ended);
    room.pass(NOTICE);
    assert_eq!(room.share(), Share::Off);
}

#[test]
fn an_input_without_a_picture_is_not_shared_for_long() {
    let mut room = Room::new();
    room.inputs.share(NAME, room.now).unwrap();
    room.cable(Answer::NoSignal);
    room.pass(SECOND);
    assert_eq!(room.share(), Share::Ended);
}

#[test]
fn a_frozen_picture_needs_no_signal() {
    let mut room = Room::new();
    assert_eq!(room.inputs.freeze(true, room.now), Err(Refused::NotNow));
    room.inputs.share(NAME, room.now).unwrap();
    room.pass(SECOND);
    room.inputs.freeze(true, room.now).unwrap();
    room.plug(false);
    room.pass(SECOND * 30);
    assert_eq!((room.share(), room.goal().run), (Share::On, Run::Held));
    assert!(room.goal().frozen && room.goal().shared);
    room.plug(true);
    room.pass(SECOND);
    room.inputs.freeze(false, room.now).unwrap();
    room.pass(SECOND);
    assert_eq!((room.share(), room.goal().frozen), (Share::On, false));
    room.inputs.freeze(true, room.now).unwrap();
    room.inputs.stop(room.now);
    assert!(!room.goal().frozen);
}

#[test]
fn another_size_is_set_while_the_device_is_closed() {
    let mut room = Room::new();
    room.inputs.share(NAME, room.now).unwrap();
    room.pass(SECOND);
    room.cable(Answer::Signal(Timings::of(1920, 1080), false));
    let mut held = false;
    for _ in 0..20 {
        room.pass(SECOND / 10);
        held |= room.goal().run == Run::Held;
    }
    assert!(held, "it was never closed");
    assert_eq!((room.share(), room.goal().run), (Share::On, Run::Open));
}

#[test]
fn a_part_that_was_cut_away_stays_away() {
    for frozen in [false, true] {
        let mut room = Room::new();
        room.inputs.crop(NAME, crop(500)).unwrap();
        room.inputs.share(NAME, room.now).unwrap();
        room.pass(SECOND);
        if frozen {
            room.inputs.freeze(true, room.now).unwrap();
        }
        room.plug(false);
        assert_eq!((room.goal().shared, room.goal().crop), (true, crop(500)));
        assert_eq!(room.shown().crop, crop(500));
        room.pass(SECOND * 2);
        room.plug(true);
        room.pass(SECOND);
        assert_eq!((room.goal().shared, room.goal().crop), (true, crop(500)));
    }
}

#[test]
fn a_picture_of_another_size_ends_sharing_a_part() {
    let mut room = Room::new();
    room.inputs.crop(NAME, crop(500)).unwrap();
    room.inputs.share(NAME, room.now).unwrap();
    room.pass(SECOND);
    room.cable(Answer::Signal(Timings::of(1920, 1080), false));
    room.pass(SECOND);
    assert_eq!((room.share(), room.goal().shared), (Share::Ended, false));
    assert_eq!(room.shown().crop, Crop::FULL);
}

#[test]
fn what_is_pulled_while_it_stands_can_be_seen_and_stopped() {
    let mut room = Room::new();
    room.inputs.share(NAME, room.now).unwrap();
    room.pass(SECOND);
    room.inputs.freeze(true, room.now).unwrap();
    room.plug(false);
    let shown = room.shown();
    assert_eq!((shown.name.as_str(), shown.share), (NAME, Share::On));
    assert!(shown.frozen && shown.there.is_none());
    assert_eq!(room.inputs.look(NAME, room.now), Ok(()));
    assert_eq!(room.inputs.crop(NAME, crop(500)), Ok(()));
    assert_eq!(room.goal().crop, crop(500));
    room.inputs.stop(room.now);
    assert_eq!(room.inputs.shown(room.now), []);
}

#[test]
fn no_other_device_takes_the_place_of_what_is_shared() {
    let mut room = Room::new();
    let second = Event::Added(camera("1-1.3:1.0", "B2", 2));
    room.inputs.share(NAME, room.now).unwrap();
    room.pass(SECOND);
    let node = room.goal().node;
    room.inventory.handle(second, room.now);
    room.inputs.refresh(room.inventory.entries(), room.now);
    room.pass(SECOND);
    assert_eq!(room.goal().node, node, "a like one was plugged in");
    room.plug(false);
    room.pass(SECOND * 3);
    assert_eq!((room.goal().node, room.goal().run), (None, Run::Held));
    room.pass(SECOND * 10);
    assert_eq!(room.share(), Share::Ended);
}

#[test]
fn a_named_dongle_is_an_input_and_is_asked_once() {
    let mut room = Room::empty(&[("Table", "046d:0857"), ("Wall", "1111:2222")]);
    room.cable(Answer::Silent);
    room.plug(true);
    room.inputs.room(Some(1), room.now);
    let shown = room.inputs.shown(room.now);
    let names: Vec<(&str, Signal)> = shown
        .iter()
        .map(|it| (it.name.as_str(), it.signal))
        .collect();
    assert_eq!(
        names,
        [("Table", Signal::Ready(None)), ("Wall", Signal::Missing)]
    );
    room.pass(SECOND * 10);
    assert_eq!(room.inputs.poll_timeout(room.now), None);
    assert_eq!(room.inputs.share("Wall", room.now), Err(Refused::Unknown));
    room.inputs.share("Table", room.now).unwrap();
    assert_eq!(room.inputs.look("Wall", room.now), Err(Refused::Unknown));
    room.pass(SECOND);
    assert_eq!(room.share(), Share::On);
    assert_eq!(room.inputs.crop("Table", crop(50)), Err(Refused::NoPart));
}

#[test]
fn a_camera_is_no_input() {
    let mut room = Room::empty(&[]);
    room.cable(Answer::Silent);
    room.plug(true);
    assert_eq!(room.inputs.shown(room.now), []);
    assert_eq!(room.inputs.look(NAME, room.now), Err(Refused::Unknown));
}

#[test]
fn an_edid_is_seen_to_each_time_that_an_input_is_plugged_in() {
    let mut room = Room::empty(&[("Table", "046d:0857")]);
    let report = Report {
        receiver: true,
        answer: Answer::NoSignal,
    };
    for answer in [None, Some(report), None] {
        let properties = camera("1-1.4:1.0", "A1", 0);
        let path = properties.path.clone();
        room.inventory.handle(Event::Added(properties), room.now);
        room.inputs.refresh(room.inventory.entries(), room.now);
        let ask = room.inputs.poll_ask(room.now).unwrap();
        assert!(ask.edid && ask.may_set);
        room.inputs
            .answered(&ask.id, ask.arrivals, answer, room.now);
        room.now += ASK_AGAIN;
        // Once, unless it could not be asked.
        let ask = room.inputs.poll_ask(room.now).unwrap();
        assert_eq!(ask.edid, answer.is_none());
        room.inventory.handle(Event::Removed(path), room.now);
        room.inputs.refresh(room.inventory.entries(), room.now);
        room.now += SECOND * 60;
    }
}

#[test]
fn an_input_that_took_no_edid_is_offered_it_again() {
    let mut room = Room::empty(&[("Table", "046d:0857")]);
    let properties = camera("1-1.4:1.0", "A1", 0);
    room.inventory.handle(Event::Added(properties), room.now);
    room.inputs.refresh(room.inventory.entries(), room.now);
    let report = Some(Report {
        receiver: true,
        answer: Answer::NoSignal,
    });
    for done in [false, false, true] {
        let ask = room.inputs.poll_ask(room.now).unwrap();
        assert!(ask.edid);
        room.inputs.gave_edid(&ask.id, ask.arrivals, done);
        room.inputs
            .answered(&ask.id, ask.arrivals, report, room.now);
        assert_eq!(room.inputs.shown(room.now)[0].without_edid, !done);
        room.now += ASK;
    }
    let ask = room.inputs.poll_ask(room.now).unwrap();
    assert!(!ask.edid && !ask.again);
    // What was said of one that was unplugged meanwhile is nothing of the next.
    room.inputs.gave_edid(&ask.id, ask.arrivals + 1, false);
    assert!(!room.inputs.shown(room.now)[0].without_edid);
}

#[test]
fn an_open_input_is_given_its_edid_later() {
    let mut room = Room::empty(&[("Table", "046d:0857")]);
    let properties = camera("1-1.4:1.0", "A1", 0);
    room.inventory.handle(Event::Added(properties), room.now);
    room.inputs.refresh(room.inventory.entries(), room.now);
    room.inputs.look("Table", room.now).unwrap();
    let ask = room.inputs.poll_ask(room.now).unwrap();
    assert!(!ask.edid && !ask.may_set);
    let report = Report {
        receiver: true,
        answer: Answer::NoSignal,
    };
    room.inputs
        .answered(&ask.id, ask.arrivals, Some(report), room.now);
    room.now += ASK;
    let ask = room.inputs.poll_ask(room.now).unwrap();
    assert!(ask.edid && ask.may_set);
}

#[test]
fn late_answers_of_before_are_dropped() {
    let mut room = Room::empty(&[]);
    let properties = camera("1-1.4:1.0", "A1", 0);
    room.inventory.handle(Event::Added(properties), room.now);
    room.inputs.refresh(room.inventory.entries(), room.now);
    let ask = room.inputs.poll_ask(room.now).unwrap();
    assert_eq!(room.inputs.poll_ask(room.now), None);
    let report = Report {
        receiver: true,
        answer: Answer::NoSignal,
    };
    let later = ask.arrivals + 1;
    room.inputs.answered(&ask.id, later, Some(report), room.now);
    assert_eq!(room.inputs.shown(room.now), []);
    assert_eq!(room.inputs.poll_ask(room.now + SECOND * 60), None);
}

const fn crop(side: u16) -> Crop {
    Crop {
        x: 0,
        y: 0,
        width: side,
        height: side,
    }
}
