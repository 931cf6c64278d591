// The unclaimed alarms in one red block: which place, what kind, how long. Shown in dialogs and over a locked desk.

import type { JSX } from "preact";
import { t } from "../i18n";
import { formatAge } from "../rank";
import { now, ringing } from "../store";
import { alertTitle, placeName } from "../words";
import { Icon } from "./icons";

export function RingingList(): JSX.Element {
  return (
    <ul class="ringing-list" aria-label={t("alarm.unclaimed_list")}>
      {ringing.value.map((alert) => (
        <li key={alert.id}>
          <Icon name="critical" size={20} />
          <strong>{alertTitle(alert)}</strong>
          <span class="grow">{placeName(alert)}</span>
          <span class="age">{formatAge(now.value - Date.parse(alert.raised_at))}</span>
        </li>
      ))}
    </ul>
  );
}
