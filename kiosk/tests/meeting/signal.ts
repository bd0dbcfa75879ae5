// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// What a guest shows and says: pictures with a time code and the guest's number, and a tone of the
// guest's own, so that whoever receives them can prove whose they are.

export interface Signal {
  /** The number in the picture of the camera; a shared screen has it plus `SCREEN`. */
  number: number;
  /** The frequency of the sound. */
  hertz: number;
  width: number;
  height: number;
  fps: number;
}

/** What a shared screen's number has more than the camera's. */
export const SCREEN = 100;

/** The part of a picture's height above the place where names are written. */
export const ABOVE_NAMES = 5 / 6;

/** A track that shows a moving picture with a time code; ends with `stop`. */
export function picture({ number, width, height, fps }: Signal): MediaStreamTrack {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const [track] = canvas.captureStream(fps).getVideoTracks();
  if (!context || !track) throw new Error("the canvas gives no picture");
  const draw = () => {
    const now = Date.now();
    paint(context, number, now);
    roomdProbe.drawTimecode(
      context,
      { millis: now, source: number },
      { width, height: height * ABOVE_NAMES },
    );
  };
  draw();
  const timer = setInterval(() => {
    if (track.readyState === "ended") clearInterval(timer);
    else draw();
  }, 1000 / fps);
  return track;
}

/** The time code in a picture that arrived. A guest's stands above where names are written. */
export function readTimeCode(video: HTMLVideoElement): TimeCode | null {
  if (!video.videoWidth) return null;
  const above = { width: video.videoWidth, height: video.videoHeight * ABOVE_NAMES };
  return roomdProbe.readTimecode(video, above) ?? roomdProbe.readTimecode(video);
}

/** A coloured ground with a disc that moves, for people who look at it. */
function paint(context: CanvasRenderingContext2D, number: number, now: number): void {
  const { width, height } = context.canvas;
  context.fillStyle = `hsl(${(number * 70) % 360} 40% 30%)`;
  context.fillRect(0, 0, width, height);
  const turn = ((now % 8000) / 8000) * 2 * Math.PI;
  context.fillStyle = `hsl(${(number * 70) % 360} 60% 70%)`;
  context.beginPath();
  context.arc(width * (0.5 + 0.3 * Math.cos(turn)), height / 3, height / 9, 0, 2 * Math.PI);
  context.fill();
}

/** A track that holds a tone, swelling like speech. */
export function tone({ hertz }: Signal): MediaStreamTrack {
  const audio = new AudioContext();
  const out = audio.createMediaStreamDestination();
  const gain = audio.createGain();
  gain.gain.value = 0.25;
  oscillate(audio, hertz).connect(gain).connect(out);
  const swell = audio.createGain();
  swell.gain.value = 0.15;
  oscillate(audio, 2).connect(swell).connect(gain.gain);
  void audio.resume();
  const [track] = out.stream.getAudioTracks();
  if (!track) throw new Error("the destination gives no sound");
  return track;
}

function oscillate(audio: AudioContext, hertz: number): OscillatorNode {
  const oscillator = audio.createOscillator();
  oscillator.frequency.value = hertz;
  oscillator.start();
  return oscillator;
}
