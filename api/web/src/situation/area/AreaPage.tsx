// One district: its index with the band, what the index is made of, how it went and may go, its requests, its measures, its papers.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { named, number } from "../../i18n";
import { lang } from "../../prefs";
import { areas, can, tensionVersion } from "../../store";
import { problem } from "../../words";
import { ApiError } from "../../api";
import { Failed, Loading } from "../../ui/bits";
import { Icon } from "../../ui/icons";
import { AreaSelect, DemoTag, Notes, TrendTag } from "../bits";
import { Interval, Pushes, Shares, type Push } from "../charts/Bars";
import { Fan, type Point } from "../charts/Fan";
import { plan as planHub, reports, requests, tension, type Seen } from "../hub";
import { useLoad } from "../load";
import { NoIndex } from "../NoIndex";
import { paletteStep } from "../scale";
import { MeasureRow } from "../plan/MeasureRow";
import { area, at, view } from "../state";
import { t } from "../t";
import { TimeSlider } from "../TimeSlider";
import type { AreaIndicator, AreaPage as Data, Forecast, Score } from "../types";
import { period as periodWords, rankWords, score, shortPeriod } from "../wording";

export function AreaPage({ kato }: { kato: string }): JSX.Element {
  const page = useLoad(() => tension.area(kato, at.value), [kato, at.value, tensionVersion.value]);
  const data = page.data?.area === kato ? page.data : null;
  useEffect(() => document.querySelector<HTMLElement>("#area-title")?.focus(), [kato]);
  return (
    <main class="page wide area-page">
      <header class="page-head">
        <div>
          <button type="button" class="link-button back-link" onClick={() => (view.value = "map")}><Icon name="back" size={16} />{t("area.to_map")}</button>
          <h1 id="area-title" tabIndex={-1}>{named(data?.name ?? areas.value?.features.find((f) => f.properties.kato === kato)?.properties.name, kato)}</h1>
          <p class="tension-sub">{data && <strong>{periodWords(data.period)}</strong>}<span class="mono muted">КАТО {kato}</span>{data?.demo && <DemoTag />}</p>
        </div>
        <label class="area-jump"><span class="sr-only">{t("shared.area")}</span><AreaSelect value={kato} change={(next) => next && (area.value = next)} /></label>
      </header>
      {page.error !== null && <NoIndex error={page.error} retry={page.reload} />}
      {!data ? page.error === null && <Loading /> : (
        <>
          <TimeSlider periods={data.periods} at={data.period} busy={page.busy} choose={(p) => (at.value = p === data.periods.at(-1) ? null : p)} />
          <div class="area-top">
            <Overall data={data} />
            <Blocks data={data} />
          </div>
          <Course data={data} />
          <Contributions data={data} />
          <div class="area-two">
            {can("requests.figures") && <AreaRequests kato={kato} />}
            {can("plan.read") && <AreaPlan kato={kato} />}
          </div>
          <Papers data={data} />
          <Notes notes={data.notes} />
        </>
      )}
    </main>
  );
}

function Overall({ data }: { data: Data }): JSX.Element {
  const s = data.overall;
  return (
    <section class="sheet overall" aria-label={t("tension.overall")}>
      <h2>{t("tension.overall")}</h2>
      {s.shown ? (
        <>
          <p class="overall-score"><strong class={`swatch seq-${s.class === null ? 4 : paletteStep(s.class, 5)}`}>{score(s.value)}</strong><span>/ 10</span></p>
          <Interval value={s.value} low={s.band?.p5 ?? null} high={s.band?.p95 ?? null} />
          <div class="interval-scale" aria-hidden="true"><span>0</span><span>5</span><span>10</span></div>
          <ScoreFacts score={s} />
        </>
      ) : <NoColour score={s} />}
    </section>
  );
}

function NoColour({ score: s }: { score: Score }): JSX.Element {
  return <p class="no-colour-note"><i class="hatch-key" aria-hidden="true" />{t(s.why === "no_values" ? "tension.no_values" : "tension.below_floor", { percent: number((s.coverage ?? 0) * 100, 0) })}</p>;
}

function ScoreFacts({ score: s }: { score: Score }): JSX.Element {
  return (
    <dl class="facts">
      {s.band && <div><dt>{t("area.band")}</dt><dd>{score(s.band.p5)} – {score(s.band.p95)}</dd></div>}
      <div><dt>{t("area.rank")}</dt><dd>{rankWords(s)}{s.rank === null && <small> · {t("area.cannot_tell")}</small>}</dd></div>
      {s.coverage !== null && <div><dt>{t("area.coverage")}</dt><dd>{number(s.coverage * 100, 0)} %</dd></div>}
      <div><dt>{t("area.trend")}</dt><dd><TrendTag trend={s.trend} /></dd></div>
    </dl>
  );
}

