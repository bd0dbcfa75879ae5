// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::{
    net::{IpAddr, SocketAddr},
    ops::{Range, RangeInclusive},
    path::{Path, PathBuf},
    time::Duration,
};

use chrono_tz::Tz;
use roomd_devices_core::identity::DeviceId;
use roomd_model::Pii;
use toml::Spanned;
use url::Url;

use crate::{
    Bus, Calendar, CalendarSource, Camera, ConfigError, Direct, HostPattern, Join, Loudspeaker,
    Media, Microphone, Remote, Room, Settings, Tls, Turn, Web, hosts::is_host, raw, servers,
    translate::translate,
};

/// Reads a configuration. `file_name` is only for errors.
///
/// # Errors
/// The first thing that is wrong: TOML that does not parse, an unknown key, a value of the wrong
/// kind or out of its range, keys that contradict each other. Not lines of the key map that name no key or no
/// action, which are in [`Buttons::refused`](crate::Buttons::refused).
pub fn parse(text: &str, file_name: &str) -> Result<Settings, ConfigError> {
    let checker = Checker { text, file_name };
    let file: raw::File =
        toml::from_str(text).map_err(|error| translate(text, file_name, &error))?;
    checker.settings(file)
}

pub(crate) struct Checker<'a> {
    text: &'a str,
    file_name: &'a str,
}

/// A key, where it stands, and with which sources it means something.
type Place = (&'static str, Option<Range<usize>>, &'static [raw::Source]);

pub(crate) type Checked<T> = Result<T, ConfigError>;

