// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which display of a graphics card shows people and which content, and by what the card draws on it.

/// Names of connectors, such as `HDMI-A-1`, that the configuration gives a purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purposes {
    /// Shows people.
    pub people: Option<String>,
    /// Shows content.
    pub content: Option<String>,
}

/// The displays of people and of content, as places in the list of those that are plugged in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Assigned {
    /// Shows people, and content too where that has none of its own.
    pub people: Option<usize>,
    /// Shows content.
    pub content: Option<usize>,
}

impl Purposes {
    /// Gives each display that is plugged in its purpose. People are never without one while there is
    /// any: they take content's when theirs is gone.
    #[must_use]
    pub fn assign(&self, connected: &[&str]) -> Assigned {
        let place = |name: &Option<String>| {
            let name = name.as_deref()?;
            connected.iter().position(|known| *known == name)
        };
        let named = place(&self.content);
        let others = |taken: Option<usize>| (0..connected.len()).find(|at| Some(*at) != taken);
        let people = place(&self.people).or_else(|| others(named)).or(named);
        let content = match &self.content {
            Some(_) => named,
            None => others(people),
        };
        Assigned {
            people,
            content: content.filter(|at| Some(*at) != people),
        }
    }
}

/// Where in the order a plane of a graphics card lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaneKind {
    /// Above the picture.
    Overlay,
    /// The picture itself.
    Primary,
    /// The pointer's.
    Cursor,
}

/// A plane: what a graphics card takes pictures from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plane {
    /// The kernel's number.
    pub id: u32,
    /// Its place in the order.
    pub kind: PlaneKind,
    /// It takes pictures as they are composed.
    pub takes_i420: bool,
    /// The CRTCs that can show it: bit 0 is the card's first.
    pub crtcs: u32,
}

/// The plane for a CRTC, given by its place in the card's list, among those that no other display has:
/// one that needs no conversion, then one above what the console left there.
#[must_use]
pub fn plane(planes: &[Plane], crtc: usize, taken: &[u32]) -> Option<u32> {
    let fits = |plane: &&Plane| has(plane.crtcs, crtc) && !taken.contains(&plane.id);
    let rank = |plane: &&Plane| match plane.kind {
        PlaneKind::Overlay => (!plane.takes_i420, 0),
        PlaneKind::Primary => (!plane.takes_i420, 1),
        PlaneKind::Cursor => (true, 2),
    };
    let usable = planes
        .iter()
        .filter(fits)
        .filter(|plane| plane.kind != PlaneKind::Cursor);
    usable.min_by_key(rank).map(|plane| plane.id)
}

/// The CRTC for a connector, by its place in the card's list: the one that drives it, unless another
/// display has that, else the first that can.
#[must_use]
pub fn crtc(possible: u32, current: Option<usize>, taken: &[usize]) -> Option<usize> {
    let free = |at: &usize| !taken.contains(at);
    let first = || (0..32).find(|at| has(possible, *at) && free(at));
    current.filter(free).or_else(first)
}

fn has(mask: u32, at: usize) -> bool {
    u32::try_from(at)
        .ok()
        .and_then(|at| mask.checked_shr(at))
        .is_some_and(|rest| rest & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assigned(people: Option<&str>, content: Option<&str>, connected: &[&str]) -> [isize; 2] {
        let purposes = Purposes {
            people: people.map(str::to_owned),
            content: content.map(str::to_owned),
        };
        let found = purposes.assign(connected);
        [found.people, found.content].map(|at| at.map_or(-1, |at| isize::try_from(at).unwrap()))
    }

    #[test]
    fn the_first_display_is_for_people_and_the_second_for_content() {
        assert_eq!(assigned(None, None, &[]), [-1, -1]);
        assert_eq!(assigned(None, None, &["A"]), [0, -1]);
        assert_eq!(assigned(None, None, &["A", "B", "C"]), [0, 1]);
    }

    #[test]
    fn names_decide_where_they_are_plugged_in() {
        assert_eq!(assigned(Some("B"), None, &["A", "B"]), [1, 0]);
        assert_eq!(assigned(None, Some("A"), &["A", "B"]), [1, 0]);
        assert_eq!(assigned(Some("B"), Some("A"), &["A", "B"]), [1, 0]);
        assert_eq!(assigned(Some("C"), None, &["A", "B"]), [0, 1]);
        // Whoever says which display is for content wants it on no other.
        assert_eq!(assigned(None, Some("C"), &["A", "B"]), [0, -1]);
    }

    #[test]
    fn people_take_the_display_of_content_when_theirs_is_gone() {
        assert_eq!(assigned(Some("A"), Some("B"), &["B"]), [0, -1]);
        assert_eq!(assigned(None, Some("B"), &["B"]), [0, -1]);
        assert_eq!(assigned(Some("A"), Some("A"), &["A", "B"]), [0, -1]);
    }

    #[test]
    fn a_plane_that_needs_no_conversion_comes_first() {
        use PlaneKind::{Cursor, Overlay, Primary};
        let plane_of = |id, kind, takes_i420, crtcs| Plane {
            id,
            kind,
            takes_i420,
            crtcs,
        };
        let planes = [
            plane_of(1, Primary, false, 0b01),
            plane_of(2, Cursor, true, 0b11),
            plane_of(3, Overlay, false, 0b01),
            plane_of(4, Overlay, true, 0b11),
            plane_of(5, Primary, false, 0b10),
        ];
        assert_eq!(plane(&planes, 0, &[]), Some(4));
        assert_eq!(plane(&planes, 0, &[4]), Some(3));
        assert_eq!(plane(&planes, 0, &[3, 4]), Some(1));
        assert_eq!(plane(&planes, 1, &[4]), Some(5));
        assert_eq!(plane(&planes, 1, &[4, 5]), None);
        assert_eq!(plane(&planes, 40, &[]), None);
    }

    #[test]
    fn a_connector_keeps_its_crtc_unless_another_display_has_it() {
        assert_eq!(crtc(0b11, Some(1), &[]), Some(1));
        assert_eq!(crtc(0b11, Some(1), &[1]), Some(0));
        assert_eq!(crtc(0b110, None, &[1]), Some(2));
        assert_eq!(crtc(0b1, None, &[0]), None);
        assert_eq!(crtc(1 << 31, None, &[]), Some(31));
    }
}
