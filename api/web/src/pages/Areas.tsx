// Administrator: official outlines (GeoJSON) in place of the schematic ones. The file is looked at here before it is sent, and
// the hub's answer is shown row by row.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api";
import { named, number, t } from "../i18n";
import { areas, areasVersion } from "../store";
import { problem } from "../words";
import { Empty, Failed } from "../ui/bits";
import { Icon } from "../ui/icons";
import type { AreaCollection, AreasReport } from "../types";

interface Chosen { name: string; body: AreaCollection }
type Result = AreasReport;

export function AreasPage(): JSX.Element {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [result, setResult] = useState<Result | null>(null);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);

  const choose = async (file: File | undefined) => {
    setResult(null);
    setChosen(null);
    setError("");
    if (!file) return;
    try {
      const body = JSON.parse(await file.text()) as AreaCollection;
      if (body?.type !== "FeatureCollection" || !Array.isArray(body.features)) throw new SyntaxError("no FeatureCollection");
      setChosen({ name: file.name, body });
    } catch {
      setError(t("areas.not_geojson", { file: file.name }));
    }
  };
  const send = async () => {
    if (!chosen) return;
    setBusy(true);
    setError("");
    try {
      setResult(await api.putAreas(chosen.body));
      setChosen(null);
      areasVersion.value++;
    } catch (cause) {
      setError(problem(cause));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="page">
      <h1>{t("areas.title")}</h1>
      <p class="lead">{t("areas.lead")}</p>
      <section class="sheet">
        <label class="file">
          <span>{t("areas.file")}</span>
          <input type="file" accept=".geojson,.json,application/geo+json,application/json" onChange={(e) => void choose(e.currentTarget.files?.[0])} />
        </label>
        {chosen && (
          <p class="callout"><Icon name="map" /><span class="grow">{t("areas.chosen", { file: chosen.name, count: chosen.body.features.length })}</span>
            <button type="button" class="primary" disabled={busy} onClick={() => void send()}><Icon name="upload" />{busy ? t("common.wait") : t("areas.import")}</button></p>
        )}
        {error && <Failed text={error} />}
        {result && <Outcome result={result} />}
      </section>
      <section class="sheet">
        <h2>{t("areas.now")}</h2>
        {areas.value && areas.value.features.length > 0 ? (
          <div class="scroll" tabIndex={0} role="region" aria-label={t("areas.now")}>
            <table>
              <thead><tr><th scope="col">{t("areas.kato")}</th><th scope="col">{t("areas.name")}</th><th scope="col">{t("areas.kind")}</th></tr></thead>
              <tbody>
                {areas.value.features.map(({ properties: p }) => (
                  <tr key={p.kato}><td class="mono">{p.kato}</td><td>{named(p.name, p.kato)}</td><td>{t(p.schematic ? "areas.schematic" : "areas.official")}</td></tr>
                ))}
              </tbody>
            </table>
          </div>
        ) : <Empty icon="map" title={t("areas.none")} />}
      </section>
    </main>
  );
}

function Outcome({ result }: { result: Result }): JSX.Element {
  return (
    <div role="status">
      <p class="callout ok"><Icon name="check" />{t("areas.imported", { count: result.imported })}</p>
      {(result.repaired ?? []).length > 0 && (
        <>
          <h3>{t("areas.repaired", { count: result.repaired!.length })}</h3>
          <ul class="reasons">{result.repaired!.map((r) => <li key={r.index}>{t(r.change_percent === null ? "areas.repaired_row_plain" : "areas.repaired_row", { row: r.index + 1, name: r.name ?? r.code ?? "?", problem: r.problem, percent: number(r.change_percent ?? 0, 3) })}</li>)}</ul>
        </>
      )}
      {(result.overlaps ?? []).length > 0 && (
        <>
          <h3>{t("areas.overlaps", { count: result.overlaps!.length })}</h3>
          <ul class="reasons">{result.overlaps!.map((o) => <li key={`${o.a}-${o.b}`}>{t("areas.overlap_row", { a: o.a_name || o.a, b: o.b_name || o.b, km2: number(o.km2, 2) })}</li>)}</ul>
        </>
      )}
      {(result.kato ?? []).length > 0 && (
        <>
          <h3>{t("areas.kato_notes", { count: result.kato!.length })}</h3>
          <ul class="reasons">{result.kato!.map((k) => <li key={k.code}><span class="mono">{k.code}</span>: {k.problem}</li>)}</ul>
        </>
      )}
      {result.skipped.length > 0 && (
        <>
          <h3>{t("areas.skipped", { count: result.skipped.length })}</h3>
          <ul class="reasons">{result.skipped.map((row) => <li key={row.index}>{t("areas.skipped_row", { row: row.index + 1, reason: row.reason })}</li>)}</ul>
        </>
      )}
    </div>
  );
}
