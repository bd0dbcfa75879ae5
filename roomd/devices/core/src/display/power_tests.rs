// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use proptest::prelude::*;
use roomd_model::Language;

use super::*;

/// A display in virtual time.
struct Bench {
    control: PowerControl,
    now: Instant,
    is: Power,
    /// Messages that are lost before one is heard.
    deaf: u32,
    cec: bool,
    ddc: bool,
    said: Vec<Message>,
    /// Inputs that it was told to show.
    shown: Vec<u8>,
    asked: bool,
}

impl Bench {
    fn new(cec: bool, ddc: bool) -> Self {
        Self {
            control: PowerControl::default(),
            now: Instant::now(),
            is: Power::Standby,
            deaf: 0,
            cec,
            ddc,
            said: Vec::new(),
            shown: Vec::new(),
            asked: false,
        }
    }

    fn plug(&mut self, quirks: Quirks) {
        let input = Input::Display {
            cec: true,
            ddc: true,
            quirks,
        };
        self.run(input);
    }

    /// Runs until nothing is left to do.
    fn run(&mut self, input: Input) {
        let mut effects = self.control.handle(input, self.now);
        for _ in 0..200 {
            let Some(effect) = effects.pop() else {
                match self.control.poll_timeout() {
                    Some((at, _)) => {
                        self.now = at;
                        effects = self.control.handle_timeout(at);
                        continue;
                    }
                    None => return,
                }
            };
            let input = match effect {
                Effect::Say(message) => Input::Said(self.hear(message)),
                Effect::Set(power) if self.ddc => {
                    self.is = power;
                    Input::Set(Some(power))
                }
                Effect::Set(_) => Input::Set(None),
                Effect::Show(input) => {
                    assert_ne!((self.is, self.ddc), (Power::Standby, true));
                    self.shown.push(input);
                    Input::Shown(self.ddc)
                }
                Effect::Ask | Effect::Withdraw => {
                    self.asked = effect == Effect::Ask;
                    continue;
                }
            };
            effects.extend(self.control.handle(input, self.now));
        }
        panic!("no end: {:?}", self.said);
    }

    fn hear(&mut self, message: Message) -> Outcome {
        self.said.push(message);
        if !self.cec {
            return Outcome::Nobody;
        }
        match message {
            Message::AskPower => return Outcome::Is(self.is),
            _ if self.deaf > 0 => self.deaf -= 1,
            Message::ImageViewOn | Message::TextViewOn | Message::PowerOnKey => self.is = Power::On,
            Message::Standby => self.is = Power::Standby,
            Message::PowerKey => {
                let on = self.is == Power::On;
                self.is = if on { Power::Standby } else { Power::On };
            }
            Message::KeyUp | Message::ActiveSource => {}
        }
        Outcome::Taken
    }
}

#[test]
fn a_display_wakes_shows_the_room_and_sleeps() {
    let mut bench = Bench::new(true, false);
    bench.plug(Quirks::default());
    bench.run(Input::Want(Power::On));
    assert_eq!(bench.is, Power::On);
    use Message::{ActiveSource, AskPower, ImageViewOn, Standby};
    assert_eq!(
        bench.said,
        [ImageViewOn, ActiveSource, AskPower, ActiveSource]
    );
    bench.said.clear();
    bench.run(Input::Want(Power::Standby));
    assert_eq!((bench.is, bench.asked), (Power::Standby, false));
    assert_eq!(bench.said, [Standby, AskPower]);
    bench.said.clear();
    bench.run(Input::Want(Power::Standby));
    assert_eq!(bench.said, []);
}

#[test]
fn a_display_that_a_person_turns_on_stays_on() {
    let mut bench = Bench::new(true, false);
    bench.run(Input::Want(Power::Standby));
    bench.is = Power::On;
    bench.plug(Quirks::default());
    assert_eq!(bench.is, Power::Standby);
    bench.run(Input::Unplugged);
    bench.is = Power::On;
    bench.plug(Quirks::default());
    assert_eq!(bench.is, Power::On);
}

#[test]
fn a_display_that_is_hard_of_hearing_is_told_again() {
    let mut bench = Bench::new(true, false);
    bench.deaf = 4;
    bench.plug(Quirks::default());
    bench.run(Input::Want(Power::On));
    assert_eq!((bench.is, bench.asked), (Power::On, false));
    let wakes = bench.said.iter().filter(|m| **m == Message::ImageViewOn);
    assert_eq!(wakes.count(), 3);
}

