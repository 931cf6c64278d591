// The register of institutions: which have working buttons, which are in work, which are not connected, who answers for it and
// until when. One row is edited in a side panel; a whole table comes in by import.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { dateTime, named, t, type Key } from "../i18n";
import { areas, blind, can } from "../store";
import { problem } from "../words";
import { plain } from "../desk/find";
import { RegisterImport } from "./RegisterImport";
import { Empty, Failed, Loading } from "../ui/bits";
import { rescueFocus } from "../ui/focus";
import { say } from "../ui/toast";
import { Icon, type IconName } from "../ui/icons";
import type { Institution, InstitutionStatus, Register } from "../types";

type View = "all" | InstitutionStatus | "blind" | "overdue";
const VIEWS: readonly [View, Key, IconName][] = [
  ["all", "register.all", "list"], ["connected", "register.status.connected", "check"], ["in_work", "register.status.in_work", "clock"],
  ["not_connected", "register.status.not_connected", "unlink"], ["blind", "register.blind", "mute"], ["overdue", "register.overdue", "warning"],
];
export const STATUS_ICON: Record<InstitutionStatus, IconName> = { connected: "check", in_work: "clock", not_connected: "unlink" };
/** Rows drawn at once; a button asks for more. Thousands of rows would only slow the page. */
const STEP = 200;

export function RegisterPage(): JSX.Element {
  const [data, setData] = useState<Register | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [view, setView] = useState<View>("all");
  const [area, setArea] = useState("");
  const [query, setQuery] = useState("");
  const [shown, setShown] = useState(STEP);
  const [edited, setEdited] = useState<string | null>(null);
  const [importing, setImporting] = useState(false);
  const load = () => {
    setError(null);
    api.register().then((r) => {
      setData(r);
      if (blind.peek() !== null) blind.value = r.institutions.filter((i) => i.blind);
    }, setError);
  };
  useEffect(load, []);
  useEffect(() => setShown(STEP), [view, area, query]);
  const words = plain(query);
  const list = (data?.institutions ?? []).filter((i) =>
    (view === "all" || (view === "blind" ? i.blind : view === "overdue" ? i.overdue : i.status === view))
    && (area === "" || i.area === area)
    && (words === "" || plain(`${i.name.kk} ${i.name.ru} ${i.name.en} ${i.id} ${i.address ?? ""} ${i.owner ?? ""}`).includes(words)));
  const put = (next: Institution) => {
    // Totals and blindness follow from the change: the hub counts them.
    setData((d) => (d ? { ...d, institutions: d.institutions.map((i) => (i.id === next.id ? next : i)) } : d));
    load();
  };
  const open = edited === null ? undefined : data?.institutions.find((i) => i.id === edited);
  return (
    <main class={open ? "page wide split" : "page wide"}>
      <div class="page-main">
        <header class="page-head">
          <div><h1>{t("register.title")}</h1><p class="lead">{t("register.lead")}</p></div>
          {can("register.write") && <button type="button" aria-expanded={importing} onClick={() => setImporting(!importing)}><Icon name="upload" />{t("register.import")}</button>}
        </header>
        {importing && <RegisterImport onApplied={load} />}
        {error !== null && <Failed text={problem(error)} retry={load} />}
        {!data ? error === null && <Loading /> : (
          <>
            <div class="filters" role="group" aria-label={t("register.filter")}>
              {VIEWS.map(([id, name, icon]) => (
                <button key={id} type="button" class={`filter view-${id}`} aria-pressed={view === id} onClick={() => setView(id)}>
                  <Icon name={icon} size={18} /><strong>{data.totals[id]}</strong><span>{t(name)}</span>
                </button>
              ))}
            </div>
            <div class="search-row">
              <label class="grow"><span class="sr-only">{t("register.search")}</span><input type="search" value={query} placeholder={t("register.search")} onInput={(e) => setQuery(e.currentTarget.value)} /></label>
              <label><span class="sr-only">{t("register.area")}</span>
                <select value={area} onChange={(e) => setArea(e.currentTarget.value)}>
                  <option value="">{t("register.all_areas")}</option>
                  {areaNames(data).map(([kato, name]) => <option key={kato} value={kato}>{name}</option>)}
                </select>
              </label>
            </div>
            <section class="sheet table-sheet">
              {list.length === 0 ? <Empty icon="list" title={t(data.institutions.length === 0 ? "register.empty" : "register.no_match")} /> : (
                <>
                  <Table list={list.slice(0, shown)} chosen={edited} choose={setEdited} />
                  <p class="table-foot">
                    <span class="muted">{t("register.shown", { shown: Math.min(shown, list.length), all: list.length })}</span>
                    {list.length > shown && <button type="button" onClick={() => setShown(shown + STEP)}>{t("register.more")}</button>}
                  </p>
                </>
              )}
            </section>
          </>
        )}
      </div>
      {open && <Editor key={open.id} institution={open} put={put} close={() => { setEdited(null); rescueFocus(`[data-institution="${open.id}"]`); }} />}
    </main>
  );
}

function areaNames(data: Register): [string, string][] {
  const known = new Map(data.institutions.map((i) => [i.area, named(i.area_name ?? undefined, i.area)]));
  for (const f of areas.value?.features ?? []) if (known.has(f.properties.kato)) known.set(f.properties.kato, named(f.properties.name, f.properties.kato));
  return [...known].sort((a, b) => a[1].localeCompare(b[1]));
}

export function StatusTag({ status }: { status: InstitutionStatus }): JSX.Element {
  return <span class={`tag status-${status}`}><Icon name={STATUS_ICON[status]} size={13} />{t(`register.status.${status}`)}</span>;
}

