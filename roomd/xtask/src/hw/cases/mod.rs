// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The cases, by the kind of device.

mod appliance;
mod camera;
mod capture;
mod cec;
mod content;
mod devices;
mod display;
mod far;
mod faults;
mod input;
mod keys;
mod moved;
mod picture;
mod plug;
mod room;
mod second;
mod sound;
mod touch;

use super::{Case, Place};

/// Every case, in the order in which they run.
pub const ALL: &[Case] = &[
    Case {
        name: "bar-bound",
        about: "a conference bar is plugged: uvcvideo, snd-usb-audio and usbhid take it",
        place: Place::Virtual,
        long: false,
        run: plug::bound,
    },
    Case {
        name: "camera-counts",
        about: "the bar's camera sends the pictures that it numbered; it is open only meanwhile",
        place: Place::Virtual,
        long: false,
        run: camera::counts,
    },
    Case {
        name: "camera-controls",
        about: "pan, tilt, zoom and power-line frequency arrive at the camera; nonsense does not",
        place: Place::Virtual,
        long: false,
        run: camera::controls,
    },
    Case {
        name: "camera-faults",
        about: "a camera that stalls, tears or lies is survived and comes back by itself",
        place: Place::Virtual,
        long: false,
        run: camera::faults,
    },
    Case {
        name: "microphone-tones",
        about: "four channels are recorded, each with the tone of its own microphone",
        place: Place::Virtual,
        long: false,
        run: sound::tones,
    },
    Case {
        name: "mixer-mute",
        about: "mute and volume of the mixer arrive at the bar; muted, it sends silence",
        place: Place::Virtual,
        long: false,
        run: sound::mixer,
    },
    Case {
        name: "loudspeaker",
        about: "a tone that is played arrives at the bar with its pitch and level",
        place: Place::Virtual,
        long: false,
        run: sound::loudspeaker,
    },
    Case {
        name: "mute-key",
        about: "the bar's mute key is seen by evdev and, with the hook, by hidraw",
        place: Place::Virtual,
        long: false,
        run: keys::mute,
    },
    Case {
        name: "mute-lamp",
        about: "the mute lamp follows the kernel's LED and reports over hidraw",
        place: Place::Virtual,
        long: false,
        run: keys::lamp,
    },
    Case {
        name: "key-flood",
        about: "a thousand key presses at once block nothing; the next key is still seen",
        place: Place::Virtual,
        long: false,
        run: keys::flood,
    },
    Case {
        name: "replug",
        about: "unplugged while its camera streams, plugged again: nodes are back within 3 s",
        place: Place::Virtual,
        long: false,
        run: plug::replug,
    },
    Case {
        name: "two-bars",
        about: "two equal bars are told apart by serial number, also from another port",
        place: Place::Virtual,
        long: false,
        run: plug::two,
    },
    Case {
        name: "hdmi-signal",
        about: "an HDMI capture's signal comes and goes, and its timings are known",
        place: Place::Virtual,
        long: false,
        run: capture::signal,
    },
    Case {
        name: "cec-display",
        about: "a display is woken, told its source and sent to standby over CEC",
        place: Place::Virtual,
        long: false,
        run: cec::display,
    },
    Case {
        name: "loopback",
        about: "a tone goes through a loopback sound card",
        place: Place::Virtual,
        long: false,
        run: sound::loopback,
    },
    Case {
        name: "touch-and-keys",
        about: "a touch panel and buttons of uinput are seen by evdev",
        place: Place::Virtual,
        long: false,
        run: input::touch_and_keys,
    },
    Case {
        name: "room-finds",
        about: "roomd finds the bar's devices, says what is missing, and has nothing open",
        place: Place::Room,
        long: false,
        run: devices::finds,
    },
    Case {
        name: "room-shows",
        about: "the camera's numbered pictures reach roomd; devices are open only while they send",
        place: Place::Room,
        long: false,
        run: devices::shows,
    },
    Case {
        name: "room-replug",
        about: "camera and microphone pulled out in a call are back within 3 s; the call stands",
        place: Place::Room,
        long: false,
        run: devices::replug,
    },
    Case {
        name: "room-mute",
        about: "the bar's key mutes the room and its lamp follows; the lamp follows the panel",
        place: Place::Room,
        long: false,
        run: devices::mute,
    },
    Case {
        name: "room-preset",
        about: "a camera's position is saved, left and recalled",
        place: Place::Room,
        long: false,
        run: picture::preset,
    },
    Case {
        name: "room-adjust",
        about: "focus, exposure and white balance by hand arrive at the camera, and are back after a replug",
        place: Place::Room,
        long: false,
        run: picture::adjust,
    },
    Case {
        name: "room-display",
        about: "without a display server, the display shows what the room draws, in a call 3 s after its cable",
        place: Place::Room,
        long: false,
        run: display::shown,
    },
    Case {
        name: "room-two-displays",
        about: "people on one display, content on the other, without a display server",
        place: Place::Room,
        long: false,
        run: second::displays,
    },
    Case {
        name: "room-power",
        about: "the display is woken for a meeting over CEC and sleeps after it",
        place: Place::Room,
        long: false,
        run: display::power,
    },
    Case {
        name: "room-power-deaf",
        about: "a display that does not answer over CEC: people are asked, until somebody says that it is on",
        place: Place::Room,
        long: false,
        run: display::deaf,
    },
    Case {
        name: "room-power-booked",
        about: "the display sleeps, and is woken a minute before a meeting of the calendar",
        place: Place::Room,
        long: true,
        run: display::booked,
    },
    Case {
        name: "room-buttons",
        about: "buttons do what the key map says, and nothing else reads them",
        place: Place::Room,
        long: false,
        run: display::buttons,
    },
    Case {
        name: "room-presence",
        about: "a presence sensor keeps the display awake and wakes it; unplugged, it sees nobody",
        place: Place::Room,
        long: true,
        run: display::presence,
    },
    Case {
        name: "room-appliance",
        about: "a keyboard finds no login, no terminal and no restart",
        place: Place::Room,
        long: false,
        run: appliance::keys,
    },
    Case {
        name: "room-moved",
        about: "a camera in another port than the configuration names is told of, and used",
        place: Place::Room,
        long: false,
        run: moved::camera,
    },
    Case {
        name: "room-taken",
        about: "a microphone that another program has is told of, and taken when it is free",
        place: Place::Room,
        long: false,
        run: devices::microphone_taken,
    },
    Case {
        name: "room-misbehaves",
        about: "a bar that stalls, tears pictures or lies in a call is told of, alone, and back by itself",
        place: Place::Room,
        long: false,
        run: faults::misbehaves,
    },
    Case {
        name: "room-flood",
        about: "a mute key that sends without end is told of and ignored, and heard once it is quiet",
        place: Place::Room,
        long: false,
        run: faults::flood,
    },
    Case {
        name: "room-refuses",
        about: "a camera that does not begin to send is tried again and again, and nothing grows",
        place: Place::Room,
        long: false,
        run: faults::refuses,
    },
    Case {
        name: "room-sound-test",
        about: "the sound test measures a loopback card, keeps what it found, and lets go of it",
        place: Place::Room,
        long: false,
        run: sound::test,
    },
    Case {
        name: "room-hear",
        about: "somebody speaks and hears themself, as the far side would, once",
        place: Place::Room,
        long: false,
        run: sound::hear,
    },
    Case {
        name: "room-killed",
        about: "roomd is killed in a call: no device stays open; it is back in its meeting",
        place: Place::Room,
        long: false,
        run: devices::killed,
    },
    Case {
        name: "room-power-cut",
        about: "the machine is reset in a call: the room comes back into it by itself, silent",
        place: Place::Room,
        long: false,
        run: devices::power_cut,
    },
    Case {
        name: "room-content-edid",
        about: "an HDMI input without an EDID gets the room's, and a signal; one that has an EDID keeps it",
        place: Place::Room,
        long: false,
        run: content::edid,
    },
    Case {
        name: "room-content",
        about: "an HDMI signal appears, is previewed, cut, shared to a far peer, frozen and lost",
        place: Place::Room,
        long: false,
        run: content::shared,
    },
    Case {
        name: "room-far",
        about: "picture and sound of the bar reach a far peer, within 3 s after it was pulled out",
        place: Place::Room,
        long: false,
        run: far::out,
    },
    Case {
        name: "room-far-back",
        about: "what is said at a far peer comes out of the bar",
        place: Place::Room,
        long: false,
        run: far::back,
    },
    Case {
        name: "room-far-mute",
        about: "from the bar's mute key to the last packet of sound at a far peer",
        place: Place::Room,
        long: false,
        run: far::mute,
    },
    Case {
        name: "room-idle",
        about: "an idle room stays within its memory",
        place: Place::Room,
        long: false,
        run: devices::idle,
    },
    Case {
        name: "room-two-cameras",
        about: "equal cameras are changed over in a call on one track and told apart after a power cut",
        place: Place::Room,
        long: true,
        run: devices::two_cameras,
    },
    Case {
        name: "room-cycles",
        about: "100 times unplugged and plugged in a call: threads, descriptors, memory stay flat",
        place: Place::Room,
        long: true,
        run: devices::cycles,
    },
    Case {
        name: "camera-streams",
        about: "every camera that is there sends pictures",
        place: Place::Anywhere,
        long: false,
        run: room::cameras,
    },
    Case {
        name: "microphone-alive",
        about: "every capture device that is there sends sound that is not digital silence",
        place: Place::Anywhere,
        long: false,
        run: room::microphones,
    },
    Case {
        name: "kernel-log",
        about: "the kernel reports no bug, warning or blocked task",
        place: Place::Anywhere,
        long: false,
        run: room::kernel_log,
    },
    Case {
        name: "power-cut",
        about: "the machine is reset while everything runs; both bars come back by their serials",
        place: Place::Virtual,
        long: true,
        run: plug::power_cut,
    },
    Case {
        name: "plug-cycles",
        about: "plugged and unplugged 100 times; nodes, tasks and kernel memory stay flat",
        place: Place::Virtual,
        long: true,
        run: plug::cycles,
    },
    Case {
        name: "room-touch",
        about: "the panel is on its own screen, and a finger on it joins the meeting",
        place: Place::Panel,
        long: true,
        run: touch::joins,
    },
];
