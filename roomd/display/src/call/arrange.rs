// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_api::Call;
use roomd_media_core::scene::Rect;
use roomd_model::{Layout, Participant, StreamId, StreamKind};

use crate::layout::{BESIDE_LARGE, GRID, Places, beside_large, grid};

/// What fills a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot<'a> {
    /// Someone, by picture or by initials.
    Person(&'a Participant),
    /// Shared content, and who shares it.
    Content(StreamId, Option<&'a Participant>),
    /// What the room shares itself.
    OwnContent,
    /// The room itself.
    SelfView,
    /// So many more who have no tile.
    More(usize),
}

/// Every tile and its place.
#[derive(Debug, Default)]
pub struct Arranged<'a> {
    /// The tiles.
    pub slots: Vec<(Rect, Slot<'a>)>,
    /// The place of a small tile that stays free.
    pub spare: Option<Rect>,
}

/// Arranges a call with at least one other participant. Shared content is always shown, as the
/// large tile where the layout has one for it and as a tile like any other where it has not; unless a
/// display of its own shows it.
pub fn arrange(call: &Call, content_elsewhere: bool) -> Arranged<'_> {
    let content = content(call).filter(|_| !content_elsewhere);
    let content = content.map(|(stream, sharer)| Slot::Content(stream, sharer));
    // What somebody else shows is seen nowhere else in the room.
    let own = (call.content && !content_elsewhere).then_some(Slot::OwnContent);
    let content = content.or(own);
    let people: Vec<&Participant> = call.participants.iter().collect();
    match (call.layout, content) {
        (Layout::Share, Some(content)) => {
            let people = first(people, call.sharer.as_ref().map(|id| id.0.as_str()));
            let others = people.into_iter().map(Slot::Person).collect();
            large(content, others, speaker(call))
        }
        (Layout::Speaker | Layout::Share, content) => speaker_large(call, people, content),
        (Layout::Grid, None) if people.len() == 1 => speaker_large(call, people, None),
        (Layout::Grid, content) => {
            let mut slots: Vec<Slot<'_>> = content.into_iter().collect();
            slots.extend(people.into_iter().map(Slot::Person));
            // The ninth picture of a person is worth more than the room's own.
            if slots.len() < GRID {
                slots.push(Slot::SelfView);
            }
            let slots = limit(slots, GRID, speaker(call));
            place(grid(slots.len()), None, slots)
        }
    }
}

fn speaker_large<'a>(
    call: &'a Call,
    people: Vec<&'a Participant>,
    content: Option<Slot<'a>>,
) -> Arranged<'a> {
    let people = first(people, speaker(call));
    let mut people = people.into_iter().map(Slot::Person);
    let Some(speaker) = people.next() else {
        return Arranged::default();
    };
    let others = content.into_iter().chain(people).collect();
    large(speaker, others, None)
}

fn large<'a>(main: Slot<'a>, others: Vec<Slot<'a>>, speaker: Option<&str>) -> Arranged<'a> {
    let mut small = limit(others, BESIDE_LARGE - 1, speaker);
    small.push(Slot::SelfView);
    place(beside_large(small.len()), Some(main), small)
}

fn place<'a>(places: Places, main: Option<Slot<'a>>, small: Vec<Slot<'a>>) -> Arranged<'a> {
    let slots = places
        .large
        .into_iter()
        .zip(main)
        .chain(places.small.into_iter().zip(small))
        .collect();
    Arranged {
        slots,
        spare: places.spare,
    }
}

/// At most so many tiles; the last one then counts the rest. Who speaks has a tile in any case.
fn limit<'a>(mut slots: Vec<Slot<'a>>, most: usize, speaker: Option<&str>) -> Vec<Slot<'a>> {
    if slots.len() <= most {
        return slots;
    }
    let shown = most.saturating_sub(1);
    let speaks = |slot: &Slot<'_>| match slot {
        Slot::Person(person) => Some(person.id.0.as_str()) == speaker,
        Slot::Content(..) | Slot::OwnContent | Slot::SelfView | Slot::More(_) => false,
    };
    if let Some(at) = slots.iter().position(speaks)
        && at >= shown
        && shown > 0
    {
        slots.swap(at, shown - 1);
    }
    let hidden = slots.len() - shown;
    slots.truncate(shown);
    slots.push(Slot::More(hidden));
    slots
}

/// What is shared, and who shares it.
pub fn content(call: &Call) -> Option<(StreamId, Option<&Participant>)> {
    let mut screens = call
        .previews
        .iter()
        .filter(|preview| preview.kind == StreamKind::Screen)
        .filter(|preview| preview.live || preview.trouble.is_some());
    let preview = screens
        .clone()
        .find(|preview| Some(&preview.participant) == call.sharer.as_ref())
        .or_else(|| screens.next())?;
    let sharer = call
        .participants
        .iter()
        .find(|person| person.id == preview.participant);
    Some((preview.stream, sharer))
}

fn speaker(call: &Call) -> Option<&str> {
    call.speaker.as_ref().map(|id| id.0.as_str())
}

/// The same people, that one first.
fn first<'a>(people: Vec<&'a Participant>, id: Option<&str>) -> Vec<&'a Participant> {
    let (mut front, back): (Vec<_>, Vec<_>) = people
        .into_iter()
        .partition(|person| Some(person.id.0.as_str()) == id);
    front.extend(back);
    front
}
