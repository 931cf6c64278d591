// The alert queue: open alerts in the order of rank.ts, or the latest closed ones. One tab stop; arrows or j/k move in it.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import { dateTime, number, t } from "../i18n";
import { formatAge, rings } from "../rank";
import { can, link, loaded, now, queue, selectedAlert, selectedCamera, session } from "../store";
import { alertIcon, alertTitle, placeName, problem } from "../words";
import { acted } from "./acting";
import { dialog } from "./dialogs";
import { Empty, Failed, Loading } from "../ui/bits";
import { rescueFocus } from "../ui/focus";
import { Icon } from "../ui/icons";
import type { Alert } from "../types";

export function Queue(): JSX.Element {
  const [closed, setClosed] = useState(false);
  return (
    <>
      <header class="col-head">
        <h2>{t("queue.title")}</h2>
        <div class="seg" role="group" aria-label={t("queue.which")}>
          <button type="button" aria-pressed={!closed} onClick={() => setClosed(false)}>{t("queue.open")}<b>{queue.value.length}</b></button>
          <button type="button" aria-pressed={closed} onClick={() => setClosed(true)}>{t("queue.closed")}</button>
        </div>
        {can("incidents.open") && (
          <button type="button" class="square" title={`${t("incident.open")} (I)`} aria-label={t("incident.open")}
            onClick={() => (dialog.value = { kind: "incident", site: null })}><Icon name="plus" /></button>
        )}
      </header>
      {closed ? <ClosedAlerts /> : <OpenAlerts />}
    </>
  );
}

function OpenAlerts(): JSX.Element {
  const list = useRef<HTMLUListElement>(null);
  const alerts = queue.value;
  useKeptFocus(list);
  if (!loaded.value) return link.value === "reconnecting" ? <Failed text={t("link.never")} /> : <Loading />;
  if (alerts.length === 0) return <Empty icon="check" title={t("queue.empty")}><p>{t("queue.empty_text")}</p></Empty>;
  const anchor = alerts.some((a) => a.id === selectedAlert.value) ? selectedAlert.value : alerts[0]?.id;
  return (
    <ul class="queue" ref={list}>
      {alerts.map((alert) => <li key={alert.id}><Card alert={alert} tab={alert.id === anchor} /></li>)}
    </ul>
  );
}

function ClosedAlerts(): JSX.Element {
  const [alerts, setAlerts] = useState<Alert[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const load = () => {
    setError(null);
    api.alerts("closed", 50).then(setAlerts, setError);
  };
  useEffect(load, [acted.value]);
  if (error) return <Failed text={problem(error)} retry={load} />;
  if (!alerts) return <Loading />;
  if (alerts.length === 0) return <Empty icon="clock" title={t("queue.none_closed")} />;
  return <ul class="queue">{alerts.map((alert) => <li key={alert.id}><Card alert={alert} tab /></li>)}</ul>;
}

function Card({ alert, tab }: { alert: Alert; tab: boolean }): JSX.Element {
  const selected = selectedAlert.value === alert.id;
  const closed = alert.state === "closed";
  const unclaimed = rings(alert);
  return (
    <button type="button" class={`card level-${alert.level} kind-${alert.kind}${unclaimed ? " unclaimed" : ""}${closed ? " closed" : ""}`}
      aria-current={selected ? "true" : undefined} data-alert={alert.id} tabIndex={tab ? 0 : -1}
      onClick={() => { selectedCamera.value = null; selectedAlert.value = alert.id; }}>
      <span class="card-icon"><Icon name={alertIcon(alert)} size={22} /></span>
      <span class="card-main">
        <span class="card-title">{alertTitle(alert)}</span>
        <span class="card-place">{placeName(alert)}</span>
        <span class="card-foot">
          <State alert={alert} />
          {alert.crowd && !closed && <span class="card-count">{t("crowd.seen", { people: number(alert.crowd.people) })}</span>}
          {!alert.stored && <span class="tag bad"><Icon name="disk" size={13} />{t("alert.not_stored")}</span>}
          {alert.subsided_at && !closed && <span class="tag">{t("alert.subsided")}</span>}
        </span>
      </span>
      <span class="card-side">
        <span class="age">{closed ? dateTime(alert.closed_at ?? alert.updated_at) : formatAge(now.value - Date.parse(alert.raised_at))}</span>
        <span class="tag level"><Icon name={alert.level} size={13} />{t(`level.${alert.level}`)}</span>
      </span>
    </button>
  );
}

export function State({ alert }: { alert: Alert }): JSX.Element {
  const mine = alert.claimed_by !== null && alert.claimed_by === session.value?.user;
  if (alert.state === "raised") return <span class="state raised">{t(alert.kind === "crowd" ? "state.raised_crowd" : "state.raised")}</span>;
  if (alert.state === "closed") return <span class="state">{alert.close_reason ? t(`close.${alert.close_reason}`) : t("state.closed")}</span>;
  return (
    <span class="state">
      {t(`state.${alert.state}`)}
      {alert.claimed_by && <em> · {mine ? t("alert.mine") : alert.claimed_by}</em>}
    </span>
  );
}

/** When the focused card is moved or leaves the queue, the browser drops the focus on the body: put it on the card that stands there now. */
function useKeptFocus(list: { current: HTMLUListElement | null }): void {
  const last = useRef<{ id: string; index: number } | null>(null);
  useLayoutEffect(() => {
    const cards = [...(list.current?.querySelectorAll<HTMLElement>("[data-alert]") ?? [])];
    if (last.current && document.activeElement === document.body) {
      const { id, index } = last.current;
      (cards.find((c) => c.dataset["alert"] === id) ?? cards[Math.min(index, cards.length - 1)])?.focus();
      if (cards.length === 0) rescueFocus();
    }
    const at = cards.indexOf(document.activeElement as HTMLElement);
    last.current = at >= 0 ? { id: cards[at]!.dataset["alert"]!, index: at } : null;
  });
}
