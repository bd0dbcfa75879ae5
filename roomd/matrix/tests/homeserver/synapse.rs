// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Starts Synapse from where `./x` installs it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

/// What a homeserver for calls is told.
pub const CALLS: &str = r#"
max_event_delay_duration: 24h
experimental_features: {msc4143_enabled: true, msc4222_enabled: true, msc4354_enabled: true}
matrix_rtc: {transports: [{type: livekit, livekit_service_url: "http://127.0.0.1:8080"}]}
"#;
/// The folder in roomd's cache that holds Synapse.
const INSTALLED: &str = "roomd/synapse-1.163.2";
/// A busy machine takes its time.
const STARTS_WITHIN: Duration = Duration::from_secs(120);
/// Ends the server when this process ends, however it ends: its standard input closes.
const GUARD: &str = r#""$@" & child=$!; read -r _; kill "$child"; wait "$child""#;

/// A homeserver of its own, with its data in a folder that goes with it.
pub struct Homeserver {
    pub url: String,
    folder: tempfile::TempDir,
    process: Option<Child>,
}

/// The one that tests share who do not stop it.
pub async fn shared() -> &'static Homeserver {
    static SHARED: OnceCell<Homeserver> = OnceCell::const_new();
    SHARED.get_or_init(|| Homeserver::start(CALLS)).await
}

impl Homeserver {
    /// Starts one with these settings on top of the usual ones.
    pub async fn start(more: &str) -> Self {
        super::logs::listen();
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("homeserver.yaml"),
            format!("{}\n{more}\n", config(folder.path(), port)),
        )
        .unwrap();
        std::fs::write(folder.path().join("log.yaml"), LOG).unwrap();
        let mut server = Self {
            url: format!("http://127.0.0.1:{port}"),
            folder,
            process: None,
        };
        server.resume().await;
        server
    }

    /// Starts it again, as it was.
    pub async fn resume(&mut self) {
        let process = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(python())
            .args(["-m", "synapse.app.homeserver", "-c", "homeserver.yaml"])
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.process = Some(process);
        let begun = Instant::now();
        let health = format!("{}/health", self.url);
        while !reqwest::get(&health)
            .await
            .is_ok_and(|answer| answer.status().is_success())
        {
            assert!(
                begun.elapsed() < STARTS_WITHIN,
                "Synapse does not start: {}",
                std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            drop(process.stdin.take());
            process.wait().unwrap();
        }
    }
}

impl Drop for Homeserver {
    fn drop(&mut self) {
        self.stop();
    }
}

fn python() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("no home")).join(".cache"),
        PathBuf::from,
    );
    let path = cache.join(INSTALLED).join("bin/python");
    assert!(
        path.exists(),
        "no Synapse in the cache: `./x test` installs it"
    );
    path
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn config(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        r#"
server_name: localhost
public_baseurl: http://127.0.0.1:{port}/
report_stats: false
# Known to everybody, as the server is known to nobody.
signing_key: "ed25519 a_test YSBrZXkgb2YgYSB0ZXN0LCAzMiBieXRlcyBsb25nICE"
bcrypt_rounds: 4
presence: {{enabled: false}}
database: {{name: sqlite3, args: {{database: {folder}/homeserver.db}}}}
media_store_path: {folder}/media
log_config: {folder}/log.yaml
trusted_key_servers: []
macaroon_secret_key: test
form_secret: test
enable_registration: true
enable_registration_without_verification: true
listeners: [{{port: {port}, bind_addresses: ["127.0.0.1"], type: http, tls: false, resources: [{{names: [client, openid]}}]}}]
rc_message: {{per_second: 1000, burst_count: 1000}}
rc_registration: {{per_second: 1000, burst_count: 1000}}
rc_login: {{address: {{per_second: 1000, burst_count: 1000}}, account: {{per_second: 1000, burst_count: 1000}}, failed_attempts: {{per_second: 1000, burst_count: 1000}}}}
rc_joins: {{local: {{per_second: 1000, burst_count: 1000}}, remote: {{per_second: 1000, burst_count: 1000}}}}
rc_invites: {{per_room: {{per_second: 1000, burst_count: 1000}}, per_user: {{per_second: 1000, burst_count: 1000}}}}
rc_delayed_event_mgmt: {{per_second: 1000, burst_count: 1000}}
rc_room_creation: {{per_second: 1000, burst_count: 1000}}
"#
    )
}

const LOG: &str = "
version: 1
handlers: {file: {class: logging.FileHandler, filename: log}}
root: {level: WARNING, handlers: [file]}
disable_existing_loggers: false
";
