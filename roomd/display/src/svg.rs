// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A drawing in the making. Text goes through one escape, so that no name breaks a picture.

use std::fmt::{self, Write};

use qrcode::{Color, EcLevel, QrCode};

use crate::{
    fonts::{FAMILIES, Fonts, Weight, clean},
    icons::Icon,
    tokens,
};

/// A finished drawing, and what its pictures are cached by.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Drawing {
    /// In pixels; even.
    pub width: u32,
    /// In pixels; even.
    pub height: u32,
    /// The elements inside the `svg` element.
    pub body: String,
}

// Names and titles are in the body; they do not print.
impl fmt::Debug for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Drawing({}x{})", self.width, self.height)
    }
}

impl Drawing {
    /// The whole document.
    pub fn document(&self) -> String {
        let (width, height) = (self.width, self.height);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             font-family=\"{FAMILIES}\">{}</svg>",
            self.body
        )
    }
}

/// Which end of a text its position means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The left one.
    Start,
    /// The middle.
    Middle,
    /// The right one.
    End,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// In pixels.
    pub size: f32,
    /// How heavy.
    pub weight: Weight,
    /// A colour of the tokens.
    pub colour: &'static str,
    /// Where its position is.
    pub anchor: Anchor,
}

impl Style {
    /// For reading.
    pub const fn regular(size: f32, colour: &'static str) -> Self {
        Self {
            size,
            weight: Weight::Regular,
            colour,
            anchor: Anchor::Start,
        }
    }

    /// For names and values.
    pub const fn medium(size: f32, colour: &'static str) -> Self {
        Self {
            weight: Weight::Medium,
            ..Self::regular(size, colour)
        }
    }

    /// For headings.
    pub const fn strong(size: f32, colour: &'static str) -> Self {
        Self {
            weight: Weight::SemiBold,
            ..Self::regular(size, colour)
        }
    }

    /// The same, centred.
    pub const fn centred(self) -> Self {
        Self {
            anchor: Anchor::Middle,
            ..self
        }
    }

    /// The same, ending at its position.
    pub const fn to_the_right(self) -> Self {
        Self {
            anchor: Anchor::End,
            ..self
        }
    }
}

/// A drawing in the making.
#[derive(Debug)]
pub struct Canvas<'a> {
    fonts: &'a Fonts,
    drawing: Drawing,
}

impl<'a> Canvas<'a> {
    /// An empty one; odd measures grow by one, because composition works on pairs of pixels.
    pub fn new(fonts: &'a Fonts, width: u32, height: u32) -> Self {
        let drawing = Drawing {
            width: width.next_multiple_of(2),
            height: height.next_multiple_of(2),
            body: String::new(),
        };
        Self { fonts, drawing }
    }

    /// A whole screen in the board's colour.
    pub fn board(fonts: &'a Fonts) -> Self {
        let mut canvas = Self::new(fonts, 1920, 1080);
        canvas.rect(0.0, 0.0, 1920.0, 1080.0, 0.0, tokens::BACKGROUND);
        canvas
    }

    /// The finished drawing.
    pub fn finish(self) -> Drawing {
        self.drawing
    }

    /// Adds an element as it stands; never with text from outside.
    pub fn raw(&mut self, element: &str) {
        self.drawing.body.push_str(element);
    }

    /// A filled rectangle with round corners.
    pub fn rect(&mut self, x: f32, y: f32, width: f32, height: f32, radius: f32, fill: &str) {
        self.raw(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\" \
             fill=\"{fill}\"/>"
        ));
    }

    /// A filled circle.
    pub fn circle(&mut self, x: f32, y: f32, radius: f32, fill: &str) {
        self.raw(&format!(
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{fill}\"/>"
        ));
    }

    /// A mark in a square.
    pub fn icon(&mut self, icon: Icon, x: f32, y: f32, size: f32, colour: &str) {
        let scale = size / 24.0;
        self.raw(&format!(
            "<g transform=\"translate({x} {y}) scale({scale})\" fill=\"none\" stroke=\"{colour}\" \
             stroke-width=\"2\" stroke-linecap=\"round\" stroke-linejoin=\"round\">{}</g>",
            icon.elements()
        ));
    }

    /// A line of text on its base line.
    pub fn text(&mut self, x: f32, y: f32, style: Style, text: &str) {
        let anchor = match style.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.raw(&format!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" font-weight=\"{}\" fill=\"{}\" \
             text-anchor=\"{anchor}\">{}</text>",
            style.size,
            style.weight.number(),
            style.colour,
            escape(&clean(text))
        ));
    }

    /// A line of text, cut to a width. Returns the width it took.
    pub fn text_within(&mut self, x: f32, y: f32, style: Style, text: &str, max: f32) -> f32 {
        let text = self.fonts.fit(text, style.size, style.weight, max);
        self.text(x, y, style, &text);
        self.fonts.width(&text, style.size, style.weight)
    }

    /// Several lines of text, the last one cut. Returns the base line after the last one.
    pub fn paragraph(
        &mut self,
        (x, mut y): (f32, f32),
        style: Style,
        text: &str,
        max: f32,
        lines: usize,
    ) -> f32 {
        for line in self.fonts.wrap(text, style.size, style.weight, max, lines) {
            self.text(x, y, style, &line);
            y += (style.size * 1.36).round();
        }
        y
    }

    /// A text without spaces, such as a link, in lines of that width; too long ones are cut.
    pub fn broken(&self, text: &str, style: Style, max: f32, lines: usize) -> Vec<String> {
        self.fonts
            .broken(text, style.size, style.weight, max, lines)
    }

    /// A QR code on paper, its quiet zone included. Nothing when the text is too long for one.
    pub fn qr(&mut self, x: f32, y: f32, size: f32, text: &str) {
        let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else {
            return;
        };
        let modules = code.width();
        let mut path = String::new();
        for (at, colour) in code.to_colors().into_iter().enumerate() {
            if colour == Color::Dark {
                let (column, row) = (at % modules + 4, at / modules + 4);
                // Writing to a String does not fail.
                let _ = write!(path, "M{column} {row}h1v1h-1z");
            }
        }
        let side = modules + 8;
        let scale = size / f32::from(u16::try_from(side).unwrap_or(u16::MAX));
        self.rect(x, y, size, size, 12.0, tokens::PAPER);
        self.raw(&format!(
            "<path transform=\"translate({x} {y}) scale({scale})\" shape-rendering=\"crispEdges\" \
             fill=\"{}\" d=\"{path}\"/>",
            tokens::BACKGROUND
        ));
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}
