// Full-screen slides for a meeting: map, blocks, one district, requests, plan. Arrow keys move, Escape ends. An alarm that rings is
// shown over every slide.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { named, number } from "../../i18n";
import { lang } from "../../prefs";
import { areas, can, ringing, session } from "../../store";
import { problem } from "../../words";
import { Failed, Loading } from "../../ui/bits";
import { RingingList } from "../../ui/RingingList";
import { Icon } from "../../ui/icons";
import { DemoTag, shortDay } from "../bits";
import { Interval, Progress, Shares } from "../charts/Bars";
import { Fan } from "../charts/Fan";
import { Choropleth } from "../Choropleth";
import { plan as planHub, requests, tension } from "../hub";
import { Legend } from "../Legend";
import { useLoad } from "../load";
import { NoIndex } from "../NoIndex";
import { INDEX_SCALE, paletteStep, spanOf } from "../scale";
import { area, at } from "../state";
import { t } from "../t";
import type { IndexAnswer, Score } from "../types";
import { period as periodWords, rankWords, score, shortPeriod } from "../wording";
import "../styles/present.css";

type Slide = "map" | "blocks" | "district" | "requests" | "plan";

const stepOf = (s: Score | undefined): number | null => (!s || !s.shown || s.class === null ? null : paletteStep(s.class, INDEX_SCALE.bounds.length - 1));

export function Presentation({ end }: { end: () => void }): JSX.Element {
  const index = useLoad(() => tension.index(at.value ?? undefined), []);
  const [i, setI] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const slides: Slide[] = ["map", "blocks", "district", ...(can("requests.figures") ? ["requests" as const] : []), ...(can("plan.read") ? ["plan" as const] : [])];
  const slide = slides[Math.min(i, slides.length - 1)]!;
  const go = (step: number) => setI((k) => Math.max(0, Math.min(slides.length - 1, k + step)));
  useEffect(() => {
    box.current?.focus();
    // A browser may refuse full screen; the slides then fill the window.
    document.documentElement.requestFullscreen?.().catch(() => {});
    return () => {
      if (document.fullscreenElement) void document.exitFullscreen();
    };
  }, []);
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (document.querySelector("dialog[open]")) return;
      const act = { ArrowRight: () => go(1), PageDown: () => go(1), " ": () => go(1), ArrowLeft: () => go(-1), PageUp: () => go(-1), Home: () => setI(0), End: () => setI(slides.length - 1), Escape: end }[e.key];
      if (!act || (e.key === " " && e.target instanceof HTMLButtonElement)) return;
      e.preventDefault();
      e.stopImmediatePropagation();
      act();
    };
    addEventListener("keydown", key, { capture: true });
    return () => removeEventListener("keydown", key, { capture: true });
  });
  return (
    <div class="present" ref={box} tabIndex={-1} role="region" aria-roledescription={t("present.slides")} aria-label={t("tension.present")}>
      {ringing.value.length > 0 && <RingingList />}
      {index.error !== null ? <main class="slide"><NoIndex error={index.error} retry={index.reload} /></main> : !index.data ? <main class="slide"><Loading /></main> : (
        <main class={`slide slide-${slide}`} aria-live="polite">
          {slide === "map" && <MapSlide index={index.data} />}
          {slide === "blocks" && <BlocksSlide index={index.data} />}
          {slide === "district" && <DistrictSlide index={index.data} />}
          {slide === "requests" && <RequestsSlide />}
          {slide === "plan" && <PlanSlide />}
        </main>
      )}
      <footer class="present-foot">
        <span>{session.value?.hub.name}</span>
        {index.data && <span>{periodWords(index.data.period)}</span>}
        {index.data?.demo && <DemoTag />}
        <span class="grow" />
        <button type="button" class="ghost square" aria-label={t("present.back")} disabled={i === 0} onClick={() => go(-1)}><Icon name="back" /></button>
        <span class="present-no" role="status">{i + 1} / {slides.length}</span>
        <button type="button" class="ghost square" aria-label={t("present.next")} disabled={i === slides.length - 1} onClick={() => go(1)}><Icon name="next" /></button>
        <button type="button" class="ghost" onClick={end}><Icon name="cross" size={16} />{t("present.end")}</button>
      </footer>
    </div>
  );
}

