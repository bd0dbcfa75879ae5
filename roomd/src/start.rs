// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The start: settings to tasks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use roomd_bookings::{Privacy, Today};
use roomd_conference::IceServer;
use roomd_config::{
    Bus, CalendarSource, Camera, ContentDisplay, HardwareEncoder, Loudspeaker, MatrixEncryption,
    Microphone, Output, Remote, Settings, Titles, Tls,
};
use roomd_driver::calendar::{self, Password};
use roomd_driver::channels;
use roomd_interfaces::pairing::Desk;
use roomd_interfaces::web::{Certificate, WebServer, WebSettings};
use roomd_interfaces::{GuestPort, dbus};
use roomd_media::{CameraSource, DisplayOutput, MicrophoneSource};
use roomd_model::Secret;
use roomd_peer::PeerConfig;
use roomd_providers::{DirectConfig, MatrixRtcConfig, ProvidersConfig};
use roomd_room::{AllowList, Platforms, Room, RoomConfig};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::daemon::{Daemon, Inlets, now};
use crate::display::OnDisplay;
use crate::guests::Guests;
use crate::links::Rules;
use crate::process::{Meter, Usage};
use crate::projection::{self, Calendar, Parts};
use crate::secrets;
use crate::store::Store;
use crate::{account, hardware};

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
    secrets::warn(&settings);
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
    let sound_devices = hardware::SoundDevices::read(&settings.media);
    let (engine, engine_events) = roomd_media::start(media_settings(&settings, &sound_devices))
        .context("the media engine does not start")?;
    let calendar = calendar::spawn(calendar_settings(&settings, &platforms)?);
    let first = first_state(&settings, &room);
    let (client, owner) = roomd_interfaces::Room::new(first.clone());
    let desk = Desk::open(&state_dir, projection::pairing_url(&authority(&settings)));
    let (guest_port, guests) = GuestPort::new();
    let web = web_server(&settings, client.clone(), guest_port, desk.clone())?;
    let panels = hardware::PanelNews::new(&config_path, web.panels());
    let certificate = web.reloader();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(web.serve(told_or_dropped(stopped)));
    let bus = bus(&settings);
    let (leave_bus, left) = tokio::sync::oneshot::channel::<()>();
    let on_bus = tokio::spawn(dbus::serve(bus, client.clone(), told_or_dropped(left)));
    let (tell_shown, shown) = watch::channel(OnDisplay::default());
    let display = crate::display::run(client.state(), engine.clone(), tell_shown);
    tokio::spawn(display);
    let (hardware, outlets) =
        hardware::start(&settings, sound_devices, panels, &state_dir, engine.clone());
    let ca_file = settings.matrix.as_ref().and_then(|it| it.ca_file.clone());
    let mut services = channels::Services::default();
    let account = account::start(&settings, &mut services);
    let mut inlets = Inlets {
        hardware: outlets,
        account: account.as_ref().map(|account| account.state()),
        engine: engine_events,
        figures: engine.statistics(),
        shown,
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
        channels: channels::Settings { ca_file, services },
        farewells: JoinSet::new(),
        engine,
        hardware,
        hardware_state: hardware::HardwareState::default(),
        calendar,
        desk,
        owner,
        certificate,
        store,
        meter: Meter::new(),
        usage: Usage::default(),
        figures: roomd_media::EngineStatistics::default(),
        devices: roomd_api::Devices::default(),
        content: roomd_media::ContentPicture::None,
        report: roomd_media::DeviceReport::default(),
        lost: BTreeSet::new(),
        faults: BTreeMap::new(),
        senders: BTreeMap::new(),
        shown: OnDisplay::default(),
        bad_messages: 0,
        answering: None,
        published: Arc::new(first),
    };
    let result = daemon.run(&mut inlets).await;
    drop((stop, leave_bus));
    // The daemon's hold on it went with the daemon.
    account::stop(account).await;
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

/// The server of panel and guests, which has its port.
fn web_server(
    settings: &Settings,
    room: roomd_interfaces::Room,
    guests: GuestPort,
    desk: Desk,
) -> anyhow::Result<WebServer> {
    let web = WebServer::bind(web_settings(settings), room, guests, desk)
        .context("panel and guests cannot be served")?;
    tracing::info!("serving panel and guests");
    Ok(web)
}

/// Ready when there is a word, or nobody is left to give one.
async fn told_or_dropped(word: tokio::sync::oneshot::Receiver<()>) {
    let _ = word.await;
}

fn bus(settings: &Settings) -> dbus::Bus {
    match &settings.bus {
        Bus::System => dbus::Bus::System,
        Bus::Session => dbus::Bus::Session,
        Bus::Address(address) => dbus::Bus::Address(address.clone()),
    }
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
        cameras: &[],
        content: &[],
        health: &roomd_api::Health::default(),
        sound_test: &roomd_api::SoundTest::default(),
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

fn platforms(settings: &Settings) -> Platforms {
    let direct = settings.direct.enabled.then(|| DirectConfig {
        hosts: vec![authority(settings)],
        max_guests: usize::from(settings.direct.max_guests),
        ice_servers: ice_servers(settings),
    });
    let matrix_rtc = settings.matrix.as_ref().map(|matrix| MatrixRtcConfig {
        hosts: matrix.element_call.clone(),
        matrix_to: true,
        default_server: matrix.default_server.clone(),
        encryption_required: matrix.encryption == MatrixEncryption::Required,
    });
    roomd_providers::registry(ProvidersConfig { direct, matrix_rtc }).into()
}

fn ice_servers(settings: &Settings) -> Vec<IceServer> {
    let server = |url: &String| IceServer {
        url: url.clone(),
        username: None,
        credential: None,
    };
    let mut servers: Vec<IceServer> = settings.media.stun.iter().map(server).collect();
    let credential = secrets::turn_password(settings).unwrap_or_else(|error| {
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
        metrics_token: secrets::metrics_token(settings).unwrap_or_else(|error| {
            tracing::warn!("the room gives no figures: {error:#}");
            None
        }),
    }
}

fn media_settings(
    settings: &Settings,
    sound_devices: &hardware::SoundDevices,
) -> roomd_media::Settings {
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
        camera_size: hardware::largest_picture(settings),
        hardware_encoders: match media.hardware_encoder {
            HardwareEncoder::Auto => roomd_media::HARDWARE_ENCODERS.to_vec(),
            HardwareEncoder::Off => Vec::new(),
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
        echo: hardware::echo_policy(media, &sound_devices.table),
        display: match media.display {
            Output::Auto => DisplayOutput::Auto,
            Output::Headless => DisplayOutput::Headless,
            Output::Kms => DisplayOutput::Kms,
            Output::Wayland => DisplayOutput::Wayland,
            Output::X11 => DisplayOutput::X11,
        },
        display_connector: settings.display.connector.clone(),
        content_display: content_display(media),
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

fn content_display(media: &roomd_config::Media) -> Option<roomd_media::ContentDisplay> {
    use roomd_media::ContentDisplay as Engine;
    match &media.content_display {
        ContentDisplay::Auto => match media.display {
            Output::Auto | Output::Kms => Some(Engine::Kms(None)),
            Output::Headless | Output::Wayland | Output::X11 => None,
        },
        ContentDisplay::Off => None,
        ContentDisplay::Connector(name) => Some(Engine::Kms(Some(name.clone()))),
        ContentDisplay::X11(server) => Some(Engine::X11(server.clone())),
        ContentDisplay::Wayland(socket) => Some(Engine::Wayland(socket.clone())),
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
