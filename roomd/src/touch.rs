// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a button or the microphone's own keys ask of the room, as the panel would.

use roomd_api::{Call, Request, State};
use roomd_devices::core::keys::Action;
use roomd_devices::mute::Wish;
use roomd_model::Phase;

use crate::hardware::Touch;

/// A step of the volume, in per cent.
const STEP: u8 = 5;

/// What a touch asks of the room; none where there is nothing to do.
pub fn request(touch: Touch, state: &State) -> Option<Request> {
    let call = state.call.as_deref();
    match touch {
        Touch::Press(action) => pressed(action, call, state),
        Touch::Wish(wish) => wished(wish, call, state),
    }
}

fn pressed(action: Action, call: Option<&Call>, state: &State) -> Option<Request> {
    match (action, call) {
        (Action::Join, _) => join(state),
        (Action::HangUp, Some(_)) => Some(Request::Leave),
        (Action::Mute, Some(call)) => Some(Request::Microphone {
            on: !call.microphone,
        }),
        (Action::VolumeUp, Some(call)) => Some(volume(call, STEP.into())),
        (Action::VolumeDown, Some(call)) => Some(volume(call, -i16::from(STEP))),
        (Action::HangUp | Action::Mute | Action::VolumeUp | Action::VolumeDown, None)
        | (Action::Preset(_) | Action::Presence, _) => None,
    }
}

fn wished(wish: Wish, call: Option<&Call>, state: &State) -> Option<Request> {
    match (wish, call) {
        (Wish::Mute(muted), Some(call)) if call.microphone == muted => {
            Some(Request::Microphone { on: !muted })
        }
        (Wish::Hook | Wish::OffHook(false), Some(_)) => Some(Request::Leave),
        (Wish::Hook | Wish::OffHook(true), None) => join(state),
        (Wish::Mute(_) | Wish::OffHook(_), _) => None,
    }
}

fn join(state: &State) -> Option<Request> {
    let Phase::Offered { booking } = &state.room.phase else {
        return None;
    };
    let booking = booking.clone();
    Some(Request::JoinBooking { booking })
}

fn volume(call: &Call, step: i16) -> Request {
    Request::Volume {
        percent: stepped(call.volume, step),
    }
}

fn stepped(volume: u8, step: i16) -> u8 {
    let wanted = (i16::from(volume) + step).clamp(0, 100);
    u8::try_from(wanted).unwrap_or(volume)
}

#[cfg(test)]
mod tests {
    use roomd_api::{Agenda, Devices, Health, Room, Statistics};
    use roomd_model::{BookingId, E2ee, Language, Layout};

    use super::*;

    fn room(phase: Phase) -> State {
        State {
            room: Room {
                name: "Elbe".to_owned(),
                phase,
                language: Language::De,
                time_zone: "Europe/Berlin".to_owned(),
                hosts_meetings: true,
                joins_sending: false,
                version: "0".to_owned(),
                support: None,
            },
            agenda: Agenda::default(),
            call: None,
            devices: Devices::default(),
            cameras: Vec::new(),
            content: Vec::new(),
            health: Health::default(),
            sound_test: roomd_api::SoundTest::default(),
            pairing: None,
            faults: Vec::new(),
            statistics: Statistics::default(),
        }
    }

    fn offered(booking: &str) -> State {
        let booking = BookingId(booking.to_owned());
        room(Phase::Offered { booking })
    }

    fn in_call(microphone: bool) -> State {
        let call = Call {
            title: None,
            provider: "direct".to_owned(),
            guest_url: None,
            since: chrono::DateTime::UNIX_EPOCH,
            sending: true,
            microphone,
            camera: true,
            content: false,
            volume: 50,
            layout: Layout::Grid,
            hand: false,
            e2ee: E2ee::Verified,
            participants: Vec::new(),
            waiting: Vec::new(),
            speaker: None,
            sharer: None,
            chat: Vec::new(),
            password_wanted: None,
            countdown: None,
            can_admit: true,
            can_chat: true,
            can_raise_hand: true,
            can_share: true,
            previews: Vec::new(),
        };
        State {
            call: Some(Box::new(call)),
            ..room(Phase::InCall)
        }
    }

    #[test]
    fn the_volume_stays_between_silence_and_all() {
        assert_eq!(stepped(98, 5), 100);
        assert_eq!(stepped(3, -5), 0);
        assert_eq!(stepped(50, 5), 55);
    }

    #[test]
    fn a_button_does_what_the_panel_would() {
        let press = |action, state: &State| request(Touch::Press(action), state);
        let (call, offer) = (in_call(true), offered("b1"));
        let off = Some(Request::Microphone { on: false });
        assert_eq!(press(Action::Mute, &call), off);
        assert_eq!(press(Action::HangUp, &call), Some(Request::Leave));
        assert_eq!(press(Action::Mute, &offer), None);
        assert!(matches!(
            press(Action::Join, &offer),
            Some(Request::JoinBooking { .. })
        ));
    }

    #[test]
    fn volume_buttons_go_in_steps_and_do_nothing_without_a_call() {
        let press = |action, state: &State| request(Touch::Press(action), state);
        let to = |percent| Some(Request::Volume { percent });
        assert_eq!(press(Action::VolumeUp, &in_call(true)), to(55));
        assert_eq!(press(Action::VolumeDown, &in_call(true)), to(45));
        assert_eq!(press(Action::VolumeUp, &offered("b1")), None);
    }

    #[test]
    fn the_mute_key_asks_only_for_what_is_not_so() {
        let mute = |muted, state: &State| request(Touch::Wish(Wish::Mute(muted)), state);
        let (on, off) = (in_call(true), in_call(false));
        assert_eq!(mute(true, &on), Some(Request::Microphone { on: false }));
        assert_eq!(mute(false, &off), Some(Request::Microphone { on: true }));
        assert_eq!(mute(true, &off), None);
        assert_eq!(mute(true, &offered("b1")), None);
    }

    #[test]
    fn the_hook_joins_and_hangs_up() {
        let hook = |state: &State| request(Touch::Wish(Wish::Hook), state);
        assert_eq!(hook(&in_call(true)), Some(Request::Leave));
        assert!(matches!(
            hook(&offered("b1")),
            Some(Request::JoinBooking { .. })
        ));
        let lifted = request(Touch::Wish(Wish::OffHook(true)), &in_call(true));
        assert_eq!(lifted, None);
    }
}
