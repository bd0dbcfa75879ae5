// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Sixteen pictures from one browser on one connection, as from a server, in sixteen tiles: they come,
//! turn black, pause, go and come again, and every tile is proved by what it shows.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::lab::browser::{Browser, Options};
use crate::lab::{Figures, wait};
use crate::part::{self, Part, Profile};

const PAGE: &str = "sender";
const TILES: u32 = 16;
/// A picture that goes on for so long moves, in milliseconds.
const MOVES: u64 = 500;

/// What a tile is to show.
#[derive(Clone, Copy)]
enum Shows {
    /// Its picture, which goes on.
    Moving,
    /// Its last picture.
    Still,
    /// No picture of anybody.
    Nothing,
}

/// Source and milliseconds of the code in a tile.
type Code = Option<(u64, u64)>;

pub fn run() -> Result<Figures> {
    let part = Part::start(Profile::Debug, &["stage"])?;
    let address = part.hear("address")?;
    let address = address.as_str().context("no address")?;
    part::get(address, &format!("/show/{TILES}"))?;
    let mut browser = Browser::launch(&Options::default())?;
    browser.open(
        PAGE,
        &format!("http://{address}/"),
        json!({ "probe": false }),
    )?;
    let mut stage = Stage {
        address,
        browser,
        proved: 0,
    };
    stage.change("add", 1..=TILES, true)?;
    stage.prove("sixteen pictures", |_| Shows::Moving)?;

    stage.turn("mute", 1..=4, true, false)?;
    stage.prove("four black pictures", |tile| match tile {
        1..=4 => Shows::Nothing,
        _ => Shows::Moving,
    })?;
    stage.turn("mute", 1..=4, false, false)?;
    stage.prove("the four again", |_| Shows::Moving)?;

    stage.turn("pause", 5..=8, true, true)?;
    stage.prove("four inactive pictures", |tile| match tile {
        5..=8 => Shows::Still,
        _ => Shows::Moving,
    })?;
    stage.turn("pause", 5..=8, false, true)?;
    stage.prove("the four active again", |_| Shows::Moving)?;

    stage.change("remove", 9..=12, true)?;
    stage.prove("four pictures gone", |tile| match tile {
        9..=12 => Shows::Nothing,
        _ => Shows::Moving,
    })?;
    stage.change("add", 9..=12, true)?;
    stage.prove("sixteen pictures once more", |_| Shows::Moving)?;
    Ok(Figures::from([
        ("streams", json!(TILES)),
        ("tiles_proved", json!(stage.proved)),
    ]))
}

struct Stage<'a> {
    address: &'a str,
    browser: Browser,
    proved: u32,
}

impl Stage<'_> {
    /// Does something with each of these tiles, and negotiates it where it must be.
    fn change(
        &mut self,
        what: &str,
        tiles: std::ops::RangeInclusive<u32>,
        negotiate: bool,
    ) -> Result<()> {
        let calls = tiles.map(|tile| format!("stage.{what}({tile});"));
        self.call(calls.collect(), negotiate)
    }

    /// Switches something of each of these tiles on or off.
    fn turn(
        &mut self,
        what: &str,
        tiles: std::ops::RangeInclusive<u32>,
        on: bool,
        negotiate: bool,
    ) -> Result<()> {
        let calls = tiles.map(|tile| format!("stage.{what}({tile}, {on});"));
        self.call(calls.collect(), negotiate)
    }

    fn call(&mut self, calls: String, negotiate: bool) -> Result<()> {
        let rest = if negotiate {
            "await stage.negotiate();"
        } else {
            ""
        };
        let script = format!("(async () => {{ {calls} {rest} }})()");
        self.browser.evaluate(PAGE, &script).map(drop)
    }

    /// Waits until every tile shows what it is to show; none may ever show another's picture.
    fn prove(&mut self, step: &str, shows: impl Fn(u32) -> Shows) -> Result<()> {
        let mut first: Option<Vec<Code>> = None;
        let mut foreign = None;
        wait::until(step, || {
            let now = self.codes()?;
            for (tile, code) in (1_u32..).zip(&now) {
                if code.is_some_and(|(source, _)| source != u64::from(tile)) {
                    foreign = Some(tile);
                }
            }
            let begun = first.get_or_insert_with(|| now.clone());
            let tiles = || (1..).zip(begun.iter().zip(&now));
            let wrong: Vec<u32> = tiles()
                .filter(|(tile, (first, now))| !shows(*tile).allow(**first, **now))
                .map(|(tile, _)| tile)
                .collect();
            if !wrong.is_empty() {
                first = Some(now);
                anyhow::bail!("not so in tiles {wrong:?}");
            }
            let all = tiles().all(|(tile, (first, now))| shows(tile).is_proved(*first, *now));
            Ok(all.then_some(()))
        })?;
        ensure!(
            foreign.is_none(),
            "{step}: tile {foreign:?} showed another's picture"
        );
        self.proved += TILES;
        Ok(())
    }

    fn codes(&self) -> Result<Vec<Code>> {
        let codes = part::get(self.address, &format!("/codes/{TILES}"))?;
        let codes = codes.as_array().context("no codes")?;
        let code = |code: &Value| Some((code[0].as_u64()?, code[1].as_u64()?));
        Ok(codes.iter().map(code).collect())
    }
}

impl Shows {
    /// Whether what was seen first and what is seen now can belong to it.
    fn allow(self, first: Code, now: Code) -> bool {
        match self {
            Self::Moving => first.is_some() && now.is_some(),
            Self::Still => first.is_some() && first == now,
            Self::Nothing => first.is_none() && now.is_none(),
        }
    }

    /// A picture that moves has gone on; meanwhile the others had time to do what they must not.
    fn is_proved(self, first: Code, now: Code) -> bool {
        match (self, first, now) {
            (Self::Moving, Some((_, first)), Some((_, now))) => now >= first + MOVES,
            (Self::Moving, _, _) => false,
            (Self::Still | Self::Nothing, _, _) => true,
        }
    }
}
