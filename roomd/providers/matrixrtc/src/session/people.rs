// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Everyone else in the meeting, put together from memberships, media servers, streams and keys.
//!
//! A media server says of its participants what it likes, and each member brings one along. What comes
//! under the identity of a member counts as theirs only where it comes from a server that they send to
//! by their membership; from another one it is a stranger's, who has no name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use roomd_livekit::{Identity, Participant as Seen, Quality};
use roomd_matrix_port::{EventId, Recipient, UserId};
use roomd_model::{Connection, E2ee, Participant, ParticipantId, Pii, StreamId, StreamKind};

use crate::members::Member;
use crate::random::Random;

/// How long an emoji is shown: Element Call's `REACTION_ACTIVE_TIME_MS`.
const REACTION_TIME: Duration = Duration::from_secs(3);

/// Raised hands that wait for their membership.
const MAX_EARLY_HANDS: usize = 64;

/// How a meeting is encrypted, as far as it is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Plain,
    /// One password for all.
    Shared,
    /// A key for each device.
    Each,
}

/// Somebody else.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) id: ParticipantId,
    /// Counts up with those who come.
    order: u64,
    name: Pii<String>,
    /// Their device, by their membership.
    device: Option<Recipient>,
    /// Their membership, which a raised hand refers to.
    event: Option<EventId>,
    /// The event that raised their hand.
    hand: Option<EventId>,
    /// The emoji that they show, and until when.
    reaction: Option<(Pii<String>, Instant)>,
    /// The servers that they send to by their last membership; none while they never had one.
    homes: Option<BTreeSet<u32>>,
    /// Who sends under their identity from another server.
    strangers: BTreeMap<u32, ParticipantId>,
    /// As each server sees them: who listens at several is at several.
    seen: BTreeMap<u32, Seen>,
    streams: BTreeMap<StreamId, Stream>,
    /// Servers from which something of theirs was opened.
    opened: BTreeSet<u32>,
}

/// Who it is that sends under an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// The member, or somebody without a membership.
    Themselves,
    /// Somebody at a server that the member does not send to.
    Stranger(u32),
}

/// A stream, and whose it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whose {
    pub(super) stream: StreamId,
    pub(super) participant: ParticipantId,
    pub(super) kind: StreamKind,
}

#[derive(Debug)]
struct Stream {
    /// Where it comes from.
    server: u32,
    kind: StreamKind,
    /// The media server is asked for it.
    taken: bool,
    undecryptable: bool,
    speaking: bool,
}

/// Everyone else.
#[derive(Debug, Default)]
pub(super) struct People {
    all: BTreeMap<Identity, Person>,
    came: u64,
    /// Servers that are lost at the moment.
    lost: BTreeSet<u32>,
    /// Raised hands of memberships that are not seen yet.
    early_hands: VecDeque<(UserId, EventId, EventId)>,
}

impl People {
    fn person(&mut self, identity: &Identity, random: &mut Random) -> &mut Person {
        let came = &mut self.came;
        self.all.entry(identity.clone()).or_insert_with(|| {
            *came += 1;
            Person {
                id: ParticipantId(random.name()),
                order: *came,
                name: Pii::default(),
                device: None,
                event: None,
                hand: None,
                reaction: None,
                homes: None,
                strangers: BTreeMap::new(),
                seen: BTreeMap::new(),
                streams: BTreeMap::new(),
                opened: BTreeSet::new(),
            }
        })
    }

    fn clean(&mut self) {
        self.all
            .retain(|_, person| person.device.is_some() || !person.seen.is_empty());
    }

    /// These have a membership, and are called so.
    pub(super) fn members<'a>(
        &mut self,
        members: impl Iterator<Item = (&'a Member, Pii<String>)>,
        random: &mut Random,
    ) {
        let mut there = BTreeSet::new();
        for (member, name) in members {
            let person = self.person(&member.identity, random);
            if person.event.as_ref() != Some(&member.event) {
                // A hand refers to the membership and falls with it.
                person.hand = None;
            }
            person.event = Some(member.event.clone());
            person.device = Some(member.device.clone());
            person.name = name;
            there.insert(member.identity.clone());
        }
        for (identity, person) in &mut self.all {
            if !there.contains(identity) {
                person.device = None;
                person.event = None;
                person.hand = None;
            }
        }
        self.clean();
        for (user, membership, event) in std::mem::take(&mut self.early_hands) {
            self.raised((&user, &membership), event);
        }
    }

