// The calendar of events: a month at a glance and what comes next, day by day. Events that overlap at one place are marked, for their people
// add up; assemblies of the register stand among them, so that a day is seen whole.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { day as dayWords, number } from "../../i18n";
import { can, now } from "../../store";
import { problem, siteName } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import type { Loaded } from "../../situation/load";
import { planning as hub } from "../hub";
import { t } from "../t";
import { dayOf, touches, weeks, when } from "../times";
import type { AssemblyEntry, PlannedEvent } from "../types";
import { EventDialog } from "./EventDialog";

interface Props { list: Loaded<PlannedEvent[]>; assemblies: readonly AssemblyEntry[]; adding: boolean; added: () => void }
/** What a cell of the month shows before it only counts. */
const IN_A_CELL = 3;

export function EventsView({ list, assemblies, adding, added }: Props): JSX.Element {
  const today = dayOf(now.value);
  const [month, setMonth] = useState(() => ({ year: Number(today.slice(0, 4)), month: Number(today.slice(5, 7)) - 1 }));
  const [only, setOnly] = useState<string | null>(null);
  const events = [...(list.data ?? [])].sort((a, b) => a.from.localeCompare(b.from));
  const held = assemblies.filter((a) => a.standing === "proceeds" || a.standing === "pending");
  const days = only ? [only] : [...new Set([...events.map((e) => soonest(e.from, today)), ...held.filter((a) => dayOf(a.assembly.until) >= today).map((a) => soonest(a.assembly.from, today))])].sort();
  return (
    <div class="frame-body events-body" tabIndex={0} role="region" aria-label={t("events.tab")}>
      {list.error !== null && <Failed text={problem(list.error)} retry={list.reload} />}
      {!list.data ? list.error === null && <Loading /> : (
        <>
          <Month {...month} today={today} only={only} choose={(d) => setOnly(only === d ? null : d)} events={events} held={held}
            move={(by) => setMonth(({ year, month: m }) => { const d = new Date(year, m + by, 1); return { year: d.getFullYear(), month: d.getMonth() }; })} />
          <section class="agenda" aria-label={t("events.agenda")}>
            <header class="agenda-head"><h2>{only ? dayWords(`${only}T12:00:00`) : t("events.agenda")}</h2>{only && <button type="button" onClick={() => setOnly(null)}>{t("events.all_days")}</button>}</header>
            {days.length === 0 && <Empty icon="calendar" title={t("events.none")}><p>{t("events.none_text")}</p></Empty>}
            {days.map((d) => <Day key={d} day={d} titled={only === null} events={events.filter((e) => (only ? touches(d, e.from, e.until) : soonest(e.from, today) === d))} held={held.filter((a) => touches(d, a.assembly.from, a.assembly.until))} all={events} gone={list.reload} />)}
          </section>
        </>
      )}
      {adding && <EventDialog day={only} close={added} saved={() => { added(); list.reload(); }} />}
    </div>
  );
}

/** What has begun before today is on today. */
const soonest = (from: string, today: string): string => (dayOf(from) < today ? today : dayOf(from));

