// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useEffect, useRef, useState } from "preact/hooks";
import type { Camera, CameraAdjusts, CameraPreset } from "../api/types";
import { adjustable, freeName } from "../cameras";
import { Dialog } from "../components/dialog";
import { useHold } from "../components/hold";
import { Icon, type IconName } from "../components/icon";
import { Toast } from "../components/toast";
import { useLocale } from "../i18n/locale";
import type { CameraDialog } from "../snapshot";
import type { ViewProps } from "./panel";

const MOVE_EVERY_MS = 120;
const LONGEST_NAME = 40;

type Props = ViewProps & { page: CameraDialog; close: () => void };

/** Which camera shows the room, where it points, and the positions that it remembers. */
export function Cameras({ page, close, ...props }: Props) {
  const { text } = useLocale();
  const { state, ui, act } = props;
  const back = (): void => act.open({ kind: "cameras" });
  if (page.kind === "save-preset" || page.kind === "delete-preset") {
    const camera = state.cameras.find(({ name }) => name === page.camera);
    if (!camera) return null;
    const title = page.kind === "save-preset" ? text.cameras.save : text.cameras.deleteTitle(page.preset);
    return (
      <Dialog title={title} onClose={back}>
        {page.kind === "save-preset" && <Save camera={camera} back={back} act={act} />}
        {page.kind === "delete-preset" && (
          <Delete camera={camera} preset={page.preset} back={back} act={act} />
        )}
      </Dialog>
    );
  }
  return (
    <Dialog title={text.cameras.title} onClose={close} size="large">
      <Choose {...props} editing={page.kind === "edit-presets"} />
      <Toast refusal={ui.toast} onClose={() => act.show({ toast: null })} />
    </Dialog>
  );
}

function Choose({ state, act, editing }: ViewProps & { editing: boolean }) {
  const { text } = useLocale();
  const { cameras } = state;
  const active = cameras.find((camera) => camera.active) ?? (cameras.length === 1 ? cameras[0] : undefined);
  return (
    <div class="cameras" data-testid="camera-view">
      {cameras.length > 1 && (
        <div class="camera-list" role="group" aria-label={text.cameras.choose}>
          {cameras.map((camera) => (
            <CameraButton key={camera.name} camera={camera} act={act} />
          ))}
        </div>
      )}
      {!active?.present && (
        <div class="empty" role="status">
          <Icon name="camera-off" size={56} />
          <h3>{active ? text.cameras.unplugged(active.name) : text.cameras.none}</h3>
          <p class="muted">{active ? text.cameras.unpluggedHint : text.cameras.noneHint}</p>
        </div>
      )}
      {active?.present && !adjustable([active]) && (
        <div class="empty">
          <Icon name="camera" size={56} />
          <h3>{text.cameras.fixed}</h3>
          <p class="muted">{text.cameras.fixedHint}</p>
        </div>
      )}
      {active?.present && (canPoint(active) || active.presets.length > 0) && (
        <div class={canPoint(active) ? "camera-work" : "camera-work fixed"}>
          {canPoint(active) && <Controls camera={active} act={act} />}
          <Presets camera={active} editing={editing} act={act} />
        </div>
      )}
      {active?.present && active.adjusts.length > 0 && <Picture camera={active} act={act} />}
    </div>
  );
}

const canPoint = ({ moves, zooms }: Camera): boolean => moves || zooms;

type Part = Pick<ViewProps, "act"> & { camera: Camera };

function CameraButton({ camera, act }: Part) {
  const { text } = useLocale();
  const { name, present, active } = camera;
  const state = active ? text.cameras.inUse : text.cameras.ready;
  return (
    <button
      type="button"
      class={present ? "camera-button" : "camera-button absent"}
      aria-pressed={active}
      disabled={!present}
      data-testid="camera-choice"
      onClick={() => act.request({ request: "select-camera", camera: name })}
    >
      <Icon name={present ? "camera" : "camera-off"} size={28} />
      <span class="camera-name">
        <strong class="clamp-1">{name}</strong>
        <span class="muted">{present ? state : text.cameras.absent}</span>
      </span>
      {active && present && <Icon name="check" />}
    </button>
  );
}

