// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Writes the TypeScript types into the folder that the only argument names.
use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    let folder = env::args()
        .nth(1)
        .ok_or_else(|| io::Error::other("usage: generate FOLDER"))?;
    for (name, content) in roomd_api::typescript() {
        fs::write(Path::new(&folder).join(name), content)?;
    }
    Ok(())
}