#[test]
fn without_cec_it_is_ddc_and_without_that_a_person() {
    let mut bench = Bench::new(false, true);
    bench.plug(Quirks::default());
    bench.run(Input::Want(Power::On));
    assert_eq!((bench.is, bench.asked), (Power::On, false));

    let mut bench = Bench::new(false, false);
    bench.plug(Quirks::default());
    bench.run(Input::Want(Power::On));
    assert!(bench.asked && bench.control.asks());
    let texts: Vec<String> = bench
        .control
        .log()
        .lines()
        .map(|(_, happened)| happened.text(Language::En))
        .collect();
    assert_eq!(texts[0], "The display should be on.");
    assert_eq!(texts[1], "CEC, ImageViewOn: nobody took it.");
    assert!(
        texts.iter().any(|text| text == "DDC/CI, on: no answer."),
        "{texts:?}"
    );
    assert_eq!(
        texts.last().unwrap(),
        "Nothing helped; the panel asks to turn it on."
    );
    bench.run(Input::Confirmed);
    assert!(!bench.asked);
    // For the night nobody is asked.
    assert!(!bench.control.stays_on());
    bench.run(Input::Want(Power::Standby));
    assert!(!bench.asked && bench.control.stays_on());
    bench.run(Input::Want(Power::On));
    assert!(bench.asked && !bench.control.stays_on());
}

#[test]
fn what_nobody_heard_over_cec_is_said_over_ddc() {
    for status in [true, false] {
        let mut bench = Bench::new(false, true);
        bench.is = Power::On;
        bench.plug(Quirks {
            status,
            ..Quirks::default()
        });
        bench.run(Input::Want(Power::Standby));
        assert_eq!(
            (bench.is, bench.control.stays_on()),
            (Power::Standby, false)
        );
        let last = bench.control.log().lines().last().unwrap().1;
        assert_eq!(last, Happened::Reached(Power::Standby));
    }
    // What has neither is not disobedient.
    let mut bench = Bench::new(false, false);
    bench.run(Input::Display {
        cec: false,
        ddc: false,
        quirks: Quirks::default(),
    });
    bench.run(Input::Want(Power::Standby));
    assert!(!bench.control.stays_on());
}

#[test]
fn a_display_that_takes_the_message_and_leaves_the_line_sleeps() {
    use Outcome::{Nobody, Taken};
    let (mut control, mut now) = (PowerControl::default(), Instant::now());
    let display = Input::Display {
        cec: true,
        ddc: true,
        quirks: Quirks::default(),
    };
    control.handle(display, now);
    let mut effects = control.handle(Input::Want(Power::Standby), now);
    for outcome in [Taken, Nobody, Nobody, Nobody] {
        if effects.is_empty() {
            now = control.poll_timeout().unwrap().0;
            effects = control.handle_timeout(now);
        }
        assert!(matches!(effects[..], [Effect::Say(_)]), "{effects:?}");
        effects = control.handle(Input::Said(outcome), now);
    }
    assert_eq!(effects, []);
    let last = control.log().lines().last().unwrap().1;
    assert_eq!(last, Happened::Assumed(Power::Standby));
}

#[test]
fn quirks_change_the_way() {
    let mut bench = Bench::new(true, true);
    bench.plug(Quirks {
        first: First::Ddc,
        ..Quirks::default()
    });
    bench.run(Input::Want(Power::On));
    assert_eq!((bench.is, bench.said.len()), (Power::On, 0));

    // The key that changes over is not pressed when the display is on.
    let mut bench = Bench::new(true, true);
    bench.is = Power::On;
    let key = Quirks {
        wake: Wake::PowerKey,
        ..Quirks::default()
    };
    bench.plug(key);
    bench.run(Input::Want(Power::On));
    assert_eq!(bench.is, Power::On);
    assert!(!bench.said.contains(&Message::PowerKey));
    bench.is = Power::Standby;
    bench.run(Input::Display {
        cec: true,
        ddc: true,
        quirks: key,
    });
    assert_eq!(bench.is, Power::On);

    let mut bench = Bench::new(true, false);
    bench.plug(Quirks {
        status: false,
        ..Quirks::default()
    });
    bench.run(Input::Want(Power::On));
    let last = bench.control.log().lines().last().unwrap().1;
    assert_eq!(last, Happened::Assumed(Power::On));
}

