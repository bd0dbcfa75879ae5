// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The addresses of a server.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use roomd_model::Pii;
use url::Url;

/// The version of the protocol that is spoken.
pub(crate) const PROTOCOL: u8 = 16;

/// What a connection is resumed with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resume<'a> {
    /// The server's name for the participant.
    pub(crate) sid: &'a str,
    /// As the server counts reasons.
    pub(crate) reason: i32,
}

/// The address of the signalling channel; none for one that can have none.
pub(crate) fn signal(
    server: &Url,
    attributes: &BTreeMap<String, Pii<String>>,
    resume: Option<Resume<'_>>,
) -> Option<Pii<Url>> {
    let scheme = match server.scheme() {
        "https" | "wss" => "wss",
        "http" | "ws" => "ws",
        _ => return None,
    };
    let mut url = with_scheme(server, scheme)?;
    url.set_fragment(None);
    url.path_segments_mut().ok()?.pop_if_empty().extend(["rtc"]);
    {
        let mut query = url.query_pairs_mut();
        query.clear();
        query
            .append_pair("protocol", &PROTOCOL.to_string())
            // Servers choose what a client understands by this; `rust` stands for the whole protocol.
            .append_pair("sdk", "rust")
            .append_pair("auto_subscribe", "0")
            .append_pair("adaptive_stream", "1");
        if let Some(attributes) = encoded(attributes) {
            query.append_pair("attributes", &attributes);
        }
        if let Some(Resume { sid, reason }) = resume {
            query
                .append_pair("reconnect", "1")
                .append_pair("sid", sid)
                .append_pair("reconnect_reason", &reason.to_string());
        }
    }
    Some(Pii::new(url))
}

/// The address that says why a signalling channel was refused.
pub(crate) fn validate(signal: &Url) -> Option<Pii<Url>> {
    let scheme = if signal.scheme() == "wss" {
        "https"
    } else {
        "http"
    };
    let mut url = with_scheme(signal, scheme)?;
    url.path_segments_mut().ok()?.push("validate");
    Some(Pii::new(url))
}

/// The address with another scheme of the same kind, which [`Url::set_scheme`] keeps to.
fn with_scheme(url: &Url, scheme: &str) -> Option<Url> {
    let mut url = url.clone();
    url.set_scheme(scheme).ok()?;
    url.has_host().then_some(url)
}

fn encoded(attributes: &BTreeMap<String, Pii<String>>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let plain: BTreeMap<_, _> = attributes.iter().map(|(k, v)| (k, v.expose())).collect();
    let json = serde_json::to_string(&plain).ok()?;
    Some(URL_SAFE.encode(json))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(server: &str, wanted: Option<(&str, &str)>) {
        let server = Url::parse(server).unwrap();
        let signal = signal(&server, &BTreeMap::new(), None);
        let bare = |url: &Url| {
            let mut url = url.clone();
            url.set_query(None);
            url.to_string()
        };
        let found = signal.map(|signal| {
            let validate = validate(signal.expose()).unwrap();
            assert_eq!(signal.expose().query(), validate.expose().query());
            (bare(signal.expose()), bare(validate.expose()))
        });
        let wanted = wanted.map(|(one, other)| (one.to_owned(), other.to_owned()));
        assert_eq!(found, wanted);
    }

    #[test]
    fn the_path_is_kept_and_continued() {
        check(
            "wss://sfu.example/livekit/sfu",
            Some((
                "wss://sfu.example/livekit/sfu/rtc",
                "https://sfu.example/livekit/sfu/rtc/validate",
            )),
        );
        check(
            "https://meet.example/livekit/?x=1#y",
            Some((
                "wss://meet.example/livekit/rtc",
                "https://meet.example/livekit/rtc/validate",
            )),
        );
        check(
            "http://127.0.0.1:7880",
            Some((
                "ws://127.0.0.1:7880/rtc",
                "http://127.0.0.1:7880/rtc/validate",
            )),
        );
        check("ftp://sfu.example", None);
        check("data:text/plain,x", None);
    }

    #[test]
    fn the_query_says_who_joins_and_how() {
        let server = Url::parse("wss://sfu.example").unwrap();
        let attributes = BTreeMap::from([("a".to_owned(), Pii::from("ä"))]);
        let resume = Some(Resume {
            sid: "PA_1",
            reason: 2,
        });
        let url = signal(&server, &attributes, resume).unwrap();
        assert_eq!(
            url.expose().query(),
            Some(
                "protocol=16&sdk=rust&auto_subscribe=0&adaptive_stream=1\
                 &attributes=eyJhIjoiw6QifQ%3D%3D&reconnect=1&sid=PA_1&reconnect_reason=2"
            )
        );
    }
}
