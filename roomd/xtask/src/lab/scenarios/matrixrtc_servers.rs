// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The servers of an Element Call meeting, asked as a client asks them, from the account to the SFU;
//! and what the homeserver does for whoever vanishes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::lab::element_call::ElementCall;
use crate::lab::http::Answer;
use crate::lab::livekit;
use crate::lab::synapse::{CALL_MEMBER, Kind, Synapse, User};
use crate::lab::{Figures, wait};

/// After how long the server takes back what a vanished client said.
const DELAY: Duration = Duration::from_secs(2);
/// What the homeserver must be able to do.
const FEATURES: &[&str] = &[
    "org.matrix.msc4140",
    "org.matrix.msc4143",
    "org.matrix.msc4354",
];

pub fn run() -> Result<Figures> {
    ElementCall::install()?;
    let begun = Instant::now();
    let mut servers = ElementCall::start(2)?;
    let ready = begun.elapsed();
    let (anna, boris) = (
        servers.synapse.register("anna")?,
        servers.synapse.register("boris")?,
    );
    homeserver_tells(&servers, &anna)?;
    let room = rooms(&servers.synapse, &anna, &boris)?;
    let name = tokens(&servers, &anna, &room)?;
    let tablet = servers.synapse.log_in(&boris)?;
    ensure!(
        tablet.id == boris.id && tablet.device != boris.device,
        "{tablet:?} is no other device"
    );
    let left = delayed_leave(&servers.synapse, &tablet, &room)?;
    let back = comes_back(&mut servers, &anna, &room, &name)?;
    Ok(Figures::from([
        ("ready_s", json!(ready.as_secs_f64())),
        ("left_after_s", json!(left.as_secs_f64())),
        ("homeserver_back_s", json!(back.as_secs_f64())),
    ]))
}

fn homeserver_tells(servers: &ElementCall, user: &User) -> Result<()> {
    let versions = servers.synapse.versions()?;
    for feature in FEATURES {
        let there = versions["unstable_features"][feature] == true;
        ensure!(there, "the homeserver has no {feature}");
    }
    let path = "/unstable/org.matrix.msc4143/rtc/transports";
    let told = servers.synapse.ask("GET", user, path, None)?.success()?;
    let service = &told["rtc_transports"][0]["livekit_service_url"];
    ensure!(*service == servers.sfus[0].tokens.url(), "told {told}");
    Ok(())
}

/// Makes one room of each kind; gives the one that is as Element Call makes them.
fn rooms(synapse: &Synapse, anna: &User, boris: &User) -> Result<String> {
    let call = synapse.create_room(anna, "call", Kind::Call)?;
    synapse.join(boris, "#call:lab.test")?;
    let state = synapse.state(boris, &call)?;
    let here = state
        .iter()
        .filter(|event| event["content"]["membership"] == "join");
    ensure!(here.count() == 2, "not both are in the room");

    let encrypted = synapse.create_room(anna, "encrypted", Kind::Encrypted)?;
    is_forbidden(&synapse.try_join(boris, &encrypted)?)?;
    synapse.invite(anna, &encrypted, boris)?;
    synapse.join(boris, &encrypted)?;
    let encryption = synapse.state_of(boris, &encrypted, "m.room.encryption", "")?;
    ensure!(encryption.is_some(), "the room is not encrypted");

    let knock = synapse.create_room(anna, "knock", Kind::Knock)?;
    is_forbidden(&synapse.try_join(boris, &knock)?)?;
    synapse.knock(boris, &knock)?;
    synapse.invite(anna, &knock, boris)?;
    synapse.join(boris, &knock)?;

    let ordinary = synapse.create_room(anna, "ordinary", Kind::Ordinary)?;
    synapse.join(boris, &ordinary)?;
    let key = boris.call_member_key();
    let answer = synapse.put_state(boris, &ordinary, CALL_MEMBER, &key, &json!({}))?;
    is_forbidden(&answer)?;
    Ok(call)
}

fn is_forbidden(answer: &Answer) -> Result<()> {
    let forbidden = answer.body["errcode"] == "M_FORBIDDEN";
    ensure!(forbidden, "not forbidden: {answer:?}");
    Ok(())
}

