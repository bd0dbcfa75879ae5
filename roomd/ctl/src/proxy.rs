// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
/// The room on the bus; see `roomd/interfaces/DBUS.md`.
#[zbus::proxy(
    interface = "org.roomd.Room1",
    default_service = "org.roomd.Room1",
    default_path = "/org/roomd/Room1"
)]
pub(crate) trait Room1 {
    fn status(&self) -> zbus::Result<String>;
    fn meetings(&self) -> zbus::Result<String>;
    fn diagnose(&self) -> zbus::Result<String>;
    fn snapshot(&self) -> zbus::Result<Vec<u8>>;
    fn join(&self, booking: &str) -> zbus::Result<()>;
    fn join_link(&self, url: &str) -> zbus::Result<()>;
    fn start_meeting(&self, password: &str) -> zbus::Result<()>;
    fn leave(&self) -> zbus::Result<()>;
    fn send(&self) -> zbus::Result<()>;
    fn set_microphone(&self, on: bool) -> zbus::Result<()>;
    fn set_camera(&self, on: bool) -> zbus::Result<()>;
    fn set_volume(&self, percent: u8) -> zbus::Result<()>;
    fn set_layout(&self, layout: &str) -> zbus::Result<()>;
    fn admit(&self, participant: &str) -> zbus::Result<()>;
    fn deny(&self, participant: &str) -> zbus::Result<()>;
    fn remove(&self, participant: &str) -> zbus::Result<()>;
    fn answer(&self, booking: &str, accept: bool) -> zbus::Result<()>;
    fn show_pairing_code(&self) -> zbus::Result<()>;
    fn select_camera(&self, name: &str) -> zbus::Result<()>;
    fn move_camera(&self, name: &str, pan: i16, tilt: i16, zoom: i16) -> zbus::Result<()>;
    fn adjust_camera(&self, camera: &str, setting: &str, to: &str) -> zbus::Result<()>;
    fn set_camera_value(&self, camera: &str, setting: &str, value: i32) -> zbus::Result<()>;
    fn recall_preset(&self, camera: &str, preset: &str) -> zbus::Result<()>;
    fn save_preset(&self, camera: &str, preset: &str) -> zbus::Result<()>;
    fn delete_preset(&self, camera: &str, preset: &str) -> zbus::Result<()>;
    fn content_preview(&self, input: &str) -> zbus::Result<Vec<u8>>;
    fn share_content(&self, input: &str) -> zbus::Result<()>;
    fn stop_content(&self) -> zbus::Result<()>;
    fn freeze_content(&self, frozen: bool) -> zbus::Result<()>;
    fn crop_content(
        &self,
        input: &str,
        x: u16,
        y: u16,
        width: u16,
        height: u16,
    ) -> zbus::Result<()>;
    fn display_is_on(&self) -> zbus::Result<()>;
    fn start_sound_test(&self) -> zbus::Result<()>;
    fn stop_sound_test(&self) -> zbus::Result<()>;
    fn start_self_hear(&self) -> zbus::Result<()>;
    fn stop_self_hear(&self) -> zbus::Result<()>;
}
