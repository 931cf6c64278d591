// The emergency journal and its bulletin of 24 hours. An entry is never rewritten: a correction stands beside what it corrects.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { dateTime, named, number } from "../../i18n";
import { lang } from "../../prefs";
import { can } from "../../store";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { say } from "../../ui/toast";
import { Icon, type IconName } from "../../ui/icons";
import { AreaSelect, areaName, DemoTag, dayWords, Side, Tabs } from "../bits";
import { journal as hub } from "../hub";
import { useLoad } from "../load";
import { t } from "../t";
import type { Entry, Named } from "../types";
import { EntryForm } from "./EntryForm";
import "../styles/situation.css";
import "../styles/plan.css";

type View = "journal" | "bulletin";

const ICON: Record<string, IconName> = { fire: "fire", accident: "warning", utility: "plug", weather: "flood", flood: "flood", earthquake: "pulse", epidemic: "medical", public_event: "crowd" };

export function JournalPage(): JSX.Element {
  const [view, setView] = useState<View>("journal");
  const [chosen, setChosen] = useState<number | "new" | null>(null);
  const [kind, setKind] = useState("");
  const [area, setArea] = useState("");
  const list = useLoad(() => hub.list({ kind, area }), [kind, area]);
  const [older, setOlder] = useState<{ entries: Entry[]; next: string | null; of: unknown } | null>(null);
  const kinds = list.data?.kinds ?? [];
  const tail = older && older.of === list.data ? older : null;
  const entries = [...(list.data?.entries ?? []), ...(tail?.entries ?? [])];
  const next = tail ? tail.next : (list.data?.next ?? null);
  const more = async () => {
    try {
      const answer = await hub.list({ kind, area, after: next });
      setOlder({ entries: [...(tail?.entries ?? []), ...answer.entries], next: answer.next, of: list.data });
    } catch (error) {
      say(problem(error), true);
    }
  };
  const done = () => {
    setChosen(null);
    list.reload();
    say(t("shared.saved"));
  };
  const entry = entries.find((e) => e.id === chosen);
  return (
    <main class="page-frame journal-page">
      <header class="frame-head">
        <h1>{t("journal.title")}</h1>
        <Tabs tabs={[{ id: "journal", name: t("journal.entries") }, { id: "bulletin", name: t("journal.bulletin") }]} at={view} choose={(v) => { setView(v); setChosen(null); }} label={t("journal.views")} />
        <span class="grow" />
        {can("journal.write") && view === "journal" && <button type="button" class="primary" onClick={() => setChosen("new")}><Icon name="plus" size={17} />{t("journal.add")}</button>}
      </header>
      {view === "bulletin" ? <BulletinView kinds={kinds} /> : (
        <div class={chosen !== null ? "frame-split open" : "frame-split"}>
          <div class="frame-body">
            <div class="search-row">
              <label><span class="sr-only">{t("journal.kind")}</span><select value={kind} onChange={(e) => setKind(e.currentTarget.value)}><option value="">{t("journal.all_kinds")}</option>{kinds.map((k) => <option key={k.id} value={k.id}>{named(k.name, k.id)}</option>)}</select></label>
              <label><span class="sr-only">{t("shared.area")}</span><AreaSelect value={area} change={setArea} all={t("shared.all_areas")} /></label>
            </div>
            {list.error !== null && <Failed text={problem(list.error)} retry={list.reload} />}
            {!list.data ? list.error === null && <Loading /> : entries.length === 0 ? <Empty icon="check" title={t("journal.none")} /> : (
              <>
                <ul class="entry-list">{entries.map((e) => <EntryRow key={e.id} entry={e} kinds={kinds} chosen={chosen === e.id} open={() => setChosen(e.id)} />)}</ul>
                {next && <button type="button" onClick={() => void more()}>{t("shared.more")}</button>}
              </>
            )}
          </div>
          {chosen === "new" && <Side title={t("journal.add")} close={() => setChosen(null)}><EntryForm entry={null} kinds={kinds} done={done} /></Side>}
          {entry && <EntrySide key={entry.id} entry={entry} kinds={kinds} close={() => setChosen(null)} done={done} />}
        </div>
      )}
    </main>
  );
}

const kindName = (kinds: readonly Named[], id: string) => named(kinds.find((k) => k.id === id)?.name, id);

function Harm({ entry: e }: { entry: Pick<Entry, "dead" | "injured" | "evacuated" | "children"> }): JSX.Element | null {
  const parts = ([["dead", e.dead], ["injured", e.injured], ["children", e.children], ["evacuated", e.evacuated]] as const).filter(([, n]) => n > 0);
  if (parts.length === 0) return null;
  return <span class="harm">{parts.map(([what, n]) => <b key={what} class={what}>{t(`journal.${what}`)}: {number(n, 0)}</b>)}</span>;
}

function EntryRow({ entry: e, kinds, chosen, open }: { entry: Entry; kinds: readonly Named[]; chosen: boolean; open: () => void }): JSX.Element {
  return (
    <li>
      <button type="button" class="entry" data-entry={e.id} aria-current={chosen ? "true" : undefined} onClick={open}>
        <span class="entry-icon"><Icon name={ICON[e.kind] ?? "note"} size={20} /></span>
        <span class="entry-main">
          <span class="entry-top"><strong>{kindName(kinds, e.kind)}</strong><span class="muted">{areaName(e.area)}{e.place && `, ${e.place}`}</span>{e.ongoing && <span class="tag warn-tag">{t("journal.ongoing")}</span>}{e.corrected && <span class="tag">{t("journal.corrected")}</span>}{e.demo && <DemoTag short />}</span>
          <span>{e.what}</span><Harm entry={e} />
        </span>
        <time dateTime={e.at}>{dateTime(e.at).slice(0, 16)}</time>
      </button>
    </li>
  );
}

