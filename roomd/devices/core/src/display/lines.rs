// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which CEC adapter speaks to which display: that of its connector, where the kernel says whose it is;
//! one that does not say, by the input that it and the display name; else the first, for the first display.

use super::cec;

/// A CEC adapter, as far as it tells whose it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adapter {
    /// The connector that it belongs to; none where the kernel does not say.
    pub connector: Option<cec::Connector>,
    /// The input that it is plugged into, where it knows.
    pub input: Option<u16>,
    /// It belongs to a device that captures: it speaks to a laptop, not to a display.
    pub captures: bool,
}

/// A connector, as far as it tells whose an adapter is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Socket {
    /// The number of its graphics card.
    pub card: Option<u32>,
    /// Its own on that; none where the kernel does not say.
    pub number: Option<u32>,
    /// The display's own word for where the room is plugged in.
    pub input: Option<u16>,
}

/// Whose line is looked for; connectors are places in the list of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The display on this connector, and only what is its own for certain.
    Only(usize),
    /// The room's first display.
    First {
        /// Its connector, where that is known.
        at: Option<usize>,
        /// The connector of another display of the room.
        apart: Option<usize>,
    },
}

/// The adapter to speak with, as its place in the list.
#[must_use]
pub fn find(adapters: &[Adapter], sockets: &[Socket], whose: Whose) -> Option<usize> {
    let lines = Lines { adapters, sockets };
    match whose {
        Whose::Only(at) => lines.own(at),
        Whose::First { at: Some(at), .. } => lines.own(at).or_else(|| lines.unclaimed()),
        // None is seen: one that sleeps may look unplugged, and the first that wakes is the room's.
        Whose::First { at: None, apart } => lines.unclaimed().or_else(|| lines.beside(apart)),
    }
}

/// What an adapter's connector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placed {
    /// This one.
    At(usize),
    /// None that is known here.
    Elsewhere,
    /// Nobody says.
    Unknown,
}

#[derive(Clone, Copy)]
struct Lines<'a> {
    adapters: &'a [Adapter],
    sockets: &'a [Socket],
}

