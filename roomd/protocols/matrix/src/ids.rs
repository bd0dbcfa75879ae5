// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Matrix identifiers. They name people and meetings, so they do not print.

use roomd_model::Pii;
use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Pii<String>);

        impl $name {
            /// Wraps an identifier, unchecked: the account refuses what is none.
            pub fn new(id: impl Into<String>) -> Self {
                Self(Pii::new(id.into()))
            }

            /// Gives the identifier to code that needs it.
            pub fn expose(&self) -> &str {
                self.0.expose()
            }
        }
    };
}

id! {
    /// A room: `!opaque` or `!opaque:server`.
    RoomId
}
id! {
    /// A person's or a device's account: `@name:server`.
    UserId
}
id! {
    /// One device of a user.
    DeviceId
}
id! {
    /// An event in a room: `$opaque`.
    EventId
}
id! {
    /// An event that the homeserver holds back (MSC4140).
    DelayId
}