function EntrySide({ entry, kinds, close, done }: { entry: Entry; kinds: readonly Named[]; close: () => void; done: () => void }): JSX.Element {
  const full = useLoad(() => hub.one(entry.id), [entry.id]);
  const e = full.data;
  const [correcting, setCorrecting] = useState(false);
  return (
    <Side title={kindName(kinds, entry.kind)} close={close} back={`[data-entry="${entry.id}"]`} sub={`${dateTime(entry.at).slice(0, 16)} · ${areaName(entry.area)}${entry.place ? `, ${entry.place}` : ""}`}>
      {full.error !== null && <Failed text={problem(full.error)} retry={full.reload} />}
      {!e ? full.error === null && <Loading /> : correcting ? <EntryForm entry={e} kinds={kinds} done={done} /> : (
        <>
          <Harm entry={e} />
          <section class="block"><h3>{t("journal.what")}</h3><p class="note-text">{e.what}</p></section>
          <section class="block"><h3>{t("journal.measures")}</h3><p class="note-text">{e.measures}</p></section>
          {can("journal.write") && <button type="button" onClick={() => setCorrecting(true)}><Icon name="edit" size={16} />{t("journal.correct")}</button>}
          <section class="block">
            <h3>{t("journal.versions")}</h3>
            <ol class="steps-log">{[...e.versions].reverse().map((v) => <li key={v.n}><time dateTime={v.written_at}>{dateTime(v.written_at).slice(0, 16)}</time><div><strong>{t("journal.version", { n: v.n })}</strong><small>{v.written_by}{v.reason && ` · ${v.reason}`}</small>{v.n !== e.versions.length && <p class="note-text muted">{v.what}</p>}</div></li>)}</ol>
          </section>
        </>
      )}
    </Side>
  );
}

function BulletinView({ kinds }: { kinds: readonly Named[] }): JSX.Element {
  const [day, setDay] = useState<string | undefined>(undefined);
  const bulletin = useLoad(() => hub.bulletin(day), [day]);
  const b = bulletin.data;
  return (
    <div class="frame-body">
      {bulletin.error !== null && <Failed text={problem(bulletin.error)} retry={bulletin.reload} />}
      {!b ? bulletin.error === null && <Loading /> : (
        <article class="bulletin">
          <header class="sheet-head">
            <div><h2>{t("journal.bulletin_of", { day: dayWords(b.day) })}</h2><p class="muted">{t("journal.window", { from: dateTime(b.from).slice(0, 16), to: dateTime(b.to).slice(0, 16) })} {b.demo && <DemoTag />}</p></div>
            <label class="day-field"><span class="sr-only">{t("journal.day")}</span><input type="date" value={day ?? b.day} onChange={(e) => setDay(e.currentTarget.value || undefined)} /></label>
            <a class="button primary-link" download href={hub.bulletinUrl(b.day, lang.value)}><Icon name="file" size={17} />PDF</a>
          </header>
          <ul class="kpis">
            <li class="kpi"><strong>{b.totals.entries}</strong><span>{t("journal.events")}</span></li>
            <li class={b.totals.dead > 0 ? "kpi bad" : "kpi"}><strong>{b.totals.dead}</strong><span>{t("journal.dead")}</span></li>
            <li class={b.totals.injured > 0 ? "kpi warn" : "kpi"}><strong>{b.totals.injured}</strong><span>{t("journal.injured")}</span></li>
            <li class="kpi"><strong>{b.totals.children}</strong><span>{t("journal.children")}</span></li>
            <li class="kpi"><strong>{b.totals.evacuated}</strong><span>{t("journal.evacuated")}</span></li>
            <li class={b.totals.ongoing > 0 ? "kpi warn" : "kpi"}><strong>{b.totals.ongoing}</strong><span>{t("journal.ongoing")}</span></li>
            <li class="kpi"><strong>{b.requests.received ?? t("shared.hidden")}</strong><span>{t("journal.requests")}</span></li>
          </ul>
          {b.corrected_later > 0 && <p class="callout"><Icon name="notice" />{t("journal.corrected_later", { count: b.corrected_later })}</p>}
          {b.entries.length === 0 ? <Empty icon="check" title={t("journal.quiet")} /> : b.by_kind.map((k) => (
            <section key={k.kind} class="bulletin-kind">
              <h3><Icon name={ICON[k.kind] ?? "note"} size={17} />{kindName(kinds, k.kind)} · {k.count}</h3>
              {b.entries.filter((e) => e.kind === k.kind).map((e) => (
                <div key={e.id} class="bulletin-entry"><time dateTime={e.at}>{dateTime(e.at).slice(11, 16)}</time><div><p><strong>{areaName(e.area)}{e.place && `, ${e.place}`}.</strong> {e.what}</p><p class="muted">{e.measures}</p><Harm entry={e} /></div></div>
              ))}
            </section>
          ))}
        </article>
      )}
    </div>
  );
}
