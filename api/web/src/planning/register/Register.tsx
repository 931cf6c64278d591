// The register of assemblies: what is planned where, how its procedure stands, and what the answer was. It keeps a procedure, a place, a time
// and a number; nobody's name.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { named, number } from "../../i18n";
import { now } from "../../store";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { rescueFocus } from "../../ui/focus";
import { Icon } from "../../ui/icons";
import type { Loaded } from "../../situation/load";
import { PlanningMap } from "../PlanningMap";
import type { Shape, Tone } from "../geo";
import { t } from "../t";
import { dayOf, shortDay, when } from "../times";
import type { AssemblyEntry, PlaceEntry, Standing } from "../types";
import type { LatLon } from "../../types";
import { AssemblyForm } from "./AssemblyForm";
import { AssemblySide } from "./AssemblySide";
import { whyStanding } from "./check";
import { StandingTag } from "./StandingTag";

const TONE: Record<Standing, Tone> = { pending: "wait", proceeds: "good", refused: "quiet", withdrawn: "quiet" };
const STANDINGS: readonly Standing[] = ["pending", "proceeds", "refused", "withdrawn"];
export interface Spot { position: LatLon | null; radius_m: number }

interface Props { list: Loaded<AssemblyEntry[]>; places: readonly PlaceEntry[]; adding: boolean; added: () => void }

export function RegisterView({ list, places, adding, added }: Props): JSX.Element {
  const [chosen, setChosen] = useState<number | null>(null);
  const [editing, setEditing] = useState(false);
  const [only, setOnly] = useState<Standing | null>(null);
  const [spot, setSpot] = useState<Spot>({ position: null, radius_m: 150 });
  useEffect(() => {
    if (!adding) return;
    setChosen(null);
    setEditing(false);
    setSpot({ position: null, radius_m: 150 });
  }, [adding]);
  const all = [...(list.data ?? [])].sort((a, b) => a.assembly.from.localeCompare(b.assembly.from));
  const entry = all.find((a) => a.id === chosen) ?? null;
  const writing = adding || (editing && entry !== null);
  const shut = () => {
    const back = chosen;
    if (adding) added();
    if (editing) return setEditing(false);
    setChosen(null);
    rescueFocus(back === null ? "[data-add]" : `[data-assembly="${back}"]`);
  };
  const saved = (next: AssemblyEntry) => {
    list.put([...all.filter((a) => a.id !== next.id), next]);
    list.reload();
    if (adding) added();
    setEditing(false);
    setChosen(next.id);
    rescueFocus("#side-title");
  };
  const shapes: Shape[] = [
    ...places.map((p): Shape => ({ key: `p${p.id}`, points: p.place.points, radius_m: p.place.radius_m, tone: "plain", name: named(p.place.name, "") })),
    ...all.filter((a) => !(writing && a.id === chosen) && a.standing !== "withdrawn").map((a): Shape => ({ key: `a${a.id}`, points: [a.assembly.position], radius_m: a.assembly.radius_m, tone: TONE[a.standing], name: t(`form.${a.assembly.form}`) })),
  ];
  return (
    <div class={writing || entry ? "planning-split open" : "planning-split"}>
      <div class="planning-list" tabIndex={0} role="region" aria-label={t("assemblies.tab")}>
        {list.error !== null && <Failed text={problem(list.error)} retry={list.reload} />}
        {!list.data ? list.error === null && <Loading /> : (
          <>
            <p class="no-names"><Icon name="shield" size={18} />{t("assemblies.no_names")}</p>
            {all.length > 0 && <Filter all={all} only={only} choose={setOnly} />}
            <Cards list={all.filter((a) => only === null || a.standing === only)} chosen={chosen} open={(id) => { if (adding) added(); setEditing(false); setChosen(id); }} none={all.length === 0} />
          </>
        )}
      </div>
      <PlanningMap shapes={shapes} chosen={chosen === null ? null : `a${chosen}`} choose={(key) => { if (key.startsWith("a")) setChosen(Number(key.slice(1))); }}
        draft={writing ? { key: "draft", points: spot.position ? [spot.position] : [], radius_m: Math.max(10, spot.radius_m || 10), tone: "draft", name: "" } : null}
        pick={writing ? (position) => setSpot((s) => ({ ...s, position })) : null} />
      {writing ? <AssemblyForm key={entry?.id ?? "new"} entry={adding ? null : entry} places={places} spot={spot} place={setSpot} close={shut} saved={saved} />
        : entry && <AssemblySide key={entry.id} entry={entry} places={places} close={shut} edit={() => { setSpot({ position: entry.assembly.position, radius_m: entry.assembly.radius_m }); setEditing(true); }} />}
    </div>
  );
}

function Filter({ all, only, choose }: { all: readonly AssemblyEntry[]; only: Standing | null; choose: (s: Standing | null) => void }): JSX.Element {
  return (
    <div class="seg quick" role="group" aria-label={t("assemblies.filter")}>
      <button type="button" aria-pressed={only === null} onClick={() => choose(null)}>{t("assemblies.all")}<b>{all.length}</b></button>
      {STANDINGS.map((s) => {
        const n = all.filter((a) => a.standing === s).length;
        return n > 0 && <button key={s} type="button" aria-pressed={only === s} onClick={() => choose(only === s ? null : s)}>{t(`standing.${s}`)}<b class={s === "pending" ? "warn" : ""}>{n}</b></button>;
      })}
    </div>
  );
}

function Cards({ list, chosen, open, none }: { list: readonly AssemblyEntry[]; chosen: number | null; open: (id: number) => void; none: boolean }): JSX.Element {
  if (list.length === 0) return <Empty icon="calendar" title={t(none ? "assemblies.none" : "assemblies.no_match")}>{none && <p>{t("assemblies.none_text")}</p>}</Empty>;
  const past = (a: AssemblyEntry) => Date.parse(a.assembly.until) < now.value;
  const card = (a: AssemblyEntry) => <li key={a.id}><Card entry={a} chosen={a.id === chosen} open={() => open(a.id)} /></li>;
  const over = list.filter(past);
  return (
    <>
      <ul class="plan-cards">{list.filter((a) => !past(a)).map(card)}</ul>
      {over.length > 0 && <details class="as-table past-list"><summary>{t("assemblies.past", { count: over.length })}</summary><ul class="plan-cards">{over.toReversed().map(card)}</ul></details>}
    </>
  );
}

function Card({ entry, chosen, open }: { entry: AssemblyEntry; chosen: boolean; open: () => void }): JSX.Element {
  const a = entry.assembly;
  const why = whyStanding(entry.standing, a.answer, entry.answer_by);
  return (
    <button type="button" class={`plan-card standing-${entry.standing}`} data-assembly={entry.id} aria-current={chosen ? "true" : undefined} onClick={open}>
      <span class="plan-day"><b>{Number(dayOf(a.from).slice(8))}</b><small>{t(`month.${Number(dayOf(a.from).slice(5, 7)) as 1}`)}</small></span>
      <span class="plan-main">
        <span class="plan-top"><strong>{t(`form.${a.form}`)}</strong><StandingTag standing={entry.standing} /></span>
        <span class="plan-place">{a.place}</span>
        <span class="plan-facts">
          <span><Icon name="clock" size={14} />{when(a.from, a.until)}</span>
          <span><Icon name="crowd" size={14} />{number(a.people, 0)}</span>
          {entry.standing === "pending" && <span class="due-day">{t("why_standing.pending_short", { day: shortDay(why.day) })}</span>}
        </span>
      </span>
    </button>
  );
}
