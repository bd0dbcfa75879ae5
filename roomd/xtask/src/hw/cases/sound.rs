// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Microphones, loudspeaker, mixer, and the kernel's loopback card.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use roomd_api::SelfHearPhase;
use roomd_model::FaultCode;
use usb_bar::sound;

use super::super::Figure;
use super::super::bench::Bench;
use super::super::daemon::{Daemon, HEADLESS};

/// How much of a channel's power must be its own tone.
const OWN: f64 = 0.9;
const MICROPHONES: usize = 4;
/// A peak that is silence, and one that is what the microphones hear, of 1.
const QUIET: f64 = 0.01;
const LOUD: f64 = 0.05;

/// Two seconds of all four, as raw frames. ALSA gives up a stream that gets nothing for ten seconds, as
/// happens to an emulated machine without a processor; then it is asked again.
const RECORD: &str = "\
for attempt in 1 2 3; do
  if arecord -q -D hw:$(card A1) -f S16_LE -c 4 -r 48000 -d 2 -t raw >/tmp/sound 2>/dev/null; then break; fi
done
cat /tmp/sound";

fn record(bench: &Bench) -> Result<Vec<u8>> {
    bench.host.bytes(RECORD)
}

/// The figure is the worst channel's share.
pub fn tones(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let bytes = record(bench)?;
    let frames = bytes.len() / (MICROPHONES * 2);
    ensure!(frames >= 2 * sound::RATE, "{frames} frames in two seconds");
    let mut worst = 1.0_f64;
    for (channel, tone) in sound::TONES.iter().enumerate() {
        let samples = sound::channel(&bytes, MICROPHONES, channel);
        // From the middle, where the stream has settled.
        let share = sound::share(&samples[frames / 4..frames * 3 / 4], *tone);
        ensure!(share > OWN, "{tone} Hz is {share:.2} of channel {channel}");
        worst = worst.min(share);
    }
    Ok(Figure {
        value: (worst * 1000.0).round() / 1000.0,
        unit: "share of the own tone",
    })
}

/// Both ways: what ALSA sets the device has, and what the device then sends is silent.
pub fn mixer(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let set = |text: &str| bench.host.text(&format!("amixer -q -c $(card A1) {text}"));
    let bars = bench.bars()?;
    set("sset Mic nocap")?;
    ensure!(
        bars.state("A1")?["microphone_muted"] == true,
        "the bar was not muted"
    );
    let loud = record(bench)?.iter().filter(|byte| **byte != 0).count();
    ensure!(loud == 0, "{loud} bytes of sound from a muted bar");
    set("sset Mic cap")?;
    set("-- sset PCM -20dB")?;
    let state = bars.state("A1")?;
    ensure!(state["microphone_muted"] == false, "the bar stays muted");
    let volume = state["loudspeaker_volume"].as_f64();
    ensure!(
        volume == Some(-20.0),
        "the loudspeaker is at {volume:?} dB, not -20"
    );
    set("sset PCM 100%")?;
    Ok(Figure {
        value: -20.0,
        unit: "dB",
    })
}

/// Makes `/tmp/tone`, raw frames of a tone, the same on both channels, for two seconds and more.
fn tone(hertz: usize) -> String {
    let period = sound::RATE / hertz;
    // As the shell's printf has it, by octal escapes.
    let mut frames = String::new();
    for index in 0..period {
        let turn = index as f64 / period as f64 * std::f64::consts::TAU;
        let sample = (8192.0 * turn.sin()) as i16;
        for byte in sample.to_le_bytes().repeat(2) {
            frames += &format!("\\{byte:03o}");
        }
    }
    // One period, doubled until it is long enough: few processes, which are dear under emulation.
    let doublings = (2 * hertz).next_power_of_two().ilog2();
    format!(
        "printf '{frames}' >/tmp/tone\n\
         for i in $(seq {doublings}); do\n\
         cat /tmp/tone /tmp/tone >/tmp/twice; mv /tmp/twice /tmp/tone; done\n"
    )
}

/// By the bar's own ears.
pub fn loudspeaker(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let script = tone(1000) + "aplay -q -D hw:$(card A1) -f S16_LE -c 2 -r 48000 -t raw /tmp/tone";
    bench.host.text(&script)?;
    let state = bench.bars()?.state("A1")?;
    let played = &state["played"];
    let figure = |value: &serde_json::Value| value.as_f64().unwrap_or_default();
    let (pitch, peak) = (figure(&played["pitch"]), figure(&played["peak"][1]));
    ensure!(
        (peak - 0.25).abs() < 0.01,
        "the peak is {peak}, not 0.25: {played}"
    );
    // Silence before and after counts as well.
    ensure!(
        (800.0..1010.0).contains(&pitch),
        "the pitch is {pitch} Hz: {played}"
    );
    ensure!(
        state["loudspeaker_open"] == false,
        "nobody plays, and the loudspeaker is open"
    );
    Ok(Figure {
        value: pitch.round(),
        unit: "Hz",
    })
}

