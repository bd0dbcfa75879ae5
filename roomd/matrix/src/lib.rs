// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's Matrix account, as a service of the device.
//!
//! One task owns the account: it logs in once, keeps the login and its keys in an encrypted store,
//! stays in touch with the homeserver, and serves one meeting session at a time in the words of
//! `roomd-matrix-port`. It outlives every session, and a homeserver that is away disturbs nothing:
//! requests fail with something that is worth another try, and news say so.
//!
//! Invariants: nothing else in the product knows the Matrix library. Certificates are always
//! verified, plain HTTP is for this machine only, and no answer of the homeserver moves the account
//! to another. What a session hears of other people's messages between devices was encrypted and
//! names the device that the encryption proves.
#![deny(missing_docs)]

mod account;
mod ask;
mod failure;
mod files;
mod identity;
mod login;
mod message;
mod news;
mod room;
mod server;
mod session;
mod settings;
mod sync;
mod task;

pub use account::{Account, Attachment, State};
pub use settings::{Login, Settings};

/// What a log filter has to add: the Matrix library writes ids of people and rooms at every level,
/// within spans even where a message itself has none.
pub const LOG_DIRECTIVES: &str = "matrix_sdk=off,matrix_sdk_base=off,matrix_sdk_common=off,\
     matrix_sdk_crypto=off,matrix_sdk_sqlite=off,matrix_sdk_store_encryption=off,ruma=off,\
     ruma_common=off,ruma_events=off,vodozemac=off,eyeball=off,eyeball_im=off";
