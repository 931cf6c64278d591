// Import in four steps: template, file, look at every row, apply. Nothing is stored before "apply", all rows or none; an import can be
// undone afterwards.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../../api";
import { dateTime, named, number } from "../../i18n";
import { lang } from "../../prefs";
import { can } from "../../store";
import { problem } from "../../words";
import { Dialog } from "../../ui/Dialog";
import { Empty, Failed, Loading } from "../../ui/bits";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { DemoTag } from "../bits";
import { intake } from "../hub";
import { useLoad } from "../load";
import { hasKey, t, word } from "../t";
import type { Import, Job, Preview, RowNote, Undone } from "../types";
import { period as periodWords } from "../wording";

const POLL_MS = 300;
const thisMonth = () => new Date().toISOString().slice(0, 7);

export function ImportView(): JSX.Element {
  const [layout, setLayout] = useState<"long" | "wide">("wide");
  const [period, setPeriod] = useState(thisMonth);
  const [job, setJob] = useState<Job | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [over, setOver] = useState(false);
  const [version, setVersion] = useState(0);
  const working = job !== null && ["reading", "checking", "writing"].includes(job.state);
  useEffect(() => {
    if (!job || !working) return;
    const timer = setTimeout(() => {
      intake.job(job.job).then((next) => {
        setJob(next);
        if (next.state === "applied") {
          say(t("data.applied", { count: number(next.preview?.values ?? 0, 0) }));
          setVersion((v) => v + 1);
        }
      }, setError);
    }, POLL_MS);
    return () => clearTimeout(timer);
  }, [job]);
  const take = async (file: File | undefined) => {
    if (!file) return;
    setError(null);
    setJob(null);
    try {
      const { job: id } = await intake.upload(file, { period });
      setJob({ job: id, state: "reading", filename: file.name, rows_done: 0, rows_total: null, message: null, code: null, preview: null, import: null });
    } catch (cause) {
      setError(cause);
    }
  };
  const apply = async () => {
    if (!job) return;
    setError(null);
    try {
      await intake.apply(job.job);
      setJob({ ...job, state: "writing", rows_done: 0 });
    } catch (cause) {
      setError(cause);
    }
  };
  const forget = () => {
    if (job && job.state !== "applied") intake.forget(job.job).catch((cause: unknown) => console.warn("job:", cause));
    setJob(null);
    setError(null);
  };
  return (
    <div class="frame-body">
      {can("intake.write") && (
        <section class="sheet wizard" aria-label={t("data.import")}>
          <div class="wizard-step">
            <h2><b>1</b>{t("data.step_template")}</h2>
            <div class="search-row">
              <label>{t("data.layout")}<select value={layout} onChange={(e) => setLayout(e.currentTarget.value as "long" | "wide")}><option value="wide">{t("data.layout_wide")}</option><option value="long">{t("data.layout_long")}</option></select></label>
              <label>{t("data.period_field")}<input type="text" value={period} pattern="\d{4}(-(Q[1-4]|\d{2}|W\d{2}|\d{2}-\d{2}))?" aria-describedby="period-help" onInput={(e) => setPeriod(e.currentTarget.value)} /></label>
            </div>
            <small id="period-help">{t("data.period_help")}</small>
            <p class="step-buttons">
              <a class="button" download href={intake.templateUrl("xlsx", layout, lang.value, period)}><Icon name="download" size={16} />XLSX</a>
              <a class="button" download href={intake.templateUrl("csv", layout, lang.value, period)}><Icon name="download" size={16} />CSV</a>
            </p>
          </div>
          <div class="wizard-step">
            <h2><b>2</b>{t("data.step_file")}</h2>
            <label class={over ? "drop over" : "drop"} onDragOver={(e) => { e.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)}
              onDrop={(e) => { e.preventDefault(); setOver(false); void take(e.dataTransfer?.files[0]); }}>
              <Icon name="upload" size={28} /><strong>{t("data.drop")}</strong><small>{t("data.drop_help")}</small>
              <input type="file" class="sr-only" accept=".xlsx,.xlsm,.csv,text/csv" onChange={(e) => { void take(e.currentTarget.files?.[0]); e.currentTarget.value = ""; }} />
            </label>
          </div>
          {(job || error !== null) && (
            <div class="wizard-step result">
              <h2><b>3</b>{t("data.step_check")}{job && <small class="ellipsis">{job.filename}</small>}</h2>
              {error !== null && <Failed text={importProblem(error)} />}
              {job && <JobState job={job} />}
              {job?.preview && <PreviewBody preview={job.preview} />}
              {job && !working && (
                <div class="wizard-apply">
                  {job.state === "ready" && <button type="button" class="primary big" onClick={() => void apply()}><b>4</b>{t("data.apply", { count: number(job.preview?.values ?? 0, 0) })}</button>}
                  <button type="button" onClick={forget}>{t(job.state === "applied" ? "data.another" : "common.cancel")}</button>
                </div>
              )}
            </div>
          )}
        </section>
      )}
      <Imports key={version} />
    </div>
  );
}

