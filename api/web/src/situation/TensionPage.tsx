// The map of the situation: overall, by block or by indicator, through time, with a ranked list that says where ranks are not sure.

import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { named, number } from "../i18n";
import { lang } from "../prefs";
import { areas, can, tensionVersion } from "../store";
import { problem } from "../words";
import { Failed, Loading } from "../ui/bits";
import { Icon } from "../ui/icons";
import { plain } from "../desk/find";
import { AreaPage } from "./area/AreaPage";
import { DemoTag, Notes } from "./bits";
import { Interval } from "./charts/Bars";
import { Choropleth } from "./Choropleth";
import { tension, type Seen } from "./hub";
import { Legend } from "./Legend";
import { useLoad } from "./load";
import { MethodPage } from "./MethodPage";
import { NoIndex } from "./NoIndex";
import { Presentation } from "./present/Presentation";
import { INDEX_SCALE, paletteStep, spanOf, spread, type Scale } from "./scale";
import { area, at, openArea, presenting, seen, view } from "./state";
import { t } from "./t";
import { TimeSlider } from "./TimeSlider";
import type { Catalogue, MapArea, TensionMap } from "./types";
import { period as periodWords, rankWords, score } from "./wording";
import "./styles/situation.css";
import "./styles/tension.css";

/** Answers by what and when, so that the slider moves without waiting; forgotten when the hub has computed anew. */
const known = new Map<string, Promise<TensionMap>>();
let knownVersion = -1;

function readMap(what: Seen, period: string | null): Promise<TensionMap> {
  if (knownVersion !== tensionVersion.peek()) known.clear();
  knownVersion = tensionVersion.peek();
  const key = `${what.kind}:${what.id}:${period}`;
  const kept = known.get(key);
  if (kept) return kept;
  const answer = tension.map(what, period);
  known.set(key, answer);
  // A refusal is not kept: the next try asks the hub again.
  answer.catch(() => known.delete(key));
  return answer;
}

export function TensionPage(): JSX.Element {
  if (presenting.value) return <Presentation end={() => (presenting.value = false)} />;
  if (view.value === "area" && area.value) return <AreaPage kato={area.value} />;
  if (view.value === "method") return <MethodPage />;
  return <MapPage />;
}

export function scaleFor(map: TensionMap, byData: boolean): { scale: Scale; value: (a: MapArea) => number | null; unit: string } {
  // In the indicator's own unit only when the colours follow the data: the fixed scale is the score's.
  const own = byData && map.what.kind === "indicator";
  const value = (a: MapArea) => (a.shown ? (own ? a.value : a.score) : null);
  const values = map.areas.map(value).filter((v): v is number => v !== null);
  return { scale: byData ? spread(values) : INDEX_SCALE, value, unit: own && map.what.unit ? named(map.what.unit, "") : t("map.unit_score") };
}

