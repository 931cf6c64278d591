// The unclaimed alarms in one red block: which place, what kind, how long. Shown in dialogs and over a locked desk.

import type { JSX } from "preact";
import { t } from "../i18n";
import { formatAge, isDuress } from "../rank";
import { now, ringing } from "../store";
import { alertTitle, placeName } from "../words";
import { Icon } from "./icons";

/** A flood is counted, not listed: the form under it must stay on the screen. */
const SHOWN = 4;

export function RingingList(): JSX.Element {
  return (
    <ul class="ringing-list" aria-label={t("alarm.unclaimed_list")}>
      {ringing.value.slice(0, SHOWN).map((alert) => (
        <li key={alert.id}>
          <Icon name="critical" size={20} />
          <strong>{isDuress(alert) ? `${t("alarm.duress")} · ` : ""}{alertTitle(alert)}</strong>
          <span class="grow">{placeName(alert)}</span>
          <span class="age">{formatAge(now.value - Date.parse(alert.raised_at))}</span>
        </li>
      ))}
      {ringing.value.length > SHOWN && <li><strong>{t("alarm.more", { count: ringing.value.length - SHOWN })}</strong></li>}
    </ul>
  );
}
