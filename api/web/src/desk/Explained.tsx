// Why the hub shows a gathering, for somebody who is tired: one plain sentence and what to do now; then the numbers behind it, what is
// usual against what is counted, neighbouring cameras, who could help, and what is known of the place. Speaks of safety only.

import type { JSX } from "preact";
import { clockTime, named, number, t } from "../i18n";
import { deviceName } from "../words";
import { selectedAlert, selectedCamera, cameras } from "../store";
import { gauge, reasonBar, type Gauge } from "./gauge";
import { Icon, type IconName } from "../ui/icons";
import type { Alert, CrowdPart, Explanation, Helper, ReasonCode } from "../types";
import "../styles/explained.css";

const HELPER_ICON: Record<Helper, IconName> = { stewards: "user", ambulance: "medical", road_closure: "route", city_service: "plug", mediator: "hand" };
const REASON_ICON: Record<ReasonCode, IconName> = {
  above_limit: "target", above_baseline: "clock", persistent: "clock", density: "crowd", flow: "next", growth: "rise", closed_hours: "lock", neighbours: "camera",
};
/** What a line of the context speaks of, where the hub says so. */
const LINE_ICON: Record<string, IconName> = {
  place: "place", assembly: "hand", event: "calendar", nearby: "warning", requests: "inbox", outages: "plug", tension: "region",
};

/** What is happening and what to do: before everything else. */
export function Said({ alert, explained }: { alert: Alert; explained: Explanation }): JSX.Element {
  // The first sentence is read at a glance, its numbers after it.
  const text = named(explained.headline, "");
  const end = text.indexOf(". ");
  const [head, rest] = end < 0 ? [text, ""] : [text.slice(0, end + 1), text.slice(end + 2)];
  return (
    <div class={`said level-${alert.level}`}>
      <p class="said-head">{head}{rest && <small>{rest}</small>}</p>
      {alert.state !== "closed" && <p class="said-advice"><Icon name="next" size={18} /><span>{named(explained.advice, "")}</span></p>}
    </div>
  );
}

export function Why({ alert, explained }: { alert: Alert; explained: Explanation }): JSX.Element {
  const crowd = alert.crowd!;
  return (
    <>
      {explained.task && <Task explained={explained} />}
      {!explained.task && explained.helpers.length > 0 && (
        <section class="block"><h3>{t("why.helpers")}</h3><Helpers explained={explained} /></section>
      )}
      <section class="block why" aria-labelledby="why-title">
        <h3 id="why-title">{t("evidence.title")}</h3>
        <Counted crowd={crowd} />
        <Reasons crowd={crowd} explained={explained} />
      </section>
      {explained.neighbours.length > 0 && <Neighbours explained={explained} />}
      {(explained.context?.lines.length ?? 0) > 0 && <Context explained={explained} />}
      <p class="why-formula">
        {explained.score === null ? t("why.formula", { formula: explained.formula }) : t("why.formula_score", { formula: explained.formula, score: number(explained.score, 0) })}
      </p>
    </>
  );
}

/** A notified assembly stands behind it: the work is to help it go well. */
function Task({ explained }: { explained: Explanation }): JSX.Element {
  return (
    <section class="task-card" aria-labelledby="task-title">
      <h3 id="task-title"><Icon name="hand" size={20} />{t("why.task")}</h3>
      <p>{named(explained.task ?? undefined, "")}</p>
      {explained.helpers.length > 0 && <><p class="muted">{t("why.helpers")}</p><Helpers explained={explained} /></>}
    </section>
  );
}

function Helpers({ explained }: { explained: Explanation }): JSX.Element {
  return (
    <ul class="helpers">
      {explained.helpers.map((h) => <li key={h.helper} data-helper={h.helper}><Icon name={HELPER_ICON[h.helper] ?? "user"} size={17} />{named(h.text, h.helper)}</li>)}
    </ul>
  );
}