impl Checker<'_> {
    fn settings(&self, file: raw::File) -> Checked<Settings> {
        let room = self.room(file.room)?;
        let default = Settings::default_for("");
        let bus = match file.dbus.bus {
            Some(bus) => self.bus(&bus)?,
            None => default.bus,
        };
        let state_directory = match file.state.directory {
            Some(directory) => self.path(&directory)?,
            None => default.state_directory,
        };
        let (media, display) = (self.media(&file.media)?, self.display(&file.display)?);
        self.displays_apart(&file.media, &media, &display)?;
        Ok(Settings {
            room,
            join: self.join(&file.join)?,
            calendar: self.calendar(&file.calendar)?,
            direct: self.direct(file.direct)?,
            matrix: self.matrix(file.matrix)?,
            web: self.web(&file.web)?,
            media,
            cameras: self.cameras(&file.cameras)?,
            content: self.content(&file.content)?,
            display,
            buttons: self.buttons(&file.buttons)?,
            bus,
            state_directory,
            log_level: file.log.level,
        })
    }

    fn room(&self, room: Option<Spanned<raw::Room>>) -> Checked<Room> {
        let nameless = |span| {
            self.error(span, "the room has no name")
                .with_help("add `name = \"...\"` below `[room]`, as on the door")
        };
        let Some(room) = room else {
            return Err(nameless(0..0));
        };
        let span = room.span();
        let room = room.into_inner();
        let Some(name) = room.name else {
            return Err(nameless(span));
        };
        let time_zone = match room.time_zone {
            Some(zone) => zone.get_ref().parse::<Tz>().map_err(|_| {
                self.error(zone.span(), "unknown time zone")
                    .with_help("use an IANA name such as \"Europe/Berlin\"")
            })?,
            None => Tz::Europe__Berlin,
        };
        Ok(Room {
            name: self.words(&name, 60)?,
            language: room.language.unwrap_or_default(),
            time_zone,
            support: room
                .support
                .map(|text| self.words(&text, 120))
                .transpose()?,
        })
    }

    fn join(&self, join: &raw::Join) -> Checked<Join> {
        let default = Join::default();
        let allow = join.allow.iter().map(|host| {
            HostPattern::parse(host.get_ref()).ok_or_else(|| {
                self.error(host.span(), "not a host name").with_help(
                    "write \"meet.example.org\" or \"*.example.org\", without `https://`",
                )
            })
        });
        Ok(Join {
            sending: join.sending,
            window: match &join.window_minutes {
                Some(minutes) => Duration::from_secs(self.number(minutes, 0..=60)? * 60),
                None => default.window,
            },
            empty_call: match &join.empty_call_seconds {
                Some(seconds) => Duration::from_secs(self.number(seconds, 60..=600)?),
                None => default.empty_call,
            },
            allow: allow.collect::<Checked<_>>()?,
        })
    }

    fn calendar(&self, calendar: &raw::Calendar) -> Checked<Calendar> {
        let source = calendar.source.as_ref();
        let kind = source.map_or(raw::Source::None, |source| *source.get_ref());
        let places: [Place; 6] = [
            ("path", span(calendar.path.as_ref()), &[raw::Source::File]),
            ("url", span(calendar.url.as_ref()), REMOTE),
            ("username", span(calendar.username.as_ref()), REMOTE),
            (
                "password_file",
                span(calendar.password_file.as_ref()),
                REMOTE,
            ),
            ("ca_file", span(calendar.ca_file.as_ref()), REMOTE),
            (
                "address",
                span(calendar.address.as_ref()),
                &[raw::Source::Caldav],
            ),
        ];
        for (key, place, kinds) in places {
            if let Some(place) = place
                && !kinds.contains(&kind)
            {
                let source = name(kind);
                let cause = format!("`{key}` means nothing with source = \"{source}\"");
                let wanted: Vec<String> = kinds
                    .iter()
                    .map(|kind| format!("\"{}\"", name(*kind)))
                    .collect();
                let help = format!("set `source` to {}, or remove `{key}`", wanted.join(" or "));
                return Err(self.error(place, &cause).with_help(help));
            }
        }
        let place = source.map_or(0..0, Spanned::span);
        let default = Calendar::default();
        Ok(Calendar {
            source: match kind {
                raw::Source::None => CalendarSource::None,
                raw::Source::File => {
                    let path = self.needed(calendar.path.as_ref(), &place, "file", "path")?;
                    CalendarSource::File(self.path(path)?)
                }
                raw::Source::Ics => CalendarSource::Ics(self.remote(calendar, &place, "ics")?),
                raw::Source::Caldav => {
                    CalendarSource::CalDav(self.remote(calendar, &place, "caldav")?)
                }
            },
            address: calendar
                .address
                .as_ref()
                .map(|address| self.address(address))
                .transpose()?,
            poll: match &calendar.poll_seconds {
                Some(seconds) => Duration::from_secs(self.number(seconds, 10..=60)?),
                None => default.poll,
            },
            titles: calendar.titles.unwrap_or_default(),
        })
    }

    fn address(&self, text: &Spanned<String>) -> Checked<Pii<String>> {
        let address = text.get_ref();
        let parts = address.split_once('@');
        let valid = parts.is_some_and(|(name, host)| !name.is_empty() && is_host(host))
            && !address.contains(char::is_whitespace);
        if valid {
            return Ok(Pii::new(address.clone()));
        }
        Err(self
            .error(text.span(), "not an address")
            .with_help("write it as the invitations name the room: \"elbe@example.org\""))
    }

    fn remote(
        &self,
        calendar: &raw::Calendar,
        place: &Range<usize>,
        source: &str,
    ) -> Checked<Remote> {
        let url = self.needed(calendar.url.as_ref(), place, source, "url")?;
        let (username, password) = (calendar.username.as_ref(), calendar.password_file.as_ref());
        if let (Some(username), None) = (username, password) {
            return Err(self
                .error(username.span(), "`username` without `password_file`")
                .with_help("add `password_file = \"/etc/roomd/calendar-password\"`"));
        }
        if let (None, Some(password)) = (username, password) {
            return Err(self
                .error(password.span(), "`password_file` without `username`")
                .with_help("add `username = \"...\"`, the room's account"));
        }
        Ok(Remote {
            url: Pii::new(self.url(url)?),
            username: username.map(|username| Pii::new(username.get_ref().clone())),
            password_file: password.map(|file| self.path(file)).transpose()?,
            ca_file: calendar
                .ca_file
                .as_ref()
                .map(|file| self.path(file))
                .transpose()?,
        })
    }

    fn direct(&self, direct: raw::Direct) -> Checked<Direct> {
        let default = Direct::default();
        let max_guests = match &direct.max_guests {
            Some(count) => u8::try_from(self.number(count, 1..=6)?).unwrap_or(u8::MAX),
            None => default.max_guests,
        };
        let host = match direct.host {
            Some(host) if is_host(host.get_ref()) => Some(host.into_inner()),
            Some(host) => {
                return Err(self
                    .error(host.span(), "not a host name")
                    .with_help("write \"room-2.example.org\", without `https://` and port"));
            }
            None => None,
        };
        let password_default = match direct.password_default {
            Some(password) if password.get_ref().expose().chars().count() < 8 => {
                return Err(self.error(password.span(), "a password needs 8 characters or more"));
            }
            password => password.map(Spanned::into_inner),
        };
        Ok(Direct {
            enabled: direct.enabled.unwrap_or(default.enabled),
            max_guests,
            host,
            password_default,
        })
    }

    fn web(&self, web: &raw::Web) -> Checked<Web> {
        let default = Web::default();
        let listen = match &web.listen {
            Some(listen) => listen.get_ref().parse::<SocketAddr>().map_err(|_| {
                self.error(listen.span(), "not a socket address")
                    .with_help("write \"[::]:443\" or \"192.0.2.7:443\"; ports end at 65535")
            })?,
            None => default.listen,
        };
        let tls = match &web.tls {
            None => default.tls,
            Some(tls) => self.tls(tls)?,
        };
        let path = |path: &Option<Spanned<String>>, default: PathBuf| match path {
            Some(path) => self.path(path),
            None => Ok(default),
        };
        Ok(Web {
            listen,
            tls,
            kiosk_dir: path(&web.kiosk_dir, default.kiosk_dir)?,
            panel_token: path(&web.panel_token, default.panel_token)?,
            metrics_token_file: web
                .metrics_token_file
                .as_ref()
                .map(|file| self.path(file))
                .transpose()?,
        })
    }

    fn tls(&self, tls: &Spanned<raw::Tls>) -> Checked<Tls> {
        match tls.get_ref() {
            raw::Tls::Name(name) if name == "device" => Ok(Tls::Device),
            raw::Tls::Files(files) => {
                let (certificate, key) = (&files.certificate, &files.key);
                for path in [certificate, key] {
                    if !Path::new(path).is_absolute() {
                        return Err(self.error(tls.span(), "a path must begin with `/`"));
                    }
                }
                Ok(Tls::Files {
                    certificate: certificate.into(),
                    key: key.into(),
                })
            }
            raw::Tls::Name(_) => Err(self
                .error(tls.span(), "unknown kind of TLS")
                .with_help("use \"device\" or { certificate = \"/...\", key = \"/...\" }")),
        }
    }

    fn media(&self, media: &raw::Media) -> Checked<Media> {
        let microphone = match &media.microphone {
            Some(text) => match (text.get_ref().as_str(), self.recording(text)) {
                ("auto", _) => Microphone::Auto,
                ("test", _) => Microphone::Test,
                (_, Some(file)) => Microphone::File(file),
                (_, None) => Microphone::Device(self.alsa(text)?),
            },
            None => Microphone::Auto,
        };
        let loudspeaker = match &media.loudspeaker {
            Some(text) => match text.get_ref().as_str() {
                "auto" => Loudspeaker::Auto,
                "off" => Loudspeaker::Off,
                _ => Loudspeaker::Device(self.alsa(text)?),
            },
            None => Loudspeaker::Auto,
        };
        let addresses = media.addresses.iter().map(|text| {
            text.get_ref()
                .parse::<IpAddr>()
                .map_err(|_| self.error(text.span(), "not an IP address"))
        });
        let devices = media.echo_cancelling_devices.iter();
        let devices = devices.map(|text| self.device_name(text));
        let stun = media.stun.iter().map(|text| self.stun(text));
        Ok(Media {
            camera: match &media.camera {
                Some(camera) => self.camera(camera)?,
                None => Camera::Auto,
            },
            camera_size: media.camera_size,
            hardware_encoder: media.hardware_encoder,
            mains: self.mains(media.mains_hz.as_ref())?,
            microphone,
            loudspeaker,
            loudspeaker_level: media.loudspeaker_level,
            echo_cancellation: media.echo_cancellation,
            echo_cancelling_devices: devices.collect::<Checked<_>>()?,
            sound_devices: media
                .sound_devices
                .as_ref()
                .map(|path| self.path(path))
                .transpose()?,
            display: media.display,
            content_display: media
                .content_display
                .as_ref()
                .map(|text| self.content_display(text))
                .transpose()?
                .unwrap_or_default(),
            udp_ports: media
                .udp_ports
                .as_ref()
                .map(|text| self.ports(text))
                .transpose()?,
            addresses: addresses.collect::<Checked<_>>()?,
            stun: stun.collect::<Checked<_>>()?,
            turn: media
                .turn
                .as_ref()
                .map(|turn| self.turn(turn))
                .transpose()?,
            ca_file: media
                .ca_file
                .as_ref()
                .map(|file| self.path(file))
                .transpose()?,
            include_loopback: media.include_loopback,
        })
    }

    fn camera(&self, text: &Spanned<String>) -> Checked<Camera> {
        match (text.get_ref().as_str(), self.recording(text)) {
            ("auto", _) => Ok(Camera::Auto),
            ("test", _) => Ok(Camera::Test),
            (_, Some(file)) => Ok(Camera::File(file)),
            (device, None) if device.starts_with("/dev/") => Ok(Camera::Device(device.into())),
            (_, None) => Err(self.error(text.span(), "not a camera").with_help(
                "use \"auto\", \"test\", a device such as \"/dev/video0\", or a recording's path",
            )),
        }
    }

    fn recording(&self, text: &Spanned<String>) -> Option<PathBuf> {
        let path = Path::new(text.get_ref());
        let is_file = path.is_absolute() && !path.starts_with("/dev");
        is_file.then(|| path.to_owned())
    }

    fn alsa(&self, text: &Spanned<String>) -> Checked<String> {
        let name = text.get_ref();
        let plain = |c: char| c.is_ascii_alphanumeric() || ":,=._-".contains(c);
        let known = name.contains(':') || matches!(name.as_str(), "default" | "pulse" | "pipewire");
        let identity = name.parse::<DeviceId>().is_ok();
        if identity || known && name.len() <= 120 && name.chars().all(plain) {
            return Ok(name.clone());
        }
        Err(self
            .error(text.span(), "not a sound device")
            .with_help("use \"auto\", an ALSA device such as \"hw:1,0\" or \"default\", or a USB id such as \"046d:0857\""))
    }

    fn device_name(&self, text: &Spanned<String>) -> Checked<String> {
        let name = text.get_ref().trim();
        if (4..=120).contains(&name.chars().count()) {
            return Ok(name.to_owned());
        }
        Err(self
            .error(text.span(), "not part of a device's name")
            .with_help("use a USB id such as \"046d:0857\", or 4 letters of the name or more"))
    }

    fn ports(&self, text: &Spanned<String>) -> Checked<RangeInclusive<u16>> {
        let ports = text.get_ref().split_once('-').and_then(|(first, last)| {
            let first: u16 = first.trim().parse().ok()?;
            let last: u16 = last.trim().parse().ok()?;
            (first >= 1024 && first <= last).then_some(first..=last)
        });
        ports.ok_or_else(|| {
            self.error(text.span(), "not a range of ports")
                .with_help("write \"40000-40100\"; ports lie between 1024 and 65535")
        })
    }

    fn stun(&self, text: &Spanned<String>) -> Checked<String> {
        if servers::is_stun(text.get_ref()) {
            return Ok(text.get_ref().clone());
        }
        Err(self
            .error(text.span(), "not a STUN server")
            .with_help("write \"stun:stun.example.org:3478\""))
    }

    fn turn(&self, turn: &Spanned<raw::Turn>) -> Checked<Turn> {
        let place = turn.span();
        let turn = turn.get_ref();
        if let Some(fault) = servers::fault(turn.urls.len(), &turn.username) {
            return Err(self.error(place, &fault));
        }
        let urls = turn.urls.iter().map(|url| self.turn_url(url));
        Ok(Turn {
            urls: urls.collect::<Checked<_>>()?,
            username: Pii::new(turn.username.clone()),
            password_file: self.path(&turn.password_file)?,
        })
    }

    fn turn_url(&self, text: &Spanned<String>) -> Checked<String> {
        if servers::is_turn(text.get_ref()) {
            return Ok(text.get_ref().clone());
        }
        let help = "write \"turns:turn.example.org:443\" or \"turn:192.0.2.1?transport=tcp\"";
        Err(self.error(text.span(), "not a TURN server").with_help(help))
    }

    fn bus(&self, bus: &Spanned<String>) -> Checked<Bus> {
        match bus.get_ref().as_str() {
            "system" => Ok(Bus::System),
            "session" => Ok(Bus::Session),
            address if address.contains(":") && address.contains('=') => {
                Ok(Bus::Address(address.to_owned()))
            }
            _ => Err(self.error(bus.span(), "unknown bus").with_help(
                "use \"system\", \"session\" or an address such as \"unix:path=/run/bus\"",
            )),
        }
    }

    pub(crate) fn url(&self, text: &Spanned<String>) -> Checked<Url> {
        let url = Url::parse(text.get_ref())
            .map_err(|cause| self.error(text.span(), &format!("not a URL: {cause}")))?;
        let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && local) {
            return Err(self
                .error(text.span(), "the URL is not https")
                .with_help("only the device itself may be asked without encryption"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(self
                .error(text.span(), "the URL carries an account")
                .with_help("use `username` and `password_file`"));
        }
        Ok(url)
    }

    pub(crate) fn path(&self, text: &Spanned<String>) -> Checked<PathBuf> {
        let path = Path::new(text.get_ref());
        if path.is_absolute() {
            return Ok(path.to_owned());
        }
        Err(self.error(text.span(), "a path must begin with `/`"))
    }

    pub(crate) fn words(&self, text: &Spanned<String>, most: usize) -> Checked<String> {
        let words = text.get_ref().trim();
        if words.is_empty() {
            return Err(self.error(text.span(), "the text is empty"));
        }
        if words.chars().count() > most || words.chars().any(char::is_control) {
            let cause = format!("the text is longer than {most} characters or than one line");
            return Err(self.error(text.span(), &cause));
        }
        Ok(words.to_owned())
    }

    pub(crate) fn number(&self, value: &Spanned<i64>, range: RangeInclusive<u64>) -> Checked<u64> {
        match u64::try_from(*value.get_ref()) {
            Ok(number) if range.contains(&number) => Ok(number),
            Ok(_) | Err(_) => {
                let (least, most) = range.into_inner();
                let cause = format!("{} is out of range", value.get_ref());
                let help = format!("use a number from {least} to {most}");
                Err(self.error(value.span(), &cause).with_help(help))
            }
        }
    }

    fn needed<'v>(
        &self,
        value: Option<&'v Spanned<String>>,
        place: &Range<usize>,
        source: &str,
        key: &str,
    ) -> Checked<&'v Spanned<String>> {
        value.ok_or_else(|| {
            let cause = format!("source = \"{source}\" needs `{key}`");
            self.error(place.clone(), &cause)
                .with_help(format!("add `{key} = \"...\"` below `[calendar]`"))
        })
    }

    pub(crate) fn error(&self, span: Range<usize>, cause: &str) -> ConfigError {
        ConfigError::new(self.text, self.file_name, span, cause.to_owned())
    }
}

const REMOTE: &[raw::Source] = &[raw::Source::Ics, raw::Source::Caldav];

const fn name(source: raw::Source) -> &'static str {
    match source {
        raw::Source::None => "none",
        raw::Source::File => "file",
        raw::Source::Ics => "ics",
        raw::Source::Caldav => "caldav",
    }
}

fn span(value: Option<&Spanned<String>>) -> Option<Range<usize>> {
    value.map(Spanned::span)
}
