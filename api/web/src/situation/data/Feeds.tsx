// Feeds of registered mass media: are they alive, what totals they gave, and by which word forms they are counted. No text is kept.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { dateTime, named, number } from "../../i18n";
import { now } from "../../store";
import { ago, problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { Icon } from "../../ui/icons";
import { DemoTag } from "../bits";
import { intake } from "../hub";
import { useLoad } from "../load";
import { t } from "../t";
import type { Answer } from "../types";
import { period as periodWords, periodsBack } from "../wording";

export function FeedsView(): JSX.Element {
  const months = useMemo(() => periodsBack(new Date().toISOString(), "month", 13).slice(1), []);
  const [month, setMonth] = useState(months[0]!);
  const feeds = useLoad(() => intake.feeds(), []);
  const totals = useLoad(() => intake.feedTotals(month, month), [month]);
  const lexicon = useLoad(() => intake.lexicon(), []);
  return (
    <div class="frame-body">
      <p class="lead">{t("data.feeds_lead")}</p>
      {feeds.error !== null && <Failed text={problem(feeds.error)} retry={feeds.reload} />}
      {!feeds.data ? feeds.error === null && <Loading /> : feeds.data.length === 0 ? <Empty icon="share" title={t("data.no_feeds")} /> : (
        <ul class="feed-list">
          {feeds.data.map((f) => (
            <li key={f.id} class={`sheet feed is-${f.state}`}>
              <header><strong>{f.name}</strong>{f.demo && <DemoTag short />}<span class={`tag fd-${f.state}`}><Icon name={f.state === "ok" ? "check" : f.state === "new" ? "clock" : "warning"} size={13} />{t(`data.feed.${f.state}`)}</span></header>
              <small class="mono">{f.registration} · {f.language}</small>
              <p class="feed-facts"><span><b>{number(f.items_today, 0)}</b> {t("data.items_today")}</span>{f.items_undated > 0 && <span><b>{number(f.items_undated, 0)}</b> {t("data.undated")}</span>}<span>{f.last_ok_at ? t("data.last_ok", { time: ago(now.value - Date.parse(f.last_ok_at)) }) : t("data.never_ok")}</span></p>
              {f.error && <p class="bad-text small">{f.error}{f.failures > 0 && ` (${f.failures})`}</p>}
              {f.next_try_at && f.state !== "ok" && <small>{t("data.next_try", { at: dateTime(f.next_try_at).slice(11, 16) })}</small>}
            </li>
          ))}
        </ul>
      )}
      <section class="sheet" aria-labelledby="totals-title">
        <header class="sheet-head"><h2 id="totals-title">{t("data.totals")}</h2><label><span class="sr-only">{t("shared.period")}</span><select value={month} onChange={(e) => setMonth(e.currentTarget.value)}>{months.map((m) => <option key={m} value={m}>{periodWords(m)}</option>)}</select></label></header>
        {totals.error !== null ? <Failed text={problem(totals.error)} retry={totals.reload} /> : !totals.data ? <Loading /> : totals.data.cells.length === 0 ? <p class="muted">{t("data.no_totals")}</p> : <Totals data={totals.data} month={month} />}
      </section>
      <details class="sheet lexicon">
        <summary><h2>{t("data.lexicon")}</h2></summary>
        {lexicon.error !== null ? <Failed text={problem(lexicon.error)} retry={lexicon.reload} /> : !lexicon.data ? <Loading /> : (
          <><p class="muted">{t("data.lexicon_text", { version: lexicon.data.version })}</p>
            <dl class="forms">{lexicon.data.topics.map((x) => <div key={x.id}><dt>{named(x.name, x.id)}</dt><dd>{Object.entries(x.forms).map(([l, forms]) => <p key={l} lang={l}><b>{l}</b> {forms.join(", ")}</p>)}</dd></div>)}</dl></>
        )}
      </details>
    </div>
  );
}

export function answerWords(a: Answer | undefined): string {
  if (!a || a.state === "suppressed") return t("shared.hidden");
  if (a.state === "open") return "…";
  return a.state === "at_least" ? `≥ ${number(a.count ?? 0, 0)}` : number(a.count ?? 0, 0);
}

function Totals({ data, month }: { data: import("../types").FeedTotals; month: string }): JSX.Element {
  const mine = data.cells.filter((c) => c.period === month);
  const rows = [...new Map(mine.map((c) => [c.area, c.area_name]))];
  const topics = data.topics;
  const cell = (area: string, topic: string | null) => mine.find((c) => c.area === area && c.topic === topic)?.answer;
  const most = Math.max(1, ...mine.filter((c) => c.topic !== null).map((c) => c.answer.count ?? 0));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("data.totals")}>
      <table class="plain-table heat-table">
        <thead><tr><th scope="col">{t("shared.area")}</th>{topics.map((x) => <th key={x.id} scope="col">{named(x.name, x.id)}</th>)}<th scope="col">{t("data.all_topics")}</th></tr></thead>
        <tbody>{rows.map(([area, name]) => <tr key={area}><th scope="row">{named(name, area)}</th>{topics.map((x) => { const a = cell(area, x.id); return <td key={x.id} style={a?.count ? { background: `color-mix(in srgb, var(--accent) ${Math.round((a.count / most) * 45)}%, transparent)` } : undefined} class={a?.count ? "" : "muted"}>{answerWords(a)}</td>; })}<td><strong>{answerWords(cell(area, null))}</strong></td></tr>)}</tbody>
      </table>
    </div>
  );
}
