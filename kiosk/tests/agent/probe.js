// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Runs in a page under test, before the page's own scripts: records its peer connections and reads
// picture and sound back. Nothing of it is part of the product.
(() => {
  const connections = [];
  const Native = globalThis.RTCPeerConnection;
  if (Native) {
    globalThis.RTCPeerConnection = class extends Native {
      constructor(...args) {
        super(...args);
        connections.push(this);
      }
    };
  }

  // Geometry of roomd/media/core/src/timecode.rs.
  const COLUMNS = 32;
  const ROWS = 3;
  const MARGIN = 4;
  const PER_WIDTH = 40;
  const MARK = 0xa5;

  function crc16(bytes) {
    let sum = 0xffff;
    for (const byte of bytes) {
      sum ^= byte << 8;
      for (let bit = 0; bit < 8; bit += 1) {
        sum = ((sum & 0x8000 ? (sum << 1) ^ 0x1021 : sum << 1) & 0xffff) >>> 0;
      }
    }
    return sum;
  }

  /** Pixels of a video, canvas or image, or null while there are none. */
  function pixels(source) {
    const width = source.videoWidth ?? source.naturalWidth ?? source.width;
    const height = source.videoHeight ?? source.naturalHeight ?? source.height;
    if (!width || !height) return null;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(source, 0, 0);
    return context.getImageData(0, 0, width, height);
  }

  function mean({ data, width, height }, left, top, right, bottom) {
    const x0 = Math.max(0, Math.floor(left));
    const x1 = Math.min(width, Math.floor(right));
    const y0 = Math.max(0, Math.floor(top));
    const y1 = Math.min(height, Math.floor(bottom));
    let sum = 0;
    let count = 0;
    for (let y = y0; y < y1; y += 1) {
      for (let x = x0; x < x1; x += 1) {
        const at = (y * width + x) * 4;
        sum += 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
        count += 1;
      }
    }
    return count ? sum / count : 0;
  }

  /**
   * Reads the time code of a picture: `{ millis, source, width, height, readAt }`, or null.
   * `area` is the part of the picture that holds it, in pixels; the whole picture by default.
   */
  function readTimecode(source, area) {
    const image = pixels(source);
    if (!image) return null;
    const readAt = Date.now();
    const { x = 0, y = 0, width = image.width, height = image.height } = area ?? {};
    const cell = width / PER_WIDTH;
    const bytes = new Uint8Array((COLUMNS * ROWS) / 8);
    for (let index = 0; index < COLUMNS * ROWS; index += 1) {
      const left = x + (MARGIN + (index % COLUMNS)) * cell;
      const top = y + height - (1 + ROWS - Math.floor(index / COLUMNS)) * cell;
      const luma = mean(
        image,
        left + cell / 4,
        top + cell / 4,
        left + (cell * 3) / 4,
        top + (cell * 3) / 4,
      );
      if (luma > 127) bytes[index >> 3] |= 1 << (7 - (index & 7));
    }
    if (bytes[9] !== MARK || crc16(bytes.subarray(0, 10)) !== ((bytes[10] << 8) | bytes[11])) {
      return null;
    }
    const millis = Number(new DataView(bytes.buffer).getBigUint64(0));
    return { millis, source: bytes[8], width: image.width, height: image.height, readAt };
  }

  /** Draws a time code where `readTimecode` looks for it in an area of this size. */
  function drawTimecode(context, { millis, source }, { width, height }) {
    const bytes = new Uint8Array((COLUMNS * ROWS) / 8);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(millis));
    bytes[8] = source;
    bytes[9] = MARK;
    view.setUint16(10, crc16(bytes.subarray(0, 10)));
    const cell = width / PER_WIDTH;
    for (let index = 0; index < COLUMNS * ROWS; index += 1) {
      const left = (MARGIN + (index % COLUMNS)) * cell;
      const top = height - (1 + ROWS - Math.floor(index / COLUMNS)) * cell;
      context.fillStyle = (bytes[index >> 3] >> (7 - (index & 7))) & 1 ? "#fff" : "#000";
      context.fillRect(left, top, cell, cell);
    }
  }

  /** `{ mean, deviation, width, height }` of a picture's luma; a black or grey one deviates by 0. */
  function luma(source) {
    const image = pixels(source);
    if (!image) return null;
    let sum = 0;
    let squares = 0;
    let count = 0;
    for (let at = 0; at < image.data.length; at += 4 * 97) {
      const value =
        0.299 * image.data[at] + 0.587 * image.data[at + 1] + 0.114 * image.data[at + 2];
      sum += value;
      squares += value * value;
      count += 1;
    }
    const average = sum / count;
    return {
      mean: average,
      deviation: Math.sqrt(Math.max(0, squares / count - average * average)),
      width: image.width,
      height: image.height,
    };
  }

  function goertzel(samples, rate, hertz) {
    const factor = 2 * Math.cos((2 * Math.PI * hertz) / rate);
    let one = 0;
    let two = 0;
    for (const sample of samples) {
      const next = sample + factor * one - two;
      two = one;
      one = next;
    }
    const power = one * one + two * two - factor * one * two;
    return (2 * Math.sqrt(Math.max(0, power))) / samples.length;
  }

  /** Without the first window, which is not full yet. */
  function average(list) {
    return list.slice(1).reduce((sum, value) => sum + value, 0) / Math.max(1, list.length - 1);
  }

  /**
   * Listens to an audio element or a MediaStream for `ms` milliseconds:
   * `{ level, rms, ratio }` with the tone's mean amplitude (0 to 1), the whole sound's mean RMS, and
   * the share of the tone in it (1 for nothing but the tone).
   */
  async function dominantTone(source, hertz, ms = 500) {
    const stream = source instanceof MediaStream ? source : source.srcObject;
    const context = new AudioContext();
    try {
      await context.resume();
      const analyser = context.createAnalyser();
      analyser.fftSize = 4096;
      context.createMediaStreamSource(stream).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      const step = (analyser.fftSize / context.sampleRate) * 1000;
      const levels = [];
      const all = [];
      for (let waited = 0; waited < ms + step; waited += step) {
        await new Promise((done) => {
          setTimeout(done, step);
        });
        analyser.getFloatTimeDomainData(samples);
        levels.push(goertzel(samples, context.sampleRate, hertz));
        all.push(Math.hypot(...samples) / Math.sqrt(samples.length));
      }
      const level = average(levels);
      const rms = average(all);
      return { level, rms, ratio: rms > 0 ? level / Math.SQRT2 / rms : 0 };
    } finally {
      await context.close();
    }
  }

  const INBOUND = [
    "kind", "mid", "framesDecoded", "framesPerSecond", "frameWidth", "frameHeight", "bytesReceived",
    "packetsReceived", "packetsLost", "jitter", "audioLevel", "totalAudioEnergy", "keyFramesDecoded",
    "freezeCount", "estimatedPlayoutTimestamp",
  ];
  const OUTBOUND = [
    "kind", "mid", "framesEncoded", "framesPerSecond", "frameWidth", "frameHeight", "bytesSent",
    "packetsSent", "targetBitrate", "qualityLimitationReason",
  ];

  function pick(report, fields) {
    return Object.fromEntries(
      fields.filter((key) => report[key] !== undefined).map((key) => [key, report[key]]),
    );
  }

  /** What a connection had received before it was closed; a closed one has no figures. */
  const last = new Map();

  /** Every connection the page made, with its figures; of a closed one, the last known. */
  async function inboundStats() {
    return Promise.all(
      connections.map(async (pc) => {
        if (pc.signalingState === "closed") return last.get(pc) ?? null;
        const figures = await measure(pc);
        if (pc.signalingState !== "closed") last.set(pc, figures);
        return last.get(pc) ?? null;
      }),
    ).then((all) => all.filter((one) => one !== null));
  }

  // Connections that a page closes at once are measured all the same.
  setInterval(() => void inboundStats(), 100);

  async function measure(pc) {
    const reports = [...(await pc.getStats()).values()];
    const transport = reports.find(({ type }) => type === "transport");
    const pair = reports.find(({ id }) => id === transport?.selectedCandidatePairId);
    return {
      connectionState: pc.connectionState,
      iceConnectionState: pc.iceConnectionState,
      dtlsState: transport?.dtlsState ?? null,
      rtt: pair?.currentRoundTripTime ?? null,
      inbound: reports
        .filter(({ type }) => type === "inbound-rtp")
        .map((report) => pick(report, INBOUND)),
      outbound: reports
        .filter(({ type }) => type === "outbound-rtp")
        .map((report) => pick(report, OUTBOUND)),
    };
  }

  globalThis.roomdProbe = { readTimecode, drawTimecode, luma, dominantTone, inboundStats, connections };
})();
