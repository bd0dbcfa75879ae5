// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Who is there, who speaks, who shares, and what follows for the display.

use std::collections::{BTreeMap, BTreeSet};

use roomd_model::{
    ChatMessage, Layout, Participant, ParticipantId, StreamId, StreamKind, StreamTrouble,
};

use crate::StreamView;

const MAX_PEOPLE: usize = 1000;
const MAX_STREAMS: usize = 3000;
const MAX_CHAT: usize = 200;

#[derive(Debug, Default)]
pub(crate) struct Faces {
    pub(crate) participants: Vec<Participant>,
    pub(crate) waiting: Vec<Participant>,
    pub(crate) streams: Vec<StreamView>,
    /// What the engine says of streams. It may do so before the session announces the stream: they
    /// reach the room by two ways.
    conditions: BTreeMap<StreamId, Condition>,
    pub(crate) chat: Vec<ChatMessage>,
    pub(crate) speaker: Option<ParticipantId>,
    pub(crate) sharer: Option<ParticipantId>,
    /// The room shares something itself.
    own_content: bool,
    pub(crate) layout: Layout,
    /// The layout to go back to when sharing ends, if the room itself changed it.
    before_share: Option<Layout>,
}

/// What the engine says of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Condition {
    live: bool,
    was_live: bool,
    troubles: BTreeSet<StreamTrouble>,
}

impl Condition {
    /// The worst. Sound that stops is silence.
    fn trouble(&self, kind: StreamKind) -> Option<StreamTrouble> {
        let stalled = self.was_live && !self.live && kind != StreamKind::Audio;
        let worst = self.troubles.last().copied();
        worst.or(stalled.then_some(StreamTrouble::Stalled))
    }
}

impl Faces {
    /// Nobody else is in the meeting. Whoever waits does not count: a forgotten page in the lobby
    /// would keep the call for ever.
    pub(crate) fn is_empty(&self) -> bool {
        self.participants.is_empty()
    }

    /// The most lines that a camera's tile has in this layout.
    pub(crate) fn wanted_height(&self) -> u32 {
        match self.layout {
            Layout::Grid if self.participants.len() <= 4 => 720,
            Layout::Speaker => 720,
            Layout::Grid | Layout::Share => 360,
        }
    }

    pub(crate) fn set_participants(&mut self, mut people: Vec<Participant>) {
        people.truncate(MAX_PEOPLE);
        let sharer = self.pick_sharer(&people);
        self.participants = people;
        self.pick_speaker();
        self.follow_sharing(sharer);
    }

    pub(crate) fn set_waiting(&mut self, mut people: Vec<Participant>) {
        people.truncate(MAX_PEOPLE);
        self.waiting = people;
    }

    /// A person chooses; the room does not touch the choice until the next sharing.
    pub(crate) fn choose_layout(&mut self, layout: Layout) {
        self.layout = layout;
        self.before_share = None;
    }

    pub(crate) fn add_stream(
        &mut self,
        stream: StreamId,
        participant: ParticipantId,
        kind: StreamKind,
    ) {
        self.streams.retain(|known| known.stream != stream);
        if self.streams.len() < MAX_STREAMS {
            self.streams.push(StreamView {
                stream,
                participant,
                kind,
                live: false,
                trouble: None,
            });
            self.show_condition(stream);
        }
    }

    pub(crate) fn remove_stream(&mut self, stream: StreamId) {
        self.streams.retain(|known| known.stream != stream);
        // A stream that goes on may be announced again.
        self.conditions.retain(|known, condition| {
            *known != stream || condition.live || !condition.troubles.is_empty()
        });
    }

    pub(crate) fn set_live(&mut self, stream: StreamId, live: bool) {
        self.change(stream, |condition| {
            condition.live = live;
            condition.was_live |= live;
        });
    }

    pub(crate) fn set_trouble(&mut self, stream: StreamId, trouble: StreamTrouble, active: bool) {
        self.change(stream, |condition| {
            if active {
                condition.troubles.insert(trouble);
            } else {
                condition.troubles.remove(&trouble);
            }
        });
    }