function MapPage(): JSX.Element {
  const what = seen.value;
  const [byData, setByData] = useState(false);
  const catalogue = useLoad(() => tension.catalogue(), [tensionVersion.value]);
  const map = useLoad(() => readMap(what, at.value), [what, at.value, tensionVersion.value]);
  // The scale of the newest period serves all of them: a colour keeps its meaning while the slider moves.
  const newest = useLoad(() => readMap(what, null), [what, tensionVersion.value]);
  const base = newest.data ?? map.data;
  const scaled = useMemo(() => (base ? scaleFor(base, byData) : null), [base, byData, lang.value]);
  const steps = useMemo(() => {
    const out = new Map<string, number | null>();
    for (const a of map.data?.areas ?? []) {
      const v = scaled?.value(a) ?? null;
      out.set(a.area, v === null ? null : paletteStep(scaled!.scale.of(v), scaled!.scale.bounds.length - 1));
    }
    return out;
  }, [map.data, scaled]);
  const figures = useMemo(() => new Map((map.data?.areas ?? []).filter((a) => a.shown).map((a) => [a.area, score(a.score)])), [map.data, lang.value]);
  const [pointed, point] = useState<string | null>(null);
  const byArea = new Map((map.data?.areas ?? []).map((a) => [a.area, a]));
  const choose = (kato: string) => (area.value = area.value === kato ? null : kato);
  const block = catalogue.data?.blocks.find((b) => b.id === (what.kind === "block" ? what.id : null));
  return (
    <main class="tension">
      <header class="tension-head">
        <div class="grow"><h1>{t("tension.title")}</h1>
          <p class="tension-sub">
            {map.data && <strong>{named(map.data.what.name, "")}</strong>}
            {block?.zero_by_rule && block.effective_weight === 0 && <span class="tag zero-tag">{t("tension.weight_zero")}</span>}
            {map.data?.demo && <DemoTag />}
            {map.data?.stale && <span class="tag"><Icon name="clock" size={13} />{t("tension.stale")}</span>}
          </p>
        </div>
        <div class="head-buttons">
          <button type="button" onClick={() => (view.value = "method")}><Icon name="book" size={17} />{t("tension.method")}</button>
          {map.data && <a class="button" download href={tension.exportUrl(map.data.period, lang.value)}><Icon name="download" size={17} />XLSX</a>}
          <button type="button" class="primary" disabled={!map.data} onClick={() => (presenting.value = true)}><Icon name="screen" size={17} />{t("tension.present")}</button>
        </div>
      </header>
      {map.error !== null && !map.data && <div class="tension-wait"><NoIndex error={map.error} retry={map.reload} /></div>}
      {!map.data ? map.error === null && <div class="tension-wait"><Loading /></div> : (
        <div class="tension-body">
          {catalogue.data && <Layers catalogue={catalogue.data} />}
          <section class="tension-map" aria-label={t("tension.map")}>
            <Choropleth areas={areas.value} step={steps} figure={figures} chosen={area.value} pointed={pointed} choose={choose} point={point}
              label={t("tension.map_label", { what: named(map.data.what.name, ""), period: periodWords(map.data.period) })}
              tip={(kato) => <Tip area={byArea.get(kato)} map={map.data!} />} />
            {map.error !== null && <div class="map-error"><Failed text={problem(map.error)} retry={map.reload} /></div>}
          </section>
          {scaled && <Legend scale={scaled.scale} unit={scaled.unit} byData={byData} choose={setByData} />}
          <TimeSlider periods={map.data.periods} at={map.data.period} busy={map.busy} choose={(p) => (at.value = p === map.data!.periods.at(-1) ? null : p)} />
          <Ranking map={map.data} steps={steps} pointed={pointed} point={point} choose={choose} />
          <div class="tension-notes"><Notes notes={map.data.notes} brief /></div>
        </div>
      )}
    </main>
  );
}

function Tip({ area: a, map }: { area: MapArea | undefined; map: TensionMap }): JSX.Element {
  if (!a) return <span>{t("tension.no_area")}</span>;
  if (!a.shown) return <span>{t(a.why === "no_values" ? "tension.no_values" : "tension.below_floor", { percent: number((a.coverage ?? 0) * 100, 0) })}</span>;
  return (
    <>
      <span class="tip-score">{score(a.score)}<small> / 10</small></span>
      {a.value !== null && <span>{number(a.value, 2)} {named(map.what.unit ?? undefined, "")}{a.carried && a.value_period && ` (${t("tension.carried", { period: periodWords(a.value_period) })})`}</span>}
      {a.band && <small>{t("tension.band", { low: score(a.band.p5), high: score(a.band.p95) })}</small>}
      <small>{t(a.rank === null ? "tension.rank_range" : "tension.rank_one", { rank: rankWords(a) })}</small>
      {a.coverage !== null && <small>{t("tension.coverage", { percent: number(a.coverage * 100, 0) })}</small>}
    </>
  );
}

const same = (a: Seen, b: Seen) => a.kind === b.kind && a.id === b.id;
const OVERALL: Seen = { kind: "overall", id: null };

