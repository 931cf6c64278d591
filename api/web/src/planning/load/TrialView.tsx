// What another setting would have told on the days that are stored, beside the rules as they are; then, if it is better, it is applied with a
// reason. Trying changes nothing.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { can, cameras, session } from "../../store";
import { cameraName, problem, siteName } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { Icon } from "../../ui/icons";
import { useLoad } from "../../situation/load";
import { number } from "../../i18n";
import { load as hub } from "../hub";
import { t, word } from "../t";
import type { Rules, RuleValue, Trial } from "../types";
import type { Camera, ReasonCode } from "../../types";
import { inForce, MAY_DEMOTE, SCORE } from "./figures";
import { RuleDialog } from "./RuleDialog";
import { TrialResult } from "./TrialResult";
import { ruleName, valueWords } from "./names";

const DAYS = [1, 3, 7, 14, 30];
const MOST_CAMERAS = 20;
type Kind = "unusual_score" | "limit" | "demoted";

interface Asked { rule: string; value: RuleValue; days: number; cameras: string[] }

export function TrialView(): JSX.Element {
  const rules = useLoad(hub.rules, []);
  if (!rules.data) return <div class="frame-body">{rules.error === null ? <Loading /> : <Failed text={problem(rules.error)} retry={rules.reload} />}</div>;
  return <Bench rules={rules.data} changed={rules.reload} />;
}

function Bench({ rules, changed }: { rules: Rules; changed: () => void }): JSX.Element {
  const [tried, setTried] = useState<{ asked: Asked; answer: Trial } | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const [apply, setApply] = useState(false);
  const result = useRef<HTMLElement>(null);
  const turn = useRef(0);
  const attempt = async (asked: Asked) => {
    const mine = ++turn.current;
    setBusy(true);
    setError("");
    try {
      const answer = await hub.trial(asked.rule, asked.value, asked.days, asked.cameras);
      if (mine === turn.current) setTried({ asked, answer });
    } catch (cause) {
      if (mine === turn.current) setError(problem(cause));
    } finally {
      if (mine === turn.current) setBusy(false);
    }
  };
  // On a narrow screen the answer stands below the form: it is brought into sight, and said.
  useEffect(() => { if (tried) result.current?.focus({ preventScroll: innerWidth > 1100 }); }, [tried]);
  const demotes = tried?.asked.rule === "demoted";
  const may = can("planning.write") && (!demotes || session.value?.role === "shift_lead");
  return (
    <div class="frame-body bench" tabIndex={0} role="region" aria-label={t("trial.tab")}>
      <TrialForm rules={rules} busy={busy} send={(asked) => void attempt(asked)} />
      <section class="trial-side" ref={result} tabIndex={-1} aria-label={t("trial.result")} aria-live="polite" aria-busy={busy}>
        {error && <Failed text={error} />}
        {busy && <Loading text={t("trial.running")} />}
        {!tried ? !busy && !error && <div class="sheet trial-none"><Empty icon="scales" title={t("trial.none")}><p>{t("trial.none_text")}</p></Empty></div> : (
          <>
            <TrialResult trial={tried.answer} title={`${ruleName(tried.asked.rule)}: ${valueWords(tried.asked.rule, tried.asked.value)}`} days={tried.asked.days} cameras={tried.asked.cameras.length} />
            {tried.answer.minutes > 0 && (
              <div class="sheet trial-apply">
                <p class="grow">{may ? t("trial.apply_text") : t("quality.lead_decides")}</p>
                <button type="button" class="primary" disabled={!may || busy} onClick={() => setApply(true)}><Icon name="check" size={17} />{t("trial.apply")}</button>
              </div>
            )}
          </>
        )}
      </section>
      {apply && tried && (
        <RuleDialog rule={tried.asked.rule} value={tried.asked.value} title={t("trial.apply")} submit={t("trial.apply")}
          about={<><strong>{ruleName(tried.asked.rule)}</strong>: {valueWords(tried.asked.rule, tried.asked.value)}</>} onClose={() => setApply(false)} done={changed} />
      )}
    </div>
  );
}

