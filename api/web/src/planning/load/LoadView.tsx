// Console load after IEC 62682, live and of the shift before: rate, floods, sources that chatter, what stays open, what is put aside.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { clockTime, dateTime, number } from "../../i18n";
import { can, now, queue } from "../../store";
import { ago, problem } from "../../words";
import { Failed, Loading } from "../../ui/bits";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { useLoad } from "../../situation/load";
import { load as hub } from "../hub";
import { t } from "../t";
import type { Load, Shelved, Source } from "../types";
import { FLOOD_ABOVE, pace } from "./figures";
import { isCamera, sourceName } from "./names";
import { ShelveDialog } from "./ShelveDialog";

const REFRESH_MS = 10_000;

export function LoadView(): JSX.Element {
  const console = useLoad(hub.console, []);
  const [desk, setDesk] = useState<"duty" | "police">("duty");
  const [shelve, setShelve] = useState<{ camera: string | null } | null>(null);
  // Time changes the figures by itself; a new alert at once.
  const heard = queue.value.map((a) => a.id).join();
  const first = useRef(heard);
  useEffect(() => {
    if (first.current !== heard) console.reload();
    const timer = setInterval(console.reload, REFRESH_MS);
    return () => clearInterval(timer);
  }, [console.reload, heard]);
  const back = async (camera: string) => {
    try {
      await hub.shelve(camera, 0, t("shelve.back_reason"));
      say(t("shelve.taken_up", { camera: sourceName(camera) }));
      console.reload();
    } catch (error) {
      say(problem(error), true);
    }
  };
  const data = console.data;
  const may = can("incidents.open") && can("cameras.read");
  const put = may ? (camera: string | null) => setShelve({ camera }) : undefined;
  if (!data) return <div class="frame-body">{console.error === null ? <Loading /> : <Failed text={problem(console.error)} retry={console.reload} />}</div>;
  const { now: load, last_shift: before } = data[desk];
  return (
    <div class="frame-body" tabIndex={0} role="region" aria-label={t("load.tab")}>
      {console.error !== null && <Failed text={problem(console.error)} retry={console.reload} />}
      <div class="load-head">
        <p class="muted">{t("load.since", { time: dateTime(data.shift_began).slice(0, 16) })}</p>
        <div class="seg" role="group" aria-label={t("load.desk")}>
          {(["duty", "police"] as const).map((id) => <button key={id} type="button" aria-pressed={desk === id} onClick={() => setDesk(id)}>{t(`load.desk.${id}`)}</button>)}
        </div>
      </div>
      <Figures load={load} before={before} />
      <section class="sheet" aria-labelledby="spans-title">
        <h2 id="spans-title">{t("load.spans")}</h2>
        {load.spans && load.spans.length > 0 && <Spans spans={load.spans} from={Date.parse(data.shift_began)} />}
        <Floods load={load} />
      </section>
      <div class="load-columns">
        <section class="sheet" aria-labelledby="top-title">
          <h2 id="top-title">{t("load.top")}</h2>
          {load.top.length === 0 ? <p class="muted">{t("load.top_none")}</p> : <Top sources={load.top} />}
        </section>
        <section class="sheet" aria-labelledby="chatter-title">
          <h2 id="chatter-title">{t("load.chattering")}</h2>
          <p class="muted small">{t("load.chattering_means")}</p>
          {load.chattering.length === 0 ? <p class="good-line"><Icon name="check" size={17} />{t("load.chattering_none")}</p> : <Chattering sources={load.chattering} put={put} />}
        </section>
        <Aside shelved={data.shelved} put={put} back={may ? back : undefined} />
      </div>
      {shelve && <ShelveDialog camera={shelve.camera} onClose={() => setShelve(null)} done={console.reload} />}
    </div>
  );
}

function Figures({ load, before }: { load: Load; before: Load }): JSX.Element {
  const rate = pace(load.per_span);
  const last = (value: string) => <small>{t("load.last_shift", { value })}</small>;
  return (
    <ul class="kpis load-kpis">
      <li class={load.now > FLOOD_ABOVE ? "kpi bad" : "kpi"}>
        <span>{t("load.now")}</span><strong>{number(load.now, 0)}</strong>
        <span class="flood-bar" aria-hidden="true"><i style={{ width: `${Math.min(1, load.now / (FLOOD_ABOVE * 1.5)) * 100}%` }} /><b /></span>
        <small>{t("load.flood_above", { count: FLOOD_ABOVE })}</small>
      </li>
      <li class={rate === "well" ? "kpi" : rate === "most" ? "kpi warn" : "kpi bad"}><span>{t("load.per_span")}</span><strong>{number(load.per_span, 2)}</strong><em class={`pace pace-${rate}`}><Icon name={rate === "well" ? "check" : "warning"} size={14} />{t(`load.pace.${rate}`)}</em>{last(number(before.per_span, 2))}</li>
      <li class={load.most_in_span > FLOOD_ABOVE ? "kpi warn" : "kpi"}><span>{t("load.most")}</span><strong>{number(load.most_in_span, 0)}</strong>{last(number(before.most_in_span, 0))}</li>
      <li class={load.flood_percent > 0 ? "kpi warn" : "kpi"}><span>{t("load.flood_time")}</span><strong>{number(load.flood_percent)} %</strong>{last(`${number(before.flood_percent)} %`)}</li>
      <li class={load.stale > 0 ? "kpi warn" : "kpi"}><span>{t("load.stale")}</span><strong>{number(load.stale, 0)}</strong>{last(number(before.stale, 0))}</li>
      <li class="kpi"><span>{t("load.alerts")}</span><strong>{number(load.alerts, 0)}</strong>{last(number(before.alerts, 0))}</li>
    </ul>
  );
}