function Table({ list, chosen, choose }: { list: readonly Institution[]; chosen: string | null; choose: (id: string) => void }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("register.title")}>
      <table class="rows register-table">
        <thead>
          <tr>
            <th scope="col">{t("register.name")}</th><th scope="col">{t("register.status")}</th><th scope="col">{t("register.devices")}</th>
            <th scope="col">{t("register.cause")}</th><th scope="col">{t("register.owner")}</th><th scope="col">{t("register.deadline")}</th><th scope="col">{t("register.last_drill")}</th>
          </tr>
        </thead>
        <tbody>
          {list.map((i) => (
            <tr key={i.id} class={`${i.blind ? "blind" : ""}${chosen === i.id ? " chosen" : ""}`}>
              <th scope="row">
                <button type="button" class="link-button" data-institution={i.id} onClick={() => choose(i.id)}>{named(i.name, i.id)}</button>
                <small>{t(`register.kind.${i.kind}`)} · {named(i.area_name ?? undefined, i.area)}</small>
              </th>
              <td data-label={t("register.status")}><StatusTag status={i.status} />{i.blind && i.blind_why && i.blind_why !== i.status && <span class="tag bad"><Icon name="mute" size={13} />{t(`register.why.${i.blind_why}`)}</span>}</td>
              <td data-label={t("register.devices")}>{i.devices}{i.devices_lost > 0 && <span class="bad-text"> · {t("register.lost", { count: i.devices_lost })}</span>}</td>
              <td data-label={t("register.cause")}>{i.cause ?? "–"}</td>
              <td data-label={t("register.owner")}>{i.owner ?? "–"}</td>
              <td data-label={t("register.deadline")} class="nowrap">{i.deadline ? <span class={i.overdue ? "bad-text" : ""}>{i.overdue && <Icon name="warning" size={14} />}{shortDay(i.deadline)}</span> : "–"}</td>
              <td data-label={t("register.last_drill")} class="nowrap">{i.last_drill_at ? shortDay(i.last_drill_at) : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Day first, as on every paper here. */
export function shortDay(at: string): string {
  return /^\d{4}-\d{2}-\d{2}$/.test(at) ? at.split("-").reverse().join(".") : dateTime(at).slice(0, 10);
}

const STATUSES: readonly InstitutionStatus[] = ["connected", "in_work", "not_connected"];

function Editor({ institution: i, put, close }: { institution: Institution; put: (next: Institution) => void; close: () => void }): JSX.Element {
  const [status, setStatus] = useState(i.status);
  const [fields, setFields] = useState({ cause: i.cause ?? "", owner: i.owner ?? "", deadline: i.deadline ?? "", provider: i.provider ?? "", address: i.address ?? "" });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const write = can("register.write");
  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      const none = (text: string) => text.trim() || null;
      put(await api.putInstitution(i.id, { status, cause: none(fields.cause), owner: none(fields.owner), deadline: none(fields.deadline), provider: none(fields.provider), address: none(fields.address) }));
      say(t("register.saved"));
    } catch (cause) {
      setError(problem(cause));
    } finally {
      setBusy(false);
    }
  };
  const change = (name: keyof typeof fields) => (e: { currentTarget: HTMLInputElement }) => setFields({ ...fields, [name]: e.currentTarget.value });
  const text = (name: keyof typeof fields, label: Key) => (
    <label>{t(label)}<input type="text" value={fields[name]} disabled={!write} maxLength={300} onInput={change(name)} /></label>
  );
  return (
    <aside class="side" aria-labelledby="side-title" onKeyDown={(e) => e.key === "Escape" && close()}>
      <header class="side-head">
        <div class="grow"><h2 id="side-title" tabIndex={-1}>{named(i.name, i.id)}</h2><small>{t(`register.kind.${i.kind}`)} · {named(i.area_name ?? undefined, i.area)} · <span class="mono">{i.id}</span></small></div>
        <button type="button" class="ghost square" aria-label={t("common.close")} onClick={close}><Icon name="cross" /></button>
      </header>
      {i.blind && <p class="callout bad"><Icon name="mute" />{t("register.is_blind", { why: t(`register.why.${i.blind_why ?? "lost"}`) })}</p>}
      <form class="form" onSubmit={(e) => void save(e)}>
        <fieldset class="choices" disabled={!write}>
          <legend>{t("register.status")}</legend>
          {STATUSES.map((s) => (
            <label key={s} class="choice"><input type="radio" name="status" checked={status === s} onChange={() => setStatus(s)} /><Icon name={STATUS_ICON[s]} size={16} /><span>{t(`register.status.${s}`)}</span></label>
          ))}
        </fieldset>
        {text("cause", "register.cause")}
        {text("owner", "register.owner")}
        <label>{t("register.deadline")}<input type="date" value={fields.deadline} disabled={!write} onInput={change("deadline")} /></label>
        {text("provider", "register.provider")}
        {text("address", "register.address")}
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        {write && <button type="submit" class="primary" disabled={busy}>{busy ? t("common.wait") : t("common.save")}</button>}
      </form>
      <dl class="facts">
        <div><dt>{t("register.devices")}</dt><dd>{i.devices}{i.devices_lost > 0 && ` · ${t("register.lost", { count: i.devices_lost })}`}</dd></div>
        <div><dt>{t("register.changed")}</dt><dd>{dateTime(i.updated_at)}<br /><small>{i.updated_by}</small></dd></div>
      </dl>
    </aside>
  );
}
