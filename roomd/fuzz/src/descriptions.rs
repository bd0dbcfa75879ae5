// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What signalling says of a peer: descriptions, parameters and candidates.

use std::time::{Duration, Instant};

use roomd_conference::{PeerState, SdpKind};
use roomd_model::{Pii, Secret};
use roomd_peer::{
    Codec, Core, DataChannel, Direction, Encoding, HeaderExtension, LineParameters, MediaKind,
    Offer, Parameters, Payload, PeerCommand, PeerEvent, RemoteTransport,
};

use crate::call::{description, events, local};
use crate::input::Input;

/// Separates the descriptions of an input.
const NEXT: &str = "\n===\n";
/// Most descriptions of an input.
const MOST: usize = 4;
/// Most m-lines, and most candidates, that a connection takes; with what it answers around each.
const MOST_ANSWERED: usize = 256 * 1024;

fn connection(now: Instant) -> Core {
    let mut core = Core::new(now);
    core.add_local(now, local(1), None);
    core
}

fn describe(core: &mut Core, now: Instant, kind: SdpKind, sdp: String) -> Vec<PeerEvent> {
    let sdp = Pii::new(sdp);
    core.handle_command(now, PeerCommand::RemoteDescription { kind, sdp });
    answered(core)
}

/// What the core says to that: one answer or one refusal at the most, and no verified peer.
fn answered(core: &mut Core) -> Vec<PeerEvent> {
    let events = events(core);
    let mut answers = 0;
    for event in &events {
        assert!(!matches!(event, PeerEvent::State(PeerState::Verified)));
        if let PeerEvent::LocalDescription { sdp, .. } = event {
            assert!(sdp.expose().len() <= MOST_ANSWERED);
        }
        answers += usize::from(matches!(
            event,
            PeerEvent::LocalDescription { .. } | PeerEvent::DescriptionRefused(_)
        ));
    }
    assert!(answers <= 1);
    events
}

/// Offers, one after the other; between them we offer something too.
pub(crate) fn offer(mut input: Input<'_>) {
    let text = input.rest_text();
    let mut now = Instant::now();
    let mut core = connection(now);
    for sdp in text.split(NEXT).take(MOST) {
        let events = describe(&mut core, now, SdpKind::Offer, sdp.to_owned());
        if !core.is_ended() {
            assert!(!events.is_empty());
        }
        now += Duration::from_millis(100);
        core.handle_timeout(now);
        answered(&mut core);
    }
    let offer = PeerCommand::Offer(Offer::of(&[MediaKind::Video]));
    core.handle_command(now, offer);
    answered(&mut core);
}

/// Answers to offers of ours. `MID0` to `MID9` stand for the names of our m-lines.
pub(crate) fn answer(mut input: Input<'_>) {
    let text = input.rest_text();
    let mut now = Instant::now();
    let mut core = connection(now);
    core.handle_command(now, PeerCommand::OpenChannel(DataChannel::named("data")));
    for sdp in text.split(NEXT).take(MOST) {
        let offer = Offer::of(&[MediaKind::Audio, MediaKind::Video]);
        core.handle_command(now, PeerCommand::Offer(offer));
        if core.is_ended() {
            break;
        }
        let mut sdp = sdp.to_owned();
        let ours = description(&mut core);
        let mids = ours.lines().filter_map(|line| line.strip_prefix("a=mid:"));
        for (index, mid) in mids.take(10).enumerate() {
            sdp = sdp.replace(&format!("MID{index}"), mid);
        }
        describe(&mut core, now, SdpKind::Answer, sdp);
        now += Duration::from_millis(100);
        core.handle_timeout(now);
        answered(&mut core);
    }
}

/// Candidates that come one by one.
pub(crate) fn candidate(mut input: Input<'_>) {
    let text = input.rest_text();
    let now = Instant::now();
    let mut core = connection(now);
    let mut lines = 0;
    for line in text.lines().take(300) {
        lines += 1;
        core.handle_command(now, PeerCommand::RemoteCandidate(Pii::new(line.to_owned())));
        assert!(events(&mut core).is_empty());
    }
    core.handle_timeout(now + Duration::from_millis(100));
    assert!(core.dropped().candidates + 64 >= lines);
}

/// Parameters, one set after the other.
pub(crate) fn parameters(mut input: Input<'_>) {
    let mut now = Instant::now();
    let mut core = connection(now);
    for _ in 0..MOST {
        if input.is_empty() || core.is_ended() {
            break;
        }
        let parameters = read(&mut input);
        core.handle_command(now, PeerCommand::Parameters(Box::new(parameters)));
        now += Duration::from_millis(100);
        core.handle_timeout(now);
        let answers = events(&mut core).into_iter().filter(|event| {
            assert!(!matches!(event, PeerEvent::State(PeerState::Verified)));
            matches!(
                event,
                PeerEvent::LocalParameters(_) | PeerEvent::DescriptionRefused(_)
            )
        });
        assert_eq!(answers.count(), 1);
    }
}

fn read(input: &mut Input<'_>) -> Parameters {
    let flags = input.byte();
    Parameters {
        remote: (flags & 1 == 1).then(|| remote(input)),
        controlling: flags & 2 == 2,
        payloads: several(input, payload),
        extensions: several(input, |input| (input.byte(), extension(input))),
        lines: several(input, line),
        data: flags & 4 == 4,
    }
}

fn several<T>(input: &mut Input<'_>, mut one: impl FnMut(&mut Input<'_>) -> T) -> Vec<T> {
    let count = input.byte();
    let more = |_| (!input.is_empty()).then(|| one(input));
    (0..count).map_while(more).collect()
}

fn maybe<T>(input: &mut Input<'_>, one: impl FnOnce(&mut Input<'_>) -> T) -> Option<T> {
    (input.byte() & 1 == 1).then(|| one(input))
}

fn remote(input: &mut Input<'_>) -> RemoteTransport {
    RemoteTransport {
        ufrag: Secret::new(input.text()),
        password: Secret::new(input.text()),
        candidates: several(input, |input| Pii::new(input.text())),
        fingerprints: several(input, |input| input.text()),
        active: input.byte() & 1 == 1,
    }
}

fn payload(input: &mut Input<'_>) -> Payload {
    Payload {
        codec: input.one_of(&[Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::H264]),
        pt: input.byte(),
        rtx: maybe(input, |input| input.byte()),
    }
}

fn extension(input: &mut Input<'_>) -> HeaderExtension {
    input.one_of(&[
        HeaderExtension::AudioLevel,
        HeaderExtension::AbsoluteSendTime,
        HeaderExtension::TransportSequence,
        HeaderExtension::Mid,
        HeaderExtension::Rid,
        HeaderExtension::RepairedRid,
    ])
}

fn line(input: &mut Input<'_>) -> LineParameters {
    let (mid, flags) = (input.text(), input.byte());
    let kinds = [MediaKind::Audio, MediaKind::Video];
    let directions = [
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ];
    LineParameters {
        mid,
        kind: kinds[usize::from(flags & 1)],
        direction: directions[usize::from(flags >> 1 & 3)],
        send: several(input, |input| maybe(input, |input| input.text())),
        receive: several(input, |input| Encoding {
            ssrc: input.long(),
            rtx: maybe(input, |input| input.long()),
            rid: maybe(input, |input| input.text()),
        }),
    }
}
