// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use roomd_matrix_port::{DeviceId, UserId};

use super::*;

fn service(text: &str) -> Pii<Url> {
    Pii::new(Url::parse(text).unwrap())
}

fn asked(server: &mut Server) -> HttpRequest {
    let ids = Ids::new(Arc::new(AtomicU32::new(1)));
    let me = Me {
        user: UserId::new("@room:x"),
        device: DeviceId::new("DEV"),
        cross_signed: true,
    };
    let token = OpenIdToken {
        access_token: Secret::new("secret"),
        token_type: "Bearer".into(),
        matrix_server_name: Pii::from("x"),
        expires_in: 3600,
    };
    let asked = server.ask(&ids, &RoomId::new("!room"), &me, &token);
    let Some((_, ChannelCommand::Open(Endpoint::Http(request)))) = asked else {
        panic!("{asked:?}");
    };
    request
}

#[test]
fn tokens_are_asked_for_in_both_forms() {
    let now = Instant::now();
    let mut server = Server::new(1, service("https://x.org/livekit/jwt/"), true, now);
    let request = asked(&mut server);
    assert_eq!(
        request.url.expose().as_str(),
        "https://x.org/livekit/jwt/sfu/get"
    );
    let body = request.json.unwrap().into_inner();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&body).unwrap(),
        json!({
            "room": "!room", "device_id": "DEV",
            "openid_token": {
                "access_token": "secret", "token_type": "Bearer", "matrix_server_name": "x",
                "expires_in": 3600,
            },
        })
    );
    let answer = |status, body: &str| ChannelEvent::Response {
        status,
        body: Pii::from(body),
    };
    assert!(matches!(
        server.granted(&answer(404, "")),
        Granted::OtherForm
    ));
    let request = asked(&mut server);
    assert_eq!(
        request.url.expose().as_str(),
        "https://x.org/livekit/jwt/get_token"
    );
    assert!(matches!(server.granted(&answer(404, "")), Granted::Refused));
    assert!(matches!(
        server.granted(&answer(403, "{}")),
        Granted::Refused
    ));
    assert!(matches!(server.granted(&answer(503, "")), Granted::Down));
    assert!(matches!(server.granted(&answer(429, "")), Granted::Down));
    assert!(matches!(
        server.granted(&answer(200, "<html>")),
        Granted::Down
    ));
    let granted = server.granted(&answer(200, r#"{"url": "wss://sfu.x", "jwt": "abc"}"#));
    let Granted::Token { url, token } = granted else {
        panic!("no token");
    };
    assert_eq!((url.as_str(), token.expose()), ("wss://sfu.x/", "abc"));
}

#[test]
fn servers_of_others_come_and_go_and_the_own_stays() {
    let now = Instant::now();
    let mut servers = Servers::default();
    servers.begin(service("https://a.org/jwt"), now);
    let (a, b) = (service("https://a.org/jwt/"), service("https://b.org/jwt"));
    assert!(servers.listen(&[&a, &b], now).is_empty());
    assert_eq!(servers.all.len(), 2);
    let gone = servers.listen(&[], now);
    assert_eq!(gone.len(), 1);
    assert!(!gone[0].own && servers.own().is_some());
    let many: Vec<_> = (0..100)
        .map(|number| service(&format!("https://{number}.org/")))
        .collect();
    servers.listen(&many.iter().collect::<Vec<_>>(), now);
    assert_eq!(servers.all.len(), MAX_SERVERS);
}

#[test]
fn a_service_is_one_however_it_is_written() {
    let own = service("https://own.org/jwt");
    for other in [
        "https://own.org/jwt/",
        "https://OWN.org:443/jwt//",
        "https://own.org/jwt?x=1",
        "https://own.org/jwt/#x",
        "https://a:b@own.org/jwt",
    ] {
        assert!(is_same(&own, &service(other)), "{other}");
    }
    for other in [
        "https://own.org/",
        "http://own.org/jwt",
        "https://own.org:8443/jwt",
    ] {
        assert!(!is_same(&own, &service(other)), "{other}");
    }
}

#[test]
fn a_place_is_a_server_and_a_room_on_it() {
    let token = |room: &str| {
        let claims = json!({"sub": "@room:x:ROOM", "video": {"room": room}});
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        Secret::new(format!("header.{payload}.signature"))
    };
    let place = |url: &str, room| Place::new(&Url::parse(url).unwrap(), &token(room));
    let here = place("wss://sfu.org", "a");
    assert_eq!(here, place("https://sfu.org/?x", "a"));
    assert_ne!(here, place("wss://sfu.org", "b"));
    assert_ne!(here, place("wss://sfu.org/other", "a"));
    assert_eq!(room_of(&Secret::new("nonsense")), None);
}

#[test]
fn nobody_leads_the_room_to_this_machine() {
    let now = Instant::now();
    let here = [
        "https://127.0.0.1/",
        "http://127.0.0.1:8080/",
        "https://[::1]/",
        "https://0.0.0.0/",
        "https://[::ffff:127.0.0.1]/",
        "https://localhost/",
        "https://a.localhost./",
    ];
    let listens = |own: &str, other: &str| {
        let mut servers = Servers::default();
        servers.begin(service(own), now);
        servers.listen(&[&service(other)], now);
        servers.all.len() == 2
    };
    for url in here {
        assert!(!listens("https://own.org/", url), "{url}");
        assert!(listens("http://127.0.0.1:1/", url), "{url}");
    }
    for own in ["https://own.org/", "http://127.0.0.1:1/"] {
        assert!(listens(own, "https://other.org/"));
        assert!(!listens(own, "http://other.org/"));
    }
}

#[test]
fn a_server_that_begins_anew_has_all_its_time() {
    let begun = Instant::now();
    let later = begun + Duration::from_secs(3600);
    let mut server = Server::new(1, service("https://a.org/"), true, begun);
    server.later(true, begun);
    server.restart(later);
    assert_eq!((server.since, server.due), (later, Some(later)));
    server.later(true, later);
    assert_eq!(server.since, later);
    assert_eq!(server.due, Some(later + FIRST_WAIT));
}

#[test]
fn a_server_that_is_down_is_tried_less_and_less_often() {
    let mut now = Instant::now();
    let mut server = Server::new(1, service("https://a.org/"), true, now);
    let mut waits = |in_meeting: bool| {
        server.attempts = 0;
        let wait = |_| {
            server.later(in_meeting, now);
            let wait = server.due.unwrap() - now;
            now += wait;
            wait.as_millis()
        };
        (0..8).map(wait).collect::<Vec<_>>()
    };
    let inside = [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000];
    assert_eq!(waits(true), inside);
    assert_eq!(waits(false)[..5], [500, 1000, 2000, 4000, 4000]);
}
