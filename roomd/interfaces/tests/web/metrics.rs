// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use crate::support::{House, METRICS_TOKEN};

async fn ask(house: &House, authorization: Option<&str>) -> reqwest::Response {
    let mut request = house.http.get(house.url("/metrics"));
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn figures_are_for_the_bearer_of_the_token() {
    let house = House::open();
    let answer = ask(&house, Some(&format!("Bearer {METRICS_TOKEN}"))).await;
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = answer.text().await.unwrap();
    assert!(text.contains("roomd_phase{phase=\"idle\"} 1.0"), "{text}");

    for wrong in [
        None,
        Some("Bearer 0123456789abcdef0123456789abcdeg"),
        Some("Basic MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
        Some(METRICS_TOKEN),
        Some("Bearer "),
    ] {
        let answer = ask(&house, wrong).await;
        assert_eq!(answer.status(), 401, "{wrong:?}");
        assert!(!answer.text().await.unwrap().contains("roomd_"));
    }
}

#[tokio::test]
async fn a_token_cannot_be_guessed_at_speed() {
    let house = House::open();
    let mut refused = Vec::new();
    for _ in 0..40 {
        refused.push(ask(&house, Some("Bearer wrong")).await.status().as_u16());
    }
    assert!(refused.contains(&429), "{refused:?}");
    let right = ask(&house, Some(&format!("Bearer {METRICS_TOKEN}"))).await;
    assert_eq!(right.status(), 200, "the right one is let in all the same");
}
