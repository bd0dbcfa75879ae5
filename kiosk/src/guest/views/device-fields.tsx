// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useId } from "preact/hooks";

import type { Guest } from "../guest";
import { texts } from "../i18n";

const FIELDS = [
  ["camera", "videoinput"],
  ["microphone", "audioinput"],
  ["speaker", "audiooutput"],
] as const;

/** Which camera, microphone and speaker. */
export function DeviceFields({ guest }: { guest: Guest }) {
  const t = texts.value;
  const { devices } = guest;
  return (
    <div class="device-fields">
      {FIELDS.filter(([name]) => name !== "speaker" || devices.canChooseSpeaker).map(
        ([name, kind]) => (
          <DeviceField
            key={name}
            name={name}
            label={t.device[name]}
            devices={devices.list.value.filter((device) => device.kind === kind)}
            chosen={devices.chosen[name].value}
            onChoose={(id) => {
              if (name === "speaker") devices.chosen.speaker.value = id;
              else void devices.choose(name, id);
            }}
          />
        ),
      )}
    </div>
  );
}

interface Props {
  readonly name: string;
  readonly label: string;
  readonly devices: readonly MediaDeviceInfo[];
  readonly chosen: string;
  readonly onChoose: (id: string) => void;
}

function DeviceField({ name, label, devices, chosen, onChoose }: Props) {
  const t = texts.value;
  const id = useId();
  if (devices.length === 0) return null;
  return (
    <div class="device-field">
      <label for={id}>{label}</label>
      <select
        id={id}
        class="field"
        data-device={name}
        value={chosen}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {!devices.some((device) => device.deviceId === chosen) && (
          <option value={chosen}>{t.device.standard}</option>
        )}
        {devices.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || `${label} ${index + 1}`}
          </option>
        ))}
      </select>
    </div>
  );
}

/** What is wrong with microphone and camera, if anything is. */
export function DeviceErrors({ guest }: { guest: Guest }) {
  const t = texts.value;
  const camera = guest.devices.errors.camera.value;
  const microphone = guest.devices.errors.microphone.value;
  return (
    <div role="status" class="device-errors">
      {camera && camera === microphone ? (
        <p>{t.deviceError[camera](t.device.both)}</p>
      ) : (
        <>
          {camera && <p>{t.deviceError[camera](t.device.camera)}</p>}
          {microphone && <p>{t.deviceError[microphone](t.device.microphone)}</p>}
        </>
      )}
    </div>
  );
}
