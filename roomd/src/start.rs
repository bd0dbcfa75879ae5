// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The start: settings to tasks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use roomd_bookings::{Privacy, Today};
use roomd_conference::IceServer;
use roomd_config::{
    Bus, CalendarSource, Camera, ContentDisplay, EchoCancellation, Loudspeaker, Microphone, Output,
    Remote, Settings, Titles, Tls,
};
use roomd_driver::calendar::{self, Password};
use roomd_interfaces::pairing::Desk;
use roomd_interfaces::web::{Certificate, WebServer, WebSettings};
use roomd_interfaces::{GuestPort, dbus};
use roomd_media::{CameraSource, DisplayOutput, EchoPolicy, MicrophoneSource};
use roomd_model::Secret;
use roomd_peer::PeerConfig;
use roomd_providers::{DirectConfig, ProvidersConfig};
use roomd_room::{AllowList, Platforms, Room, RoomConfig};

use crate::daemon::{Daemon, Inlets, now};
use crate::guests::Guests;
use crate::links::Rules;
use crate::process::{Meter, Usage};
use crate::projection::{self, Calendar, Parts};
use crate::store::Store;

const HTTPS: u16 = 443;

/// Reads a configuration; the error is for people, with line and caret where there is one.
pub fn read(path: &Path) -> Result<Settings, String> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!(
            "error: cannot read {name}: {error}\n  = help: --config names another file; \
             roomd/config/roomd.example.toml is a start"
        )
    })?;
    roomd_config::parse(&text, &name).map_err(|error| error.to_string())
}

/// Starts every task and runs the room until it is told to end.
pub async fn run(
    mut settings: Settings,
    config_path: PathBuf,
    camera: Option<PathBuf>,
) -> anyhow::Result<()> {
    if let Some(file) = camera {
        settings.media.camera = Camera::File(file);
    }
    let state_dir = settings.state_directory.clone();
    private_directory(&state_dir)?;
    let platforms = platforms(&settings);
    let store = Store::new(&state_dir);
    let room = Room::new(
        room_config(&settings)?,
        platforms.clone(),
        store.load(),
        now(),
    );
    let (engine, engine_events) =
        roomd_media::start(media_settings(&settings)).context("the media engine does not start")?;
    let calendar = calendar::spawn(calendar_settings(&settings, &platforms)?);
    let first = first_state(&settings, &room);
    let (client, owner) = roomd_interfaces::Room::new(first.clone());
    let desk = Desk::open(&state_dir, projection::pairing_url(&authority(&settings)));
    let (guest_port, guests) = GuestPort::new();
    let web = WebServer::bind(
        web_settings(&settings),
        client.clone(),
        guest_port,
        desk.clone(),
    )
    .context("panel and guests cannot be served")?;
    tracing::info!("serving panel and guests");
    let certificate = web.reloader();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(web.serve(async move {
        // A dropped sender ends the server too.
        let _ = stopped.await;
    }));
    let bus = match &settings.bus {
        Bus::System => dbus::Bus::System,
        Bus::Session => dbus::Bus::Session,
        Bus::Address(address) => dbus::Bus::Address(address.clone()),
    };
    let (leave_bus, left) = tokio::sync::oneshot::channel::<()>();
    let on_bus = tokio::spawn(dbus::serve(bus, client.clone(), async move {
        // A dropped sender ends it too.
        let _ = left.await;
    }));
    let two = settings.media.content_display.is_some();
    tokio::spawn(crate::display::run(client.state(), engine.clone(), two));
    let mut inlets = Inlets {
        engine: engine_events,
        figures: engine.statistics(),
        guests,
        serving,
    };
    let daemon = Daemon {
        calendar_state: calendar.state(),
        settings,
        config_path,
        room,
        platforms,
        guests: Guests::default(),
        session: None,
        engine,
        calendar,
        desk,
        owner,
        certificate,
        store,
        meter: Meter::new(),
        usage: Usage::default(),
        figures: roomd_media::EngineStatistics::default(),
        devices: roomd_api::Devices::default(),
        faults: BTreeMap::new(),
        senders: BTreeMap::new(),
        bad_messages: 0,
        answering: None,
        published: Arc::new(first),
    };
    let result = daemon.run(&mut inlets).await;
    drop((stop, leave_bus));
    if let Err(error) = on_bus.await {
        tracing::warn!(%error, "D-Bus did not end well");
    }
    if !inlets.serving.is_finished()
        && let Ok(Err(error)) = inlets.serving.await
    {
        tracing::warn!(%error, "the server did not end well");
    }
    result
}

