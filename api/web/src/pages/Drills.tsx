// Drills: what runs now step by step, who is overdue, what is planned, and what was passed with its certificate.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { clockTime, dateTime, named, t } from "../i18n";
import { formatAge } from "../rank";
import { can, drillsVersion, now, page, queue, selectedAlert, session, sites } from "../store";
import { matching } from "../desk/find";
import { problem, siteName } from "../words";
import { shortDay } from "./Register";
import { Dialog } from "../ui/Dialog";
import { Empty, Failed, Loading } from "../ui/bits";
import { say } from "../ui/toast";
import { Icon, type IconName } from "../ui/icons";
import type { Drill, DrillState, DrillStep, Drills, Site } from "../types";

const STEPS: readonly DrillStep[] = ["pressed_at", "stored_at", "shown_at", "claimed_at", "accepted_at"];
const STATE_ICON: Record<DrillState, IconName> = { planned: "clock", running: "pulse", passed: "check", failed: "cross", cancelled: "back", missed: "warning" };
const REFRESH_MS = 10_000;

export function DrillsPage(): JSX.Element {
  const [data, setData] = useState<Drills | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [plan, setPlan] = useState<{ site: string | null } | null>(null);
  const [end, setEnd] = useState<Drill | null>(null);
  const load = () => {
    api.drills().then((d) => { setData(d); setError(null); }, setError);
  };
  // The steps of a running drill move with its alert.
  const moved = queue.value.filter((a) => a.alarm?.test).map((a) => `${a.id}.${a.version}`).join();
  useEffect(load, [drillsVersion.value, moved]);
  useEffect(() => {
    const timer = setInterval(load, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const write = can("drills.write");
  const start = async (site: string, at: string | null, minutes: number): Promise<boolean> => {
    try {
      const drill = await api.planDrill(site, at, minutes);
      say(t(drill.state === "planned" ? "drills.planned_said" : "drills.started", { site: named(drill.site_name, drill.site) }));
      load();
      return true;
    } catch (cause) {
      say(problem(cause), true);
      return false;
    }
  };
  const of = (...states: DrillState[]) => (data?.drills ?? []).filter((d) => states.includes(d.state));
  return (
    <main class="page">
      <header class="page-head">
        <div><h1>{t("drills.title")}</h1><p class="lead">{t("drills.lead")}</p></div>
        {write && <button type="button" class="primary" onClick={() => setPlan({ site: session.value?.site ?? null })}><Icon name="plus" />{t("drills.new")}</button>}
      </header>
      {error !== null && <Failed text={problem(error)} retry={load} />}
      {!data ? error === null && <Loading /> : (
        <>
          {of("running").map((d) => <Running key={d.id} drill={d} end={write ? () => setEnd(d) : undefined} />)}
          {data.overdue.length > 0 && (
            <section class="sheet">
              <h2>{t("drills.overdue", { count: data.overdue.length })}</h2>
              <ul class="drill-list">
                {data.overdue.slice(0, 100).map((o) => (
                  <li key={o.site} class="drill-row" data-site={o.site}>
                    <Icon name="warning" />
                    <span class="grow"><strong>{named(o.site_name, o.site)}</strong><small>{o.last_passed_at ? t("drills.last", { date: shortDay(o.last_passed_at) }) : t("drills.never")} · {t("drills.due", { date: shortDay(o.due_at) })}</small></span>
                    {write && <button type="button" onClick={() => setPlan({ site: o.site })}>{t("drills.plan_one")}</button>}
                  </li>
                ))}
              </ul>
            </section>
          )}
          <section class="sheet">
            <h2>{t("drills.planned")}</h2>
            {of("planned").length === 0 ? <p class="muted">{t("drills.none_planned")}</p> : <List drills={of("planned").sort((a, b) => a.scheduled_at.localeCompare(b.scheduled_at))} end={write ? setEnd : undefined} />}
          </section>
          <section class="sheet">
            <h2>{t("drills.past")}</h2>
            {of("passed", "failed", "cancelled", "missed").length === 0 ? <Empty icon="drill" title={t("drills.none_past")} /> : <List drills={of("passed", "failed", "cancelled", "missed")} end={undefined} />}
          </section>
        </>
      )}
      {plan && <PlanDrill site={plan.site} start={start} onClose={() => setPlan(null)} />}
      {end && <EndDrill drill={end} done={load} onClose={() => setEnd(null)} />}
    </main>
  );
}

function Running({ drill: d, end }: { drill: Drill; end: (() => void) | undefined }): JSX.Element {
  return (
    <section class="sheet drill-live" aria-labelledby={`drill-${d.id}`}>
      <header class="drill-live-head">
        <Icon name="drill" size={26} />
        <div class="grow"><h2 id={`drill-${d.id}`}>{t("drills.running", { site: named(d.site_name, d.site) })}</h2><p>{t("drills.not_alarm")}</p></div>
        <span class="age">{formatAge(Date.parse(d.until_at) - now.value)}</span>
      </header>
      <Steps drill={d} />
      <div class="dialog-buttons">
        {d.alert !== null && can("alerts.read") && <button type="button" onClick={() => { page.value = "desk"; selectedAlert.value = d.alert; }}>{t("drills.show_alert")}</button>}
        {end && <button type="button" onClick={end}>{t("drills.end")}</button>}
      </div>
    </section>
  );
}

function Steps({ drill }: { drill: Drill }): JSX.Element {
  const next = STEPS.find((s) => drill.steps[s] === null);
  return (
    <ol class="hops drill-steps">
      {STEPS.map((s) => (
        <li key={s} class={drill.steps[s] ? "done" : s === next && drill.state === "running" ? "next" : "todo"}>
          <span class="hop-dot">{drill.steps[s] && <Icon name="check" size={12} />}</span>
          <span class="hop-name">{t(`drills.step.${s}`)}</span>
          {drill.steps[s] ? <time dateTime={drill.steps[s]!}>{clockTime(drill.steps[s]!)}</time> : <span class="hop-none" aria-label={t("order.not_yet")}>–</span>}
        </li>
      ))}
    </ol>
  );
}

function List({ drills, end }: { drills: readonly Drill[]; end: ((drill: Drill) => void) | undefined }): JSX.Element {
  return (
    <ul class="drill-list">
      {drills.map((d) => {
        const done = STEPS.filter((s) => d.steps[s]).length;
        return (
          <li key={d.id} class={`drill-row drill-${d.state}`} data-drill={d.id}>
            <Icon name={STATE_ICON[d.state]} />
            <span class="grow"><strong>{named(d.site_name, d.site)}</strong><small>{dateTime(d.scheduled_at).slice(0, 16)} · {d.created_by}{d.note && ` · ${d.note}`}</small></span>
            {d.state !== "planned" && d.state !== "cancelled" && <span class="muted nowrap">{t("drills.steps_done", { done, all: STEPS.length })}</span>}
            <span class={`tag drill-tag-${d.state}`}>{t(`drills.state.${d.state}`)}</span>
            {d.state === "passed" && <a class="button" href={`/api/v1/drills/${d.id}/certificate.pdf`} target="_blank" rel="noopener"><Icon name="file" size={16} />{t("drills.certificate")}</a>}
            {end && <button type="button" onClick={() => end(d)}>{t("drills.call_off")}</button>}
          </li>
        );
      })}
    </ul>
  );
}

const MINUTES = [10, 30, 60, 120];

function PlanDrill({ site: given, start, onClose }: { site: string | null; start: (site: string, at: string | null, minutes: number) => Promise<boolean>; onClose: () => void }): JSX.Element {
  const own = session.value?.site ?? null;
  const [site, setSite] = useState<string | null>(given);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState("");
  const [minutes, setMinutes] = useState(30);
  const [busy, setBusy] = useState(false);
  const found = query.trim() ? matching([...sites.value.values()], query).slice(0, 6) : [];
  const send = async (event: Event) => {
    event.preventDefault();
    if (!site) return;
    setBusy(true);
    if (await start(site, at ? new Date(at).toISOString() : null, minutes)) onClose();
    setBusy(false);
  };
  const choose = (s: Site) => { setSite(s.id); setQuery(""); };
  return (
    <Dialog title={t("drills.new")} onClose={onClose}>
      <p class="callout"><Icon name="drill" />{t("drills.explain")}</p>
      <form class="form" onSubmit={(e) => void send(e)}>
        <div class="place-field">
          {site ? (
            <p class="callout ok"><Icon name="school" /><span class="grow">{siteName(site)}</span>
              {own === null && <button type="button" class="ghost square" aria-label={t("composer.place_clear")} onClick={() => setSite(null)}><Icon name="cross" size={16} /></button>}</p>
          ) : (
            <>
              <label>{t("drills.site")}<input type="text" data-first value={query} autoComplete="off" placeholder={t("composer.place_hint")} onInput={(e) => setQuery(e.currentTarget.value)}
                onKeyDown={(e) => { if (e.key === "Enter") { e.preventDefault(); if (found[0]) choose(found[0]); } }} /></label>
              <ul class="place-list" role="listbox" aria-label={t("drills.site")}>
                {found.map((s, i) => <li key={s.id} role="option" aria-selected={i === 0} onClick={() => choose(s)}><Icon name="school" size={16} /><span class="grow">{named(s.name, s.id)}</span></li>)}
              </ul>
            </>
          )}
        </div>
        <label><span>{t("drills.when")} <small>{t("drills.when_hint")}</small></span><input type="datetime-local" value={at} onInput={(e) => setAt(e.currentTarget.value)} /></label>
        <label>{t("drills.minutes")}<select value={minutes} onChange={(e) => setMinutes(Number(e.currentTarget.value))}>{MINUTES.map((m) => <option key={m} value={m}>{t("drills.min", { count: m })}</option>)}</select></label>
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>{t("common.cancel")}</button>
          <button type="submit" class="primary" disabled={busy || !site}>{t(at ? "drills.plan" : "drills.start")}</button>
        </div>
      </form>
    </Dialog>
  );
}

function EndDrill({ drill, done, onClose }: { drill: Drill; done: () => void; onClose: () => void }): JSX.Element {
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const running = drill.state === "running";
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await api.endDrill(drill.id, { cancelled: !running, ...(note.trim() ? { note: note.trim() } : {}) });
      done();
      onClose();
    } catch (cause) {
      setError(problem(cause));
      setBusy(false);
    }
  };
  return (
    <Dialog title={t(running ? "drills.end" : "drills.call_off")} onClose={onClose}>
      <p class="about"><strong>{named(drill.site_name, drill.site)}</strong></p>
      <form class="form" onSubmit={(e) => void send(e)}>
        <label><span>{t("drills.note")} <small>{t("common.optional")}</small></span><textarea rows={3} maxLength={1000} data-first value={note} onInput={(e) => setNote(e.currentTarget.value)} /></label>
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>{t("common.cancel")}</button>
          <button type="submit" class="primary" disabled={busy}>{t(running ? "drills.end" : "drills.call_off")}</button>
        </div>
      </form>
    </Dialog>
  );
}
