// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Cuts a calendar stream into its components by lines, so that one broken component cannot take
//! its neighbours along.

use roomd_model::SkipCause;

use super::{MAX_ENTRIES, MAX_ENTRY_BYTES, SkippedEntry, short_uid};

/// One `VCALENDAR` of a stream, cut into the components that matter.
#[derive(Debug, Default)]
pub(super) struct Blocks<'a> {
    pub method: Option<String>,
    pub zones: Vec<&'a str>,
    pub events: Vec<&'a str>,
}

/// Cuts `text`; components that are not closed or too large are reported in `skipped`.
pub(super) fn cut<'a>(text: &'a str, skipped: &mut Vec<SkippedEntry>) -> Vec<Blocks<'a>> {
    let mut cutter = Cutter {
        text,
        calendars: vec![Blocks::default()],
        open: None,
        events: 0,
        skipped,
    };
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        cutter.line(line, offset);
        offset += line.len();
    }
    cutter.unclosed(offset);
    cutter.calendars
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Event,
    Zone,
}

struct Cutter<'a, 's> {
    text: &'a str,
    calendars: Vec<Blocks<'a>>,
    open: Option<(Kind, usize)>,
    events: usize,
    skipped: &'s mut Vec<SkippedEntry>,
}

impl<'a> Cutter<'a, '_> {
    fn line(&mut self, line: &str, offset: usize) {
        if line.starts_with([' ', '\t']) {
            return;
        }
        let Some((name, value)) = line.split_once(':') else {
            return;
        };
        let name = name.trim_start_matches('\u{feff}').trim();
        let value = value.trim();
        if name.eq_ignore_ascii_case("BEGIN") {
            self.begin(value, offset);
        } else if name.eq_ignore_ascii_case("END") {
            self.end(value, offset + line.len());
        } else if name.eq_ignore_ascii_case("METHOD")
            && self.open.is_none()
            && let Some(calendar) = self.calendars.last_mut()
        {
            calendar.method = Some(value.to_ascii_uppercase());
        }
    }

    fn begin(&mut self, component: &str, offset: usize) {
        let kind = if component.eq_ignore_ascii_case("VEVENT") {
            Kind::Event
        } else if component.eq_ignore_ascii_case("VTIMEZONE") {
            Kind::Zone
        } else if component.eq_ignore_ascii_case("VCALENDAR") {
            self.unclosed(offset);
            self.calendars.push(Blocks::default());
            return;
        } else {
            return;
        };
        self.unclosed(offset);
        self.open = Some((kind, offset));
    }

    fn end(&mut self, component: &str, end: usize) {
        if component.eq_ignore_ascii_case("VCALENDAR") {
            self.unclosed(end);
            return;
        }
        let Some((kind, start)) = self.open else {
            return;
        };
        let name = match kind {
            Kind::Event => "VEVENT",
            Kind::Zone => "VTIMEZONE",
        };
        if !component.eq_ignore_ascii_case(name) {
            return;
        }
        self.open = None;
        let block = &self.text[start..end];
        let Some(calendar) = self.calendars.last_mut() else {
            return;
        };
        match kind {
            Kind::Event if block.len() > MAX_ENTRY_BYTES => self.skip(block, SkipCause::TooLarge),
            Kind::Event if self.events >= MAX_ENTRIES => self.skip(block, SkipCause::TooMany),
            Kind::Event => {
                self.events += 1;
                calendar.events.push(block);
            }
            Kind::Zone if block.len() <= MAX_ENTRY_BYTES && calendar.zones.len() < 200 => {
                calendar.zones.push(block);
            }
            Kind::Zone => {}
        }
    }

    fn unclosed(&mut self, end: usize) {
        if let Some((kind, start)) = self.open.take()
            && kind == Kind::Event
        {
            let block = &self.text[start..end];
            self.skip(block, SkipCause::NotClosed);
        }
    }

    fn skip(&mut self, block: &str, cause: SkipCause) {
        let uid = find_uid(block);
        if self.skipped.len() < MAX_ENTRIES {
            self.skipped.push(SkippedEntry { uid, cause });
        }
    }
}

/// The UID of a component that does not parse; good enough for a log line.
fn find_uid(block: &str) -> Option<String> {
    let mut lines = block.lines().take(2000);
    let first = lines.find(|line| {
        line.get(..4)
            .is_some_and(|n| n.eq_ignore_ascii_case("UID:"))
    })?;
    let mut uid = first.get(4..)?.trim_end().to_owned();
    for line in lines {
        let Some(rest) = line.strip_prefix([' ', '\t']) else {
            break;
        };
        uid.push_str(rest.trim_end());
    }
    Some(short_uid(&uid))
}