/** What is counted against what is usual, on one scale from nobody up. */
function Counted({ crowd }: { crowd: CrowdPart }): JSX.Element {
  const g = gauge(crowd);
  const range = crowd.low !== null && crowd.high !== null ? t("count.range", { low: number(crowd.low), high: number(crowd.high) }) : "";
  return (
    <figure class="counted">
      <p class="big-count"><strong>{number(crowd.people)}</strong> <span>{t("count.people")}</span> {range && <small>{range}</small>}</p>
      <Scale g={g} />
      <dl class="gauge-keys">
        <div><dt><i class="key-now" aria-hidden="true" />{t("why.now")}</dt><dd>{range || number(crowd.people)}</dd></div>
        {crowd.baseline !== null && <div><dt><i class="key-usual" aria-hidden="true" />{t("evidence.usual")}</dt><dd>{number(crowd.baseline)}</dd></div>}
        {crowd.baseline_bound !== null && <div><dt><i class="key-bound" aria-hidden="true" />{t("evidence.usual_bound")}</dt><dd>{number(crowd.baseline_bound)}</dd></div>}
        {crowd.limit !== null && <div><dt><i class="key-limit" aria-hidden="true" />{t("evidence.limit")}</dt><dd>{number(crowd.limit)}</dd></div>}
        <div><dt><i class="key-peak" aria-hidden="true" />{t("evidence.peak")}</dt><dd>{number(crowd.peak)}</dd></div>
      </dl>
    </figure>
  );
}

/** The figures stand beside it in words: the drawing is for the eye alone. */
function Scale({ g }: { g: Gauge }): JSX.Element {
  const at = (share: number | null) => ({ insetInlineStart: `${(share ?? 0) * 100}%` });
  return (
    <div class="gauge" aria-hidden="true">
      {g.bound !== null && <span class="gauge-usual" style={{ width: `${g.bound * 100}%` }} />}
      {g.usual !== null && <i class="gauge-tick usual" style={at(g.usual)} />}
      {g.bound !== null && <i class="gauge-tick bound" style={at(g.bound)} />}
      {g.limit !== null && <i class="gauge-tick limit" style={at(g.limit)} />}
      <i class="gauge-peak" style={at(g.peak)} />
      {g.low !== null && g.high !== null && <span class="gauge-interval" style={{ ...at(g.low), width: `${(g.high - g.low) * 100}%` }} />}
      <b class="gauge-now" style={at(g.now)} />
    </div>
  );
}

function Reasons({ crowd, explained }: { crowd: CrowdPart; explained: Explanation }): JSX.Element {
  return (
    <ul class="why-reasons">
      {explained.reasons.map((text, i) => {
        const reason = crowd.reasons.length === explained.reasons.length ? crowd.reasons[i] : undefined;
        const bar = reason && reasonBar(reason);
        return (
          <li key={reason?.code ?? i}>
            <Icon name={reason ? (REASON_ICON[reason.code] ?? "notice") : "notice"} size={17} />
            <div>
              <p>{named(text, "")}</p>
              {bar && <span class="reason-bar" aria-hidden="true"><i style={{ width: `${bar.observed * 100}%` }} /><b style={{ insetInlineStart: `${bar.bound * 100}%` }} /></span>}
            </div>
          </li>
        );
      })}
    </ul>
  );
}

function Neighbours({ explained }: { explained: Explanation }): JSX.Element {
  const open = (id: string) => {
    selectedAlert.value = null;
    selectedCamera.value = id;
  };
  return (
    <section class="block">
      <h3>{t("why.neighbours")}</h3>
      <ul class="why-neighbours">
        {explained.neighbours.map((n) => (
          <li key={n.camera}>
            {cameras.value.has(n.camera) ? <button type="button" class="link-button" onClick={() => open(n.camera)}>{deviceName(n.camera)}</button> : <span>{deviceName(n.camera)}</span>}
            <span class="why-neighbour"><strong>{number(n.people)}</strong><small>{n.expected === null ? t("why.at", { time: clockTime(n.at) }) : t("why.expected", { expected: number(n.expected), time: clockTime(n.at) })}</small></span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Context({ explained }: { explained: Explanation }): JSX.Element {
  const { lines, kinds } = explained.context!;
  const index = explained.around?.tension ?? null;
  const share = (v: number) => `${Math.min(10, Math.max(0, v)) * 10}%`;
  return (
    <section class="block why-context">
      <h3>{t("why.context")}</h3>
      <p class="context-only"><Icon name="shield" size={16} />{t("why.context_only")}</p>
      <ul>{lines.map((line, i) => <li key={i}><Icon name={LINE_ICON[kinds?.[i] ?? ""] ?? "notice"} size={16} /><span>{named(line, "")}</span></li>)}</ul>
      {index && <span class="index-band" aria-hidden="true"><i style={{ insetInlineStart: share(index.low), width: `${Math.max(0, index.high - index.low) * 10}%` }} /><b style={{ insetInlineStart: share(index.value) }} /></span>}
    </section>
  );
}