    /// A member sends to these servers. Gives the streams that are somebody else's than before.
    pub(super) fn bind(
        &mut self,
        identity: &Identity,
        homes: BTreeSet<u32>,
        random: &mut Random,
    ) -> Vec<Whose> {
        let Some(person) = self.all.get_mut(identity) else {
            return Vec::new();
        };
        if person.homes.as_ref() == Some(&homes) {
            return Vec::new();
        }
        let before: Vec<_> = person
            .streams
            .values()
            .map(|it| person.who(it.server))
            .collect();
        person.homes = Some(homes);
        let streams = person.streams.iter();
        let streams: Vec<_> = streams.map(|(id, it)| (*id, it.server, it.kind)).collect();
        let moved = streams.into_iter().zip(before);
        let moved = moved.filter(|((_, server, _), before)| person.who(*server) != *before);
        let moved: Vec<_> = moved.map(|(stream, _)| stream).collect();
        let whose = |(stream, server, kind)| Whose {
            stream,
            participant: person.participant(server, random),
            kind,
        };
        moved.into_iter().map(whose).collect()
    }

    /// A media server sees somebody. What it calls them is its own word; names are the homeserver's.
    pub(super) fn seen(&mut self, server: u32, seen: Seen, random: &mut Random) {
        let person = self.person(&seen.identity.clone(), random);
        person.seen.insert(server, seen);
    }

    pub(super) fn unseen(&mut self, server: u32, identity: &Identity) {
        if let Some(person) = self.all.get_mut(identity) {
            person.left_server(server);
        }
        self.clean();
    }

    /// A server is lost, or back.
    pub(super) fn lost(&mut self, server: u32, lost: bool) {
        if lost {
            self.lost.insert(server);
        } else {
            self.lost.remove(&server);
        }
    }

    /// A server is not used any more.
    pub(super) fn forget_server(&mut self, server: u32) {
        self.lost.remove(&server);
        for person in self.all.values_mut() {
            person.left_server(server);
        }
        self.clean();
    }

    /// A stream that a server has of somebody; says who.
    pub(super) fn stream(
        &mut self,
        (server, identity): (u32, &Identity),
        stream: StreamId,
        kind: StreamKind,
        random: &mut Random,
    ) -> ParticipantId {
        let person = self.person(identity, random);
        let new = Stream {
            server,
            kind,
            taken: true,
            undecryptable: false,
            speaking: false,
        };
        person.streams.insert(stream, new);
        person.participant(server, random)
    }

    pub(super) fn stream_removed(&mut self, stream: StreamId) {
        for person in self.all.values_mut() {
            person.streams.remove(&stream);
        }
    }

    /// Whether nobody sends anything that the room takes.
    pub(super) fn send_nothing(&self) -> bool {
        self.all.values().all(|person| person.streams.is_empty())
    }

    /// All pictures.
    pub(super) fn pictures(&self) -> Vec<StreamId> {
        let streams = self.all.values().flat_map(|person| &person.streams);
        let pictures = streams.filter(|(_, stream)| stream.kind != StreamKind::Audio);
        pictures.map(|(id, _)| *id).collect()
    }

    /// A picture is asked for, or not.
    pub(super) fn taken(&mut self, stream: StreamId, taken: bool) {
        if let Some(stream) = self.find(stream) {
            stream.taken = taken;
        }
    }

    /// A frame of a stream's sender was opened.
    pub(super) fn opened(&mut self, stream: StreamId) {
        for person in self.all.values_mut() {
            if let Some(stream) = person.streams.get(&stream) {
                person.opened.insert(stream.server);
            }
        }
    }

    /// Whether there is something that should open, and nothing of it ever did.
    pub(super) fn opens_nothing(&self) -> bool {
        let streams = || self.all.values().flat_map(|person| person.streams.values());
        streams().any(|stream| stream.taken && stream.undecryptable)
            && streams().all(|stream| !stream.taken || stream.undecryptable)
            && self.all.values().all(|person| person.opened.is_empty())
    }

