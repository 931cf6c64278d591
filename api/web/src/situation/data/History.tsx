// Every value with who brought it, when, and what stood there before.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { dateTime, named, number } from "../../i18n";
import { problem } from "../../words";
import { can } from "../../store";
import { Empty, Failed, Loading } from "../../ui/bits";
import { AreaSelect } from "../bits";
import { intake, tension } from "../hub";
import { useLoad } from "../load";
import { t, word } from "../t";
import { period as periodWords } from "../wording";

export function HistoryView(): JSX.Element {
  const [area, setArea] = useState("");
  const [indicator, setIndicator] = useState("");
  const [period, setPeriod] = useState("");
  const catalogue = useLoad(() => (can("tension.read") ? tension.catalogue() : Promise.resolve(null)), []);
  const asked = area !== "" || indicator !== "";
  const list = useLoad(() => (asked ? intake.history({ area, indicator, period }) : Promise.resolve({ entries: [], next: null })), [area, indicator, period]);
  return (
    <div class="frame-body">
      <div class="search-row">
        <label>{t("shared.area")}<AreaSelect value={area} change={setArea} all={t("shared.all_areas")} /></label>
        <label>{t("method.indicator")}
          {catalogue.data ? (
            <select value={indicator} onChange={(e) => setIndicator(e.currentTarget.value)}>
              <option value="">{t("data.all_indicators")}</option>
              {catalogue.data.blocks.map((b) => <optgroup key={b.id} label={named(b.name, b.id)}>{catalogue.data!.indicators.filter((i) => i.block === b.id).map((i) => <option key={i.id} value={i.id}>{named(i.name, i.id)}</option>)}</optgroup>)}
            </select>
          ) : <input type="text" value={indicator} onChange={(e) => setIndicator(e.currentTarget.value.trim())} />}
        </label>
        <label>{t("shared.period")}<input type="text" placeholder="2026-10" value={period} onChange={(e) => setPeriod(e.currentTarget.value.trim())} /></label>
      </div>
      {list.error !== null && <Failed text={problem(list.error)} retry={list.reload} />}
      {!asked ? <Empty icon="clock" title={t("data.history_ask")} /> : !list.data ? list.error === null && <Loading /> : list.data.entries.length === 0 ? <Empty icon="clock" title={t("data.no_history")} /> : (
        <section class="sheet table-sheet">
          <div class="scroll" tabIndex={0} role="region" aria-label={t("data.history")}>
            <table class="rows">
              <thead><tr><th scope="col">{t("method.indicator")}</th><th scope="col">{t("shared.area")}</th><th scope="col">{t("shared.period")}</th><th scope="col">{t("shared.value")}</th><th scope="col">{t("data.before")}</th><th scope="col">{t("data.basis")}</th><th scope="col">{t("data.came_from")}</th></tr></thead>
              <tbody>
                {list.data.entries.map((e) => (
                  <tr key={e.seq} class={e.standing ? "" : "undone"}>
                    <th scope="row">{named(e.indicator_name, e.indicator)}</th><td data-label={t("shared.area")}>{named(e.area_name, e.area)}</td><td data-label={t("shared.period")} class="nowrap">{periodWords(e.period)}</td>
                    <td data-label={t("shared.value")}><strong>{number(e.value, 4)}</strong>{e.standing && <span class="tag ok-tag">{t("data.stands")}</span>}</td><td data-label={t("data.before")}>{e.before ? number(e.before.value, 4) : "–"}</td>
                    <td data-label={t("data.basis")}>{e.cases !== null ? t("data.cases", { count: number(e.cases, 0) }) : e.denominator !== null ? t("data.denominator", { count: number(e.denominator, 0) }) : "–"}</td>
                    <td data-label={t("data.came_from")}>{e.who}, {dateTime(e.at).slice(0, 16)}<small>№ {e.import} · {word("data.kind", e.kind)} · {e.source}</small>{e.undone_at && <small>{t("data.undone")}: {e.undone_by}</small>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
    </div>
  );
}
