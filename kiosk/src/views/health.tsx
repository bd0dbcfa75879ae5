// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Devices, HealthItem } from "../api/types";
import { Icon, type IconName } from "../components/icon";
import { Notice } from "../components/notice";
import { type DeviceKind, kindOf, troubles, unlisted } from "../health";
import { type Locale, useLocale } from "../i18n/locale";
import type { ViewProps } from "./panel";

const ICONS: Record<DeviceKind, IconName> = {
  camera: "camera",
  microphone: "microphone",
  loudspeaker: "volume",
  display: "display",
  "display-control": "display",
  panel: "panel",
  "panel-touch": "panel",
  content: "share",
  telephony: "microphone-off",
  keys: "keys",
  encoder: "camera",
};

/** How the devices are: what is in trouble with its remedy, and the rest in a line each. */
export function Health({ state }: ViewProps) {
  const { text, language } = useLocale();
  const { items } = state.health;
  const trouble = troubles(items);
  const well = items.filter(({ severity }) => severity === null);
  return (
    <section class="section health" aria-labelledby="health" data-testid="health">
      <header class="section-head">
        <h3 id="health">{text.diagnosis.devices}</h3>
        {items.length > 0 && <Score score={state.health.score} trouble={trouble} />}
      </header>
      {trouble.map((item) => (
        <div key={`${item.device} ${item.code}`} class="diagnosed" data-testid="trouble">
          <Notice
            severity={item.severity}
            title={item.text[language]}
            {...(item.remedy ? { remedy: item.remedy[language] } : {})}
          />
          <code>{[item.code, item.device, item.detail].filter(Boolean).join(" · ")}</code>
        </div>
      ))}
      <ul class="devices">
        {well.map((item) => (
          <Well key={`${item.device} ${item.code}`} item={item} devices={state.devices} />
        ))}
        {unlisted(items).map((kind) => (
          <Attached
            key={kind}
            icon={ICONS[kind]}
            name={text.diagnosis[kind]}
            device={state.devices[kind]}
            missing={kind === "display" ? text.diagnosis.headless : text.diagnosis.missing}
          />
        ))}
        {/* Most rooms have one display, and miss nothing. */}
        {state.devices.contentDisplay !== null && (
          <Attached
            icon="display"
            name={text.diagnosis.contentDisplay}
            device={state.devices.contentDisplay}
            missing={text.diagnosis.headless}
          />
        )}
      </ul>
    </section>
  );
}

function Score({ score, trouble }: { score: number; trouble: readonly HealthItem[] }) {
  const { text } = useLocale();
  const worst = trouble[0]?.severity;
  const tone = worst === "error" ? "danger" : worst === "warning" ? "warning" : "free";
  return (
    <span class={`pill ${tone} tabular`} data-testid="health-score">
      <Icon name="diagnosis" size={20} />
      {text.diagnosis.score(score)}
    </span>
  );
}

/** A device that is well; of a display also where it is plugged in, which its line does not say. */
function Well({ item, devices }: { item: HealthItem; devices: Devices }) {
  const { language }: Locale = useLocale();
  const kind = kindOf(item);
  const place = kind === "display" && devices.display !== null && !item.text[language].includes(devices.display);
  return (
    <li class="well">
      <Icon name={kind ? ICONS[kind] : "diagnosis"} />
      <span>
        {item.text[language]}
        {place && <span class="muted">{devices.display}</span>}
      </span>
      <Icon name="check" size={20} />
    </li>
  );
}

interface AttachedProps {
  icon: IconName;
  name: string;
  device: string | null;
  missing: string;
}

function Attached({ icon, name, device, missing }: AttachedProps) {
  return (
    <li class={device === null ? "missing" : ""}>
      <Icon name={icon} />
      <span>
        <span class="muted">{name}</span>
        <strong>{device ?? missing}</strong>
      </span>
    </li>
  );
}
