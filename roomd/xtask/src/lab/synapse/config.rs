// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The homeserver's configuration.

use std::path::Path;

use serde_json::{Value, json};

use super::SERVER_NAME;

/// Synapse reads YAML, of which JSON is a part.
pub fn homeserver(folder: &Path, port: u16, services: &[String]) -> Value {
    let transport = |url: &String| json!({ "type": "livekit", "livekit_service_url": url });
    let transports: Vec<Value> = services.iter().map(transport).collect();
    let mut config = json!({
        "server_name": SERVER_NAME,
        "public_baseurl": format!("http://127.0.0.1:{port}/"),
        "listeners": [{
            "port": port,
            "type": "http",
            "bind_addresses": ["127.0.0.1"],
            "resources": [{ "names": ["client", "federation", "openid"] }],
        }],
        "database": {
            "name": "sqlite3",
            "args": { "database": folder.join("homeserver.db") },
        },
        "log_config": folder.join("synapse-log.yaml"),
        "media_store_path": folder.join("media"),
        "pid_file": folder.join("synapse.pid"),
        // Known to everybody, as the server is known to nobody.
        "signing_key": "ed25519 a_lab cm9vbWQgbGFib3JhdG9yeSwga25vd24gdG8gYWxsISE",
        "macaroon_secret_key": "lab",
        "form_secret": "lab",
        "trusted_key_servers": [],
        "report_stats": false,
        "enable_registration": true,
        "enable_registration_without_verification": true,
        "bcrypt_rounds": 4,
        "presence": { "enabled": false },
        "experimental_features": {
            "msc4143_enabled": true,
            "msc4222_enabled": true,
            "msc4354_enabled": true,
        },
        "max_event_delay_duration": "24h",
        "matrix_rtc": { "transports": transports },
    });
    if let (Some(config), Value::Object(limits)) = (config.as_object_mut(), no_limits()) {
        config.extend(limits);
    }
    config
}

/// Tests do within seconds what people do in an hour.
fn no_limits() -> Value {
    let none = || json!({ "per_second": 10_000, "burst_count": 10_000 });
    json!({
        "rc_message": none(),
        "rc_registration": none(),
        "rc_login": { "address": none(), "account": none(), "failed_attempts": none() },
        "rc_joins": { "local": none(), "remote": none() },
        "rc_joins_per_room": none(),
        "rc_invites": { "per_room": none(), "per_user": none(), "per_issuer": none() },
        "rc_room_creation": none(),
        "rc_key_requests": none(),
        "rc_delayed_event_mgmt": none(),
        "rc_profile": none(),
        "rc_user_directory": none(),
    })
}

/// What it writes, and where to.
pub fn logging() -> Value {
    json!({
        "version": 1,
        "formatters": { "line": { "format": "%(asctime)s %(levelname)s %(name)s %(message)s" } },
        "handlers": { "console": { "class": "logging.StreamHandler", "formatter": "line" } },
        "root": { "level": "INFO", "handlers": ["console"] },
        "disable_existing_loggers": false,
    })
}
