// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Parser, Subcommand, ValueEnum};

/// Operates a room.
#[derive(Debug, Parser)]
#[command(
    name = "roomctl",
    version,
    after_help = "Exit codes: 0 done, 1 the room refused, 2 wrong usage, 3 roomd not reachable."
)]
pub(crate) struct Arguments {
    /// Prints JSON, errors too.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Where roomd is: system, session, or a D-Bus address.
    #[arg(long, global = true, default_value = "system")]
    pub(crate) bus: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What the room is doing.
    Status,
    /// Today's meetings.
    Meetings,
    /// Joins a meeting: by id, by link, or the next one.
    #[command(group = ArgGroup::new("which").args(["id", "link"]))]
    Join {
        /// Which, as `meetings` names it; the offered or next one by default.
        id: Option<String>,
        /// The meeting's link.
        #[arg(long)]
        link: Option<String>,
    },
    /// Starts a direct meeting with a fresh link.
    StartMeeting {
        /// Guests must know it; `-` reads it from standard input. On the command line, others on
        /// this machine can see it.
        #[arg(long)]
        password: Option<String>,
    },
    /// Leaves the meeting, or gives up joining it.
    Leave,
    /// Sends picture and sound from here on.
    Send,
    /// Switches the microphone off.
    Mute,
    /// Switches the microphone on.
    Unmute,
    /// Switches the camera's picture; `use-camera` chooses another camera.
    Camera {
        /// On or off.
        switch: Switch,
    },
    /// Sets the loudspeaker's volume.
    Volume {
        /// 0 to 100.
        #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
        percent: u8,
    },
    /// Arranges the display.
    Layout {
        /// How.
        layout: Arrangement,
    },
    /// Lets someone in who waits.
    Admit {
        /// Who, as `status` names them, or `all`.
        id: String,
    },
    /// Turns someone away who waits.
    Deny {
        /// Who, as `status` names them.
        id: String,
    },
    /// Removes someone from the meeting.
    Remove {
        /// Who, as `status` names them.
        id: String,
    },
    /// Accepts an invitation in the room's name.
    Accept {
        /// Which, as `meetings` names it.
        id: String,
    },
    /// Declines an invitation in the room's name.
    Decline {
        /// Which, as `meetings` names it.
        id: String,
    },
    /// Saves a picture of what the display shows.
    Snapshot {
        /// A PNG file.
        file: PathBuf,
    },
    /// What an operator looks at first; free of names and links.
    Diagnose,
    /// Shows a pairing code on the room's display.
    Pair,
    /// The room's cameras, what they can do, and their saved positions.
    Cameras,
    /// Tests the sound: plays 13 seconds, waits, and prints what was found. Not in a call.
    SoundTest {
        /// Plays nothing and prints what the last test found.
        #[arg(long, conflicts_with = "stop")]
        last: bool,
        /// Ends the running test.
        #[arg(long)]
        stop: bool,
    },
    /// What somebody in the room shows with a cable.
    Content {
        #[command(subcommand)]
        what: Content,
    },
    #[command(flatten)]
    Hardware(Hardware),
}

/// Content inputs.
#[derive(Debug, Subcommand)]
pub(crate) enum Content {
    /// The inputs, their signals and what is shared.
    List,
    /// Saves a picture of what an input shows.
    Preview {
        /// Which, as `content list` names it.
        name: String,
        /// A PNG file.
        file: PathBuf,
    },
    /// Shares what an input shows.
    Share {
        /// Which, as `content list` names it.
        name: String,
    },
    /// Ends sharing.
    Stop,
    /// Lets the picture that is shared stand, or move again.
    Freeze {
        /// On or off.
        switch: Switch,
    },
    /// Shares a part of an input's picture, in thousandths of its width and height.
    Crop {
        /// Which, as `content list` names it.
        name: String,
        /// Left edge.
        #[arg(default_value_t = 0)]
        x: u16,
        /// Upper edge.
        #[arg(default_value_t = 0)]
        y: u16,
        /// Width; what is left of the picture by default.
        width: Option<u16>,
        /// Height; what is left of the picture by default.
        height: Option<u16>,
    },
}

/// Cameras, display and what the room sounds like.
#[derive(Debug, Subcommand)]
pub(crate) enum Hardware {
    /// Uses another camera, in a call too.
    UseCamera {
        /// Which, as `cameras` names it.
        name: String,
    },
    /// Points and zooms a camera by steps.
    #[command(allow_negative_numbers = true)]
    MoveCamera {
        /// Which, as `cameras` names it.
        name: String,
        /// Steps to the right; to the left when negative.
        #[arg(long, default_value_t = 0)]
        pan: i8,
        /// Steps up; down when negative.
        #[arg(long, default_value_t = 0)]
        tilt: i8,
        /// Steps closer; away when negative.
        #[arg(long, default_value_t = 0)]
        zoom: i8,
    },
    /// Adjusts a camera's picture; `cameras` lists what each has. It is kept.
    #[command(allow_negative_numbers = true)]
    AdjustCamera {
        /// Which, as `cameras` names it.
        name: String,
        /// Which part of the picture.
        part: Part,
        /// `auto`, `manual` (it stays as it is), `once` (one-push), or a value, which ends the automatic.
        to: Adjustment,
    },
    /// Saved positions of a camera, with how its picture is adjusted there; `cameras` lists them.
    Preset {
        #[command(subcommand)]
        what: Preset,
    },
    /// Tells the room that somebody turned the display on that it asked for.
    DisplayIsOn,
    /// Lets somebody in the room speak for 5 seconds, then hear what the far side would get. Not in a call.
    Hear {
        /// Ends it.
        #[arg(long)]
        stop: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Preset {
    /// Brings the camera to a saved position.
    Recall {
        /// Which camera, as `cameras` names it.
        camera: String,
        /// The position's name, or its number counted from 1.
        name: String,
    },
    /// Saves where the camera points; replaces the position of this name.
    Save {
        /// Which camera, as `cameras` names it.
        camera: String,
        /// 1 to 40 characters.
        name: String,
    },
    /// Deletes a saved position.
    Delete {
        /// Which camera, as `cameras` names it.
        camera: String,
        /// The position's name.
        name: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Focus,
    Exposure,
    WhiteBalance,
    Backlight,
}

impl Part {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Focus => "focus",
            Self::Exposure => "exposure",
            Self::WhiteBalance => "white-balance",
            Self::Backlight => "backlight",
        }
    }
}

/// How a part of a picture is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adjustment {
    /// As D-Bus names it.
    By(&'static str),
    /// With this value.
    Value(i32),
}

impl FromStr for Adjustment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" | "automatic" => Ok(Self::By("automatic")),
            "manual" => Ok(Self::By("manual")),
            "once" => Ok(Self::By("once")),
            number => number
                .parse()
                .map(Self::Value)
                .map_err(|_| "auto, manual, once, or a whole number".to_owned()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Arrangement {
    Grid,
    Speaker,
    Share,
}

impl Arrangement {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Speaker => "speaker",
            Self::Share => "share",
        }
    }
}
