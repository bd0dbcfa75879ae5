// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";

import { NAME_LENGTH } from "../core/call";
import { isVisible } from "../core/text";
import type { Guest } from "../guest";
import { texts } from "../i18n";
import { level } from "../media/level";
import { DeviceErrors, DeviceFields } from "./device-fields";
import { CameraIcon, MicrophoneIcon, ShieldIcon } from "./icons";
import { Preferences } from "./preferences";
import { Video } from "./video";

export function Prejoin({ guest }: { guest: Guest }) {
  const t = texts.value;
  const name = useSignal(guest.call.peek().name);
  const missing = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    missing.value = !isVisible(name.value);
    if (missing.value) field.current?.focus();
    else guest.dispatch({ type: "join", name: name.value });
  };
  return (
    <main class="prejoin" data-view="prejoin">
      <div class="prejoin-inner">
        <header>
          <h1>{t.prejoin.heading}</h1>
          <p class="nothing-sent">
            <ShieldIcon />
            {t.prejoin.nothingSent}
          </p>
        </header>
        <div class="prejoin-left">
          <Preview guest={guest} />
          <DeviceErrors guest={guest} />
        </div>
        <form onSubmit={submit} noValidate>
          <div>
            <label for="name">{t.yourName}</label>
            <input
              ref={field}
              id="name"
              class="field"
              autocomplete="name"
              maxLength={NAME_LENGTH}
              value={name.value}
              aria-invalid={missing.value}
              aria-describedby="name-hint"
              onInput={(event) => {
                name.value = event.currentTarget.value;
                missing.value = false;
              }}
            />
            <p id="name-hint" class={missing.value ? "error" : "muted"} role="status">
              {missing.value ? t.nameMissing : t.nameHint}
            </p>
          </div>
          <DeviceFields guest={guest} />
          <button type="submit" class="button primary wide" data-action="join">
            {t.join}
          </button>
          <Preferences />
        </form>
      </div>
    </main>
  );
}

function Preview({ guest }: { guest: Guest }) {
  const t = texts.value;
  const { devices } = guest;
  const stream = useComputed(() =>
    devices.camera.value ? new MediaStream([devices.camera.value]) : null,
  );
  const microphone = devices.microphoneOn.value;
  const camera = devices.camera.value !== null;
  return (
    <section class="preview" aria-label={t.prejoin.preview}>
      {stream.value ? (
        <Video
          participant="preview"
          kind="camera"
          stream={stream.value}
          label={t.prejoin.preview}
          mirrored
        />
      ) : (
        <p class="preview-off">
          <CameraIcon off />
          {t.prejoin.cameraOff}
        </p>
      )}
      <div class="preview-controls">
        <button
          type="button"
          class="round"
          data-action="microphone"
          data-off={!microphone}
          aria-label={microphone ? t.device.microphoneOn : t.device.microphoneOff}
          onClick={() => void devices.setMicrophone(!microphone)}
        >
          <MicrophoneIcon off={!microphone} />
        </button>
        <button
          type="button"
          class="round"
          data-action="camera"
          data-off={!camera}
          aria-label={camera ? t.device.cameraOn : t.device.cameraOff}
          onClick={() => void devices.setCamera(!camera)}
        >
          <CameraIcon off={!camera} />
        </button>
      </div>
      {microphone && <Level label={t.prejoin.level} />}
    </section>
  );
}

/** Drawn outside the rendering: it moves twelve times a second. */
function Level({ label }: { label: string }) {
  const bar = useRef<HTMLDivElement>(null);
  useSignalEffect(() => {
    bar.current?.style.setProperty("--level", level.value.toFixed(2));
  });
  return (
    <div class="level" role="img" aria-label={label}>
      <div ref={bar} />
    </div>
  );
}
