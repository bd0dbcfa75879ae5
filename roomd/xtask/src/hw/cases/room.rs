// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What can be asked of any room, whatever hardware it has.

use anyhow::{Result, ensure};

use super::super::bench::Bench;
use super::super::{Figure, count};

/// Nodes that capture; each gets five seconds to send five pictures. A capture card without a signal
/// is no camera that fails.
const CAMERAS: &str = "\
for node in /dev/video*; do
  caps=$(v4l2-ctl -d $node --info 2>/dev/null | sed -n '/Device Caps/,$p')
  case $caps in *'Video Capture'*) ;; *) continue ;; esac
  v4l2-ctl -d $node --get-input 2>/dev/null | grep -q 'no signal' && continue
  bytes=$(timeout 10 v4l2-ctl -d $node --stream-mmap --stream-count=5 --stream-to=- 2>/dev/null | wc -c)
  echo \"$node $bytes\"
done";

/// Every camera, by how much it sends.
pub fn cameras(bench: &mut Bench) -> Result<Figure> {
    plug(bench)?;
    let text = bench.host.text(CAMERAS)?;
    ensure!(!text.is_empty(), "the room has no camera");
    let silent: Vec<&str> = text.lines().filter(|line| line.ends_with(" 0")).collect();
    ensure!(silent.is_empty(), "no pictures from {silent:?}");
    Ok(count(text.lines().count(), "cameras"))
}

/// A loopback card hears only what is played, so it is left out.
const MICROPHONES: &str = "\
for path in /sys/class/sound/pcmC*c; do
  [ -e $path ] || continue
  name=${path##*/pcmC}; card=${name%D*}; device=${name#*D}; device=${device%c}
  [ \"$(cat /sys/class/sound/card$card/id)\" = Loop ] && continue
  sound=$(arecord -q -D plughw:$card,$device -f S16_LE -d 1 -t raw 2>/dev/null | tr -d '\\000' | wc -c)
  echo \"$card,$device $sound\"
done";

/// Every microphone, by whether it hears anything at all.
pub fn microphones(bench: &mut Bench) -> Result<Figure> {
    plug(bench)?;
    let text = bench.host.text(MICROPHONES)?;
    ensure!(!text.is_empty(), "the room has no microphone");
    let silent: Vec<&str> = text.lines().filter(|line| line.ends_with(" 0")).collect();
    ensure!(silent.is_empty(), "no sound from {silent:?}");
    Ok(count(text.lines().count(), "microphones"))
}

/// In a virtual room there is something only when it is plugged.
fn plug(bench: &Bench) -> Result<()> {
    if bench.bars().is_ok() {
        bench.attach("A1")?;
    }
    Ok(())
}

/// What a kernel says when something is broken; USB/IP's own note about hubs is not among it.
const BROKEN: &str =
    "dmesg | grep -E 'BUG:|Oops|WARNING: |blocked for more than|Call Trace' || true";

/// The last word on everything before.
pub fn kernel_log(bench: &mut Bench) -> Result<Figure> {
    let text = bench.host.text(BROKEN)?;
    ensure!(text.is_empty(), "the kernel says:\n{text}");
    let lines = bench.host.text("dmesg | wc -l")?;
    Ok(count(lines.parse()?, "lines, none of them bad"))
}