const ordered = (index: IndexAnswer) => [...index.areas].sort((a, b) => Number(b.overall.shown) - Number(a.overall.shown) || (b.overall.value ?? 0) - (a.overall.value ?? 0));

function MapSlide({ index }: { index: IndexAnswer }): JSX.Element {
  const step = useMemo(() => new Map(index.areas.map((a) => [a.area, stepOf(a.overall)])), [index]);
  const figure = useMemo(() => new Map(index.areas.filter((a) => a.overall.shown).map((a) => [a.area, score(a.overall.value)])), [index, lang.value]);
  const list = ordered(index);
  const span = spanOf(list.flatMap((a) => (a.overall.shown && a.overall.band ? [a.overall.band.p5, a.overall.band.p95] : [])));
  const unsure = list.some((a) => a.overall.shown && a.overall.rank === null);
  return (
    <>
      <h1>{t("tension.overall")}</h1>
      <div class="slide-two">
        <div class="slide-map"><Choropleth areas={areas.value} step={step} figure={figure} label={t("tension.map")} big still /><Legend scale={INDEX_SCALE} unit={t("map.unit_score")} /></div>
        <div class="slide-list">
          <ol>{list.slice(0, 11).map((a) => (
            <li key={a.area}><span class="rank-no">{a.overall.shown ? rankWords(a.overall) : ""}</span><span class="slide-name">{named(a.name, a.area)}</span>
              {a.overall.shown ? <><Interval value={a.overall.value} low={a.overall.band?.p5 ?? null} high={a.overall.band?.p95 ?? null} span={span} step={stepOf(a.overall)} /><strong>{score(a.overall.value)}</strong></> : <span class="rank-none"><i class="hatch-key" aria-hidden="true" />{t("tension.below_floor_short")}</span>}</li>
          ))}</ol>
          {unsure && <p class="slide-note">{t("present.unsure")}</p>}
        </div>
      </div>
    </>
  );
}

function BlocksSlide({ index }: { index: IndexAnswer }): JSX.Element {
  const catalogue = useLoad(() => tension.catalogue(), []);
  const steps = useMemo(() => new Map((catalogue.data?.blocks ?? []).map((b) => [b.id, new Map(index.areas.map((a) => [a.area, stepOf(a.blocks[b.id])]))])), [catalogue.data, index]);
  return (
    <>
      <h1>{t("area.blocks")}</h1>
      {!catalogue.data ? <Loading /> : (
        <ul class="small-maps">
          {catalogue.data.blocks.map((b) => <li key={b.id}><h2>{named(b.name, b.id)}</h2><Choropleth areas={areas.value} step={steps.get(b.id)!} label={named(b.name, b.id)} still />{b.effective_weight === 0 && <span class="tag zero-tag">{t("tension.weight_zero")}</span>}</li>)}
          <li class="small-legend"><Legend scale={INDEX_SCALE} unit={t("map.unit_score")} /></li>
        </ul>
      )}
    </>
  );
}