function TrialForm({ rules, busy, send }: { rules: Rules; busy: boolean; send: (asked: Asked) => void }): JSX.Element {
  const now = inForce(rules);
  const list = [...cameras.value.values()].sort((a, b) => siteName(a.site).localeCompare(siteName(b.site)) || cameraName(a).localeCompare(cameraName(b)));
  const [kind, setKind] = useState<Kind>("unusual_score");
  const [score, setScore] = useState(now.score ?? SCORE.usual);
  const [camera, setCamera] = useState(list[0]?.id ?? "");
  const [limit, setLimit] = useState("");
  const [without, setWithout] = useState(false);
  const [demoted, setDemoted] = useState<readonly ReasonCode[]>(now.demoted);
  const [days, setDays] = useState(7);
  const [chosen, setChosen] = useState<ReadonlySet<string> | null>(null);
  const picked = chosen ?? new Set(list.slice(0, MOST_CAMERAS).map((c) => c.id));
  const kept = kind === "limit" ? [camera, ...[...picked].filter((id) => id !== camera)].slice(0, MOST_CAMERAS) : [...picked];
  const limitNow = now.limit(camera) ?? cameras.value.get(camera)?.limit ?? null;
  const submit = (event: Event) => {
    event.preventDefault();
    const rule = kind === "limit" ? `limit/${camera}` : kind;
    const value: RuleValue = kind === "unusual_score" ? score : kind === "limit" ? (without ? null : Number(limit)) : [...demoted];
    send({ rule, value, days, cameras: kept });
  };
  const toggle = (id: string, on: boolean) => {
    const next = new Set(picked);
    if (on) next.add(id);
    else next.delete(id);
    setChosen(next);
  };
  const ready = kept.length > 0 && (kind !== "limit" || (camera !== "" && (without || Number(limit) >= 1)));
  return (
    <form class="sheet form trial-form" onSubmit={submit}>
      <h2>{t("trial.title")}</h2>
      <p class="muted small">{t("trial.text")}</p>
      <fieldset class="choices">
        <legend>{t("trial.rule")}</legend>
        {(["unusual_score", "limit", "demoted"] as const).map((k) => (
          <label key={k} class="choice"><input type="radio" name="rule" value={k} checked={kind === k} onChange={() => setKind(k)} /><span>{t(`trial.kind.${k}`)}</span></label>
        ))}
      </fieldset>
      {kind === "unusual_score" && (
        <label><span>{t("trial.score")} {now.score !== null && <small>{t("trial.now", { value: number(now.score, 2) })}</small>}</span>
          <span class="range-row"><input type="range" min={SCORE.min} max={SCORE.max} step={SCORE.step} value={score} onInput={(e) => setScore(Number(e.currentTarget.value))} /><output>{number(score, 2)}</output></span>
          <span class="range-ends"><small>{t("trial.score_low")}</small><small>{t("trial.score_high")}</small></span>
        </label>
      )}
      {kind === "limit" && (
        <div class="form">
          <label>{t("shelve.camera")}<select value={camera} onChange={(e) => setCamera(e.currentTarget.value)}>{list.map((c) => <option key={c.id} value={c.id}>{siteName(c.site)} · {cameraName(c)}</option>)}</select></label>
          <label><span>{t("trial.limit")} <small>{t("trial.now", { value: limitNow === null ? t("rule.no_limit") : number(limitNow, 0) })}</small></span>
            <input type="number" min={1} max={100000} step={1} inputMode="numeric" required={!without} disabled={without} value={without ? "" : limit} onInput={(e) => setLimit(e.currentTarget.value)} /></label>
          <label class="switch"><input type="checkbox" checked={without} onChange={(e) => setWithout(e.currentTarget.checked)} />{t("trial.no_limit")}</label>
        </div>
      )}
      {kind === "demoted" && (
        <fieldset class="choices">
          <legend>{t("trial.demoted")}</legend>
          {MAY_DEMOTE.map((rule) => (
            <label key={rule} class="choice"><input type="checkbox" checked={demoted.includes(rule)} onChange={(e) => setDemoted(MAY_DEMOTE.filter((one) => (one === rule ? e.currentTarget.checked : demoted.includes(one))))} /><span>{word("rule", rule)}</span></label>
          ))}
          <p class="muted small">{t("trial.demoted_means")}</p>
        </fieldset>
      )}
      <fieldset class="choices days-row pills">
        <legend>{t("trial.days")}</legend>
        {DAYS.map((d) => <label key={d} class="choice"><input type="radio" name="days" checked={days === d} onChange={() => setDays(d)} /><span>{t("trial.day_count", { count: d })}</span></label>)}
      </fieldset>
      {list.length === 0 ? <p class="callout"><Icon name="camera" />{t("trial.no_cameras")}</p> : <CameraChoice list={list} picked={picked} always={kind === "limit" ? camera : null} toggle={toggle} />}
      <button type="submit" class="primary big" disabled={busy || !ready}><Icon name="scales" size={18} />{busy ? t("common.wait") : t("trial.try")}</button>
    </form>
  );
}

function CameraChoice({ list, picked, always, toggle }: { list: readonly Camera[]; picked: ReadonlySet<string>; always: string | null; toggle: (id: string, on: boolean) => void }): JSX.Element {
  const full = picked.size >= MOST_CAMERAS;
  return (
    <fieldset class="choices camera-choices">
      <legend>{t("trial.cameras", { count: picked.size })}</legend>
      <div class="camera-scroll">
        {list.map((c) => (
          <label key={c.id} class="choice">
            <input type="checkbox" checked={picked.has(c.id) || c.id === always} disabled={c.id === always || (full && !picked.has(c.id))} onChange={(e) => toggle(c.id, e.currentTarget.checked)} />
            <span><strong>{cameraName(c)}</strong><small class="choice-more">{siteName(c.site)}</small></span>
          </label>
        ))}
      </div>
      {full && <p class="muted small">{t("trial.cameras_most", { count: MOST_CAMERAS })}</p>}
    </fieldset>
  );
}