/// What is shown until the room task publishes for the first time.
fn first_state(settings: &Settings, room: &Room) -> roomd_api::State {
    projection::state(Parts {
        view: &room.view(),
        name: &settings.room.name,
        time_zone: settings.room.time_zone.name(),
        support: settings.room.support.as_deref(),
        calendar: Calendar::default(),
        today: Today::new(now(), settings.room.time_zone),
        devices: &roomd_api::Devices::default(),
        pairing: None,
        faults: &[],
        statistics: roomd_api::Statistics::default(),
    })
}

/// What the room machine needs of the configuration.
pub fn room_config(settings: &Settings) -> anyhow::Result<RoomConfig> {
    Ok(RoomConfig {
        allow: Some(extra_hosts(settings)?),
        offer_before: settings.join.window,
        countdown: settings.join.empty_call,
        joins_sending: settings.join.sending,
        language: settings.room.language,
        ..RoomConfig::default()
    })
}

/// What the calendar task needs of the configuration.
pub fn calendar_settings(
    settings: &Settings,
    platforms: &Platforms,
) -> anyhow::Result<calendar::Settings> {
    let own = platforms.iter().flat_map(|platform| platform.hosts());
    let extra = settings.join.allow.iter().map(ToString::to_string);
    let allow = AllowList::parse(own.chain(extra)).context("the allow-list holds no hosts")?;
    Ok(calendar::Settings {
        source: calendar_source(settings),
        poll: settings.calendar.poll,
        zone: settings.room.time_zone,
        privacy: match settings.calendar.titles {
            Titles::Show => Privacy::ShowTitles,
            Titles::HidePrivate => Privacy::HidePrivateTitles,
            Titles::HideAll => Privacy::HideAllTitles,
        },
        addresses: settings.calendar.address.iter().cloned().collect(),
        links: Arc::new(Rules {
            platforms: platforms.clone(),
            allow: Arc::new(allow),
        }),
        state_dir: Some(settings.state_directory.clone()),
    })
}

fn calendar_source(settings: &Settings) -> calendar::Source {
    let password = |remote: &Remote| remote.password_file.clone().map(Password::File);
    match &settings.calendar.source {
        CalendarSource::None => calendar::Source::None,
        CalendarSource::File(path) => calendar::Source::File(path.clone()),
        CalendarSource::Ics(remote) => calendar::Source::Ics {
            url: remote.url.clone(),
            ca_file: remote.ca_file.clone(),
            username: remote.username.clone(),
            password: password(remote),
        },
        CalendarSource::CalDav(remote) => calendar::Source::CalDav {
            url: remote.url.clone(),
            username: remote.username.clone().unwrap_or_default(),
            password: password(remote).unwrap_or(Password::Given(Secret::default())),
            ca_file: remote.ca_file.clone(),
        },
    }
}

fn extra_hosts(settings: &Settings) -> anyhow::Result<AllowList> {
    let extra = settings.join.allow.iter().map(ToString::to_string);
    AllowList::parse(extra).context("the allow-list holds no hosts")
}

fn first_line(path: &Path, what: &str) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {what} in {}", path.display()))?;
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}

/// What the configuration names and the room cannot read, as lines for people. A room without it
/// holds its meetings all the same, so only `check-config` insists.
pub fn unreadable(settings: &Settings) -> Vec<String> {
    let calendar = match &settings.calendar.source {
        CalendarSource::None | CalendarSource::File(_) => None,
        CalendarSource::Ics(remote) | CalendarSource::CalDav(remote) => {
            remote.password_file.as_ref()
        }
    };
    let calendar = calendar.and_then(|path| first_line(path, "the calendar's password").err());
    let faults = [
        calendar,
        turn_password(settings).err(),
        metrics_token(settings).err(),
    ];
    let lines = faults.into_iter().flatten();
    lines.map(|error| format!("error: {error:#}")).collect()
}

fn platforms(settings: &Settings) -> Platforms {
    let direct = settings.direct.enabled.then(|| DirectConfig {
        hosts: vec![authority(settings)],
        max_guests: usize::from(settings.direct.max_guests),
        ice_servers: ice_servers(settings),
    });
    roomd_providers::registry(ProvidersConfig { direct }).into()
}

fn turn_password(settings: &Settings) -> anyhow::Result<Option<Secret>> {
    let file = settings.media.turn.as_ref().map(|turn| &turn.password_file);
    file.map(|file| first_line(file, "the TURN server's password"))
        .transpose()
}

fn ice_servers(settings: &Settings) -> Vec<IceServer> {
    let server = |url: &String| IceServer {
        url: url.clone(),
        username: None,
        credential: None,
    };
    let mut servers: Vec<IceServer> = settings.media.stun.iter().map(server).collect();
    let credential = turn_password(settings).unwrap_or_else(|error| {
        tracing::warn!("the room does without TURN: {error:#}");
        None
    });
    if let (Some(turn), Some(credential)) = (&settings.media.turn, credential) {
        servers.extend(turn.urls.iter().map(|url| IceServer {
            username: Some(turn.username.clone()),
            credential: Some(credential.clone()),
            ..server(url)
        }));
    }
    servers
}