impl Lines<'_> {
    fn placed(self, adapter: &Adapter) -> Placed {
        let Some(of) = adapter.connector else {
            return Placed::Unknown;
        };
        let here = |socket: &&Socket| socket.card == Some(of.card);
        let is = |socket: &Socket| here(&socket) && socket.number == Some(of.number);
        if let Some(at) = self.sockets.iter().position(is) {
            return Placed::At(at);
        }
        let mut sockets = self.sockets.iter().filter(here);
        if sockets.any(|socket| socket.number.is_none()) {
            Placed::Unknown
        } else {
            Placed::Elsewhere
        }
    }

    /// The first adapter to displays that is like this.
    fn first(self, like: impl Fn(usize, Placed) -> bool) -> Option<usize> {
        let mut adapters = self.adapters.iter().enumerate();
        let found = adapters.find(|(at, it)| !it.captures && like(*at, self.placed(it)));
        found.map(|(at, _)| at)
    }

    /// The line that is this connector's for certain.
    fn own(self, socket: usize) -> Option<usize> {
        self.first(|_, placed| placed == Placed::At(socket))
            .or_else(|| self.by_input(socket))
    }

    /// Displays on the same input of their own cannot be told apart, and neither can their adapters.
    fn by_input(self, socket: usize) -> Option<usize> {
        let input = self.sockets.get(socket)?.input?;
        let mut displays = self.sockets.iter().filter(|it| it.input == Some(input));
        let is = |adapter: &Adapter| adapter.input == Some(input) && !adapter.captures;
        let unplaced = |adapter: &Adapter| self.placed(adapter) == Placed::Unknown;
        let adapters = self.adapters.iter().enumerate();
        let mut adapters = adapters.filter(|(_, it)| is(it) && unplaced(it));
        let (found, _) = adapters.next()?;
        let is_alone = displays.nth(1).is_none() && adapters.next().is_none();
        is_alone.then_some(found)
    }

    /// The first line of which nobody says whose it is.
    fn unclaimed(self) -> Option<usize> {
        let owner = |at| (0..self.sockets.len()).find(|socket| self.own(*socket) == Some(at));
        self.first(|at, placed| placed == Placed::Unknown && owner(at).is_none())
    }

    /// The first line of a connector that is not this one.
    fn beside(self, apart: Option<usize>) -> Option<usize> {
        self.first(|_, placed| match placed {
            Placed::At(socket) => Some(socket) != apart,
            Placed::Elsewhere | Placed::Unknown => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USB: Adapter = Adapter {
        connector: None,
        input: None,
        captures: false,
    };

    fn of(card: u32, number: u32) -> Adapter {
        let connector = Some(cec::Connector { card, number });
        Adapter { connector, ..USB }
    }

    fn socket(number: Option<u32>, input: Option<u16>) -> Socket {
        Socket {
            card: Some(0),
            number,
            input,
        }
    }

    fn first(at: usize) -> Whose {
        Whose::First {
            at: Some(at),
            apart: None,
        }
    }

    #[test]
    fn an_adapter_belongs_to_its_connector() {
        let sockets = [90, 95, 99].map(|number| socket(Some(number), Some(0x1000)));
        let adapters = [of(0, 95), of(0, 90), of(1, 99)];
        assert_eq!(find(&adapters, &sockets, first(0)), Some(1));
        assert_eq!(find(&adapters, &sockets, Whose::Only(1)), Some(0));
        // The third is on another card; that of another display is nobody else's.
        assert_eq!(find(&adapters, &sockets, Whose::Only(2)), None);
        assert_eq!(find(&adapters, &sockets, first(2)), None);
    }

    #[test]
    fn one_on_the_usb_goes_by_the_input_and_else_to_the_first_display() {
        let on = |input| Adapter {
            input: Some(input),
            ..USB
        };
        let sockets = [0x1000, 0x2000].map(|input| socket(Some(7), Some(input)));
        assert_eq!(find(&[on(0x2000)], &sockets, Whose::Only(1)), Some(0));
        assert_eq!(find(&[on(0x2000)], &sockets, first(0)), None);
        assert_eq!(find(&[on(0x2000), USB], &sockets, first(0)), Some(1));
        for adapter in [USB, on(0x3000)] {
            assert_eq!(find(&[adapter], &sockets, Whose::Only(1)), None);
            assert_eq!(find(&[adapter], &sockets, first(0)), Some(0));
        }
        // What is not alone says nothing.
        let twins = [on(0x2000), on(0x2000)];
        assert_eq!(find(&twins, &sockets, Whose::Only(1)), None);
        let alike = [socket(None, Some(0x1000)); 2];
        assert_eq!(find(&[on(0x1000)], &alike, Whose::Only(1)), None);
        assert_eq!(find(&[on(0x1000)], &alike, first(0)), Some(0));
        // A display with an adapter of its own claims no other.
        let sockets = [socket(Some(90), None), socket(Some(95), Some(0x1000))];
        let adapters = [of(0, 95), on(0x1000)];
        assert_eq!(find(&adapters, &sockets, first(0)), Some(1));
    }

    #[test]
    fn where_connectors_have_no_numbers_it_is_as_on_the_usb() {
        let sockets = [0x1000, 0x2000].map(|input| socket(None, Some(input)));
        let on = |number, input| Adapter {
            input,
            ..of(0, number)
        };
        let adapters = [on(90, Some(0x2000)), on(95, None)];
        assert_eq!(find(&adapters, &sockets, Whose::Only(1)), Some(0));
        assert_eq!(find(&adapters, &sockets, first(0)), Some(1));
    }

    #[test]
    fn a_line_to_a_laptop_is_none_to_a_display() {
        let laptop = Adapter {
            input: Some(0x1000),
            captures: true,
            ..USB
        };
        let sockets = [socket(Some(90), Some(0x1000))];
        for whose in [Whose::Only(0), first(0)] {
            assert_eq!(find(&[laptop], &sockets, whose), None);
        }
    }

    #[test]
    fn a_display_that_looks_unplugged_may_be_on_any_other_connector() {
        let sockets = [90, 95].map(|number| socket(Some(number), None));
        let adapters = [of(0, 90), of(0, 95)];
        let seen = |apart| find(&adapters, &sockets, Whose::First { at: None, apart });
        assert_eq!((seen(None), seen(Some(0))), (Some(0), Some(1)));
        assert_eq!(find(&[], &sockets, first(0)), None);
        assert_eq!(find(&adapters, &[], Whose::Only(4)), None);
    }
}