/// No bar: what the room plays into one end comes out of the other.
pub fn loopback(bench: &mut Bench) -> Result<Figure> {
    let script = "modprobe snd-aloop id=Loop pcm_substreams=1\n".to_owned()
        + &tone(2000)
        + "aplay -q -D hw:Loop,0 -f S16_LE -c 2 -r 48000 -t raw /tmp/tone 2>/dev/null &\n\
           arecord -q -D hw:Loop,1 -f S16_LE -c 2 -r 48000 -d 2 -t raw 2>/dev/null\n\
           wait";
    let bytes = bench.host.bytes(&script)?;
    let samples = sound::channel(&bytes, 2, 1);
    let first = samples
        .iter()
        .position(|sample| *sample != 0)
        .unwrap_or(samples.len());
    let heard = &samples[first..];
    ensure!(
        heard.len() > sound::RATE / 2,
        "{} frames of sound",
        heard.len()
    );
    let share = sound::share(heard, 2000);
    ensure!(share > OWN, "2000 Hz is {share:.2} of what came through");
    Ok(Figure {
        value: (share * 1000.0).round() / 1000.0,
        unit: "share of the tone",
    })
}

/// The bar's microphones hear their tones, which are somebody who speaks: they come out of its loudspeaker
/// once, after that, and the microphone is closed again.
pub fn hear(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let media = format!("{HEADLESS}echo_cancellation = \"off\"\n");
    let room = Daemon::start_with(bench, &media, "")?;
    room.wait_health("microphone-ok")?;
    room.wait("the loudspeaker to open", |state| {
        state.devices.loudspeaker.as_ref().map(drop)
    })?;
    let bars = bench.bars()?;
    let open = |state: &serde_json::Value| state["microphone_open"] == true;
    let heard = |state: &serde_json::Value| state["played"]["peak"][0].as_f64().unwrap_or_default();
    ensure!(!open(&bars.state("A1")?), "an idle room listens");
    room.ctl("hear")?;
    let phase = |state: &roomd_api::State| Some(state.sound_test.self_hear.as_ref()?.phase);
    room.wait("somebody to be listened to", |state| {
        (phase(state) == Some(SelfHearPhase::Speaking)).then_some(())
    })?;
    let (begun, state) = (Instant::now(), bars.state("A1")?);
    ensure!(open(&state), "the microphone is closed: {state}");
    ensure!(heard(&state) < QUIET, "it is played at once: {state}");
    bars.wait("A1", "what was said", |state| heard(state) > LOUD)?;
    let took = begun.elapsed().as_millis() as f64;
    room.wait("its end", |state| phase(state).is_none().then_some(()))?;
    bars.wait("A1", "the microphone to be closed", |state| !open(state))?;
    room.ctl("start-meeting")?;
    let refused = room.ctl("hear");
    ensure!(refused.is_err(), "somebody hears themself in a call");
    room.ctl("leave")?;
    Ok(Figure {
        value: took,
        unit: "ms",
    })
}

/// The loudspeaker is one end of a loopback card, the microphone the other: what is played is what is
/// heard, and the sound test measures the way of the samples through the room's own buffers.
pub fn test(bench: &mut Bench) -> Result<Figure> {
    let card = "modprobe snd-aloop id=Loop pcm_substreams=1";
    bench.host.text(card)?;
    let media = format!(
        "{HEADLESS}microphone = \"plughw:CARD=Loop,DEV=1\"\n\
         loudspeaker = \"plughw:CARD=Loop,DEV=0\"\necho_cancellation = \"off\"\n"
    );
    let room = Daemon::start_with(bench, &media, "")?;
    let never = room.ctl("sound-test --last")?;
    ensure!(never.trim() == "null", "a test before the first: {never}");
    let told = room.ctl("sound-test")?;
    let kept = bench.host.text("cat /var/lib/roomd/sound-test.json")?;
    let kept: serde_json::Value = serde_json::from_str(&kept)?;
    let outcome = &kept["outcome"];
    let figure = |name: &str| outcome[name]["value"].as_f64();
    let delay = figure("delay_ms").with_context(|| format!("no delay: {kept}"))?;
    ensure!((1.0..1000.0).contains(&delay), "a delay of {delay} ms");
    ensure!(
        told.contains("self-test-delay"),
        "roomctl does not tell: {told}"
    );
    ensure!(
        room.ctl("sound-test --last")? == told,
        "the last result is another one"
    );
    let state = room.state()?;
    ensure!(state.sound_test.progress.is_none(), "the test goes on");
    ensure!(
        state.devices.microphone.is_some()
            && state
                .faults
                .iter()
                .all(|it| it.code != FaultCode::MicrophoneMissing),
        "after the test the microphone is missing"
    );
    let open = bench.host.text("cat /proc/asound/Loop/pcm1c/sub0/status")?;
    ensure!(open.trim() == "closed", "the microphone stays open: {open}");
    Ok(Figure {
        value: delay,
        unit: "ms of delay",
    })
}
