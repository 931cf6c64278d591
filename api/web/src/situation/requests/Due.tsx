// The clock that runs on a request: until the answer, then until the promised day.

import type { JSX } from "preact";
import { dateTime } from "../../i18n";
import { now } from "../../store";
import { ago } from "../../words";
import { Icon } from "../../ui/icons";
import { t } from "../t";
import type { Row } from "../types";

export function Due({ row }: { row: Row }): JSX.Element {
  if (!row.due_at) return <span class="muted">–</span>;
  const left = Date.parse(row.due_at) - now.value;
  const kind = row.answered_at ? "work" : "answer";
  const late = row.overdue !== null || left < 0;
  // The last fifth of a working day is worth a colour of its own: there is still time to keep the promise.
  const soon = !late && left < (kind === "answer" ? 2 * 3600e3 : 24 * 3600e3);
  return (
    <span class={late ? "due late" : soon ? "due soon" : "due"} title={dateTime(row.due_at)}>
      <Icon name={late ? "warning" : "clock"} size={14} />
      <span>{t(`requests.due.${kind}`)}<b>{late ? t("requests.late_by", { time: ago(-left) }) : t("requests.left", { time: ago(left) })}</b></span>
    </span>
  );
}
