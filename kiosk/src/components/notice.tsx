// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Severity } from "../api/types";
import { useLocale } from "../i18n/locale";
import { Icon, type IconName } from "./icon";

const ICONS: Record<Severity, IconName> = { notice: "notice", warning: "warning", error: "error" };

interface Props {
  severity: Severity;
  title: string;
  remedy?: string;
}

/** Something people should know, and what to do about it. */
export function Notice({ severity, title, remedy }: Props) {
  const { text } = useLocale();
  return (
    <div class={`notice ${severity}`} data-testid="notice">
      <Icon name={ICONS[severity]} />
      <div class="notice-text">
        <strong>
          <span class="visually-hidden">{text.severity[severity]}: </span>
          {title}
        </strong>
        {remedy && <p>{remedy}</p>}
      </div>
    </div>
  );
}