function importProblem(error: unknown): string {
  if (error instanceof ApiError && hasKey(`data.code.${error.code}`)) return word("data.code", error.code);
  return problem(error);
}

function JobState({ job }: { job: Job }): JSX.Element {
  const known = job.rows_total !== null && job.rows_total > 0;
  if (["reading", "checking", "writing"].includes(job.state)) {
    return (
      <div class="job" role="status">
        <p><span class="spinner" aria-hidden="true" />{t(`data.job.${job.state as "reading"}`)}{job.rows_done > 0 && <span class="muted"> {number(job.rows_done, 0)}{known && ` / ${number(job.rows_total!, 0)}`}</span>}</p>
        <progress max={known ? job.rows_total! : 1} {...(known ? { value: job.rows_done } : {})} aria-label={t(`data.job.${job.state as "reading"}`)} />
      </div>
    );
  }
  const bad = job.state === "refused" || job.state === "failed";
  const failed = job.state === "failed" ? (job.code && hasKey(`data.code.${job.code}`) ? word("data.code", job.code) : (job.message ?? "")) : "";
  return (
    <p class={bad ? "callout bad" : "callout ok"} role="status">
      <Icon name={bad ? "warning" : "check"} />
      <span>{job.state === "failed" ? failed : job.state === "refused" ? t("data.job.refused", { count: number(job.preview?.errors_total ?? 0, 0) }) : t(`data.job.${job.state as "ready" | "applied"}`)}</span>
    </p>
  );
}

function PreviewBody({ preview: p }: { preview: Preview }): JSX.Element {
  return (
    <>
      <ul class="kpis">
        {([["rows", p.rows], ["added", p.added], ["changed", p.changed], ["unchanged", p.unchanged], ["suppressed", p.suppressed]] as const).map(([name, n]) => (
          <li key={name} class="kpi"><strong>{number(n, 0)}</strong><span>{t(`data.n.${name}`)}</span></li>
        ))}
        {p.errors_total > 0 && <li class="kpi bad"><strong>{number(p.errors_total, 0)}</strong><span>{t("data.n.errors")}</span></li>}
      </ul>
      {p.errors.length > 0 && <RowNotes title={t("data.errors")} rows={p.errors} all={p.errors_total} />}
      {p.notes.length > 0 && <details class="as-table"><summary>{t("data.notes", { count: p.notes.length })}</summary><RowNotes title={t("data.notes", { count: p.notes.length })} rows={p.notes} all={p.notes.length} /></details>}
      {p.sample.length > 0 && p.errors_total === 0 && (
        <details class="as-table" open>
          <summary>{t("data.sample")}</summary>
          <div class="scroll tall" tabIndex={0} role="region" aria-label={t("data.sample")}>
            <table class="plain-table">
              <thead><tr><th scope="col">{t("data.row")}</th><th scope="col">{t("shared.area")}</th><th scope="col">{t("method.indicator")}</th><th scope="col">{t("shared.period")}</th><th scope="col">{t("shared.value")}</th><th scope="col">{t("data.before")}</th><th scope="col">{t("data.basis")}</th></tr></thead>
              <tbody>{p.sample.map((s) => <tr key={s.row + s.indicator + s.area}><th scope="row">{s.row}</th><td>{named(s.area_name, s.area)}</td><td>{named(s.indicator_name, s.indicator)}</td><td class="nowrap">{periodWords(s.period)}</td><td><strong>{number(s.value, 4)}</strong></td><td>{s.before === null ? "–" : number(s.before, 4)}</td><td class="nowrap">{s.cases !== null ? t("data.cases", { count: number(s.cases, 0) }) : s.denominator !== null ? t("data.denominator", { count: number(s.denominator, 0) }) : "–"}</td></tr>)}</tbody>
            </table>
          </div>
        </details>
      )}
    </>
  );
}