function DistrictSlide({ index }: { index: IndexAnswer }): JSX.Element {
  const kato = area.value ?? ordered(index)[0]?.area ?? "";
  const page = useLoad(() => tension.area(kato, at.value), [kato]);
  const ahead = useLoad(() => tension.forecast(kato, { kind: "overall", id: null }).catch(() => null), [kato]);
  const d = page.data;
  if (page.error !== null) return <Failed text={problem(page.error)} retry={page.reload} />;
  if (!d) return <Loading />;
  const strongest = d.indicators.filter((x) => x.contribution !== null && !x.missing).sort((a, b) => (b.contribution ?? 0) - (a.contribution ?? 0)).slice(0, 5);
  return (
    <>
      <h1>{named(d.name, d.area)}<span class="slide-score">{score(d.overall.value)}{d.overall.band && <small>{score(d.overall.band.p5)} – {score(d.overall.band.p95)}</small>}</span></h1>
      <div class="slide-two even">
        <Fan title={t("area.course")} unit={t("map.unit_score")} domain={[0, 10]} big height={Math.round(innerHeight * 0.54)}
          points={(d.series["overall"] ?? []).map((p) => ({ period: p.period, label: shortPeriod(p.period), value: p.shown ? p.score : null, low: p.band?.p5 ?? null, high: p.band?.p95 ?? null }))}
          forecast={ahead.data ? ahead.data.points.map((p) => ({ ...p, label: shortPeriod(p.period) })) : []} />
        <div class="slide-why"><h2>{t("present.strongest")}</h2><Shares unit="" digits={2} parts={strongest.map((x) => ({ id: x.id, name: named(x.name, x.id), value: x.contribution ?? 0, note: x.value === null ? "" : `${number(x.value, 1)} ${named(x.unit, "")}` }))} /></div>
      </div>
    </>
  );
}

function RequestsSlide(): JSX.Element {
  const settings = useLoad(() => requests.settings(), []);
  const year = String(new Date().getFullYear());
  const figures = useLoad(() => requests.figures(year), []);
  const f = figures.data;
  if (figures.error !== null) return <Failed text={problem(figures.error)} retry={figures.reload} />;
  if (!f || !settings.data) return <Loading />;
  const answered = f.services.filter((s) => s.answered_in_time_percent !== null);
  return (
    <>
      <h1>{t("area.requests")}<span class="slide-score">{f.total === null ? "–" : number(f.total, 0)}<small>{t("area.requests_year", { period: year })}</small></span></h1>
      <div class="slide-two even">
        <div><h2>{t("requests.shares")}</h2><Shares unit="%" parts={f.shares.filter((s) => s.percent !== null).slice(0, 8).map((s) => ({ id: s.category, name: named(settings.data!.categories.find((c) => c.id === s.category)?.name, s.category), value: s.percent! }))} /></div>
        <div><h2>{t("requests.answered_in_time")}</h2><ul class="slide-services">{answered.slice(0, 8).map((s) => <li key={s.service}><span>{named(settings.data!.services.find((x) => x.id === s.service)?.name, s.service)}</span><Progress percent={s.answered_in_time_percent!} late={s.answered_in_time_percent! < 80} /></li>)}</ul></div>
      </div>
    </>
  );
}

function PlanSlide(): JSX.Element {
  const plan = useLoad(() => planHub.read(), []);
  const p = plan.data;
  if (plan.error !== null) return <Failed text={problem(plan.error)} retry={plan.reload} />;
  if (!p) return <Loading />;
  const late = p.blocks.flatMap((b) => b.measures.filter((m) => m.late)).sort((a, b) => a.deadline.localeCompare(b.deadline));
  return (
    <>
      <h1>{named(p.title, t("plan.title"))}<span class="slide-score">{number(p.figures.progress_percent, 0)} %<small>{t("plan.block_done", { done: p.figures.done, all: p.figures.measures })}</small></span></h1>
      <div class="slide-two even">
        <ul class="slide-services">{p.blocks.map((b) => { const own = b.measures.filter((m) => m.state !== "cancelled"); const mean = own.length === 0 ? 0 : own.reduce((s, m) => s + m.progress, 0) / own.length; return <li key={b.id}><span>{named(b.name, b.id)}</span><Progress percent={mean} late={own.some((m) => m.late)} /></li>; })}</ul>
        <div><h2>{t("present.late", { count: late.length })}</h2><ul class="slide-late">{late.slice(0, 6).map((m) => <li key={m.id}><strong>{named(m.title, m.number)}</strong><span>{m.owner}, {t("plan.until", { date: shortDay(m.deadline) })}</span></li>)}</ul></div>
      </div>
    </>
  );
}
