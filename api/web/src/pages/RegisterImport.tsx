// Import of the register: a template to fill, a preview that changes nothing, every error with its row and what was expected,
// then the import itself. With one error nothing is taken.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api";
import { t } from "../i18n";
import { problem } from "../words";
import { Failed } from "../ui/bits";
import { say } from "../ui/toast";
import { Icon } from "../ui/icons";
import type { ImportResult } from "../types";

const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/** Rows of errors on the page; the first ones are enough to find the fault. */
const ERRORS = 200;

export function RegisterImport({ onApplied }: { onApplied: () => void }): JSX.Element {
  const [file, setFile] = useState<File | null>(null);
  const [result, setResult] = useState<ImportResult | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const send = async (chosen: File, dryRun: boolean) => {
    setBusy(true);
    setError(null);
    try {
      // Browsers name the type of a table differently, or not at all; its name says it surely.
      const type = /\.xlsx$/i.test(chosen.name) ? XLSX : "text/csv";
      const answer = await api.importRegister(new Blob([chosen], { type }), dryRun);
      setResult(answer);
      if (answer.applied) {
        say(t("import.applied", { added: answer.added, changed: answer.changed }));
        setFile(null);
        onApplied();
      }
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  const choose = (chosen: File | undefined) => {
    setResult(null);
    setError(null);
    setFile(chosen ?? null);
    if (chosen) void send(chosen, true);
  };
  const clean = result !== null && result.errors.length === 0 && !result.applied;
  return (
    <section class="sheet import" aria-labelledby="import-title">
      <h2 id="import-title">{t("import.title")}</h2>
      <ol class="steps">
        <li><span>{t("import.step_template")}</span>
          <span class="step-buttons">
            <a class="button" href="/api/v1/register/template.xlsx" download><Icon name="download" size={16} />XLSX</a>
            <a class="button" href="/api/v1/register/template.csv" download><Icon name="download" size={16} />CSV</a>
          </span></li>
        <li><label class="file"><span>{t("import.step_file")}</span><input type="file" accept=".xlsx,.csv,text/csv" onChange={(e) => choose(e.currentTarget.files?.[0])} /></label></li>
        <li><span>{t("import.step_apply")}</span>
          <button type="button" class="primary" disabled={!file || !clean || busy} onClick={() => file && void send(file, false)}><Icon name="upload" />{busy ? t("common.wait") : t("import.apply")}</button></li>
      </ol>
      {error !== null && <Failed text={problem(error)} />}
      {result && (
        <div role="status" class="import-result">
          <p class={result.errors.length > 0 ? "callout bad" : "callout ok"}>
            <Icon name={result.errors.length > 0 ? "warning" : "check"} />
            {result.errors.length > 0 ? t("import.errors", { count: result.errors.length }) : t(result.applied ? "import.done" : "import.clean")}
          </p>
          <ul class="tiles import-tiles">
            <li class="tile"><strong>{result.rows}</strong><span>{t("import.rows")}</span></li>
            <li class="tile"><strong>{result.added}</strong><span>{t("import.added")}</span></li>
            <li class="tile"><strong>{result.changed}</strong><span>{t("import.changed")}</span></li>
            <li class="tile"><strong>{result.unchanged}</strong><span>{t("import.unchanged")}</span></li>
          </ul>
          {result.errors.length > 0 && (
            <div class="scroll" tabIndex={0} role="region" aria-label={t("import.error_list")}>
              <table class="rows import-errors">
                <thead><tr><th scope="col">{t("import.row")}</th><th scope="col">{t("import.column")}</th><th scope="col">{t("import.value")}</th><th scope="col">{t("import.expected")}</th></tr></thead>
                <tbody>
                  {result.errors.slice(0, ERRORS).map((e, i) => (
                    <tr key={i}><th scope="row" class="nowrap">{e.sheet ? `${e.sheet}, ` : ""}{e.row}</th><td data-label={t("import.column")}>{e.column}</td><td data-label={t("import.value")} class="mono">{e.value || "–"}</td><td data-label={t("import.expected")}>{e.expected}</td></tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </div>
      )}
    </section>
  );
}