#[test]
fn over_ddc_it_shows_the_input_that_the_table_names() {
    let quirks = Quirks {
        input: Some(17),
        ..Quirks::default()
    };
    let texts = |bench: &Bench, language| -> Vec<String> {
        let log = bench.control.log();
        log.lines().map(|(_, it)| it.text(language)).collect()
    };
    let mut bench = Bench::new(false, true);
    bench.plug(quirks);
    bench.run(Input::Want(Power::On));
    assert_eq!((bench.is, &bench.shown[..]), (Power::On, &[17][..]));
    let told = texts(&bench, Language::En);
    let told: Vec<&str> = told.iter().rev().take(3).map(String::as_str).collect();
    let expected = [
        "The display is on.",
        "DDC/CI, input 17: taken.",
        "DDC/CI, on: it is on.",
    ];
    assert_eq!(told, expected);
    // Not for the night, and not where CEC woke it: there the room says that it is the source.
    bench.run(Input::Want(Power::Standby));
    assert_eq!((bench.is, bench.shown.len()), (Power::Standby, 1));
    let mut bench = Bench::new(true, true);
    bench.plug(quirks);
    bench.run(Input::Want(Power::On));
    assert_eq!((bench.is, bench.shown.len()), (Power::On, 0));
    // One that never says how it is may have done it.
    let mut bench = Bench::new(false, false);
    bench.plug(quirks);
    bench.run(Input::Want(Power::On));
    assert_eq!((bench.shown.len(), bench.asked), (1, true));
    let german = texts(&bench, Language::De);
    let told = "DDC/CI, Eingang 17: niemand nahm es an.".to_owned();
    assert!(german.contains(&told), "{german:?}");
}

#[test]
fn a_wish_that_changes_is_served_when_the_answer_is_there() {
    let mut control = PowerControl::default();
    let now = Instant::now();
    let display = Input::Display {
        cec: true,
        ddc: false,
        quirks: Quirks::default(),
    };
    assert_eq!(control.handle(display, now), []);
    let effects = control.handle(Input::Want(Power::Standby), now);
    assert_eq!(effects, [Effect::Say(Message::Standby)]);
    assert_eq!(control.handle(Input::Want(Power::On), now), []);
    let effects = control.handle(Input::Said(Outcome::Taken), now);
    assert_eq!(effects, [Effect::Say(Message::ImageViewOn)]);
    // A display that is plugged in gets the wish at once.
    control.handle(Input::Unplugged, now);
    let effects = control.handle(display, now);
    assert_eq!(effects, [Effect::Say(Message::ImageViewOn)]);
}

proptest! {
    /// Whatever the display answers, trying ends, and the log has a bound.
    #[test]
    fn trying_ends(
        answers in proptest::collection::vec((0..7_u8, 0..3_u8), 1..60),
        on: bool,
        input: bool,
    ) {
        let mut control = PowerControl::default();
        let mut now = Instant::now();
        let quirks = Quirks { input: input.then_some(17), ..Quirks::default() };
        control.handle(Input::Display { cec: true, ddc: true, quirks }, now);
        let want = if on { Power::On } else { Power::Standby };
        let mut effects = control.handle(Input::Want(want), now);
        let mut answers = answers.iter().cycle();
        for steps in 0.. {
            prop_assert!(steps < 300);
            let (said, set) = *answers.next().unwrap();
            match effects.pop() {
                Some(Effect::Say(_)) => {
                    let outcomes = [
                        Outcome::Taken, Outcome::Is(Power::On), Outcome::Is(Power::Standby),
                        Outcome::Nobody, Outcome::Silent, Outcome::Refused, Outcome::Failed,
                    ];
                    let input = Input::Said(outcomes[usize::from(said)]);
                    effects = control.handle(input, now);
                }
                Some(Effect::Set(_)) => {
                    let is = [None, Some(Power::On), Some(Power::Standby)];
                    effects = control.handle(Input::Set(is[usize::from(set)]), now);
                }
                Some(Effect::Show(_)) => effects = control.handle(Input::Shown(set == 0), now),
                Some(Effect::Ask | Effect::Withdraw) => {}
                None => match control.poll_timeout() {
                    Some((at, _)) => {
                        now = at;
                        effects = control.handle_timeout(now);
                    }
                    None => break,
                },
            }
        }
        prop_assert!(control.log().lines().count() <= 64);
    }
}
