// Who did what, when and why: the transitions of one alert, oldest first.

import type { JSX } from "preact";
import { clockTime, dateTime, named, t } from "../i18n";
import { units } from "../store";
import { actionName, roleName } from "../words";
import type { Transition } from "../types";

export function Log({ entries }: { entries: readonly Transition[] }): JSX.Element {
  if (entries.length === 0) return <p class="muted">{t("log.empty")}</p>;
  return (
    <ol class="log">
      {entries.map((entry) => (
        <li key={entry.seq} class={`to-${entry.to}`}>
          <time dateTime={entry.at} title={dateTime(entry.at)}>{clockTime(entry.at)}</time>
          <div>
            <strong>{actionName(entry.action)}</strong>
            {entry.unit && <span class="tag">{named(units.value.find((u) => u.id === entry.unit)?.name, entry.unit)}</span>}
            <span class="log-who">{entry.role === "system" ? t("role.system") : `${entry.who} · ${roleName(entry.role)}`}</span>
            {entry.reason && <q>{entry.reason}</q>}
          </div>
        </li>
      ))}
    </ol>
  );
}
