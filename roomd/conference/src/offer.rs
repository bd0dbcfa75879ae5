// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the room offers on a connection (RFC 3264).

/// What an offer changes. Empty, it is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// m-lines to add, in their order.
    pub add: Vec<NewLine>,
    /// m-lines that change their direction, seen from here.
    pub turn: Vec<(String, Direction)>,
    /// m-lines that end for good (port 0).
    pub stop: Vec<String>,
    /// Restarts ICE.
    pub restart: bool,
}

impl Offer {
    /// Adds an m-line that sends and receives for each kind.
    pub fn of(kinds: &[MediaKind]) -> Self {
        let line = |&kind| NewLine {
            kind,
            direction: Direction::SendRecv,
            layers: Layers::Single,
        };
        Self {
            add: kinds.iter().map(line).collect(),
            ..Self::default()
        }
    }

    /// Restarts ICE and changes nothing else.
    pub fn restart() -> Self {
        Self {
            restart: true,
            ..Self::default()
        }
    }
}

/// An m-line of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLine {
    /// Sound or picture.
    pub kind: MediaKind,
    /// The direction, seen from here.
    pub direction: Direction,
    /// What is sent on it.
    pub layers: Layers,
}

/// How many encodings of one picture an m-line sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layers {
    /// One.
    Single,
    /// One for each RID, the smallest first, told apart by the RID (RFC 8853).
    Rids(Vec<String>),
    /// The same, told apart by their SSRCs in a `SIM` group, for servers that know no RID. The
    /// names stay here.
    Group(Vec<String>),
}

/// What an m-line carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

/// The direction of an m-line, seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// Only from here.
    SendOnly,
    /// Only to here.
    RecvOnly,
    /// Neither way.
    Inactive,
}