function RowNotes({ title, rows, all }: { title: string; rows: readonly RowNote[]; all: number }): JSX.Element {
  return (
    <div class="scroll tall" tabIndex={0} role="region" aria-label={title}>
      <table class="rows import-errors">
        <thead><tr><th scope="col">{t("data.row")}</th><th scope="col">{t("data.column")}</th><th scope="col">{t("data.found")}</th><th scope="col">{t("data.expected")}</th></tr></thead>
        <tbody>{rows.map((e, i) => <tr key={i}><th scope="row" class="nowrap">{e.sheet ? `${e.sheet}, ` : ""}{e.row}</th><td data-label={t("data.column")}>{e.column}</td><td data-label={t("data.found")} class="mono">{e.value || "–"}</td><td data-label={t("data.expected")}><strong>{word("data.row_code", e.code)}</strong><br />{e.expected}</td></tr>)}</tbody>
      </table>
      {all > rows.length && <p class="muted">{t("data.errors_more", { count: number(all - rows.length, 0) })}</p>}
    </div>
  );
}

function Imports(): JSX.Element {
  const list = useLoad(() => intake.imports(), []);
  const [undoing, setUndoing] = useState<Import | null>(null);
  return (
    <section class="sheet table-sheet imports" aria-labelledby="imports-title">
      <h2 id="imports-title">{t("data.imports")}</h2>
      {list.error !== null && <Failed text={problem(list.error)} retry={list.reload} />}
      {!list.data ? list.error === null && <Loading /> : list.data.imports.length === 0 ? <Empty icon="table" title={t("data.no_imports")} /> : (
        <div class="scroll" tabIndex={0} role="region" aria-label={t("data.imports")}>
          <table class="rows">
            <thead><tr><th scope="col">{t("data.what_came")}</th><th scope="col">{t("shared.at")}</th><th scope="col">{t("shared.who")}</th><th scope="col">{t("data.n.values")}</th><th scope="col">{t("data.n.suppressed")}</th><th scope="col">{t("data.state")}</th></tr></thead>
            <tbody>
              {list.data.imports.map((i) => (
                <tr key={i.id} class={i.undone_at ? "undone" : ""}>
                  <th scope="row">{i.filename ?? i.source}{i.demo && <DemoTag short />}<small>№ {i.id} · {word("data.kind", i.kind)}{i.filename && ` · ${i.source}`}</small></th>
                  <td data-label={t("shared.at")} class="nowrap">{dateTime(i.at).slice(0, 16)}</td><td data-label={t("shared.who")}>{i.who}</td>
                  <td data-label={t("data.n.values")}>{number(i.values, 0)}</td><td data-label={t("data.n.suppressed")}>{number(i.suppressed, 0)}</td>
                  <td data-label={t("data.state")}>{i.undone_at ? <span><span class="tag">{t("data.undone")}</span><small>{i.undone_by}, {dateTime(i.undone_at).slice(0, 16)}{i.undo_reason && `: ${i.undo_reason}`}</small></span>
                    : can("intake.write") ? <button type="button" onClick={() => setUndoing(i)}><Icon name="undo" size={15} />{t("data.undo")}</button> : <span class="tag">{t("data.standing")}</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {undoing && <Undo import={undoing} close={() => setUndoing(null)} done={() => list.reload()} />}
    </section>
  );
}

function Undo({ import: i, close, done }: { import: Import; close: () => void; done: () => void }): JSX.Element {
  const [reason, setReason] = useState("");
  const [result, setResult] = useState<Undone | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      setResult(await intake.undo(i.id, reason.trim()));
      done();
    } catch (cause) {
      setError(problem(cause));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("data.undo_title", { name: i.filename ?? i.source })} onClose={close}>
      {result ? (
        <>
          <p class="callout ok"><Icon name="check" />{t("data.undo_done", { restored: number(result.restored, 0), removed: number(result.removed, 0) })}</p>
          {result.overwritten > 0 && <p>{t("data.undo_kept", { count: number(result.overwritten, 0) })}</p>}
          <div class="dialog-buttons"><button type="button" class="primary" onClick={close}>{t("common.close")}</button></div>
        </>
      ) : (
        <form class="form" onSubmit={(e) => void send(e)}>
          <p class="about">{t("data.undo_text")}</p>
          <label>{t("shared.reason")}<input type="text" data-first required minLength={3} maxLength={300} value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></label>
          {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
          <div class="dialog-buttons"><button type="button" onClick={close}>{t("common.cancel")}</button><button type="submit" class="primary" disabled={busy || !reason.trim()}>{busy ? t("common.wait") : t("data.undo")}</button></div>
        </form>
      )}
    </Dialog>
  );
}
