// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::BTreeMap;

use ts_rs::{Config, TS, TypeVisitor};

use crate::{ClientMessage, ServerMessage};

/// The TypeScript side of the contract: file names and their content.
#[must_use]
pub fn typescript() -> Vec<(String, String)> {
    let mut declarations = Declarations::default();
    declarations.visit::<ClientMessage>();
    declarations.visit::<ServerMessage>();
    vec![("types.ts".to_owned(), declarations.file())]
}

/// Every declaration that a message reaches, by name.
struct Declarations {
    config: Config,
    found: BTreeMap<String, String>,
}

impl Default for Declarations {
    fn default() -> Self {
        Self {
            // Counters stay below 2^53, and JSON.parse makes numbers of them anyway.
            config: Config::new().with_large_int("number"),
            found: BTreeMap::new(),
        }
    }
}

impl Declarations {
    fn file(&self) -> String {
        let mut text = String::from(
            "// SPDX-License-Identifier: EUPL-1.2\n\
             // SPDX-FileCopyrightText: The roomd authors\n\
             // Generated from the crate roomd-api by `cargo xtask generate`; edit there.\n\n\
             /** Names a person, a meeting or an address: shown, never stored, never logged. */\n\
             export type Pii<T> = T;\n",
        );
        for declaration in self.found.values() {
            text.push('\n');
            text.push_str(declaration);
            text.push('\n');
        }
        text
    }
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        let name = T::name(&self.config);
        // `Pii<String>` derives no declaration of its own; the header holds the alias.
        let declared = T::output_path().is_some() && !name.contains('<');
        if declared && !self.found.contains_key(&name) {
            let docs = T::docs().unwrap_or_default();
            let declaration = format!("{docs}export {}", T::decl(&self.config));
            self.found.insert(name, declaration);
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

#[cfg(test)]
mod tests {
    use super::typescript;

    #[test]
    fn one_file_declares_every_message_without_imports() {
        let [(name, content)] = typescript().try_into().unwrap();
        assert_eq!(name, "types.ts");
        for needed in [
            "export type ClientMessage",
            "export type ServerMessage",
            "export type State ",
            "export type FaultCode",
            "export type Participant ",
        ] {
            assert!(content.contains(needed), "{needed}");
        }
        for unwanted in ["bigint", "import "] {
            assert!(!content.contains(unwanted), "{unwanted}");
        }
    }
}
