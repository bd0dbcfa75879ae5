// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Severity } from "../api/severity";
import { Icon, type IconName } from "./icon";

const ICONS: Record<Severity, IconName> = { notice: "notice", warning: "warning", error: "warning" };

interface Props {
  severity: Severity;
  title: string;
  remedy?: string;
}

/** Something people should know, and what to do about it. */
export function Notice({ severity, title, remedy }: Props) {
  return (
    <div class={`notice ${severity}`} data-testid="notice">
      <Icon name={ICONS[severity]} />
      <div class="notice-text">
        <strong>{title}</strong>
        {remedy && <p>{remedy}</p>}
      </div>
    </div>
  );
}
