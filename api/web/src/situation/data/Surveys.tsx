// Surveys: type, sample, dates, questions, shares, and the margin of error beside every share.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../../api";
import { named, number } from "../../i18n";
import { can } from "../../store";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { AreaSelect, areaName, shortDay } from "../bits";
import { intake, tension } from "../hub";
import { useLoad } from "../load";
import { t, word } from "../t";
import type { Catalogue, Survey } from "../types";

export function SurveysView(): JSX.Element {
  const list = useLoad(() => intake.surveys(), []);
  const [adding, setAdding] = useState(false);
  const withdraw = async (s: Survey) => {
    try {
      await intake.withdrawSurvey(s.id);
      list.reload();
      say(t("data.survey_withdrawn"));
    } catch (error) {
      say(problem(error), true);
    }
  };
  return (
    <div class="frame-body narrow">
      <header class="sheet-head"><p class="lead">{t("data.surveys_lead")}</p>{can("intake.write") && <button type="button" aria-expanded={adding} onClick={() => setAdding(!adding)}><Icon name="plus" size={17} />{t("data.add_survey")}</button>}</header>
      {adding && <NewSurvey done={() => { setAdding(false); list.reload(); say(t("shared.saved")); }} />}
      {list.error !== null && <Failed text={problem(list.error)} retry={list.reload} />}
      {!list.data ? list.error === null && <Loading /> : list.data.length === 0 ? <Empty icon="pulse" title={t("data.no_surveys")} /> : (
        <ul class="survey-list">
          {list.data.map((s) => (
            <li key={s.id} class="sheet survey">
              <header><h2>{named(s.title, "")}</h2>{can("intake.write") && <Sure text={t("data.withdraw")} act={() => void withdraw(s)} />}</header>
              <p class="survey-facts"><span>{word("data.survey_type", s.type)}</span><span>{areaName(s.area)}</span><span>{shortDay(s.begun)} – {shortDay(s.ended)}</span><span>{t("data.sample_of", { count: number(s.sample, 0) })}</span>
                <strong>±{number(s.margin_pct, 1)} {t("data.points")} <small>({t(s.margin_computed ? "data.margin_computed" : "data.margin_given", { percent: number(s.confidence * 100, 0) })})</small></strong></p>
              {s.questions.map((q) => (
                <div key={q.id} class="question"><h3>{named(q.text, "")}{q.indicator && <span class="tag mono">{q.indicator}</span>}</h3>
                  <ul class="shares">{q.answers.map((a, i) => (
                    <li key={i}><div class="share-row"><span class="share-name">{named(a.text, "")}{a.counts && <small>{t("data.counts_for")}</small>}</span>
                      <span class="share-bar with-margin" aria-hidden="true"><i style={{ width: `${a.share_pct}%` }} /><u style={{ left: `${Math.max(0, a.share_pct - s.margin_pct)}%`, width: `${Math.min(100, a.share_pct + s.margin_pct) - Math.max(0, a.share_pct - s.margin_pct)}%` }} /></span>
                      <strong class="share-value">{number(a.share_pct, 1)}<small> %</small></strong></div></li>
                  ))}</ul></div>
              ))}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

export function Sure({ text, act }: { text: string; act: () => void }): JSX.Element {
  const [sure, setSure] = useState(false);
  return sure
    ? <span class="phone-sure"><button type="button" class="danger" onClick={act}>{text}</button><button type="button" onClick={() => setSure(false)}>{t("common.cancel")}</button></span>
    : <button type="button" class="ghost" onClick={() => setSure(true)}>{text}</button>;
}

interface Line { text: string; share: string; counts: boolean }

function NewSurvey({ done }: { done: () => void }): JSX.Element {
  const [f, setF] = useState({ title: "", type: "telephone", sample: "", population: "", begun: "", ended: "", area: "", question: "", indicator: "" });
  const [lines, setLines] = useState<Line[]>([{ text: "", share: "", counts: true }, { text: "", share: "", counts: false }]);
  const catalogue = useLoad<Catalogue | null>(() => (can("tension.read") ? tension.catalogue() : Promise.resolve(null)), []);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const set = (name: keyof typeof f) => (e: { currentTarget: { value: string } }) => setF({ ...f, [name]: e.currentTarget.value });
  // One wording serves the three languages until somebody translates it: a survey was asked in its own words.
  const thrice = (text: string) => ({ kk: text, ru: text, en: text });
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      await intake.addSurvey({
        title: thrice(f.title.trim()), type: f.type, sample: Number(f.sample), population: f.population ? Number(f.population) : null, begun: f.begun, ended: f.ended, area: f.area, confidence: 0.95, design_effect: 1,
        questions: [{ text: thrice(f.question.trim()), indicator: f.indicator || null, answers: lines.filter((l) => l.text.trim()).map((l) => ({ text: thrice(l.text.trim()), share_pct: Number(l.share.replace(",", ".")), counts: l.counts })) }],
      });
      done();
    } catch (cause) {
      const errors = cause instanceof ApiError ? (cause.body["errors"] as { field: string; expected: string }[] | undefined) : undefined;
      setError(errors?.map((e) => `${e.field}: ${e.expected}`).join("; ") ?? problem(cause));
      setBusy(false);
    }
  };
  return (
    <form class="form sheet" onSubmit={(e) => void send(e)}>
      <label>{t("data.survey_title")}<input type="text" required maxLength={200} value={f.title} onInput={set("title")} /></label>
      <div class="form four">
        <label>{t("data.survey_kind")}<select value={f.type} onChange={set("type")}>{["face_to_face", "telephone", "online", "street"].map((x) => <option key={x} value={x}>{word("data.survey_type", x)}</option>)}</select></label>
        <label>{t("data.sample_size")}<input type="number" required min={1} max={10000000} value={f.sample} onInput={set("sample")} /></label>
        <label>{t("data.begun")}<input type="date" required value={f.begun} onInput={set("begun")} /></label>
        <label>{t("data.ended")}<input type="date" required value={f.ended} onInput={set("ended")} /></label>
      </div>
      <label>{t("shared.area")}<AreaSelect value={f.area} change={(area) => setF({ ...f, area })} /></label>
      <label>{t("data.question")}<input type="text" required maxLength={500} value={f.question} onInput={set("question")} /></label>
      <label>{t("data.for_indicator")}<select value={f.indicator} onChange={set("indicator")}><option value="">–</option>{catalogue.data?.indicators.map((i) => <option key={i.id} value={i.id}>{named(i.name, i.id)}</option>)}</select></label>
      <fieldset class="answers"><legend>{t("data.answers")}</legend>
        {lines.map((l, i) => (
          <div key={i} class="answer-line">
            <input type="text" aria-label={t("data.answer_n", { n: i + 1 })} placeholder={t("data.answer_n", { n: i + 1 })} value={l.text} onInput={(e) => setLines(lines.map((x, k) => (k === i ? { ...x, text: e.currentTarget.value } : x)))} />
            <input type="text" inputMode="decimal" aria-label={t("data.share_n", { n: i + 1 })} placeholder="%" value={l.share} onInput={(e) => setLines(lines.map((x, k) => (k === i ? { ...x, share: e.currentTarget.value } : x)))} />
            <label class="switch"><input type="checkbox" checked={l.counts} onChange={(e) => setLines(lines.map((x, k) => (k === i ? { ...x, counts: e.currentTarget.checked } : x)))} />{t("data.counts_for")}</label>
          </div>
        ))}
        <button type="button" class="ghost" onClick={() => setLines([...lines, { text: "", share: "", counts: false }])}><Icon name="plus" size={15} />{t("data.more_answers")}</button>
      </fieldset>
      {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
      <button type="submit" class="primary" disabled={busy || !f.area}>{busy ? t("common.wait") : t("common.save")}</button>
    </form>
  );
}
