// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// The stand-in's picture and sound: a canvas with the time code of the room's test picture, and a
// tone of 1000 Hz. Answers every offer; shows what it receives.
const canvas = document.createElement("canvas");
canvas.width = 640;
canvas.height = 360;
const context = canvas.getContext("2d");

function crc16(bytes) {
  let sum = 0xffff;
  for (const byte of bytes) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) sum = ((sum & 0x8000 ? (sum << 1) ^ 0x1021 : sum << 1) & 0xffff) >>> 0;
  }
  return sum;
}

function draw() {
  const now = BigInt(Date.now());
  const bytes = [];
  for (let i = 7n; i >= 0n; i -= 1n) bytes.push(Number((now >> (i * 8n)) & 255n));
  bytes.push(7, 0xa5);
  const sum = crc16(bytes);
  bytes.push(sum >> 8, sum & 255);
  const cell = canvas.width / 40;
  context.fillStyle = "#24405f";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = "#7aa2f7";
  const turn = (Date.now() % 8000) / 8000;
  context.beginPath();
  context.arc(320 + 200 * Math.cos(turn * 2 * Math.PI), 120, 40, 0, 2 * Math.PI);
  context.fill();
  for (let row = 0; row < 3; row += 1) {
    for (let column = 0; column < 32; column += 1) {
      const index = row * 32 + column;
      context.fillStyle = (bytes[index >> 3] >> (7 - (index & 7))) & 1 ? "#fff" : "#000";
      context.fillRect((4 + column) * cell, canvas.height - (4 - row) * cell, cell, cell);
    }
  }
}
setInterval(draw, 80);
draw();
const audio = new AudioContext();
const tone = audio.createOscillator();
tone.frequency.value = 1000;
const gain = audio.createGain();
gain.gain.value = 0.2;
const out = audio.createMediaStreamDestination();
tone.connect(gain).connect(out);
tone.start();

const tracks = [out.stream.getAudioTracks()[0], canvas.captureStream(12).getVideoTracks()[0], null];
const peers = new Map();
const socket = new WebSocket(`${location.origin.replace("http", "ws")}/room`);
const send = (to, message) => socket.send(JSON.stringify({ to, from: "room", ...message }));

socket.addEventListener("message", async ({ data }) => {
  const message = JSON.parse(data);
  const id = message.from ?? message.id;
  if (message.type === "member-left") {
    peers.get(id)?.close();
    peers.delete(id);
    document.querySelectorAll(`[data-participant="${id}"]`).forEach((element) => element.remove());
  } else if (message.type === "offer") {
    const fresh = !peers.has(id);
    const pc = peers.get(id) ?? new RTCPeerConnection();
    peers.set(id, pc);
    await pc.setRemoteDescription({ type: "offer", sdp: message.sdp });
    if (fresh) await answerWith(pc, id);
    await pc.setLocalDescription();
    // Like the room: all candidates are inside the answer.
    if (pc.iceGatheringState !== "complete") {
      await new Promise((done) => {
        pc.addEventListener("icegatheringstatechange", () => {
          if (pc.iceGatheringState === "complete") done();
        });
      });
    }
    send(id, { type: "answer", sdp: pc.localDescription.sdp });
  } else if (message.type === "candidate" && message.candidate !== "") {
    await peers.get(id)?.addIceCandidate({ candidate: message.candidate, sdpMid: message.mid });
  }
});

async function answerWith(pc, id) {
  for (const [index, transceiver] of pc.getTransceivers().entries()) {
    transceiver.direction = "sendrecv";
    await transceiver.sender.replaceTrack(tracks[index]);
    const element = document.createElement(index === 0 ? "audio" : "video");
    element.dataset.participant = id;
    element.dataset.kind = ["audio", "camera", "screen"][index];
    element.autoplay = true;
    element.muted = index !== 0;
    element.srcObject = new MediaStream([transceiver.receiver.track]);
    document.body.append(element);
  }
}
