// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Why the server refuses a channel.

use std::time::Duration;

use roomd_conference::{ChannelCommand, Endpoint, HttpRequest, Method, Refusal};
use roomd_model::{Now, Pii};

use super::Connection;
use super::reconnect::Cause;
use crate::{Ended, url};

/// How long the reason may take.
const REASON_LIMIT: Duration = Duration::from_secs(5);
/// Longest reason that is kept, in bytes.
const MAX_REASON: usize = 1024;

impl Connection {
    pub(super) fn refused(&mut self, refusal: Refusal, now: Now) {
        match refusal {
            Refusal::Address | Refusal::Certificate => self.end(Ended::Insecure),
            Refusal::NoService => self.end(Ended::Unreachable),
            Refusal::Unreachable | Refusal::Unexpected => self.resume(Cause::Signal, now),
            Refusal::Status(status) => self.ask(status, now),
        }
    }

    /// Asks the server why it refused the channel.
    fn ask(&mut self, status: u16, now: Now) {
        let signal = url::signal(self.options.url.expose(), &self.options.attributes, None);
        let Some(url) = signal.and_then(|signal| url::validate(signal.expose())) else {
            return self.refused_with(status, now);
        };
        let channel = self.ids.channel();
        let until = now.mono + REASON_LIMIT;
        self.signal.asks(channel, until, status);
        let request = HttpRequest {
            method: Method::Get,
            url,
            bearer: Some(self.token.clone()),
            json: None,
        };
        self.command(channel, ChannelCommand::Open(Endpoint::Http(request)));
    }

    pub(super) fn refused_with(&mut self, status: u16, now: Now) {
        match status {
            // 400 is a token without an identity or a room.
            400 | 401 | 403 => self.end(Ended::TokenRefused),
            404 => self.end(Ended::NoSuchRoom),
            410 | 426 => self.end(Ended::ClientTooOld),
            429 | 503 => self.resume(Cause::Full, now),
            _ => self.resume(Cause::Signal, now),
        }
    }

    /// The server says why it refused a channel with this status.
    pub(super) fn reason(&mut self, refused: u16, status: u16, text: &Pii<String>, now: Now) {
        self.refusal = Some(shortened(text));
        match (refused, status) {
            // It has nothing against the room and does not begin: there is no place.
            (500.., 200) => self.resume(Cause::Full, now),
            // Only the question is not understood.
            (_, 404) if refused != 404 => self.refused_with(refused, now),
            _ => self.refused_with(status, now),
        }
    }
}

fn shortened(text: &Pii<String>) -> Pii<String> {
    let text = text.expose();
    let end = (0..=MAX_REASON.min(text.len())).rev();
    let end = end.into_iter().find(|end| text.is_char_boundary(*end));
    Pii::new(text[..end.unwrap_or(0)].to_owned())
}
