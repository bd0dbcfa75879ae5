// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Checks of the sources that no compiler makes.

mod layers;
mod licences;
mod links;
mod tools;

pub use layers::check as layers;
pub use licences::check as licences;
pub use links::check as links;
pub use tools::{dependencies, unused};
