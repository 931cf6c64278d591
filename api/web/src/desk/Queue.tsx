// The alert queue: open alerts in the order of rank.ts, or the latest closed ones. In a flood alarms are grouped by place and
// kind. One tab stop; arrows or j/k move in it.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import { t } from "../i18n";
import { can, link, loaded, queue, ringing, selectedAlert, selectedCamera, now } from "../store";
import { formatAge } from "../rank";
import { alertTitle, placeName, problem } from "../words";
import { acted } from "./acting";
import { Card, GroupCard } from "./Card";
import { beginIncident } from "./dialogs";
import { flood, rows } from "./rows";
import type { Row } from "./flood";
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
          <button type="button" class="square" title={`${t("incident.open")} (N)`} aria-label={t("incident.open")} onClick={() => beginIncident(null)}><Icon name="plus" /></button>
        )}
      </header>
      {closed ? <ClosedAlerts /> : <OpenAlerts />}
    </>
  );
}

/** Rows that are drawn or left out together; far ones are empty boxes of their last height. */
const CHUNK = 20;
const ROW_PX = 92;

function OpenAlerts(): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const all = rows.value;
  useKeptFocus(list);
  if (!loaded.value) return link.value === "reconnecting" ? <Failed text={t("link.never")} /> : <Loading />;
  if (all.length === 0) return <Empty icon="check" title={t("queue.empty")}><p>{t("queue.empty_text")}</p></Empty>;
  const anchor = all.find((r) => r.type === "alert" && r.alert.id === selectedAlert.value)?.key ?? all[0]!.key;
  const chunks = Array.from({ length: Math.ceil(all.length / CHUNK) }, (_, i) => all.slice(i * CHUNK, (i + 1) * CHUNK));
  return (
    <div class="queue" ref={list}>
      {flood.value && <FloodHead />}
      {chunks.map((chunk, i) => <Chunk key={i} rows={chunk} anchor={anchor} first={i === 0} />)}
    </div>
  );
}

function Chunk({ rows: part, anchor, first }: { rows: readonly Row[]; anchor: string; first: boolean }): JSX.Element {
  const box = useRef<HTMLUListElement>(null);
  const height = useRef(part.length * ROW_PX);
  const [near, setNear] = useState(first);
  useEffect(() => {
    const element = box.current!;
    const observer = new IntersectionObserver(([entry]) => {
      if (!entry!.isIntersecting && element.childElementCount > 0) height.current = element.offsetHeight;
      setNear(entry!.isIntersecting);
    }, { root: element.closest(".queue"), rootMargin: "900px 0px" });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const drawn = near || part.some((r) => r.key === anchor);
  return (
    <ul class="chunk" ref={box} style={drawn ? undefined : { height: `${height.current}px` }}>
      {drawn && part.map((row) => (
        <li key={row.key} class={row.type === "alert" && row.within ? "within" : undefined}>
          {row.type === "alert" ? <Card alert={row.alert} tab={row.key === anchor} /> : <GroupCard row={row} tab={row.key === anchor} />}
        </li>
      ))}
    </ul>
  );
}

/** Over a flood: how many, where, and the newest one, so that none drowns among the groups. */
function FloodHead(): JSX.Element {
  const alarms = queue.value.filter((a) => a.kind === "alarm");
  const newest = alarms.reduce((a, b) => (b.id > a.id ? b : a));
  const places = new Set(alarms.map((a) => a.site)).size;
  return (
    <div class="flood-head" role="status">
      <p><Icon name="flood" /><strong>{t("flood.title", { count: alarms.length })}</strong><span>{t("flood.places", { places, unclaimed: ringing.value.length })}</span></p>
      <button type="button" onClick={() => { selectedCamera.value = null; selectedAlert.value = newest.id; }}>
        <span class="grow"><small>{t("flood.newest")}</small><span>{alertTitle(newest)} · {placeName(newest)}</span></span>
        <span class="age">{formatAge(now.value - Date.parse(newest.raised_at))}</span>
      </button>
    </div>
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
  return <div class="queue"><ul class="chunk">{alerts.map((alert) => <li key={alert.id}><Card alert={alert} tab /></li>)}</ul></div>;
}

/** When the focused card is moved or leaves the queue, the browser drops the focus on the body: put it on the card that stands there now. */
function useKeptFocus(list: { current: HTMLElement | null }): void {
  const last = useRef<{ id: string; index: number } | null>(null);
  useLayoutEffect(() => {
    const cards = [...(list.current?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
    if (last.current && document.activeElement === document.body) {
      const { id, index } = last.current;
      (cards.find((c) => c.dataset["row"] === id) ?? cards[Math.min(index, cards.length - 1)])?.focus();
      if (cards.length === 0) rescueFocus();
    }
    const at = cards.indexOf(document.activeElement as HTMLElement);
    last.current = at >= 0 ? { id: cards[at]!.dataset["row"]!, index: at } : null;
  });
}