function Month({ year, month, today, only, choose, events, held, move }: { year: number; month: number; today: string; only: string | null; choose: (day: string) => void; events: readonly PlannedEvent[]; held: readonly AssemblyEntry[]; move: (by: number) => void }): JSX.Element {
  const grid = weeks(year, month);
  return (
    <section class="sheet month" aria-labelledby="month-title">
      <header class="month-head">
        <button type="button" class="ghost square" aria-label={t("events.back")} onClick={() => move(-1)}><Icon name="back" /></button>
        <h2 id="month-title" aria-live="polite">{t(`month.long.${(month + 1) as 1}`)} {year}</h2>
        <button type="button" class="ghost square" aria-label={t("events.next")} onClick={() => move(1)}><Icon name="next" /></button>
      </header>
      <div class="month-grid">
        {grid[0]!.map((_, i) => <span key={i} class="weekday">{t(`weekday.${(i + 1) as 1}`)}</span>)}
        {grid.flat().map((d) => {
          const here = [
            ...events.filter((e) => touches(d, e.from, e.until)).map((e) => ({ key: `e${e.id}`, name: e.name, kind: e.overlaps.length > 0 ? "overlap" : "event" })),
            ...held.filter((a) => touches(d, a.assembly.from, a.assembly.until)).map((a) => ({ key: `a${a.id}`, name: t(`form.${a.assembly.form}`), kind: "assembly" })),
          ];
          const outside = Number(d.slice(5, 7)) !== month + 1;
          return (
            <button key={d} type="button" class={`month-day${outside ? " outside" : ""}${d === today ? " today" : ""}`} data-day={d} aria-pressed={only === d} disabled={here.length === 0} onClick={() => choose(d)}>
              <b>{Number(d.slice(8))}</b><span class="sr-only">{dayWords(`${d}T12:00:00`)}</span>
              {here.slice(0, IN_A_CELL).map((h) => <span key={h.key} class={`month-chip chip-${h.kind}`}>{h.kind === "overlap" && <Icon name="warning" size={12} />}<span>{h.name}</span>{h.kind === "overlap" && <span class="sr-only">{t("events.key_overlap")}</span>}</span>)}
              {here.length > IN_A_CELL && <small>+{here.length - IN_A_CELL}</small>}
            </button>
          );
        })}
      </div>
      <ul class="month-keys">
        <li><i class="chip-event" />{t("events.key_event")}</li><li><i class="chip-overlap" />{t("events.key_overlap")}</li><li><i class="chip-assembly" />{t("events.key_assembly")}</li>
      </ul>
    </section>
  );
}

function Day({ day, titled, events, held, all, gone }: { day: string; titled: boolean; events: readonly PlannedEvent[]; held: readonly AssemblyEntry[]; all: readonly PlannedEvent[]; gone: () => void }): JSX.Element {
  return (
    <div class="agenda-day">
      {titled && <h3>{dayWords(`${day}T12:00:00`)}</h3>}
      <ul class="agenda-list">
        {events.map((e) => <Row key={`e${e.id}`} event={e} all={all} gone={gone} />)}
        {held.map((a) => (
          <li key={`a${a.id}`} class="agenda-item held">
            <span class="agenda-time">{when(a.assembly.from, a.assembly.until)}</span>
            <div class="agenda-main"><strong>{t(`form.${a.assembly.form}`)}</strong><span class="muted">{a.assembly.place} · {t("events.people", { count: number(a.assembly.people, 0) })} · {t(`standing.${a.standing}`)}</span></div>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Row({ event: e, all, gone }: { event: PlannedEvent; all: readonly PlannedEvent[]; gone: () => void }): JSX.Element {
  const [sure, setSure] = useState(false);
  const [busy, setBusy] = useState(false);
  const others = all.filter((o) => e.overlaps.includes(o.id));
  const together = [e, ...others].reduce((sum, o) => sum + (o.people ?? 0), 0);
  const remove = async () => {
    setBusy(true);
    try {
      await hub.removeEvent(e.id);
      say(t("events.removed"));
      gone();
    } catch (error) {
      say(problem(error), true);
      setBusy(false);
      setSure(false);
    }
  };
  return (
    <li class={others.length > 0 ? "agenda-item overlap" : "agenda-item"} data-event={e.id}>
      <span class="agenda-time">{when(e.from, e.until)}</span>
      <div class="agenda-main">
        <strong>{e.name}</strong>
        <span class="muted">{siteName(e.site)}{e.people !== null && ` · ${t("events.people", { count: number(e.people, 0) })}`}</span>
        {others.length > 0 && <span class="overlap-line"><Icon name="warning" size={15} /><span>{t("events.overlaps", { names: others.map((o) => o.name).join(", ") })}{together > 0 && ` ${t("events.together", { count: number(together, 0) })}`}</span></span>}
      </div>
      {can("planning.write") && (
        <span class="agenda-act">
          {sure ? <><button type="button" class="danger" disabled={busy} onClick={() => void remove()}>{t("events.remove_sure")}</button><button type="button" onClick={() => setSure(false)}>{t("common.cancel")}</button></>
            : <button type="button" class="ghost square" aria-label={t("events.remove", { name: e.name })} title={t("common.remove")} onClick={() => setSure(true)}><Icon name="cross" size={16} /></button>}
        </span>
      )}
    </li>
  );
}