    /// The members who send what does not open.
    pub(super) fn failing_members(&self) -> BTreeSet<Recipient> {
        let fails = |stream: &Stream| stream.taken && stream.undecryptable;
        let members = self.all.values();
        let failing = members.filter(|member| member.streams(Who::Themselves).any(fails));
        failing.filter_map(|member| member.device.clone()).collect()
    }

    pub(super) fn undecryptable(&mut self, stream: StreamId, active: bool) {
        if let Some(stream) = self.find(stream) {
            stream.undecryptable = active;
        }
    }

    pub(super) fn speaking(&mut self, stream: StreamId, speaking: bool) {
        if let Some(stream) = self.find(stream) {
            stream.speaking = speaking;
        }
    }

    fn find(&mut self, stream: StreamId) -> Option<&mut Stream> {
        self.all
            .values_mut()
            .find_map(|person| person.streams.get_mut(&stream))
    }

    fn of_membership(&mut self, membership: &EventId) -> Option<&mut Person> {
        let of = |person: &&mut Person| person.event.as_ref() == Some(membership);
        self.all.values_mut().find(of)
    }

    /// Somebody raised a hand with this event, at this membership: their own one only.
    pub(super) fn raised(&mut self, (user, membership): (&UserId, &EventId), event: EventId) {
        match self.of_membership(membership) {
            Some(person) if person.is_of(user) => person.hand = Some(event),
            Some(_) => {}
            None => {
                // It may be told before the membership; most are of no membership at all.
                if self.early_hands.len() >= MAX_EARLY_HANDS {
                    self.early_hands.pop_front();
                }
                let hand = (user.clone(), membership.clone(), event);
                self.early_hands.push_back(hand);
            }
        }
    }

    /// Somebody shows an emoji for a while.
    pub(super) fn reacted(
        &mut self,
        (user, membership): (&UserId, &EventId),
        emoji: String,
        now: Instant,
    ) {
        let person = self.of_membership(membership);
        if let Some(person) = person.filter(|person| person.is_of(user)) {
            person.reaction = Some((Pii::new(emoji), now + REACTION_TIME));
        }
    }

    /// When an emoji has been shown for long enough.
    pub(super) fn reactions_due(&self) -> Option<Instant> {
        let all = self.all.values().filter_map(|it| it.reaction.as_ref());
        all.map(|(_, until)| *until).min()
    }

    pub(super) fn reactions_expire(&mut self, now: Instant) {
        for person in self.all.values_mut() {
            person.reaction.take_if(|(_, until)| *until <= now);
        }
    }

    /// An event was taken back.
    pub(super) fn redacted(&mut self, event: &EventId) {
        self.early_hands.retain(|(_, _, hand)| hand != event);
        for person in self.all.values_mut() {
            person.hand.take_if(|hand| hand == event);
        }
    }

    /// Who somebody is, by the user's device or, for what is written, by the user.
    pub(super) fn by_user(&self, user: &UserId) -> Option<ParticipantId> {
        let is = |person: &&Person| person.device.as_ref().is_some_and(|it| it.user == *user);
        self.all.values().find(is).map(|person| person.id.clone())
    }

    /// The device of a participant.
    pub(super) fn device(&self, id: &ParticipantId) -> Option<&Recipient> {
        let person = self.all.values().find(|person| person.id == *id)?;
        person.device.as_ref()
    }

    /// Everyone, in the order in which they came; `has_key` says who told a key.
    pub(super) fn list(
        &self,
        mode: Mode,
        has_key: impl Fn(&Recipient) -> bool,
    ) -> Vec<Participant> {
        let mut people: Vec<_> = self.all.values().collect();
        people.sort_by_key(|person| person.order);
        let all = people
            .into_iter()
            .flat_map(|person| person.all().map(move |who| (person, who)));
        all.map(|(person, who)| person.view(who, mode, &has_key, &self.lost))
            .collect()
    }
}

