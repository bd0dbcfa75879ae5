// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::{
    fmt::Write,
    sync::{Arc, Weak},
    time::Duration,
};

use chrono::TimeDelta;
use roomd_api::{Countdown, State};
use roomd_media_core::scene::{HEIGHT, Overlay, Scene, Tile, TileSource, WIDTH};
use roomd_model::{
    Fault, FaultCode, Language, Layout, ParticipantId, Phase, Pii, StreamId, StreamTrouble,
};

use crate::{
    Display, Fonts,
    sketch::{Sketch, View, sketch},
    states::{self, at},
};

#[test]
fn every_state_is_made_of_what_it_should_be() {
    let fonts = fonts();
    let mut all = String::new();
    for (name, state) in states::all() {
        let _ = writeln!(all, "{name}\n{}", describe(&draw(&state, &fonts)));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_display_for_content_takes_it_from_the_first() {
    let shared = |scene: &Scene| {
        let content = TileSource::Stream(StreamId(900));
        scene
            .tiles
            .iter()
            .find(|tile| tile.source == content)
            .copied()
    };
    let mut state = states::share(3, Layout::Share);
    let (mut first, mut second) = (display(), display());
    assert!(shared(&first.scene(&state, states::now())).is_some());
    state.devices.content_display = Some("X11".to_owned());
    let people = first.scene(&state, states::now());
    assert_eq!(shared(&people), None);
    assert!(people.tiles.len() >= 3, "the people are shown");
    let content = shared(&second.content_scene(&state, states::now()));
    let rect = content.map(|tile| tile.rect);
    assert_eq!(
        rect.map(|rect| (rect.width, rect.height)),
        Some((WIDTH, HEIGHT))
    );
    // What the room shares itself is where the content of others is.
    let mut own = states::call(2);
    if let Some(call) = &mut own.call {
        call.content = true;
        call.layout = Layout::Share;
    }
    let tiles = |scene: &Scene| {
        let own = |tile: &&Tile| tile.source == TileSource::OwnContent;
        scene
            .tiles
            .iter()
            .filter(own)
            .map(|tile| tile.rect.width)
            .collect::<Vec<_>>()
    };
    assert_eq!(tiles(&first.scene(&own, states::now())), [1280]);
    own.devices.content_display = Some("X11".to_owned());
    assert_eq!(tiles(&first.scene(&own, states::now())), [0; 0]);
    assert_eq!(tiles(&second.content_scene(&own, states::now())), [WIDTH]);
    // Nobody shares any more, then the room is free.
    let quiet = second.content_scene(&states::call(2), states::now());
    assert!(quiet.tiles.is_empty());
    let idle = states::idle();
    let board = first.scene(&idle, states::now()).background;
    assert_eq!(second.content_scene(&idle, states::now()).background, board);
}

#[test]
fn every_picture_is_whole_even_and_inside_the_screen() {
    let mut display = display();
    for (name, state) in states::all() {
        let scene = display.scene(&state, states::now());
        let background = scene.background.as_ref().unwrap();
        assert_eq!(
            (background.width, background.height),
            (WIDTH, HEIGHT),
            "{name}"
        );
        assert!(
            background.rgba.chunks_exact(4).all(|pixel| pixel[3] == 255),
            "{name}"
        );
        for overlay in &scene.overlays {
            let picture = &overlay.picture;
            let (width, height) = (picture.width, picture.height);
            assert_eq!(picture.rgba.len(), (width * height * 4) as usize);
            assert!(
                [overlay.x, overlay.y, width, height]
                    .iter()
                    .all(|n| n % 2 == 0),
                "{name}"
            );
            assert!(
                overlay.x + width <= WIDTH && overlay.y + height <= HEIGHT,
                "{name}"
            );
        }
        for tile in &scene.tiles {
            let size = (tile.rect.width, tile.rect.height);
            assert!(
                size == (1280, 720) || size == (640, 360),
                "{name}: {size:?}"
            );
        }
    }
}

#[test]
fn what_does_not_change_keeps_its_picture() {
    let mut display = display();
    let state = states::call(5);
    let first = display.scene(&state, states::now());
    let muted = states::with(state.clone(), |call| {
        call.participants[1].microphone = false
    });
    let second = display.scene(&muted, states::now());
    assert!(same(&first.background, &second.background));
    let kept = first
        .overlays
        .iter()
        .filter(|a| {
            second
                .overlays
                .iter()
                .any(|b| Arc::ptr_eq(&a.picture, &b.picture))
        })
        .count();
    assert_eq!(
        kept,
        first.overlays.len() - 1,
        "only one label is another one"
    );
    assert_eq!(display.scene(&state, states::now()), first);

    let board = display.scene(&states::idle(), states::now());
    let later = states::now().after(Duration::from_secs(20));
    assert!(same(
        &board.background,
        &display.scene(&states::idle(), later).background
    ));
    let minute = states::now().after(Duration::from_secs(60));
    assert!(!same(
        &board.background,
        &display.scene(&states::idle(), minute).background
    ));
}

#[test]
fn old_pictures_are_forgotten() {
    let mut display = display();
    let minute = |minute: u64| states::now().after(Duration::from_secs(minute * 60));
    let mut board = Weak::new();
    for n in 0..40 {
        let scene = display.scene(&states::empty(), minute(n));
        assert!(board.upgrade().is_none(), "the board of a minute ago");
        board = scene.background.as_ref().map(Arc::downgrade).unwrap();
    }
    assert!(display.cached() <= 6, "{}", display.cached());
    display.scene(&states::empty(), minute(39));
    assert!(board.upgrade().is_some(), "the board of the same minute");
}

#[test]
fn a_board_that_goes_takes_no_names_along() {
    let mut display = display();
    let call = display.scene(&states::call(2), states::now());
    display.scene(&states::idle(), states::now());
    let again = display.scene(&states::call(2), states::now());
    assert!(!call.overlays.is_empty());
    let kept = |(a, b): (&Overlay, &Overlay)| Arc::ptr_eq(&a.picture, &b.picture);
    assert!(call.overlays.iter().zip(&again.overlays).all(kept));
}

#[test]
fn names_show_literally_and_break_nothing() {
    for name in [
        "<b>&\"",
        "</text></svg>",
        "]]>",
        "&#0;&lol;",
        "\u{0}\u{1}\u{b}",
        "'><x y='",
        "",
    ] {
        let state = states::with(states::call(1), |call| {
            call.participants[0].name = Pii::from(name);
            call.participants[0].camera = false;
            call.title = Some(Pii::from(name));
        });
        let fonts = fonts();
        let sketch = draw(&state, &fonts);
        for (_, _, drawing) in &sketch.overlays {
            let tree = resvg::usvg::Tree::from_str(&drawing.document(), fonts.options());
            assert!(tree.is_ok(), "{name:?} in {}", drawing.body);
        }
        let shown = texts(&sketch);
        let visible: String = name.chars().filter(|c| !c.is_control()).collect();
        assert!(shown.contains(&visible), "{name:?} in {shown:?}");
    }
}

#[test]
fn a_title_of_any_length_stays_on_the_board() {
    let mut state = states::offered();
    state.room.name = "Raum ".repeat(100);
    for entry in &mut state.agenda.entries {
        entry.title = Some(Pii::from("Wort".repeat(5000).as_str()));
    }
    let fonts = fonts();
    for phase in [
        state.room.phase.clone(),
        Phase::Idle,
        Phase::Joining,
        Phase::Leaving,
    ] {
        let mut state = states::phase(state.clone(), phase);
        if matches!(state.room.phase, Phase::Joining | Phase::Leaving) {
            let title = state.agenda.entries[0].title.clone();
            state.call = states::with(states::call(0), |call| call.title = title).call;
        }
        for text in texts(&draw(&state, &fonts)) {
            assert!(text.chars().count() < 120, "{text}");
        }
    }
}

#[test]
fn every_fault_is_shown_with_its_remedy() {
    let fonts = fonts();
    for language in [Language::De, Language::En] {
        for code in FaultCode::ALL {
            let text = crate::texts::fault(language, code);
            let first = text.remedy.split(' ').next().unwrap();
            let mut state = states::phase(states::idle(), Phase::Fault { code });
            state.room.language = language;
            let board = texts(&draw(&state, &fonts));
            assert!(
                board
                    .iter()
                    .any(|line| text.title.starts_with(line.as_str())),
                "{board:?}"
            );
            assert!(board.iter().any(|line| line.starts_with(first)));
            assert!(
                board.iter().any(|line| line.contains("4711")),
                "whom to ask"
            );

            state.room.phase = Phase::Idle;
            state.faults = vec![Fault::new(code)];
            let board = texts(&draw(&state, &fonts));
            let cut = |line: &String| line.ends_with('…') && !line.starts_with("Ressort");
            assert!(!board.iter().any(cut), "{board:?}");
            assert!(board.join(" ").contains(text.title), "{board:?}");
        }
    }
}

#[test]
fn who_speaks_has_a_tile_among_forty() {
    let fonts = fonts();
    let mut state = states::call(40);
    let of = |sketch: &Sketch| -> Vec<TileSource> {
        sketch.tiles.iter().map(|tile| tile.source).collect()
    };
    let last = TileSource::Stream(StreamId(138));
    assert!(!of(&draw(&state, &fonts)).contains(&last));
    for layout in [Layout::Grid, Layout::Speaker, Layout::Share] {
        state = states::with(state, |call| {
            call.speaker = Some(ParticipantId("p38".into()));
            call.layout = layout;
        });
        let sketch = draw(&state, &fonts);
        assert!(of(&sketch).contains(&last), "{layout:?}");
        assert!(texts(&sketch).iter().any(|text| text.starts_with('+')));
    }
}

#[test]
fn a_picture_that_does_not_come_is_asked_for_all_the_same() {
    let mut display = display();
    let troubles = [
        None,
        Some(StreamTrouble::Undecodable),
        Some(StreamTrouble::Undecryptable),
    ];
    let whole = display.scene(&states::call(2), states::now());
    for trouble in troubles {
        let state = states::with(states::call(2), |call| {
            call.previews[0].live = false;
            call.previews[0].trouble = trouble;
        });
        let scene = display.scene(&state, states::now());
        let asked = crate::shown([&scene].into_iter());
        assert_eq!(asked, crate::shown([&whole].into_iter()), "{trouble:?}");
        // The initials stand over its place.
        assert_eq!(scene.overlays.len(), whole.overlays.len() + 1);
        let place = scene.tiles[0].rect;
        let covers = |overlay: &Overlay| {
            (overlay.x, overlay.y) == (place.x, place.y)
                && (overlay.picture.width, overlay.picture.height) == (place.width, place.height)
        };
        assert!(scene.overlays.iter().any(covers), "{trouble:?}");
    }
    // Nobody asks for what a camera that is off does not send.
    let off = states::with(states::call(2), |call| {
        call.participants[0].camera = false;
    });
    let scene = display.scene(&off, states::now());
    assert!(!crate::shown([&scene].into_iter()).contains_key(&StreamId(100)));
}

#[test]
fn shared_content_is_shown_in_every_layout() {
    let fonts = fonts();
    for layout in [Layout::Grid, Layout::Speaker, Layout::Share] {
        for count in [2, 4, 12] {
            let sketch = draw(&states::share(count, layout), &fonts);
            let content = sketch
                .tiles
                .iter()
                .find(|tile| tile.source == TileSource::Stream(StreamId(900)))
                .unwrap();
            assert_eq!(content.rect.width == 1280, layout == Layout::Share);
        }
    }
}

#[test]
fn only_a_count_says_that_somebody_waits() {
    let state = states::with(states::call(1), |call| {
        call.waiting = vec![states::person(2)]
    });
    let shown = texts(&draw(&state, &fonts()));
    assert!(shown.contains(&"1 Person wartet – am Bedienfeld einlassen".to_owned()));
    assert!(
        !shown.iter().any(|text| text.contains("Yılmaz")),
        "{shown:?}"
    );
}

#[test]
fn the_scene_lasts_until_the_minute_or_the_second_turns() {
    let display = display();
    let mut now = states::now();
    now.utc += TimeDelta::milliseconds(12_250);
    let idle = display.next_change(&states::idle(), now);
    assert_eq!(idle, Duration::from_millis(47_750));
    let counting = states::with(states::call(0), |call| {
        call.countdown = Some(Countdown {
            ends_at: at(11, 32),
        });
    });
    assert_eq!(
        display.next_change(&counting, now),
        Duration::from_millis(750)
    );
}

#[test]
fn an_expired_code_is_gone() {
    let mut state = states::pairing();
    assert!(texts(&draw(&state, &fonts())).contains(&"482 913".to_owned()));
    state.pairing.as_mut().unwrap().expires_at = at(11, 30);
    assert!(!texts(&draw(&state, &fonts())).contains(&"482 913".to_owned()));
}

fn draw(state: &State, fonts: &Fonts) -> Sketch {
    sketch(&View::new(state, states::now(), fonts))
}

fn fonts() -> Fonts {
    let fonts = Fonts::load(&["/usr/share/fonts"]);
    assert!(!fonts.is_empty());
    fonts
}

fn display() -> Display {
    Display::new(fonts())
}

fn same<T>(a: &Option<Arc<T>>, b: &Option<Arc<T>>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if Arc::ptr_eq(a, b))
}

/// Every text of a sketch, as it reads.
fn texts(sketch: &Sketch) -> Vec<String> {
    let drawings = sketch.overlays.iter().map(|(_, _, drawing)| drawing);
    std::iter::once(&sketch.background)
        .chain(drawings)
        .flat_map(|drawing| texts_in(&drawing.body))
        .collect()
}

fn texts_in(body: &str) -> Vec<String> {
    body.split("<text ")
        .skip(1)
        .filter_map(|element| element.split_once('>')?.1.split_once("</text>"))
        .map(|(text, _)| {
            text.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&")
        })
        .collect()
}

/// What a sketch is made of, without what depends on the widths of a font's letters.
fn describe(sketch: &Sketch) -> String {
    let mut lines = String::new();
    let joined = |body: &str| {
        let start = |text: String| match text.strip_suffix('…') {
            Some(whole) => whole.chars().take(16).chain(['…']).collect(),
            None => text,
        };
        let texts: Vec<String> = texts_in(body).into_iter().map(start).collect();
        texts.join(" ")
    };
    let _ = writeln!(lines, "  board: {}", joined(&sketch.background.body));
    for tile in &sketch.tiles {
        let (rect, source) = (tile.rect, tile.source);
        let _ = writeln!(
            lines,
            "  tile: {source:?} {}x{} at {},{}",
            rect.width, rect.height, rect.x, rect.y
        );
    }
    for (_, y, drawing) in &sketch.overlays {
        let text = joined(&drawing.body);
        if !text.is_empty() {
            let _ = writeln!(lines, "  over, at {y}: {text}");
        }
    }
    lines
}