function Blocks({ data }: { data: Data }): JSX.Element {
  return (
    <section class="sheet blocks" aria-labelledby="blocks-title">
      <h2 id="blocks-title">{t("area.blocks")}</h2>
      <ul class="block-rows">
        {data.blocks.map((b) => (
          <li key={b.id}>
            <span class="block-name">{named(b.name, b.id)}{b.effective_weight === 0 && <em class="tag zero-tag">{t("tension.weight_zero")}</em>}</span>
            {b.score.shown ? (
              <>
                <Interval value={b.score.value} low={b.score.band?.p5 ?? null} high={b.score.band?.p95 ?? null} step={b.score.class === null ? null : paletteStep(b.score.class, 5)} />
                <strong>{score(b.score.value)}</strong>
                <TrendTag trend={b.score.trend} />
              </>
            ) : <span class="rank-none"><i class="hatch-key" aria-hidden="true" />{t(b.score.why === "no_values" ? "tension.no_values_short" : "tension.below_floor_short")}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

const what = (value: string): Seen => {
  const [kind, id] = value.split("|") as [Seen["kind"], string];
  return { kind, id: id || null };
};

/** The series with its forecast, and how far earlier forecasts were off. */
function Course({ data }: { data: Data }): JSX.Element {
  const [chosen, choose] = useState("overall|");
  const of = what(chosen);
  const series = useLoad(() => tension.series(data.area, of), [data.area, chosen, tensionVersion.value]);
  const ahead = useLoad(() => tension.forecast(data.area, of), [data.area, chosen, tensionVersion.value]);
  const s = series.data;
  const indicator = of.kind === "indicator";
  const unit = indicator ? named(s?.what.unit ?? undefined, "") : t("map.unit_score");
  const points: Point[] = (s?.points ?? []).map((p) => ({
    period: p.period, label: shortPeriod(p.period), value: indicator ? p.value : p.shown ? p.score : null, low: indicator ? null : (p.band?.p5 ?? null), high: indicator ? null : (p.band?.p95 ?? null),
  }));
  const forecast = ahead.data && ahead.error === null ? ahead.data : null;
  const short = ahead.error instanceof ApiError && ahead.error.code === "too_short" ? ahead.error : null;
  return (
    <section class="sheet course" aria-labelledby="course-title">
      <header class="sheet-head">
        <h2 id="course-title">{t("area.course")}</h2>
        <label><span class="sr-only">{t("tension.what")}</span>
          <select value={chosen} onChange={(e) => choose(e.currentTarget.value)}>
            <option value="overall|">{t("tension.overall")}</option>
            {data.blocks.map((b) => (
              <optgroup key={b.id} label={named(b.name, b.id)}>
                <option value={`block|${b.id}`}>{t("tension.whole_block", { block: named(b.name, b.id) })}</option>
                {data.indicators.filter((i) => i.block === b.id).map((i) => <option key={i.id} value={`indicator|${i.id}`}>{named(i.name, i.id)}</option>)}
              </optgroup>
            ))}
          </select>
        </label>
      </header>
      {series.error !== null && <Failed text={problem(series.error)} retry={series.reload} />}
      {s && (
        <Fan title={named(s.what.name, "")} unit={unit} points={points} chosen={data.period} height={280} {...(indicator ? {} : { domain: [0, 10] as [number, number] })}
          forecast={forecast ? forecast.points.map((p) => ({ ...p, label: shortPeriod(p.period) })) : []} past={forecast?.foretold ? forecast.foretold.map((f) => ({ period: f.period, forecast: f.value })) : []} />
      )}
      {short && <p class="callout"><Icon name="notice" />{t("area.too_short", { points: String(short.body["points"] ?? "?"), needed: String(short.body["needed"] ?? 8) })}</p>}
      {ahead.error !== null && !short && <Failed text={problem(ahead.error)} retry={ahead.reload} />}
      {forecast && <PastErrors forecast={forecast} unit={unit} />}
    </section>
  );
}

function PastErrors({ forecast: f, unit }: { forecast: Forecast; unit: string }): JSX.Element {
  return (
    <div class="past-errors">
      <h3>{t("area.past_errors")}</h3>
      <p>{named(f.errors.text, "")}</p>
      <div class="scroll" tabIndex={0} role="region" aria-label={t("area.past_errors")}>
        <table class="plain-table">
          <thead><tr><th scope="col">{t("area.steps")}</th><th scope="col">{t("area.mae")}</th><th scope="col">{t("area.mae_last")}</th><th scope="col">{t("area.inside", { percent: number(f.interval * 100, 0) })}</th><th scope="col">{t("area.tries")}</th></tr></thead>
          <tbody>{f.errors.horizons.map((h) => <tr key={h.steps}><th scope="row">{h.steps}</th><td>{number(h.mae, 2)}</td><td>{number(h.mae_last_value, 2)}</td><td>{number(h.coverage * 100, 0)} %</td><td>{h.n}</td></tr>)}</tbody>
        </table>
      </div>
      <small>{t("area.model", { model: named(f.model_name, f.model), unit })}</small>
    </div>
  );
}

const FEW = 12;

function Contributions({ data }: { data: Data }): JSX.Element {
  const [all, setAll] = useState(false);
  const compared = data.indicators.some((i) => i.average != null);
  const push = (i: AreaIndicator): Push => ({
    id: i.id, name: named(i.name, i.id), value: compared ? (i.contribution ?? 0) - (i.average ?? 0) : (i.contribution ?? 0), proposal: i.proposal === true,
    detail: [i.value === null ? t("shared.no_value") : `${number(i.value, 2)} ${named(i.unit, "")}`, i.value_period ? periodWords(i.value_period) : "", i.carried ? t("area.carried") : ""].filter(Boolean).join(" · "),
  });
  const ranked = data.indicators.filter((i) => i.contribution !== null && !i.missing && i.weight_share > 0).map(push).sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const missing = data.indicators.filter((i) => i.missing || i.contribution === null);
  const shown = all ? ranked : ranked.slice(0, FEW);
  return (
    <section class="sheet contributions" aria-labelledby="contributions-title">
      <h2 id="contributions-title">{t("area.contributions")}</h2>
      <p class="muted">{t(compared ? "area.contributions_compared" : "area.contributions_plain", { value: score(data.overall.value) })}</p>
      {compared && <p class="push-key" aria-hidden="true"><span><i class="down" />{t("area.lowers")}</span><span><i class="up" />{t("area.raises")}</span></p>}
      <Pushes parts={shown} proposal={t("method.proposal")} />
      {ranked.length > FEW && <button type="button" onClick={() => setAll(!all)}>{t(all ? "area.fewer" : "area.all_indicators", { count: ranked.length })}</button>}
      {missing.length > 0 && (
        <details class="missing">
          <summary>{t("area.missing", { count: missing.length })}</summary>
          <ul>{missing.map((i) => <li key={i.id}>{named(i.name, i.id)}</li>)}</ul>
        </details>
      )}
    </section>
  );
}

function AreaRequests({ kato }: { kato: string }): JSX.Element {
  const figures = useLoad(() => requests.figures(String(new Date().getFullYear()), kato), [kato]);
  const settings = useLoad(() => requests.settings(), []);
  const name = (id: string) => named(settings.data?.categories.find((c) => c.id === id)?.name, id);
  const f = figures.data;
  return (
    <section class="sheet" aria-labelledby="area-requests">
      <h2 id="area-requests">{t("area.requests")}</h2>
      {figures.error !== null ? <Failed text={problem(figures.error)} retry={figures.reload} /> : !f ? <Loading /> : f.total === null ? <p class="muted">{t("requests.few")}</p> : (
        <>
          <p class="big-figure"><strong>{number(f.total, 0)}</strong><span>{t("area.requests_year", { period: f.period })}</span></p>
          <Shares unit="%" parts={f.shares.filter((s) => s.percent !== null).slice(0, 7).map((s) => ({ id: s.category, name: name(s.category), value: s.percent! }))} />
          {!f.exact && <small>{named(f.note, "")}</small>}
        </>
      )}
    </section>
  );
}

function AreaPlan({ kato }: { kato: string }): JSX.Element {
  const plan = useLoad(() => planHub.read(), []);
  const mine = plan.data?.blocks.flatMap((b) => b.measures.filter((m) => m.area === kato || m.area === null)) ?? [];
  const ordered = [...mine].sort((a, b) => Number(b.late) - Number(a.late) || Number(b.area === kato) - Number(a.area === kato) || a.deadline.localeCompare(b.deadline));
  return (
    <section class="sheet" aria-labelledby="area-plan">
      <h2 id="area-plan">{t("area.plan")}</h2>
      {plan.error !== null ? <Failed text={problem(plan.error)} retry={plan.reload} /> : !plan.data ? <Loading /> : ordered.length === 0 ? <p class="muted">{t("area.no_measures")}</p> : (
        <ul class="measure-list">{ordered.slice(0, 6).map((m) => <MeasureRow key={m.id} measure={m} />)}</ul>
      )}
    </section>
  );
}

function Papers({ data }: { data: Data }): JSX.Element {
  const year = Number(data.period.slice(0, 4));
  const month = /^\d{4}-(\d{2})/.exec(data.period)?.[1];
  const quarter = /Q\d/.test(data.period) ? data.period : `${year}-Q${month ? Math.ceil(Number(month) / 3) : 4}`;
  return (
    <section class="sheet papers" aria-labelledby="papers-title">
      <h2 id="papers-title">{t("area.papers")}</h2>
      <div class="paper-buttons">
        {can("reports.read") && <a class="button" download href={reports.quarterlyUrl(data.area, quarter, lang.value)}><Icon name="file" size={17} />{t("area.report", { period: periodWords(quarter) })}</a>}
        <a class="button" download href={tension.exportUrl(data.period, lang.value)}><Icon name="download" size={17} />{t("area.xlsx")}</a>
      </div>
    </section>
  );
}
