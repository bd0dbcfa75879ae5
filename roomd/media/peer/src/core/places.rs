// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The places of the m-lines, which stay the same from description to description (RFC 8829,
//! section 5.2.2).
//!
//! The transport finds a line in a wrong place only when it has applied those before it.

use str0m::media::Mid;

use super::describe::Abilities;

/// What is in which place by the descriptions so far.
#[derive(Debug, Default)]
pub(super) struct Places {
    mids: Vec<Mid>,
    /// The place of the line for data channels.
    data: Option<usize>,
}

impl Places {
    /// Whether every line is where it was, and new ones only where none is or one has ended.
    pub(super) fn fit(
        &self,
        lines: &[(String, Abilities)],
        data: Option<usize>,
        ended: impl Fn(Mid) -> bool,
    ) -> bool {
        let fits = |(place, (name, _)): (usize, &(String, Abilities))| {
            let mid = Mid::from(name.as_str());
            let known = self.mids.iter().position(|known| *known == mid);
            let free = || self.mids.get(place).is_none_or(|known| ended(*known));
            known.map_or_else(free, |known| known == place)
        };
        let same = |known: usize| data.is_none_or(|data| data == known);
        self.data.is_none_or(same) && lines.iter().enumerate().all(fits)
    }

    /// Notes the lines of a description that was applied. Those behind its end stay.
    pub(super) fn note(&mut self, lines: &[(String, Abilities)], data: Option<usize>) {
        for (place, (name, _)) in lines.iter().enumerate() {
            let mid = Mid::from(name.as_str());
            match self.mids.get_mut(place) {
                Some(known) => *known = mid,
                None => self.mids.push(mid),
            }
        }
        self.data = self.data.or(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(names: &[&str]) -> Vec<(String, Abilities)> {
        let line = |name: &&str| ((*name).to_owned(), Abilities::default());
        names.iter().map(line).collect()
    }

    #[test]
    fn lines_stay_in_their_places() {
        let mut places = Places::default();
        let none = |_: Mid| false;
        assert!(places.fit(&lines(&["a", "v", "d"]), Some(2), none));
        places.note(&lines(&["a", "v", "d"]), Some(2));
        assert!(places.fit(&lines(&["a", "v", "d", "w"]), Some(2), none));
        assert!(!places.fit(&lines(&["v", "a", "d"]), Some(2), none));
        assert!(!places.fit(&lines(&["a", "v", "w", "d"]), Some(3), none));
        assert!(!places.fit(&lines(&["a", "v", "w", "e"]), Some(3), |_| true));
        assert!(!places.fit(&lines(&["a", "w", "d"]), Some(2), none));
    }

    #[test]
    fn the_place_of_an_ended_line_is_free() {
        let mut places = Places::default();
        places.note(&lines(&["a", "v", "w"]), None);
        let ended = |mid: Mid| mid == Mid::from("v");
        assert!(places.fit(&lines(&["a", "x", "w"]), None, ended));
        assert!(!places.fit(&lines(&["x", "v", "w"]), None, ended));
        places.note(&lines(&["a", "x"]), None);
        assert!(!places.fit(&lines(&["a", "x", "y"]), None, ended));
        assert!(places.fit(&lines(&["a", "x", "w", "v"]), None, ended));
    }
}
