// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::path::PathBuf;

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
    /// Switches the camera.
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
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
