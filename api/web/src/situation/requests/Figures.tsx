// Shares by category, services with their clocks, months, and heat by district. What is below ten stays hidden, and it is said.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { named, number } from "../../i18n";
import { lang } from "../../prefs";
import { areas } from "../../store";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { Icon } from "../../ui/icons";
import { Choropleth } from "../Choropleth";
import { Shares } from "../charts/Bars";
import { Fan } from "../charts/Fan";
import { AreaSelect } from "../bits";
import { requests } from "../hub";
import { Legend } from "../Legend";
import { useLoad } from "../load";
import { paletteStep, spread } from "../scale";
import { t } from "../t";
import type { Heat, RequestSettings } from "../types";
import { period as periodWords, periodsBack, shortPeriod } from "../wording";
import { categoryName, serviceName } from "./names";

export function FiguresView({ settings }: { settings: RequestSettings }): JSX.Element {
  const periods = useMemo(() => [...periodsBack(settings.today, "month", 12), ...periodsBack(settings.today, "quarter", 4), ...periodsBack(settings.today, "year", 2)], [settings.today]);
  const [period, setPeriod] = useState(periods[0]!);
  const [area, setArea] = useState("");
  const [category, setCategory] = useState("");
  const figures = useLoad(() => requests.figures(period, area), [period, area]);
  const heat = useLoad(() => requests.heat(period, category), [period, category]);
  const f = figures.data;
  return (
    <div class="frame-body figures-view">
      <div class="search-row figures-filter">
        <label><span class="sr-only">{t("shared.period")}</span><select value={period} onChange={(e) => setPeriod(e.currentTarget.value)}>{periods.map((p) => <option key={p} value={p}>{periodWords(p)}</option>)}</select></label>
        <label><span class="sr-only">{t("shared.area")}</span><AreaSelect value={area} change={setArea} all={t("shared.whole_region")} /></label>
        <span class="grow" />
        <a class="button" download href={requests.exportUrl(period, lang.value)}><Icon name="download" size={17} />XLSX</a>
      </div>
      {figures.error !== null && <Failed text={problem(figures.error)} retry={figures.reload} />}
      {!f ? figures.error === null && <Loading /> : (
        <div class="figures-grid">
          <section class="sheet" aria-labelledby="shares-title">
            <header class="sheet-head"><h2 id="shares-title">{t("requests.shares")}</h2><strong class="total">{f.total === null ? "–" : number(f.total, 0)}</strong></header>
            {f.shares.every((s) => s.percent === null) ? <Empty icon="inbox" title={t("requests.few")} />
              : <Shares unit="%" choose={(id) => setCategory(category === id ? "" : id)} chosen={category} parts={f.shares.filter((s) => s.percent !== null).map((s) => ({ id: s.category, name: categoryName(settings, s.category), value: s.percent!, note: s.count === null ? "" : number(s.count, 0) }))} />}
            {f.suppressed > 0 && <small class="small"><Icon name="shield" size={14} />{t("requests.suppressed", { count: f.suppressed })}</small>}
            {!f.exact && <small>{named(f.note, "")}</small>}
          </section>
          <section class="sheet heat-sheet" aria-labelledby="heat-title">
            <header class="sheet-head"><h2 id="heat-title">{t("requests.heat")}</h2><span class="muted">{category ? categoryName(settings, category) : t("requests.all_categories")}</span></header>
            {heat.error !== null ? <Failed text={problem(heat.error)} retry={heat.reload} /> : !heat.data ? <Loading /> : <HeatMap heat={heat.data} />}
          </section>
          <section class="sheet wide-sheet" aria-labelledby="services-title">
            <h2 id="services-title">{t("requests.services")}</h2>
            <div class="scroll" tabIndex={0} role="region" aria-label={t("requests.services")}>
              <table class="rows services-table">
                <thead><tr><th scope="col">{t("requests.service")}</th><th scope="col">{t("requests.count")}</th><th scope="col">{t("requests.open")}</th><th scope="col">{t("requests.overdue")}</th><th scope="col">{t("requests.answered_in_time")}</th><th scope="col">{t("requests.done_in_time")}</th><th scope="col">{t("requests.mean_answer")}</th><th scope="col">{t("requests.reopened")}</th></tr></thead>
                <tbody>
                  {f.services.map((s) => (
                    <tr key={s.service}>
                      <th scope="row">{serviceName(settings, s.service)}</th>
                      <td data-label={t("requests.count")}>{cell(s.count, 0)}</td><td data-label={t("requests.open")}>{cell(s.open, 0)}</td>
                      <td data-label={t("requests.overdue")} class={s.overdue ? "bad-text" : ""}>{cell(s.overdue, 0)}</td>
                      <td data-label={t("requests.answered_in_time")}><InTime percent={s.answered_in_time_percent} /></td><td data-label={t("requests.done_in_time")}><InTime percent={s.done_in_time_percent} /></td>
                      <td data-label={t("requests.mean_answer")}>{s.mean_answer_h === null ? "–" : t("requests.hours", { count: number(s.mean_answer_h, 1) })}</td>
                      <td data-label={t("requests.reopened")}>{s.reopened_percent === null ? "–" : `${number(s.reopened_percent, 1)} %`}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </section>
          <section class="sheet wide-sheet" aria-label={t("requests.months")}>
            <Fan title={t("requests.months")} unit={t("requests.count_unit")} height={190} points={f.months.map((m) => ({ period: m.month, label: shortPeriod(m.month), value: m.count }))} chosen={period} />
          </section>
        </div>
      )}
    </div>
  );
}

const cell = (value: number | null, digits: number) => (value === null ? <span class="muted" title={t("requests.below_ten")}>{t("shared.hidden")}</span> : number(value, digits));

function InTime({ percent }: { percent: number | null }): JSX.Element {
  if (percent === null) return <span class="muted">–</span>;
  return <span class={percent < 80 ? "in-time short" : "in-time"}><span class="progress-bar" aria-hidden="true"><i style={{ width: `${percent}%` }} /></span>{number(percent, 0)} %</span>;
}

function HeatMap({ heat }: { heat: Heat }): JSX.Element {
  const scale = spread(heat.areas.map((a) => a.count).filter((c): c is number => c !== null), 5);
  const n = scale.bounds.length - 1;
  const step = new Map(heat.areas.map((a) => [a.kato, a.count === null ? null : paletteStep(scale.of(a.count), n)]));
  const figure = new Map(heat.areas.filter((a) => a.count !== null).map((a) => [a.kato, number(a.count!, 0)]));
  const counted = heat.areas.filter((a) => a.count !== null);
  return (
    <>
      <div class="heat-map">
        <Choropleth areas={areas.value} step={step} figure={figure} label={t("requests.heat_label")} still />
      </div>
      {counted.length > 0 && <Legend scale={scale} unit={t("requests.count_unit")} none={t("requests.heat_none")} />}
      <details class="as-table"><summary>{t("chart.as_table")}</summary>
        <ul class="heat-list">{[...heat.areas].sort((a, b) => (b.count ?? -1) - (a.count ?? -1)).map((a) => <li key={a.kato}><span>{named(a.name, a.kato)}</span><strong>{a.count === null ? t("shared.hidden") : number(a.count, 0)}</strong></li>)}</ul>
      </details>
      <small>{named(heat.note, "")}</small>
    </>
  );
}