    fn change(&mut self, stream: StreamId, change: impl FnOnce(&mut Condition)) {
        if self.conditions.len() >= MAX_STREAMS && !self.conditions.contains_key(&stream) {
            return;
        }
        let condition = self.conditions.entry(stream).or_default();
        change(condition);
        let announced = self.streams.iter().any(|known| known.stream == stream);
        if !announced && !condition.live && condition.troubles.is_empty() {
            self.conditions.remove(&stream);
        }
        self.show_condition(stream);
    }

    fn show_condition(&mut self, stream: StreamId) {
        let condition = self.conditions.get(&stream);
        if let Some(known) = self.streams.iter_mut().find(|known| known.stream == stream) {
            known.live = condition.is_some_and(|condition| condition.live);
            known.trouble = condition.and_then(|condition| condition.trouble(known.kind));
        }
    }

    pub(crate) fn add_chat(&mut self, message: ChatMessage) {
        if self.chat.len() >= MAX_CHAT {
            self.chat.remove(0);
        }
        self.chat.push(message);
    }

    /// Who began to share last; the one before while they still share.
    fn pick_sharer(&self, people: &[Participant]) -> Option<ParticipantId> {
        let shared = |id: &ParticipantId| {
            let mut before = self.participants.iter();
            before.any(|person| person.id == *id && person.sharing)
        };
        let sharing = || people.iter().filter(|person| person.sharing);
        let fresh = sharing().find(|person| !shared(&person.id));
        let kept = sharing().find(|person| Some(&person.id) == self.sharer.as_ref());
        let any = sharing().next();
        fresh.or(kept).or(any).map(|person| person.id.clone())
    }

    fn pick_speaker(&mut self) {
        let current = self
            .participants
            .iter()
            .find(|person| Some(&person.id) == self.speaker.as_ref());
        if current.is_some_and(|person| person.speaking) {
            return;
        }
        let loud = self.participants.iter().find(|person| person.speaking);
        self.speaker = loud.or(current).map(|person| person.id.clone());
    }

    fn follow_sharing(&mut self, sharer: Option<ParticipantId>) {
        let began = sharer.is_some() && sharer != self.sharer;
        self.sharer = sharer;
        self.give_display(began);
    }

    /// What the room shares itself is on its display as what others share.
    pub(crate) fn set_own_content(&mut self, shared: bool) {
        let began = shared && !self.own_content;
        self.own_content = shared;
        self.give_display(began);
    }

