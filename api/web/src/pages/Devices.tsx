// Every button, panel, edge box and phone: does it live, when was it last heard, what is wrong with it. Ages tick here.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { dateTime, named, number, t } from "../i18n";
import { devicesVersion, now } from "../store";
import { plain } from "../desk/find";
import { ago, problem, siteName } from "../words";
import { Empty, Failed, Loading } from "../ui/bits";
import { Icon, type IconName } from "../ui/icons";
import type { Device, DeviceState } from "../types";

type View = "all" | Exclude<DeviceState, "unsupervised"> | "battery" | "faulty";
const STATE_ICON: Record<DeviceState, IconName> = { ok: "check", lost: "unlink", never: "clock", unsupervised: "notice" };
const ORDER: Record<DeviceState, number> = { lost: 0, never: 2, ok: 3, unsupervised: 4 };
const KIND_ICON: Record<Device["kind"], IconName> = { button: "button", panel: "list", edge: "box", phone: "phone" };
const STEP = 200;
const REFRESH_MS = 15_000;

const faulty = (d: Device) => d.tamper || !d.mains_ok || d.fault !== null || (d.clock_offset_s !== null && Math.abs(d.clock_offset_s) > 60);

export function DevicesPage(): JSX.Element {
  const [list, setList] = useState<Device[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [view, setView] = useState<View>("all");
  const [query, setQuery] = useState("");
  const [shown, setShown] = useState(STEP);
  const load = () => {
    api.devices().then((d) => { setList(d.devices); setError(null); }, setError);
  };
  useEffect(load, [devicesVersion.value]);
  useEffect(() => {
    const timer = setInterval(load, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => setShown(STEP), [view, query]);
  const all = list ?? [];
  const is = (v: View) => (d: Device) => v === "all" || (v === "battery" ? d.battery_low : v === "faulty" ? faulty(d) : d.state === v);
  const views: [View, IconName][] = [["all", "list"], ["ok", "check"], ["lost", "unlink"], ["never", "clock"], ["battery", "battery"], ["faulty", "trouble"]];
  const words = plain(query);
  const found = all.filter(is(view))
    .filter((d) => words === "" || plain(`${d.id} ${d.name.kk} ${d.name.ru} ${d.name.en} ${siteName(d.site)} ${d.provider ?? ""}`).includes(words))
    .sort((a, b) => ORDER[a.state] - (faulty(a) || a.battery_low ? 2.5 : 0) - ORDER[b.state] + (faulty(b) || b.battery_low ? 2.5 : 0) || a.id.localeCompare(b.id));
  return (
    <main class="page wide">
      <header class="page-head"><div><h1>{t("devices.title")}</h1><p class="lead">{t("devices.lead")}</p></div></header>
      {error !== null && <Failed text={problem(error)} retry={load} />}
      {!list ? error === null && <Loading /> : (
        <>
          <div class="filters" role="group" aria-label={t("register.filter")}>
            {views.map(([id, icon]) => (
              <button key={id} type="button" class={`filter view-${id}`} aria-pressed={view === id} onClick={() => setView(id)}>
                <Icon name={icon} size={18} /><strong>{all.filter(is(id)).length}</strong><span>{t(`devices.view.${id}`)}</span>
              </button>
            ))}
          </div>
          <div class="search-row"><label class="grow"><span class="sr-only">{t("devices.search")}</span><input type="search" value={query} placeholder={t("devices.search")} onInput={(e) => setQuery(e.currentTarget.value)} /></label></div>
          <section class="sheet table-sheet">
            {found.length === 0 ? <Empty icon="button" title={t(all.length === 0 ? "devices.empty" : "register.no_match")} /> : (
              <>
                <div class="scroll" tabIndex={0} role="region" aria-label={t("devices.title")}>
                  <table class="rows device-table">
                    <thead><tr><th scope="col">{t("devices.name")}</th><th scope="col">{t("devices.state")}</th><th scope="col">{t("devices.seen")}</th><th scope="col">{t("devices.battery")}</th><th scope="col">{t("devices.faults")}</th><th scope="col">{t("devices.provider")}</th></tr></thead>
                    <tbody>{found.slice(0, shown).map((d) => <Row key={d.id} device={d} />)}</tbody>
                  </table>
                </div>
                <p class="table-foot">
                  <span class="muted">{t("register.shown", { shown: Math.min(shown, found.length), all: found.length })}</span>
                  {found.length > shown && <button type="button" onClick={() => setShown(shown + STEP)}>{t("register.more")}</button>}
                </p>
              </>
            )}
          </section>
        </>
      )}
    </main>
  );
}

function Row({ device: d }: { device: Device }): JSX.Element {
  return (
    <tr class={d.state === "lost" ? "blind" : ""}>
      <th scope="row"><span class="with-icon"><Icon name={KIND_ICON[d.kind]} size={18} /><span>{named(d.name, d.id)}<small>{siteName(d.site)} · <span class="mono">{d.id}</span></small></span></span></th>
      <td data-label={t("devices.state")}><span class={`tag device-${d.state}`}><Icon name={STATE_ICON[d.state]} size={13} />{t(`devices.state.${d.state}`)}</span></td>
      <td data-label={t("devices.seen")}><Seen device={d} /></td>
      <td data-label={t("devices.battery")} class="nowrap">{d.battery_percent === null && !d.battery_low ? "–" : <Battery percent={d.battery_percent} low={d.battery_low} />}</td>
      <td data-label={t("devices.faults")}>{faults(d).length === 0 ? "–" : faults(d).map((f) => <span key={f} class="tag warn">{f}</span>)}</td>
      <td data-label={t("devices.provider")}>{d.provider ?? "–"}</td>
    </tr>
  );
}

/** Ticks by itself: the table around it stands still. */
function Seen({ device: d }: { device: Device }): JSX.Element {
  if (!d.seen_at) return <span class="muted">{t("devices.never_seen")}</span>;
  const age = now.value - Date.parse(d.seen_at);
  const late = d.interval_s !== null && age > d.interval_s * 1000;
  return (
    <span class={late ? "bad-text nowrap" : "nowrap"} title={dateTime(d.seen_at)}>{ago(age)}
      {d.interval_s !== null && <small> / {t("devices.every", { age: ago(d.interval_s * 1000) })}</small>}</span>
  );
}

function Battery({ percent, low }: { percent: number | null; low: boolean }): JSX.Element {
  return (
    <span class={low ? "battery low" : "battery"}>
      <span class="battery-bar" aria-hidden="true"><span style={{ width: `${percent ?? (low ? 8 : 100)}%` }} /></span>
      {percent !== null ? `${percent} %` : t("devices.battery_low")}
    </span>
  );
}

function faults(d: Device): string[] {
  const out: string[] = [];
  if (d.tamper) out.push(t("devices.tamper"));
  if (!d.mains_ok) out.push(t("devices.no_mains"));
  if (d.clock_offset_s !== null && Math.abs(d.clock_offset_s) > 60) out.push(t("devices.clock", { seconds: `${d.clock_offset_s > 0 ? "+" : ""}${number(d.clock_offset_s, 0)}` }));
  if (d.fault) out.push(d.fault);
  return out;
}
