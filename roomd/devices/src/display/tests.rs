// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use super::*;
use crate::sysfs::tests::tree;

fn none() -> watch::Receiver<Vec<CecAdapter>> {
    watch::channel(Vec::new()).1
}

fn adapter(node: PathBuf, path: &str, arrivals: u64) -> CecAdapter {
    CecAdapter {
        node,
        path: path.to_owned(),
        arrivals,
    }
}

/// A task whose news nobody reads.
fn task(config: DisplayConfig, adapters: watch::Receiver<Vec<CecAdapter>>, root: &Path) -> Task {
    let (publish, _) = watch::channel(DisplayState::default());
    Task::new(config, adapters, Sysfs::at(root), publish)
}

#[tokio::test]
async fn an_adapter_that_comes_again_begins_anew() {
    let root = tree();
    std::fs::remove_dir(root.path().join("class/drm/card0-HDMI-A-1/i2c-7")).unwrap();
    let node = root.path().join("cec0");
    let config = DisplayConfig {
        cec: Some(node.clone()),
        ..DisplayConfig::default()
    };
    let (adapters, receiver) = watch::channel(Vec::new());
    let mut task = task(config, receiver, root.path());
    task.look().await;
    task.want(Power::On).await;
    let log = |task: &Task| -> Vec<Happened> {
        let lines = task.control.log().lines();
        lines.map(|(_, happened)| *happened).collect()
    };
    let expected = [Happened::Wanted(Power::On), Happened::Asked(Power::On)];
    assert_eq!(log(&task), expected);
    task.look().await;
    assert_eq!(log(&task), expected);
    let (when, _) = *task.control.log().lines().next().unwrap();
    adapters.send_replace(vec![adapter(node.clone(), "", 1)]);
    task.look().await;
    let (again, _) = *task.control.log().lines().next().unwrap();
    assert_eq!(log(&task), expected);
    assert!(again > when);
    assert_eq!(task.line, Some(Line { node, arrivals: 1 }));
    // One that is gone leaves its place to itself.
    adapters.send_replace(Vec::new());
    task.look().await;
    assert_eq!(task.line.as_ref().unwrap().arrivals, 1);
}

#[tokio::test]
async fn a_line_of_which_nobody_knows_whose_it_is_is_the_first_displays() {
    let root = tree();
    let receiver = "devices/usb1/1-2/1-2:1.0";
    std::fs::create_dir_all(root.path().join(receiver).join("video4linux")).unwrap();
    let found = |strict: bool, taken: Option<PathBuf>, path: String| {
        let config = DisplayConfig {
            connector: Some("HDMI-A-1".to_owned()),
            taken,
            strict,
            ..DisplayConfig::default()
        };
        let adapter = adapter(root.path().join("cec0"), &path, 1);
        let adapters = watch::channel(vec![adapter]).1;
        let mut task = task(config, adapters, root.path());
        async move {
            task.look().await;
            task.line.is_some()
        }
    };
    let usb = || "/devices/usb1/1-3/1-3:1.0/cec0".to_owned();
    assert!(found(false, None, usb()).await);
    assert!(!found(true, None, usb()).await);
    let taken = Some(root.path().join("cec0"));
    assert!(!found(false, taken, usb()).await);
    assert!(!found(false, None, format!("/{receiver}/cec0")).await);
}

#[tokio::test]
async fn a_sleeping_display_that_looks_unplugged_is_not_taken_for_another() {
    let root = tree();
    let plug = |name: &str, status: &str| {
        let folder = root.path().join("class/drm").join(name);
        std::fs::write(folder.join("status"), status).unwrap();
    };
    std::fs::remove_dir(root.path().join("class/drm/card0-HDMI-A-1/i2c-7")).unwrap();
    plug("card0-eDP-1", "connected");
    let mut task = task(DisplayConfig::default(), none(), root.path());
    let display = |task: &Task| task.publish.borrow().display.clone().unwrap();
    task.look().await;
    task.want(Power::Standby).await;
    plug("card0-HDMI-A-1", "disconnected");
    task.look().await;
    assert_eq!(task.known, None);
    assert_eq!(display(&task), "HDMI-A-1");
    task.want(Power::On).await;
    task.look().await;
    assert_eq!(display(&task), "eDP-1");
    plug("card0-HDMI-A-1", "connected");
    task.look().await;
    assert_eq!(display(&task), "HDMI-A-1");
    // Content's is people's while there is no other.
    task.config.apart = Some("HDMI-A-1".to_owned());
    task.look().await;
    assert_eq!(display(&task), "eDP-1");
    plug("card0-eDP-1", "disconnected");
    task.look().await;
    assert_eq!(display(&task), "HDMI-A-1");
}

/// A display that has neither CEC nor DDC/CI and is to be on.
async fn wanted(root: &tempfile::TempDir) -> (DisplayHandle, watch::Receiver<DisplayState>) {
    std::fs::remove_dir(root.path().join("class/drm/card0-HDMI-A-1/i2c-7")).unwrap();
    let handle = spawn(DisplayConfig::default(), none(), Sysfs::at(root.path()));
    let state = handle.state.clone();
    let wish = Command::Want(Power::On);
    handle.commands.send(wish).await.unwrap();
    (handle, state)
}

#[tokio::test]
async fn without_cec_and_ddc_people_are_asked() {
    let root = tree();
    let (handle, mut state) = wanted(&root).await;
    let asks = state.wait_for(|state| state.asks).await.unwrap();
    assert_eq!(asks.connectors.len(), 2);
    assert_eq!(asks.log.last().unwrap().1, Happened::Asked(Power::On));
    drop(asks);
    handle.commands.send(Command::Confirmed).await.unwrap();
    state.wait_for(|state| !state.asks).await.unwrap();
}

#[tokio::test]
async fn a_line_without_a_place_is_tried_again_and_less_often() {
    let root = tree();
    let config = DisplayConfig {
        cec: Some(root.path().join("cec0")),
        ..DisplayConfig::default()
    };
    let mut task = task(config, none(), root.path());
    assert!(!task.misses_place());
    task.look().await;
    let (first, wait) = task.again.unwrap();
    assert_eq!(wait, AGAIN);
    assert!(!task.misses_place());
    task.look().await;
    assert_eq!(task.again, Some((first, wait)));
    task.again = Some((Instant::now(), wait));
    assert!(task.misses_place());
    task.look().await;
    assert_eq!(task.again.unwrap().1, AGAIN * 2);
    task.again = Some((Instant::now(), AGAIN_AT_MOST));
    task.look().await;
    assert_eq!(task.again.unwrap().1, AGAIN_AT_MOST);
    // Without the adapter there is nothing to try.
    task.line = None;
    task.again = None;
    assert!(!task.misses_place());
}

#[tokio::test]
async fn a_display_that_is_plugged_in_later_gets_the_wish() {
    let root = tree();
    let status = root.path().join("class/drm/card0-HDMI-A-1/status");
    std::fs::write(&status, "disconnected\n").unwrap();
    let (handle, mut state) = wanted(&root).await;
    state.wait_for(|state| !state.log.is_empty()).await.unwrap();
    assert!(!state.borrow().asks);
    std::fs::write(&status, "connected\n").unwrap();
    handle.commands.send(Command::Look).await.unwrap();
    state.wait_for(|state| state.asks).await.unwrap();
}
