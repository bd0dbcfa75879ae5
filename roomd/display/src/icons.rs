// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Marks on a grid of 24 by 24, drawn with a line of 2.

/// A mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// Microphone off.
    Muted,
    /// Camera off.
    CameraOff,
    /// A camera: a meeting to join.
    Camera,
    /// A raised hand.
    Hand,
    /// A shared screen.
    Share,
    /// End-to-end encrypted.
    Lock,
    /// Not end-to-end encrypted.
    LockOpen,
    /// Take care.
    Warning,
    /// Worth knowing.
    Info,
    /// A clock.
    Clock,
    /// A calendar.
    Calendar,
    /// People.
    People,
    /// A weak connection.
    Signal,
    /// A telephone: whom to ask.
    Phone,
    /// A finger on a screen.
    Touch,
}

impl Icon {
    /// Its elements, stroked by the group around them.
    pub const fn elements(self) -> &'static str {
        match self {
            Self::Muted => {
                "<path d=\"M9 5.5a3 3 0 0 1 6 0V11m-.6 2A3 3 0 0 1 9 11.500V9M5.500 11a6.500 \
                 6.500 0 0 0 10.700 5M18.500 11a6.400 6.400 0 0 1-.4 2.200M12 17.500V21M4 3l16 18\"/>"
            }
            Self::CameraOff => {
                "<path d=\"M10 6h4a2 2 0 0 1 2 2v3l5-3v8.500M16 16.500a2 2 0 0 1-2 1.500H5a2 2 0 0 \
                 1-2-2V8a2 2 0 0 1 2-2M4 3l16 18\"/>"
            }
            Self::Camera => {
                "<rect x=\"2.500\" y=\"6\" width=\"13.500\" height=\"12\" rx=\"2.500\"/>\
                 <path d=\"M16 11l5.500-3.500v9L16 13\"/>"
            }
            Self::Hand => {
                "<path d=\"M8 12V6a1.500 1.500 0 0 1 3 0v5V4.500a1.500 1.500 0 0 1 3 0V11V6a1.500 \
                 1.500 0 0 1 3 0v8.500a6.500 6.500 0 0 1-6.500 6.500c-2.600 0-4-1.100-5.200-3L3.300 \
                 14.500a1.500 1.500 0 0 1 2.500-1.700L8 15z\"/>"
            }
            Self::Share => {
                "<rect x=\"2.500\" y=\"4\" width=\"19\" height=\"13\" rx=\"2\"/>\
                 <path d=\"M8 21h8M12 13.500v-6M9 10l3-3 3 3\"/>"
            }
            Self::Lock => {
                "<rect x=\"4.500\" y=\"10.500\" width=\"15\" height=\"10.500\" rx=\"2\"/>\
                 <path d=\"M8 10.500V7.500a4 4 0 0 1 8 0v3\"/>"
            }
            Self::LockOpen => {
                "<rect x=\"4.500\" y=\"10.500\" width=\"15\" height=\"10.500\" rx=\"2\"/>\
                 <path d=\"M8 10.500V7a4 4 0 0 1 7.700-1.500\"/>"
            }
            Self::Warning => "<path d=\"M12 3.500L22 20.500H2zM12 10v4.500M12 17.300v.2\"/>",
            Self::Info => {
                "<circle cx=\"12\" cy=\"12\" r=\"9\"/><path d=\"M12 11v5.500M12 7.600v.2\"/>"
            }
            Self::Clock => "<circle cx=\"12\" cy=\"12\" r=\"9\"/><path d=\"M12 7v5.300l3.500 2\"/>",
            Self::Calendar => {
                "<rect x=\"3.500\" y=\"5\" width=\"17\" height=\"16\" rx=\"2.500\"/>\
                 <path d=\"M3.500 10h17M8 2.800V6.500M16 2.800V6.500\"/>"
            }
            Self::People => {
                "<circle cx=\"9\" cy=\"8\" r=\"3.500\"/><path d=\"M2.500 20a6.500 6.500 0 0 1 13 \
                 0M16 4.900a3.500 3.500 0 0 1 0 6.200M18 14.200a6.500 6.500 0 0 1 3.500 5.800\"/>"
            }
            Self::Signal => {
                "<path d=\"M4 20v-3M9.300 20v-6.500M14.600 20V9.500\"/>\
                 <path d=\"M20 20V4.500\" stroke-opacity=\"0.35\"/>"
            }
            Self::Phone => {
                "<path d=\"M5 3.500h3.500l1.800 4.500-2.300 1.700a12 12 0 0 0 6.300 6.300l1.700-2.300 \
                 4.500 1.800V19a2 2 0 0 1-2.200 2A16.500 16.500 0 0 1 3 5.700 2 2 0 0 1 5 3.500z\"/>"
            }
            Self::Touch => {
                "<path d=\"M9.500 14.500V7.500a1.700 1.700 0 0 1 3.400 0V12l5 1.200a2 2 0 0 1 1.500 \
                 2.300l-.9 5.500H11l-4.300-5a1.500 1.500 0 0 1 2.200-2zM6.500 9.200a5 5 0 1 1 9.400 0\"/>"
            }
        }
    }
}
