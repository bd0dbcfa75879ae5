// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The guest page's types, generated from [`crate::wire`].

use std::fmt::Write;

use roomd_model::{ParticipantId, Secret};
use ts_rs::{Config, TS};

use crate::wire::{FromGuest, Member, ROOM, RefuseReason, ToGuest, VERSION, WaitReason};

const HEADER: &str = "\
// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Generated from roomd/providers/direct/src/wire.rs; changes belong there.
";

/// Gives the files of `kiosk/src/wire/` as pairs of name and content.
#[must_use]
pub fn typescript() -> Vec<(String, String)> {
    let config = Config::new();
    let mut file = String::from(HEADER);
    file.push_str(&constant("VERSION", &VERSION.to_string()));
    file.push_str(&constant("ROOM", &format!("{ROOM:?}")));
    // A transparent generic wrapper cannot be declared by the generator.
    file.push_str("\n/** Personal data. */\nexport type Pii<T> = T;\n");
    declare::<Secret>(&config, &mut file);
    declare::<ParticipantId>(&config, &mut file);
    declare::<Member>(&config, &mut file);
    declare::<WaitReason>(&config, &mut file);
    declare::<RefuseReason>(&config, &mut file);
    declare::<FromGuest>(&config, &mut file);
    declare::<ToGuest>(&config, &mut file);
    vec![("types.ts".to_owned(), file)]
}

fn constant(name: &str, value: &str) -> String {
    format!("\nexport const {name} = {value};\n")
}

fn declare<T: TS>(config: &Config, file: &mut String) {
    let docs = T::docs().unwrap_or_default();
    // Writing to a String cannot fail.
    let _ = write!(file, "\n{docs}export {}\n", T::decl(config));
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_committed_types_are_current() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../kiosk/src/wire");
        for (name, content) in typescript() {
            let found = std::fs::read_to_string(folder.join(&name)).unwrap();
            assert!(found == content, "{name} is out of date: run ./x generate");
        }
    }
}
