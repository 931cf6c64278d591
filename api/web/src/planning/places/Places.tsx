// Places and routes set aside for assemblies, each with the number of people that it holds safely: planning data, no limit of any alert.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { dateTime, named, number } from "../../i18n";
import { can } from "../../store";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { rescueFocus } from "../../ui/focus";
import { Side } from "../../ui/page";
import { Icon } from "../../ui/icons";
import type { Loaded } from "../../situation/load";
import { PlanningMap } from "../PlanningMap";
import { metres, type Shape } from "../geo";
import { t } from "../t";
import type { PlaceEntry, SpecialPlace } from "../types";
import type { LatLon } from "../../types";
import { PlaceForm } from "./PlaceForm";

export interface Outline { points: LatLon[]; radius_m: number }
const FRESH: Outline = { points: [], radius_m: 60 };

export function PlacesView({ list, adding, added }: { list: Loaded<PlaceEntry[]>; adding: boolean; added: () => void }): JSX.Element {
  const [chosen, setChosen] = useState<number | null>(null);
  const [editing, setEditing] = useState(false);
  const [outline, setOutline] = useState<Outline>(FRESH);
  useEffect(() => {
    if (!adding) return;
    setChosen(null);
    setEditing(false);
    setOutline(FRESH);
  }, [adding]);
  const all = [...(list.data ?? [])].sort((a, b) => named(a.place.name, "").localeCompare(named(b.place.name, "")));
  const entry = all.find((p) => p.id === chosen) ?? null;
  const writing = adding || (editing && entry !== null);
  const shut = () => {
    const back = chosen;
    if (adding) added();
    if (editing) return setEditing(false);
    setChosen(null);
    rescueFocus(back === null ? "[data-add]" : `[data-place="${back}"]`);
  };
  const saved = (next: PlaceEntry) => {
    list.put([...all.filter((p) => p.id !== next.id), next]);
    if (adding) added();
    setEditing(false);
    setChosen(next.id);
    rescueFocus("#side-title");
  };
  const shapes = all.filter((p) => !(writing && p.id === chosen)).map((p): Shape => ({ key: `p${p.id}`, points: p.place.points, radius_m: p.place.radius_m, tone: "good", name: named(p.place.name, "") }));
  return (
    <div class={writing || entry ? "planning-split open" : "planning-split"}>
      <div class="planning-list" tabIndex={0} role="region" aria-label={t("places.tab")}>
        {list.error !== null && <Failed text={problem(list.error)} retry={list.reload} />}
        {!list.data ? list.error === null && <Loading /> : all.length === 0 ? <Empty icon="place" title={t("places.none")}><p>{t("places.none_text")}</p></Empty> : (
          <>
            <p class="muted small">{t("places.lead")}</p>
            <ul class="plan-cards">
              {all.map((p) => (
                <li key={p.id}>
                  <button type="button" class="plan-card place-card" data-place={p.id} aria-current={p.id === chosen ? "true" : undefined} onClick={() => { if (adding) added(); setEditing(false); setChosen(p.id); }}>
                    <span class="place-icon"><Icon name={p.place.points.length > 1 ? "route" : "place"} size={20} /></span>
                    <span class="plan-main"><strong>{named(p.place.name, String(p.id))}</strong><span class="plan-facts">{extent(p.place)}</span></span>
                    <span class="place-holds"><strong>{number(p.place.max_people, 0)}</strong><small>{t("places.people")}</small></span>
                  </button>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
      <PlanningMap shapes={shapes} chosen={chosen === null ? null : `p${chosen}`} choose={(key) => setChosen(Number(key.slice(1)))} hint={t("places.pick")}
        draft={writing ? { key: "draft", points: outline.points, radius_m: Math.max(1, outline.radius_m || 1), tone: "draft", name: "" } : null}
        pick={writing ? (at) => setOutline((o) => ({ ...o, points: [...o.points, at] })) : null} />
      {writing ? <PlaceForm key={entry?.id ?? "new"} entry={adding ? null : entry} outline={outline} change={setOutline} close={shut} saved={saved} />
        : entry && <PlaceSide entry={entry} close={shut} edit={() => { setOutline({ points: entry.place.points, radius_m: entry.place.radius_m }); setEditing(true); }} />}
    </div>
  );
}

/** A place by its reach, a route by its length. */
function extent(p: SpecialPlace): string {
  const long = p.points.slice(1).reduce((sum, at, i) => sum + metres(p.points[i]!, at), 0);
  const reach = t("places.reach", { count: number(p.radius_m, 0) });
  return p.points.length > 1 ? `${t("places.route", { metres: number(Math.round(long / 10) * 10, 0), points: p.points.length })} · ${reach}` : reach;
}

function PlaceSide({ entry, close, edit }: { entry: PlaceEntry; close: () => void; edit: () => void }): JSX.Element {
  const p = entry.place;
  return (
    <Side title={named(p.name, String(entry.id))} close={close} sub={extent(p)}>
      <p class="big-figure"><strong>{number(p.max_people, 0)}</strong><span class="muted">{t("places.max")}</span></p>
      <p class="callout"><Icon name="shield" />{t("places.no_limit")}</p>
      <dl class="facts">
        <div><dt>{t("own.in_kk")}</dt><dd lang="kk">{p.name.kk}</dd></div>
        <div><dt>{t("own.in_ru")}</dt><dd lang="ru">{p.name.ru}</dd></div>
        <div><dt>{t("own.in_en")}</dt><dd lang="en">{p.name.en}</dd></div>
      </dl>
      {can("planning.write") && <button type="button" class="primary" data-edit onClick={edit}><Icon name="edit" size={17} />{t("places.edit")}</button>}
      <small>{t("own.updated", { time: dateTime(entry.updated_at).slice(0, 16), who: entry.updated_by })}</small>
    </Side>
  );
}
