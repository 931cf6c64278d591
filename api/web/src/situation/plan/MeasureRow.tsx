// A measure of the plan in one line: what, who, until when, how far.

import type { JSX } from "preact";
import { named } from "../../i18n";
import { Icon } from "../../ui/icons";
import { areaName, shortDay } from "../bits";
import { Progress } from "../charts/Bars";
import { t } from "../t";
import type { Measure } from "../types";
import "../styles/plan.css";

export function MeasureRow({ measure: m, open, chosen }: { measure: Measure; open?: () => void; chosen?: boolean }): JSX.Element {
  const title = <><b class="measure-no">{m.number}</b><span>{named(m.title, m.number)}</span></>;
  return (
    <li class={`measure state-${m.state}${m.late ? " late" : ""}${chosen ? " chosen" : ""}`}>
      {open ? <button type="button" class="link-button measure-title" data-measure={m.id} onClick={open}>{title}</button> : <p class="measure-title">{title}</p>}
      <p class="measure-facts">
        <span>{m.owner}</span>
        {m.area && <span>{areaName(m.area)}</span>}
        <span class={m.late ? "bad-text" : ""}>{m.late && <Icon name="warning" size={14} />}{t("plan.until", { date: shortDay(m.deadline) })}</span>
      </p>
      {m.state === "cancelled" ? <span class="tag">{t("plan.state.cancelled")}</span> : <Progress percent={m.progress} late={m.late} />}
    </li>
  );
}
