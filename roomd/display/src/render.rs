// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::{collections::HashMap, sync::Arc};

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::Tree,
};
use roomd_media_core::scene::Picture;

use crate::{fonts::Fonts, svg::Drawing};

/// What pictures that the last scene did not use may take, in bytes: names, marks and a large card, which
/// come and go in a meeting. A board is larger than that. With its clock it is another one each minute; where
/// the same is needed again, it is drawn anew.
const SPARE_BYTES: usize = 4 << 20;

/// Turns drawings into pictures, and gives the same picture for the same drawing as long as
/// scenes keep using it.
#[derive(Debug, Default)]
pub struct Renderer {
    pictures: HashMap<Drawing, Cached>,
    scene: u64,
}

#[derive(Debug)]
struct Cached {
    picture: Arc<Picture>,
    /// The last scene that used it.
    used: u64,
    /// Kept although the last scene did not use it.
    spare: bool,
}

impl Renderer {
    /// The drawing's picture.
    pub fn picture(&mut self, drawing: Drawing, fonts: &Fonts) -> Arc<Picture> {
        let scene = self.scene;
        let cached = self.pictures.entry(drawing).or_insert_with_key(|drawing| {
            let picture = Arc::new(render(drawing, fonts));
            Cached {
                picture,
                used: scene,
                spare: false,
            }
        });
        cached.used = scene;
        cached.picture.clone()
    }

    /// Ends a scene: of the pictures that it did not use, keeps those that were used last and have space.
    pub fn finish_scene(&mut self) {
        let scene = self.scene;
        let unused = self.pictures.values_mut().filter(|it| it.used < scene);
        let mut unused: Vec<_> = unused.collect();
        unused.sort_unstable_by_key(|it| std::cmp::Reverse(it.used));
        let mut space = SPARE_BYTES;
        for cached in unused {
            let left = space.checked_sub(cached.picture.rgba.len());
            cached.spare = left.is_some();
            space = left.unwrap_or(space);
        }
        self.pictures.retain(|_, it| it.used == scene || it.spare);
        self.scene += 1;
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.pictures.len()
    }
}

fn render(drawing: &Drawing, fonts: &Fonts) -> Picture {
    let (width, height) = (drawing.width, drawing.height);
    let tree = Tree::from_str(&drawing.document(), fonts.options());
    let pixmap = Pixmap::new(width, height);
    let (Ok(tree), Some(mut pixmap)) = (tree, pixmap) else {
        // Only a drawing without area gets here; every text is escaped.
        return Picture {
            width,
            height,
            rgba: vec![0; width as usize * height as usize * 4],
        };
    };
    resvg::render(&tree, Transform::identity(), &mut pixmap.as_mut());
    let mut rgba = pixmap.take();
    for pixel in rgba.chunks_exact_mut(4) {
        let [red, green, blue, alpha] = pixel else {
            continue;
        };
        if *alpha != 0 && *alpha != u8::MAX {
            for channel in [red, green, blue] {
                let full = u32::from(*channel) * 255 / u32::from(*alpha);
                *channel = u8::try_from(full).unwrap_or(u8::MAX);
            }
        }
    }
    Picture {
        width,
        height,
        rgba,
    }
}