impl Person {
    /// All who are here under this identity. Clients are at servers under further names, where they only
    /// listen.
    fn all(&self) -> impl Iterator<Item = Who> {
        let here = self.device.is_some() || self.streams(Who::Themselves).next().is_some();
        let themselves = here.then_some(Who::Themselves);
        let strangers = self.strangers.keys().map(|server| Who::Stranger(*server));
        let send = |who: &Who| self.streams(*who).next().is_some();
        themselves.into_iter().chain(strangers.filter(send))
    }

    fn who(&self, server: u32) -> Who {
        let homes = self.homes.as_ref();
        if homes.is_none_or(|homes| homes.contains(&server)) {
            Who::Themselves
        } else {
            Who::Stranger(server)
        }
    }

    /// Who sends from this server.
    fn participant(&mut self, server: u32, random: &mut Random) -> ParticipantId {
        match self.who(server) {
            Who::Themselves => self.id.clone(),
            Who::Stranger(server) => {
                let stranger = self.strangers.entry(server);
                let new = || ParticipantId(random.name());
                stranger.or_insert_with(new).clone()
            }
        }
    }

    fn streams(&self, who: Who) -> impl Iterator<Item = &Stream> {
        let streams = self.streams.values();
        streams.filter(move |stream| self.who(stream.server) == who)
    }

    fn left_server(&mut self, server: u32) {
        self.seen.remove(&server);
        self.opened.remove(&server);
        self.strangers.remove(&server);
    }

    fn is_of(&self, user: &UserId) -> bool {
        self.device.as_ref().is_some_and(|it| it.user == *user)
    }

    /// As the server sees them that they send to: at others they only listen.
    fn seen(&self, who: Who) -> Option<(u32, &Seen)> {
        let sends = |seen: &Seen| seen.microphone || seen.camera || seen.sharing;
        let all = self.seen.iter().map(|(server, seen)| (*server, seen));
        all.filter(|(server, _)| self.who(*server) == who)
            .max_by_key(|(_, seen)| (sends(seen), seen.active))
    }

    fn view(
        &self,
        who: Who,
        mode: Mode,
        has_key: &impl Fn(&Recipient) -> bool,
        lost: &BTreeSet<u32>,
    ) -> Participant {
        let seen = self.seen(who).map(|(_, seen)| seen);
        let is = |of: fn(&Seen) -> bool| seen.is_some_and(of);
        let reaction = self.reaction.as_ref().map(|(emoji, _)| emoji.clone());
        let (id, name, hand, reaction) = match who {
            Who::Themselves => (
                Some(&self.id),
                self.name.clone(),
                self.hand.is_some(),
                reaction,
            ),
            Who::Stranger(server) => (self.strangers.get(&server), Pii::default(), false, None),
        };
        Participant {
            id: id.unwrap_or(&self.id).clone(),
            name,
            microphone: is(|seen| seen.microphone),
            camera: is(|seen| seen.camera),
            sharing: is(|seen| seen.sharing),
            hand,
            reaction,
            speaking: self.streams(who).any(|stream| stream.speaking),
            connection: self.connection(who, lost),
            e2ee: self.e2ee(who, mode, has_key),
        }
    }

    fn connection(&self, who: Who, lost: &BTreeSet<u32>) -> Connection {
        match self.seen(who) {
            None => Connection::Connecting,
            Some((server, _)) if lost.contains(&server) => Connection::Lost,
            Some((_, seen)) if !seen.active => Connection::Connecting,
            Some((_, seen)) => match seen.quality {
                Quality::Unknown | Quality::Excellent | Quality::Good => Connection::Good,
                Quality::Poor => Connection::Poor,
                Quality::Lost => Connection::Lost,
            },
        }
    }

    /// As it is, not as it should be: what cannot be opened was not encrypted for the room.
    fn e2ee(&self, who: Who, mode: Mode, has_key: &impl Fn(&Recipient) -> bool) -> E2ee {
        // Of what is not taken nothing comes that could open, whatever came before.
        let fails = |stream: &Stream| stream.taken && stream.undecryptable;
        let is = |server: &u32| self.who(*server) == who;
        let mut clear = self.seen.iter().filter(|(_, seen)| seen.unencrypted);
        let fails = clear.any(|(server, _)| is(server)) || self.streams(who).any(fails);
        let device = self.device.as_ref().filter(|_| who == Who::Themselves);
        match mode {
            Mode::Plain => E2ee::Off,
            Mode::Shared | Mode::Each if fails => E2ee::Off,
            // That their password is the same shows only in what they send.
            Mode::Shared if self.opened.iter().any(is) => E2ee::Verified,
            Mode::Shared => E2ee::Pending,
            Mode::Each if device.is_some_and(has_key) => E2ee::Verified,
            Mode::Each => E2ee::Pending,
        }
    }
}