/// How guests and tablets name the room: host, and the port where it is not HTTPS's own.
pub fn authority(settings: &Settings) -> String {
    let host = settings.direct.host.clone().unwrap_or_else(machine_name);
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    match settings.web.listen.port() {
        HTTPS => host,
        port => format!("{host}:{port}"),
    }
}

fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        "localhost".to_owned()
    } else {
        name.to_owned()
    }
}

fn web_settings(settings: &Settings) -> WebSettings {
    WebSettings {
        listen: settings.web.listen,
        kiosk_dir: settings.web.kiosk_dir.clone(),
        state_dir: settings.state_directory.clone(),
        panel_token_file: Some(settings.web.panel_token.clone()),
        certificate: match &settings.web.tls {
            Tls::Device => Certificate::Device {
                host: settings.direct.host.clone(),
            },
            Tls::Files { certificate, key } => Certificate::Given {
                chain: certificate.clone(),
                key: key.clone(),
            },
        },
        metrics_token: metrics_token(settings).unwrap_or_else(|error| {
            tracing::warn!("the room gives no figures: {error:#}");
            None
        }),
    }
}

/// A token that is guessed opens the room's figures to strangers.
const METRICS_TOKEN_LENGTH: usize = 32;

fn metrics_token(settings: &Settings) -> anyhow::Result<Option<Secret>> {
    let Some(path) = &settings.web.metrics_token_file else {
        return Ok(None);
    };
    let token = first_line(path, "the token of the figures")?;
    anyhow::ensure!(
        token.expose().len() >= METRICS_TOKEN_LENGTH,
        "the token in {} has fewer than {METRICS_TOKEN_LENGTH} characters: \
         make one with `openssl rand -hex 32`",
        path.display()
    );
    Ok(Some(token))
}

fn media_settings(settings: &Settings) -> roomd_media::Settings {
    let media = &settings.media;
    let offset = chrono::Offset::fix(&chrono::TimeZone::offset_from_utc_datetime(
        &settings.room.time_zone,
        &now().utc.naive_utc(),
    ));
    roomd_media::Settings {
        camera: match &media.camera {
            Camera::Auto => CameraSource::Auto,
            Camera::Test => CameraSource::TestPicture,
            Camera::Device(path) => CameraSource::Device(path.clone()),
            Camera::File(path) => CameraSource::File(path.clone()),
        },
        microphone: match &media.microphone {
            Microphone::Auto => MicrophoneSource::Auto,
            Microphone::Test => MicrophoneSource::TestSound,
            Microphone::Device(name) => MicrophoneSource::Device(name.clone()),
            Microphone::File(path) => MicrophoneSource::File(path.clone()),
        },
        loudspeaker: match &media.loudspeaker {
            Loudspeaker::Auto => roomd_media::Loudspeaker::Auto,
            Loudspeaker::Off => roomd_media::Loudspeaker::None,
            Loudspeaker::Device(name) => roomd_media::Loudspeaker::Device(name.clone()),
        },
        echo: EchoPolicy {
            cancellation: match media.echo_cancellation {
                EchoCancellation::Auto => roomd_media::EchoCancellation::Auto,
                EchoCancellation::On => roomd_media::EchoCancellation::On,
                EchoCancellation::Off => roomd_media::EchoCancellation::Off,
            },
            devices: media.echo_cancelling_devices.clone(),
        },
        display: match media.display {
            Output::Auto => DisplayOutput::Auto,
            Output::Headless => DisplayOutput::Headless,
            Output::Kms => DisplayOutput::Kms,
            Output::Wayland => DisplayOutput::Wayland,
            Output::X11 => DisplayOutput::X11,
        },
        content_display: media.content_display.as_ref().map(content_display),
        peer: PeerConfig {
            addresses: media.addresses.clone(),
            include_loopback: media.include_loopback,
            ports: media
                .udp_ports
                .as_ref()
                .map(|ports| (*ports.start(), *ports.end())),
            ice_servers: Vec::new(),
            ca_file: media.ca_file.clone(),
        },
        test_source: 0,
        utc_offset_seconds: offset.local_minus_utc(),
        ..roomd_media::Settings::default()
    }
}

fn content_display(display: &ContentDisplay) -> roomd_media::ContentDisplay {
    let (output, server) = match display {
        ContentDisplay::X11(server) => (DisplayOutput::X11, server),
        ContentDisplay::Wayland(socket) => (DisplayOutput::Wayland, socket),
    };
    roomd_media::ContentDisplay {
        output,
        server: Some(server.clone()),
    }
}

/// Readable by roomd alone.
fn private_directory(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make the state directory {}", path.display()))
}
