// How often each rule was right, by the verdicts that people gave at closing. A rule below its floor is proposed for demotion; only a shift
// lead confirms, with a reason. Rules of safety are never demoted.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { number } from "../../i18n";
import { can, session } from "../../store";
import { problem } from "../../words";
import { Failed, Loading } from "../../ui/bits";
import { Tile } from "../../ui/page";
import { Icon, type IconName } from "../../ui/icons";
import { useLoad } from "../../situation/load";
import { load as hub } from "../hub";
import { t, word } from "../t";
import type { RuleFigures, Verdicts } from "../types";
import type { ReasonCode } from "../../types";
import { demotedAfter, inForce, judged, RULES, standingOf, VERDICTS_NEEDED, type Judged } from "./figures";
import { RuleDialog } from "./RuleDialog";

const ICON: Record<Judged, IconName> = { safety: "shield", demoted: "fall", proposed: "warning", few: "clock", kept: "check" };
const NONE: RuleFigures = { right: 0, wrong: 0, drills: 0, duplicates: 0, unjudged: 0, precision: null, proposed_for_demotion: false };
const percent = (share: number) => `${number(share * 100, 0)} %`;

export function QualityView(): JSX.Element {
  const verdicts = useLoad(hub.verdicts, []);
  const rules = useLoad(() => (can("planning.read") ? hub.rules() : Promise.resolve({ changes: [] })), []);
  const [change, setChange] = useState<{ rule: ReasonCode; demote: boolean } | null>(null);
  const error = verdicts.error ?? rules.error;
  const again = () => {
    verdicts.reload();
    rules.reload();
  };
  if (!verdicts.data || !rules.data) return <div class="frame-body">{error === null ? <Loading /> : <Failed text={problem(error)} retry={again} />}</div>;
  const { demoted } = inForce(rules.data);
  const lead = session.value?.role === "shift_lead" && can("planning.write");
  const proposed = RULES.filter((rule) => standingOf(rule, figures(verdicts.data!, rule), demoted) === "proposed");
  return (
    <div class="frame-body" tabIndex={0} role="region" aria-label={t("quality.tab")}>
      {error !== null && <Failed text={problem(error)} retry={again} />}
      <p class="lead">{t("quality.lead", { days: verdicts.data.days })}</p>
      {proposed.length > 0 && <p class="callout proposal"><Icon name="warning" /><span class="grow">{t("quality.proposed_now", { rules: proposed.map((r) => word("rule", r)).join(", ") })} {!lead && t("quality.lead_decides")}</span></p>}
      <Totals data={verdicts.data} />
      <section class="sheet table-sheet quality-sheet" aria-labelledby="quality-title">
        <h2 id="quality-title">{t("quality.rules")}</h2>
        <ul class="rule-list">{RULES.map((rule) => <Row key={rule} rule={rule} data={verdicts.data!} demoted={demoted} change={lead ? (demote) => setChange({ rule, demote }) : undefined} />)}</ul>
        <p class="muted small quality-note">{t("quality.note", { needed: VERDICTS_NEEDED, floor: percent(verdicts.data.floor) })}</p>
      </section>
      {change && (
        <RuleDialog rule="demoted" value={demotedAfter(demoted, change.rule, change.demote)} title={t(change.demote ? "quality.demote" : "quality.restore")}
          about={<><strong>{word("rule", change.rule)}</strong><br />{t(change.demote ? "quality.demote_means" : "quality.restore_means")}</>} submit={t(change.demote ? "quality.demote" : "quality.restore")}
          onClose={() => setChange(null)} done={again} />
      )}
    </div>
  );
}

const figures = (data: Verdicts, rule: ReasonCode): RuleFigures => data.verdicts.rules[rule] ?? NONE;

function Totals({ data }: { data: Verdicts }): JSX.Element {
  const all = RULES.map((rule) => figures(data, rule));
  const sum = (of: (f: RuleFigures) => number) => all.reduce((n, f) => n + of(f), 0);
  const [right, n] = [sum((f) => f.right), sum(judged)];
  return (
    <ul class="kpis quality-kpis">
      <Tile value={n > 0 ? percent(right / n) : "–"} name={t("quality.all_right", { count: n })} />
      <Tile value={number(sum((f) => f.wrong), 0)} name={t("quality.all_wrong")} />
      <Tile value={number(data.verdicts.misses, 0)} name={t("quality.misses", { incidents: data.verdicts.incidents })} warn={data.verdicts.misses > 0} />
      <Tile value={number(sum((f) => f.unjudged), 0)} name={t("quality.unjudged")} />
    </ul>
  );
}

function Row({ rule, data, demoted, change }: { rule: ReasonCode; data: Verdicts; demoted: readonly ReasonCode[]; change: ((demote: boolean) => void) | undefined }): JSX.Element {
  const f = figures(data, rule);
  const n = judged(f);
  const misses = Object.values(data.verdicts.rules).some((one) => one.missed !== undefined);
  const standing = standingOf(rule, f, demoted);
  const low = f.precision !== null && f.precision < data.floor && standing !== "safety";
  return (
    <li class={`rule-row rule-${standing}`} data-rule={rule}>
      <div class="rule-name">
        <strong>{word("rule", rule)}</strong>
        <span class={`tag judged-${standing}`}><Icon name={ICON[standing]} size={13} />{t(`quality.standing.${standing}`, { n, needed: VERDICTS_NEEDED })}</span>
      </div>
      <div class="rule-precision">
        <p><strong>{f.precision === null ? "–" : percent(f.precision)}</strong><small>{n > 0 ? t("quality.of", { right: f.right, n }) : t("quality.no_verdicts")}</small></p>
        <span class={low ? "precision-bar low" : "precision-bar"} aria-hidden="true"><i style={{ width: `${(f.precision ?? 0) * 100}%` }} />{standing !== "safety" && <b style={{ insetInlineStart: `${data.floor * 100}%` }} />}</span>
      </div>
      <dl class={misses ? "rule-counts five" : "rule-counts"}>
        {(["wrong", ...(misses ? ["missed" as const] : []), "drills", "duplicates", "unjudged"] as const).map((key) => <div key={key}><dt>{t(`quality.count.${key}`)}</dt><dd>{number(f[key] ?? 0, 0)}</dd></div>)}
      </dl>
      <div class="rule-act">
        {change && standing === "proposed" && <button type="button" class="primary" data-demote onClick={() => change(true)}>{t("quality.confirm")}</button>}
        {change && standing === "demoted" && <button type="button" onClick={() => change(false)}>{t("quality.restore")}</button>}
      </div>
    </li>
  );
}
