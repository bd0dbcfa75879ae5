// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use crate::support::House;

#[tokio::test]
async fn pages_come_with_their_headers() {
    let house = House::open();
    let panel = house.get("/").await;
    assert_eq!(panel.status(), 200);
    let headers = panel.headers().clone();
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let policy = header("content-security-policy");
    let port = house.address.port();
    assert!(policy.contains("default-src 'self'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(
        policy.contains(&format!("wss://localhost:{port}")),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("cross-origin-opener-policy"), "same-origin");
    assert!(header("permissions-policy").contains("camera=()"));
    assert!(!headers.contains_key("strict-transport-security"));
    assert_eq!(panel.text().await.unwrap(), "panel page");

    let guest = house.get("/meet/abcd-efgh-jkmn").await;
    let may = guest.headers()["permissions-policy"].to_str().unwrap();
    assert!(may.contains("display-capture=(self)"), "{may}");
    assert_eq!(guest.headers()["cache-control"], "no-store");
    assert_eq!(guest.text().await.unwrap(), "guest page");
}

#[tokio::test]
async fn only_what_is_named_by_its_content_is_kept_for_good() {
    let house = House::open();
    let check = async |path: &str, expected: &str| {
        let answer = house.get(path).await;
        let cache = answer.headers()["cache-control"].to_str().unwrap();
        assert_eq!(cache, expected, "{path}");
    };
    let for_good = "public, max-age=31536000, immutable";
    check("/assets/panel-HZQ5UFOT.js", for_good).await;
    check("/assets/icon.svg", "no-cache").await;
    check("/assets/wide-letters.svg", "no-cache").await;
    check("/assets/gone-HZQ5UFOT.js", "no-store").await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let house = House::open();
    for path in [
        "/meet/short",
        "/assets/none.js",
        "/assets/../panel-token",
        "/assets/..%2fpanel-token",
        "/..%2fpanels.json",
        "/api/none",
        "/panel-token",
    ] {
        assert_eq!(house.get(path).await.status(), 404, "{path}");
    }
    let missing = house.get("/assets/none.js").await;
    assert_eq!(missing.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn missing_pages_are_explained() {
    let house = House::in_folder(tempfile::tempdir().unwrap());
    let answer = house.get("/").await;
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.unwrap().contains("kiosk_dir"));
}

#[tokio::test]
async fn the_authority_can_be_downloaded_and_plain_http_gets_nothing() {
    let house = House::open();
    let pem = house.get("/ca.pem").await.text().await.unwrap();
    assert_eq!(Some(pem.as_str()), house.identity.authority_pem());
    let plain = format!("http://localhost:{}/", house.address.port());
    assert!(house.http.get(plain).send().await.is_err());
}

#[tokio::test]
async fn health_follows_the_room() {
    let mut house = House::open();
    assert_eq!(house.get("/healthz").await.status(), 200);
    house.owner.intents.close();
    assert_eq!(house.get("/healthz").await.status(), 503);
}