/** What is shown, by blocks; on narrow screens one select says the same. */
function Layers({ catalogue }: { catalogue: Catalogue }): JSX.Element {
  const what = seen.value;
  const openBlock = what.kind === "block" ? what.id : what.kind === "indicator" ? catalogue.indicators.find((i) => i.id === what.id)?.block : null;
  const total = catalogue.blocks.reduce((sum, b) => sum + b.effective_weight, 0) || 1;
  const pick = (value: string) => {
    const [kind, id] = value.split("|") as [Seen["kind"], string];
    seen.value = kind === "overall" ? OVERALL : { kind, id };
  };
  return (
    <nav class="layers" aria-label={t("tension.what")}>
      <label class="layers-select"><span class="sr-only">{t("tension.what")}</span>
        <select value={`${what.kind}|${what.id ?? ""}`} onChange={(e) => pick(e.currentTarget.value)}>
          <option value="overall|">{t("tension.overall")}</option>
          {catalogue.blocks.map((b) => (
            <optgroup key={b.id} label={named(b.name, b.id)}>
              <option value={`block|${b.id}`}>{t("tension.whole_block", { block: named(b.name, b.id) })}</option>
              {catalogue.indicators.filter((i) => i.block === b.id).map((i) => <option key={i.id} value={`indicator|${i.id}`}>{named(i.name, i.id)}</option>)}
            </optgroup>
          ))}
        </select>
      </label>
      <ul class="layers-list">
        <li><button type="button" aria-pressed={what.kind === "overall"} onClick={() => (seen.value = OVERALL)}><span>{t("tension.overall")}</span></button></li>
        {catalogue.blocks.map((b) => (
          <li key={b.id}>
            <button type="button" aria-pressed={what.kind === "block" && what.id === b.id} aria-expanded={openBlock === b.id} onClick={() => (seen.value = { kind: "block", id: b.id })}>
              <span>{named(b.name, b.id)}</span>
              <small>{b.effective_weight === 0 ? t("tension.weight_zero") : t("tension.weight", { percent: number((b.effective_weight / total) * 100, 0) })}</small>
            </button>
            {openBlock === b.id && (
              <ul>
                {catalogue.indicators.filter((i) => i.block === b.id).map((i) => (
                  <li key={i.id}><button type="button" aria-pressed={same(what, { kind: "indicator", id: i.id })} onClick={() => (seen.value = { kind: "indicator", id: i.id })}>{named(i.name, i.id)}</button></li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
    </nav>
  );
}

interface RankingProps { map: TensionMap; steps: ReadonlyMap<string, number | null>; pointed: string | null; point: (kato: string | null) => void; choose: (kato: string) => void }

function Ranking({ map, steps, pointed, point, choose }: RankingProps): JSX.Element {
  const [query, setQuery] = useState("");
  const words = plain(query);
  const ordered = [...map.areas].sort((a, b) => Number(b.shown) - Number(a.shown) || (b.score ?? 0) - (a.score ?? 0));
  const list = ordered.filter((a) => words === "" || plain(`${a.name.kk} ${a.name.ru} ${a.name.en} ${a.area}`).includes(words));
  const unsure = map.areas.filter((a) => a.shown && a.rank === null).length;
  const span = spanOf(map.areas.flatMap((a) => (a.shown ? [a.score ?? 0, a.band?.p5 ?? a.score ?? 0, a.band?.p95 ?? a.score ?? 0] : [])));
  const shown = map.areas.filter((a) => a.shown).length;
  const chosen = area.value;
  useEffect(() => {
    if (chosen) document.querySelector(`[data-rank="${chosen}"]`)?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <section class="ranking" aria-labelledby="ranking-title">
      <header>
        <h2 id="ranking-title">{t("tension.ranking")}</h2>
        <label class="ranking-search"><span class="sr-only">{t("tension.search")}</span><input type="search" value={query} placeholder={t("tension.search")} onInput={(e) => setQuery(e.currentTarget.value)} /></label>
        {unsure > 0 && <p class="unsure"><Icon name="notice" size={15} />{t("tension.unsure", { count: unsure, all: shown })}</p>}
      </header>
      <p class="rank-scale" aria-hidden="true"><span>{span[0]}</span><span>{span[1]}</span></p>
      <ol class="rank-list">
        {list.map((a) => (
          <li key={a.area} data-rank={a.area} class={`${chosen === a.area ? "chosen" : ""}${pointed === a.area ? " pointed" : ""}`} onPointerEnter={() => point(a.area)} onPointerLeave={() => point(null)}>
            <button type="button" class="rank-row" aria-expanded={chosen === a.area} onClick={() => choose(a.area)}>
              <span class={a.rank === null ? "rank-no range" : "rank-no"} title={a.rank === null && a.shown ? t("tension.cannot_tell") : undefined}>{a.shown ? rankWords(a) : ""}</span>
              <span class="rank-name">{named(a.name, a.area)}</span>
              {a.shown ? (
                <>
                  <Interval value={a.score} low={a.band?.p5 ?? null} high={a.band?.p95 ?? null} span={span} step={steps.get(a.area) ?? null} />
                  <strong class="rank-score">{score(a.score)}</strong>
                </>
              ) : <span class="rank-none"><i class="hatch-key" aria-hidden="true" />{t(a.why === "no_values" ? "tension.no_values_short" : "tension.below_floor_short")}</span>}
            </button>
            {chosen === a.area && (
              <div class="rank-more">
                <Tip area={a} map={map} />
                {can("tension.read") && <button type="button" class="primary" onClick={() => openArea(a.area)}>{t("tension.open_area")}<Icon name="next" size={16} /></button>}
              </div>
            )}
          </li>
        ))}
        {list.length === 0 && <li class="muted rank-empty">{t("tension.no_match")}</li>}
      </ol>
    </section>
  );
}
