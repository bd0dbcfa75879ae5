// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::{fmt, path::Path, sync::Arc};

use fontdb::{Database, Family, Query};
use resvg::usvg;
use skrifa::{
    FontRef, MetadataProvider,
    instance::{LocationRef, Size},
};

/// The families, best first.
pub const FAMILIES: &str = "Inter, 'DejaVu Sans', sans-serif";

/// How heavy a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// For reading.
    Regular,
    /// For names and values.
    Medium,
    /// For headings.
    SemiBold,
}

impl Weight {
    const ALL: [Self; 3] = [Self::Regular, Self::Medium, Self::SemiBold];

    /// As SVG and font files number it.
    pub const fn number(self) -> u16 {
        match self {
            Self::Regular => 400,
            Self::Medium => 500,
            Self::SemiBold => 600,
        }
    }
}

/// The fonts of the display.
pub struct Fonts {
    options: usvg::Options<'static>,
    faces: Vec<Option<Face>>,
}

struct Face {
    data: Vec<u8>,
    index: u32,
}

impl Fonts {
    /// Loads every font below these directories; what cannot be read is passed over. The one
    /// place where this crate touches a file.
    pub fn load<P: AsRef<Path>>(directories: &[P]) -> Self {
        let mut database = Database::new();
        for directory in directories {
            database.load_fonts_dir(directory);
        }
        Self::new(database)
    }

    /// Takes fonts that the caller has read.
    pub fn from_data(files: Vec<Vec<u8>>) -> Self {
        let mut database = Database::new();
        for file in files {
            database.load_font_data(file);
        }
        Self::new(database)
    }

    fn new(mut database: Database) -> Self {
        database.set_sans_serif_family("DejaVu Sans");
        let faces = Weight::ALL
            .map(|weight| Face::find(&database, weight))
            .into_iter()
            .collect();
        let options = usvg::Options {
            fontdb: Arc::new(database),
            font_family: "Inter".to_owned(),
            ..usvg::Options::default()
        };
        Self { options, faces }
    }

    /// No font was found: the display would be without words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.options.fontdb.is_empty()
    }

    pub(crate) const fn options(&self) -> &usvg::Options<'static> {
        &self.options
    }

    /// The width of a line of text; kerning, which mostly narrows, is left out.
    pub(crate) fn width(&self, text: &str, size: f32, weight: Weight) -> f32 {
        let face = Weight::ALL
            .iter()
            .position(|known| *known == weight)
            .and_then(|at| self.faces.get(at)?.as_ref())
            .and_then(|face| FontRef::from_index(&face.data, face.index).ok());
        let Some(face) = face else {
            return text.chars().map(|_| size * 0.6).sum();
        };
        let characters = face.charmap();
        let metrics = face.glyph_metrics(Size::new(size), LocationRef::default());
        text.chars()
            .map(|character| {
                characters
                    .map(character)
                    .and_then(|glyph| metrics.advance_width(glyph))
                    // Another font fills in; ideographs and pictographs are square.
                    .unwrap_or(size)
            })
            .sum()
    }

    /// The text, cut with an ellipsis where it is wider than `max`.
    pub(crate) fn fit(&self, text: &str, size: f32, weight: Weight, max: f32) -> String {
        let mut text = clean(text);
        if self.width(&text, size, weight) <= max {
            return text;
        }
        let room = max - self.width("…", size, weight);
        let mut used = 0.0;
        let mut buffer = [0; 4];
        let end = text
            .char_indices()
            .find(|(_, character)| {
                used += self.width(character.encode_utf8(&mut buffer), size, weight);
                used > room
            })
            .map_or(text.len(), |(at, _)| at);
        text.truncate(end);
        text.truncate(text.trim_end().len());
        text.push('…');
        text
    }

    /// The text in at most `lines` lines of width `max`; the last one is cut with an ellipsis.
    pub(crate) fn wrap(
        &self,
        text: &str,
        size: f32,
        weight: Weight,
        max: f32,
        lines: usize,
    ) -> Vec<String> {
        let text = clean(text);
        let mut done: Vec<String> = Vec::new();
        let mut line = String::new();
        let mut words = text.split_whitespace().peekable();
        while let Some(word) = words.peek() {
            let longer = if line.is_empty() {
                (*word).to_owned()
            } else {
                format!("{line} {word}")
            };
            let fits = self.width(&longer, size, weight) <= max;
            if fits || line.is_empty() && done.len() + 1 < lines {
                words.next();
                line = longer;
                if fits {
                    continue;
                }
            }
            if done.len() + 1 >= lines {
                break;
            }
            done.push(self.fit(&std::mem::take(&mut line), size, weight, max));
        }
        let rest: Vec<&str> = words.collect();
        if !rest.is_empty() {
            line = format!("{line} {}", rest.join(" "));
        }
        if !line.trim().is_empty() {
            done.push(self.fit(line.trim(), size, weight, max));
        }
        done
    }

    /// A text without spaces, such as a link, in at most `lines` lines of width `max`; broken
    /// after a slash or a dot where one is near, the last line cut with an ellipsis.
    pub(crate) fn broken(
        &self,
        text: &str,
        size: f32,
        weight: Weight,
        max: f32,
        lines: usize,
    ) -> Vec<String> {
        let text = clean(text);
        let mut rest = text.trim_start_matches("https://");
        let mut done = Vec::new();
        while !rest.is_empty() {
            if done.len() + 1 >= lines || self.width(rest, size, weight) <= max {
                done.push(self.fit(rest, size, weight, max));
                break;
            }
            let fitting = self.fit(rest, size, weight, max);
            let full = fitting.trim_end_matches('…').len().max(1);
            let full = (full..=rest.len())
                .find(|at| rest.is_char_boundary(*at))
                .unwrap_or(rest.len());
            let (line, after) = rest.split_at(full);
            let at = line.rfind(['/', '.']).map_or(full, |mark| mark + 1);
            let (line, after) = if at * 2 > full {
                rest.split_at(at)
            } else {
                (line, after)
            };
            done.push(line.to_owned());
            rest = after;
        }
        done
    }
}

impl fmt::Debug for Fonts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fonts({} faces)", self.options.fontdb.len())
    }
}

impl Face {
    fn find(database: &Database, weight: Weight) -> Option<Self> {
        let face = database.query(&Query {
            families: &[
                Family::Name("Inter"),
                Family::Name("DejaVu Sans"),
                Family::SansSerif,
            ],
            weight: fontdb::Weight(weight.number()),
            ..Query::default()
        })?;
        database.with_face_data(face, |data, index| Self {
            data: data.to_vec(),
            index,
        })
    }
}

/// One line of at most 400 characters without what would break it: control characters, line
/// breaks, and marks that turn the direction of the text after them.
pub fn clean(text: &str) -> String {
    let invisible = |character: char| {
        character.is_control()
            || matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
                | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'
                | '\u{FFF0}'..='\u{FFFF}')
    };
    let text: String = text
        .chars()
        .take(400)
        .map(|character| if invisible(character) { ' ' } else { character })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