    fn give_display(&mut self, began: bool) {
        if began && self.layout != Layout::Share {
            self.before_share = Some(self.layout);
            self.layout = Layout::Share;
        } else if self.sharer.is_none()
            && !self.own_content
            && let Some(before) = self.before_share.take()
        {
            self.layout = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use roomd_model::{Connection, E2ee, Pii};

    use super::*;

    fn person(id: &str, sharing: bool, speaking: bool) -> Participant {
        Participant {
            id: ParticipantId(id.to_owned()),
            name: Pii::from(id),
            microphone: true,
            camera: true,
            sharing,
            hand: false,
            reaction: None,
            speaking,
            connection: Connection::Good,
            e2ee: E2ee::Verified,
        }
    }

    fn named(id: &Option<ParticipantId>) -> Option<&str> {
        id.as_ref().map(|id| id.0.as_str())
    }

    #[test]
    fn shared_content_takes_the_display_and_gives_it_back() {
        let mut faces = Faces::default();
        faces.choose_layout(Layout::Speaker);
        faces.set_participants(vec![person("a", true, false), person("b", false, false)]);
        assert_eq!(
            (faces.layout, named(&faces.sharer)),
            (Layout::Share, Some("a"))
        );
        faces.set_participants(vec![person("a", true, false), person("b", true, false)]);
        assert_eq!(
            (faces.layout, named(&faces.sharer)),
            (Layout::Share, Some("b"))
        );
        faces.set_participants(vec![person("a", true, false), person("b", false, false)]);
        assert_eq!(named(&faces.sharer), Some("a"));
        faces.set_participants(vec![person("b", false, false)]);
        assert_eq!(
            (faces.layout, named(&faces.sharer)),
            (Layout::Speaker, None)
        );
    }

    #[test]
    fn a_stream_is_live_whoever_speaks_of_it_first() {
        let (first, second) = (StreamId(1), StreamId(2));
        let add = |faces: &mut Faces, stream| {
            faces.add_stream(stream, ParticipantId("a".to_owned()), StreamKind::Camera);
        };
        let live = |faces: &Faces| -> Vec<bool> { faces.streams.iter().map(|s| s.live).collect() };
        let mut faces = Faces::default();
        faces.set_live(first, true);
        add(&mut faces, first);
        add(&mut faces, second);
        assert_eq!(live(&faces), [true, false]);
        faces.set_live(second, true);
        assert_eq!(live(&faces), [true, true]);
        // Withdrawn and announced again while its pictures keep coming.
        faces.remove_stream(first);
        add(&mut faces, first);
        assert_eq!(live(&faces), [true, true]);
        faces.set_live(first, false);
        assert_eq!(live(&faces), [true, false]);
    }

    #[test]
    fn a_stream_that_stops_is_stalled_and_worse_comes_first() {
        let stream = StreamId(1);
        let mut faces = Faces::default();
        faces.add_stream(stream, ParticipantId("a".to_owned()), StreamKind::Camera);
        let trouble = |faces: &Faces| faces.streams[0].trouble;
        assert_eq!(trouble(&faces), None, "nothing has come yet");
        faces.set_live(stream, true);
        assert_eq!(trouble(&faces), None);
        faces.set_live(stream, false);
        assert_eq!(trouble(&faces), Some(StreamTrouble::Stalled));
        for worse in [StreamTrouble::Undecodable, StreamTrouble::Undecryptable] {
            faces.set_trouble(stream, worse, true);
            assert_eq!(trouble(&faces), Some(worse));
        }
        faces.set_trouble(stream, StreamTrouble::Undecryptable, false);
        assert_eq!(trouble(&faces), Some(StreamTrouble::Undecodable));
        faces.set_trouble(stream, StreamTrouble::Undecodable, false);
        faces.set_live(stream, true);
        assert_eq!(trouble(&faces), None);
        faces.set_live(stream, false);
        faces.remove_stream(stream);
        assert!(faces.conditions.is_empty());
    }

    #[test]
    fn own_content_takes_the_display_too() {
        let mut faces = Faces::default();
        faces.set_participants(vec![person("a", false, false)]);
        faces.set_own_content(true);
        assert_eq!(faces.layout, Layout::Share);
        faces.set_participants(vec![person("a", true, false)]);
        faces.set_own_content(false);
        assert_eq!(faces.layout, Layout::Share, "somebody else shares");
        faces.set_participants(vec![person("a", false, false)]);
        assert_eq!(faces.layout, Layout::Grid);
    }

    #[test]
    fn a_persons_choice_stands_while_content_is_shared() {
        let mut faces = Faces::default();
        faces.set_participants(vec![person("a", true, false)]);
        faces.choose_layout(Layout::Speaker);
        faces.set_participants(vec![person("a", true, true)]);
        assert_eq!(faces.layout, Layout::Speaker);
        faces.set_participants(vec![person("a", false, true)]);
        assert_eq!(faces.layout, Layout::Speaker);
    }

    #[test]
    fn the_speaker_stays_until_somebody_else_speaks() {
        let mut faces = Faces::default();
        for (a, b, expected) in [
            (false, false, None),
            (false, true, Some("b")),
            (true, true, Some("b")),
            (false, false, Some("b")),
            (true, false, Some("a")),
        ] {
            faces.set_participants(vec![person("a", false, a), person("b", false, b)]);
            assert_eq!(named(&faces.speaker), expected);
        }
        faces.set_participants(vec![person("b", false, false)]);
        assert_eq!(faces.speaker, None);
    }
}