/// Of the whole meeting: as good as its worst. Whoever sends nothing does not count where there is one
/// password for all: nothing of them could be readable, and nothing of the room is without it.
pub(super) fn whole(mode: Mode, people: &[Participant]) -> E2ee {
    let any = |state| people.iter().any(|person| person.e2ee == state);
    if any(E2ee::Off) {
        E2ee::Off
    } else if any(E2ee::Verified) && (mode == Mode::Shared || !any(E2ee::Pending)) {
        E2ee::Verified
    } else {
        E2ee::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_taken_fails_at_nothing() {
        const PICTURE: StreamId = StreamId(1);
        let mut people = People::default();
        let mut random = Random::new([1; 32]);
        let anna = Identity::new("@anna:x:A");
        people.stream((1, &anna), PICTURE, StreamKind::Camera, &mut random);
        let e2ee = |people: &People| people.list(Mode::Shared, |_| true)[0].e2ee;
        // A frame with a key from before the room came; then the picture is no longer shown.
        people.undecryptable(PICTURE, true);
        assert_eq!(e2ee(&people), E2ee::Off);
        people.taken(PICTURE, false);
        assert_eq!(e2ee(&people), E2ee::Pending);
        people.opened(PICTURE);
        assert_eq!(e2ee(&people), E2ee::Verified);
        people.taken(PICTURE, true);
        assert_eq!(e2ee(&people), E2ee::Off);
        people.undecryptable(PICTURE, false);
        assert_eq!(e2ee(&people), E2ee::Verified);
    }
    #[test]
    fn a_server_that_somebody_does_not_send_to_speaks_for_a_stranger() {
        const THEIRS: StreamId = StreamId(1);
        const OTHER: StreamId = StreamId(2);
        let mut people = People::default();
        let mut random = Random::new([1; 32]);
        let identity = Identity::new("@anna:x:A");
        let member = Member::of_test("@anna:x", "A");
        // The streams come before the membership that says whose they are.
        let id = people.stream((1, &identity), THEIRS, StreamKind::Camera, &mut random);
        let same = people.stream((2, &identity), OTHER, StreamKind::Camera, &mut random);
        assert_eq!(id, same);
        people.members([(&member, Pii::from("Anna"))].into_iter(), &mut random);
        let moved = people.bind(&identity, [1].into(), &mut random);
        let [stranger] = &moved[..] else {
            panic!("{moved:?}");
        };
        assert_eq!(stranger.stream, OTHER);
        people.speaking(OTHER, true);
        people.opened(OTHER);
        let list = people.list(Mode::Shared, |_| true);
        let [anna, other] = &list[..] else {
            panic!("{list:?}");
        };
        assert_eq!((&anna.id, anna.name.expose().as_str()), (&id, "Anna"));
        assert_eq!((anna.speaking, anna.e2ee), (false, E2ee::Pending));
        assert_eq!(
            (&other.id, other.name.expose().as_str()),
            (&stranger.participant, "")
        );
        assert!(other.speaking && people.device(&other.id).is_none());
        // With a key for each device, that of the member is not the stranger's.
        let list = people.list(Mode::Each, |_| true);
        assert_eq!(
            (list[0].e2ee, list[1].e2ee),
            (E2ee::Verified, E2ee::Pending)
        );
        // A later stream is told right away; the member may move to that server.
        let later = people.stream((2, &identity), StreamId(3), StreamKind::Audio, &mut random);
        assert_eq!(later, stranger.participant);
        let moved = people.bind(&identity, [2].into(), &mut random);
        assert_eq!(moved.len(), 3);
        let whose = |of: StreamId| moved.iter().find(|it| it.stream == of).unwrap();
        assert_eq!(whose(OTHER).participant, id);
        assert_ne!(whose(THEIRS).participant, id);
    }
}