const SPAN_MS = 600_000;

/** Ten minutes a column; the flood's mark is a line across. */
function Spans({ spans, from }: { spans: readonly number[]; from: number }): JSX.Element {
  const top = Math.max(FLOOD_ABOVE * 1.35, ...spans) * 1.02;
  const most = Math.max(0, ...spans);
  const at = (i: number) => clockTime(from + i * SPAN_MS).slice(0, 5);
  return (
    <figure class="spans" role="img" aria-label={t("load.spans_label", { count: spans.length, most, limit: FLOOD_ABOVE })}>
      <div class="spans-plot">
        <div class="spans-line" style={{ bottom: `${(FLOOD_ABOVE / top) * 100}%` }}><span>{t("load.flood_line", { count: FLOOD_ABOVE })}</span></div>
        {spans.map((n, i) => (
          <span key={i} class={n > FLOOD_ABOVE ? "span flood" : n === 0 ? "span none" : "span"} title={t("load.span_title", { from: at(i), to: at(i + 1), count: n })}><i style={{ height: `${(n / top) * 100}%` }} /></span>
        ))}
      </div>
      <figcaption><span>{at(0)}</span>{spans.length > 6 && <span>{at(Math.floor(spans.length / 2))}</span>}<span>{t("load.till_now")}</span></figcaption>
    </figure>
  );
}

function Floods({ load }: { load: Load }): JSX.Element {
  if (load.floods.length === 0) return <p class="good-line"><Icon name="check" size={17} />{t("load.no_floods")}</p>;
  return (
    <ul class="floods">
      {load.floods.map((f) => (
        <li key={f.from} class={f.until === null ? "on" : ""}>
          <Icon name="flood" size={18} />
          <strong>{clockTime(f.from).slice(0, 5)} – {f.until === null ? t("load.flood_on") : clockTime(f.until).slice(0, 5)}</strong>
          <span>{t("load.flood_alerts", { count: f.alerts })}</span>
        </li>
      ))}
    </ul>
  );
}

function Top({ sources }: { sources: readonly Source[] }): JSX.Element {
  const most = Math.max(1, ...sources.map((s) => s.alerts));
  return (
    <ol class="shares">
      {sources.map((s) => (
        <li key={s.source} class="share-row">
          <span class="share-name">{sourceName(s.source)}</span>
          <span class="share-bar" aria-hidden="true"><i style={{ width: `${(s.alerts / most) * 100}%` }} /></span>
          <strong class="share-value">{number(s.alerts, 0)}</strong>
        </li>
      ))}
    </ol>
  );
}

function Chattering({ sources, put }: { sources: readonly Source[]; put: ((camera: string) => void) | undefined }): JSX.Element {
  return (
    <ul class="source-rows">
      {sources.map((s) => (
        <li key={s.source}>
          <Icon name="pulse" size={18} />
          <span class="grow"><strong>{sourceName(s.source)}</strong><small>{t("load.flood_alerts", { count: s.alerts })}</small></span>
          {put && isCamera(s.source) && <button type="button" data-shelve={s.source} onClick={() => put(s.source)}>{t("shelve.put")}</button>}
        </li>
      ))}
    </ul>
  );
}

/** Undefined: this hub does not say what is put aside; it can still be done. */
function Aside({ shelved, put, back }: { shelved: readonly Shelved[] | undefined; put: ((camera: string | null) => void) | undefined; back: ((camera: string) => void) | undefined }): JSX.Element {
  const on = shelved?.filter((s) => Date.parse(s.until) > now.value) ?? [];
  return (
    <section class="sheet" aria-labelledby="aside-title">
      <h2 id="aside-title">{t("shelve.title")}</h2>
      <p class="muted small">{t("shelve.means")}</p>
      {shelved && on.length === 0 && <p class="good-line"><Icon name="check" size={17} />{t("shelve.none")}</p>}
      {on.length > 0 && (
        <ul class="source-rows">
          {on.map((s) => (
            <li key={s.camera} data-shelved={s.camera}>
              <Icon name="aside" size={18} />
              <span class="grow">
                <strong>{sourceName(s.camera)}</strong>
                <small>{t("shelve.until", { time: clockTime(s.until).slice(0, 5), rest: ago(Date.parse(s.until) - now.value) })}{s.who && ` · ${s.who}`}</small>
                {s.reason && <small class="shelve-reason">{s.reason}</small>}
              </span>
              {back && <button type="button" onClick={() => back(s.camera)}>{t("shelve.take_up")}</button>}
            </li>
          ))}
        </ul>
      )}
      {put && <button type="button" onClick={() => put(null)}><Icon name="aside" size={17} />{t("shelve.open")}</button>}
    </section>
  );
}