/// From the homeserver's word to the SFU's; gives the room's name there.
fn tokens(servers: &ElementCall, user: &User, room: &str) -> Result<String> {
    let [first, second] = &servers.sfus[..] else {
        anyhow::bail!("not two SFUs");
    };
    let proof = servers.synapse.openid_token(user)?;
    let told = first.tokens.ask(room, &proof, &user.device)?.success()?;
    ensure!(told["url"] == first.livekit.url(), "another SFU: {told}");
    let token = told["jwt"].as_str().context("no token")?;
    let claims = livekit::claims(token)?;
    ensure!(claims["sub"] == user.sfu_identity(), "{claims}");
    let name = claims["video"]["room"]
        .as_str()
        .context("the token names no room")?;
    ensure!(first.livekit.rooms()? == [name], "the SFU has other rooms");

    let accepted = first.livekit.validate(token)?;
    ensure!(
        (accepted.status, &accepted.body) == (200, &Value::from("success")),
        "{accepted:?}"
    );
    let own = first.livekit.token(name, "somebody")?;
    ensure!(
        first.livekit.validate(&own)?.status == 200,
        "a token of the laboratory is refused"
    );
    let (head, _) = token.rsplit_once('.').context("no token")?;
    let forged = first
        .livekit
        .validate(&format!("{head}.{}", "A".repeat(43)))?;
    ensure!(forged.status == 401, "a forged signature: {forged:?}");
    let elsewhere = second.livekit.validate(token)?;
    ensure!(
        elsewhere.status == 404,
        "a room that the second SFU does not have: {elsewhere:?}"
    );

    let mut wrong = proof.clone();
    wrong["access_token"] = "made-up".into();
    let refused = first.tokens.ask(room, &wrong, &user.device)?;
    ensure!(
        refused.body["errcode"] == "M_UNAUTHORIZED",
        "a made-up proof: {refused:?}"
    );
    Ok(name.to_owned())
}

/// A client prepares its leave, joins, and is never heard of again.
fn delayed_leave(synapse: &Synapse, user: &User, room: &str) -> Result<Duration> {
    let key = user.call_member_key();
    let millis = u64::try_from(DELAY.as_millis())?;
    let prepared = Instant::now();
    synapse.delay_state(user, room, [CALL_MEMBER, &key], &json!({}), millis)?;
    let membership = json!({ "application": "m.call", "device_id": user.device });
    synapse
        .put_state(user, room, CALL_MEMBER, &key, &membership)?
        .success()?;
    let found = synapse.state_of(user, room, CALL_MEMBER, &key)?;
    ensure!(found == Some(membership), "the membership is {found:?}");
    wait::until("the delayed leave", || {
        let found = synapse.state_of(user, room, CALL_MEMBER, &key)?;
        Ok((found == Some(json!({}))).then_some(()))
    })?;
    let left = prepared.elapsed();
    ensure!(left >= DELAY, "left after {left:?} already");
    Ok(left)
}

/// The homeserver keeps what it knows over a restart, and the SFU forgets its rooms.
fn comes_back(servers: &mut ElementCall, user: &User, room: &str, name: &str) -> Result<Duration> {
    servers.synapse.stop();
    ensure!(
        servers.synapse.versions().is_err(),
        "the homeserver still answers"
    );
    let begun = Instant::now();
    servers.synapse.resume()?;
    let back = begun.elapsed();
    ensure!(
        !servers.synapse.state(user, room)?.is_empty(),
        "the room is gone"
    );

    let livekit = &mut servers.sfus[0].livekit;
    livekit.kill();
    ensure!(livekit.rooms().is_err(), "the SFU still answers");
    livekit.resume()?;
    ensure!(livekit.rooms()?.is_empty(), "the SFU kept its rooms");
    let sfu = &mut servers.sfus[0];
    sfu.tokens.stop();
    let refused = sfu.tokens.token(&servers.synapse, user, room);
    ensure!(refused.is_err(), "the token service still answers");
    sfu.tokens.resume()?;
    let token = sfu.tokens.token(&servers.synapse, user, room)?;
    ensure!(
        sfu.livekit.validate(&token)?.status == 200,
        "no entrance after the restart"
    );
    ensure!(sfu.livekit.rooms()? == [name], "the room has another name");
    Ok(back)
}