/** Arrows and zoom; they go on while they are held. */
function Controls({ camera, act }: Part) {
  const { text } = useLocale();
  const move = (pan: number, tilt: number, zoom: number): Promise<void> =>
    act.request({ request: "move-camera", camera: camera.name, pan, tilt, zoom });
  return (
    <div class="camera-controls">
      {camera.moves && (
        <div class="pad" role="group" aria-label={text.cameras.direction}>
          <Step icon="up" name={text.cameras.up} onStep={() => move(0, 1, 0)} />
          <Step icon="left" name={text.cameras.left} onStep={() => move(-1, 0, 0)} />
          <Step icon="chevron" name={text.cameras.right} onStep={() => move(1, 0, 0)} />
          <Step icon="down" name={text.cameras.down} onStep={() => move(0, -1, 0)} />
        </div>
      )}
      {camera.zooms && (
        <div class="zoom" role="group" aria-label={text.cameras.zoom}>
          <Step icon="minus" name={text.cameras.wider} onStep={() => move(0, 0, -1)} />
          <span class="muted" aria-hidden="true">
            {text.cameras.zoom}
          </span>
          <Step icon="plus" name={text.cameras.closer} onStep={() => move(0, 0, 1)} />
        </div>
      )}
    </div>
  );
}

function Step({ icon, name, onStep }: { icon: IconName; name: string; onStep: () => Promise<void> }) {
  const hold = useHold(onStep, MOVE_EVERY_MS);
  return (
    <button type="button" class={`button step ${icon}`} aria-label={name} data-testid={`camera-${icon}`} {...hold}>
      <Icon name={icon} size={32} />
    </button>
  );
}

/** Focus, exposure and white balance, folded away: most rooms never need them. */
function Picture({ camera, act }: Part) {
  const { text } = useLocale();
  return (
    <details class="picture">
      <summary data-testid="picture">{text.cameras.picture}</summary>
      <ul>
        {camera.adjusts.map((adjusts) => (
          <li key={adjusts.setting}>
            <Adjust camera={camera} adjusts={adjusts} act={act} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function Adjust({ camera, adjusts, act }: Part & { adjusts: CameraAdjusts }) {
  const { text } = useLocale();
  const { setting, automatic, value, range } = adjusts;
  const name = text.cameras.settings[setting];
  const shown = value ?? range?.default ?? 0;
  const of = { camera: camera.name, setting };
  return (
    <div class="volume" role="group" aria-label={name}>
      <span class="setting">{name}</span>
      {automatic !== null && (
        <button
          type="button"
          class="button"
          aria-pressed={automatic}
          data-testid={`auto-${setting}`}
          onClick={() => act.request({ request: "adjust-camera", ...of, to: automatic ? "manual" : "automatic" })}
        >
          {automatic && <Icon name="check" size={20} />}
          {text.cameras.automatic}
        </button>
      )}
      {range && !automatic && (
        <input
          type="range"
          min={range.min}
          max={range.max}
          step={range.step}
          value={shown}
          aria-label={name}
          data-testid={`value-${setting}`}
          style={{ "--fill": `${((shown - range.min) / (range.max - range.min)) * 100}%` }}
          onChange={(event) => act.request({ request: "set-camera-value", ...of, value: Number(event.currentTarget.value) })}
        />
      )}
    </div>
  );
}

function Presets({ camera, editing, act }: Part & { editing: boolean }) {
  const { text } = useLocale();
  const { presets } = camera;
  return (
    <section class="presets" aria-labelledby="presets">
      <header class="section-head">
        <h3 id="presets">{text.cameras.presets}</h3>
        {presets.length > 0 && (
          <button
            type="button"
            class="button quiet"
            aria-pressed={editing}
            data-testid="presets-edit"
            onClick={() => act.open({ kind: editing ? "cameras" : "edit-presets" })}
          >
            <Icon name={editing ? "check" : "edit"} size={20} />
            {editing ? text.cameras.done : text.cameras.edit}
          </button>
        )}
      </header>
      {presets.length === 0 && <p class="muted">{text.cameras.noPresets}</p>}
      <ul class="preset-list">
        {presets.map((preset) => (
          <li key={preset.name}>
            <PresetTile camera={camera} preset={preset} editing={editing} act={act} />
          </li>
        ))}
        {!editing && canPoint(camera) && (
          <li>
            <button
              type="button"
              class="preset new"
              data-testid="preset-save"
              onClick={() => act.open({ kind: "save-preset", camera: camera.name })}
            >
              <span class="preset-picture">
                <Icon name="plus" size={40} />
              </span>
              <span class="preset-name">{text.cameras.save}</span>
            </button>
          </li>
        )}
      </ul>
    </section>
  );
}

function PresetTile({ camera, preset, editing, act }: Part & { preset: CameraPreset; editing: boolean }) {
  const { text } = useLocale();
  const { name, thumbnail } = preset;
  const touch = (): void => {
    if (editing) act.open({ kind: "delete-preset", camera: camera.name, preset: name });
    else void act.request({ request: "recall-preset", camera: camera.name, preset: name });
  };
  return (
    <button
      type="button"
      class={editing ? "preset editing" : "preset"}
      aria-label={editing ? text.cameras.deleteName(name) : text.cameras.recall(name)}
      data-testid="preset"
      onClick={touch}
    >
      <span class="preset-picture">
        {thumbnail ? <img src={thumbnail} alt="" /> : <Icon name="camera" size={40} />}
        {editing && (
          <span class="preset-mark">
            <Icon name="delete" />
          </span>
        )}
      </span>
      <span class="preset-name clamp-2">{name}</span>
    </button>
  );
}

function Save({ camera, back, act }: Part & { back: () => void }) {
  const { text } = useLocale();
  const [name, setName] = useState(() => freeName(camera, text.cameras.suggestion));
  const input = useRef<HTMLInputElement>(null);
  // Whoever types replaces the suggestion; whoever does not keeps it.
  useEffect(() => input.current?.select(), []);
  const chosen = name.trim();
  const replaces = camera.presets.some((preset) => preset.name === chosen);
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!chosen) return;
        void act.request({ request: "save-preset", camera: camera.name, preset: chosen });
        back();
      }}
    >
      <p class={replaces ? "warning-text" : "muted"} id="preset-hint" role="status">
        {replaces ? text.cameras.replaces : text.cameras.saveHint}
      </p>
      <label class="label" for="preset-input">
        {text.cameras.nameLabel}
      </label>
      <input
        ref={input}
        id="preset-input"
        class="field"
        type="text"
        autoComplete="off"
        spellcheck={false}
        maxLength={LONGEST_NAME}
        autofocus
        value={name}
        aria-describedby="preset-hint"
        data-testid="preset-input"
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <button type="submit" class="button primary wide" data-testid="preset-submit">
        {replaces ? text.cameras.replaceConfirm : text.cameras.saveConfirm}
      </button>
    </form>
  );
}

function Delete({ camera, preset, back, act }: Part & { preset: string; back: () => void }) {
  const { text } = useLocale();
  const thumbnail = camera.presets.find(({ name }) => name === preset)?.thumbnail;
  return (
    <>
      {thumbnail && <img class="preset-large" src={thumbnail} alt="" />}
      <p class="muted">{text.cameras.deleteHint}</p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={back}>
          {text.common.cancel}
        </button>
        <button
          type="button"
          class="button danger"
          data-testid="preset-delete"
          onClick={() => {
            void act.request({ request: "delete-preset", camera: camera.name, preset });
            back();
          }}
        >
          <Icon name="delete" />
          {text.cameras.deleteConfirm}
        </button>
      </div>
    </>
  );
}
