// How the index is made: indicators, weights, normalisation, aggregation, the floor of coverage, the zero weight and why, and the
// versions of the method with the reason for each.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { dateTime, named, number } from "../i18n";
import { can } from "../store";
import { problem } from "../words";
import { plain } from "../desk/find";
import { Failed, Loading } from "../ui/bits";
import { say } from "../ui/toast";
import { Icon } from "../ui/icons";
import { tension } from "./hub";
import { useLoad } from "./load";
import { Zero } from "./ZeroWeight";
import { view } from "./state";
import { t, word } from "./t";
import type { Catalogue, CatalogueIndicator, Method } from "./types";

export function MethodPage(): JSX.Element {
  const catalogue = useLoad(() => tension.catalogue(), []);
  const methods = useLoad(() => tension.methods(), []);
  const weights = useLoad(() => tension.weights(), []);
  const current = methods.data?.methods.find((m) => m.version === methods.data!.current);
  return (
    <main class="page wide method-page">
      <header class="page-head">
        <div>
          <button type="button" class="link-button back-link" onClick={() => (view.value = "map")}><Icon name="back" size={16} />{t("area.to_map")}</button>
          <h1>{t("method.title")}</h1><p class="lead">{t("method.lead")}</p>
        </div>
      </header>
      {[catalogue, methods].map((l, i) => l.error !== null && <Failed key={i} text={problem(l.error)} retry={l.reload} />)}
      {(!catalogue.data || !methods.data) && catalogue.error === null && methods.error === null && <Loading />}
      {current && <Steps method={current} />}
      {catalogue.data && <Zero catalogue={catalogue.data} acts={weights.data?.acts ?? []} changed={() => { weights.reload(); catalogue.reload(); methods.reload(); }} />}
      {catalogue.data && current && <Indicators catalogue={catalogue.data} method={current} />}
      {methods.data && <Versions methods={methods.data.methods} current={methods.data.current} />}
      {can("tension.manage") && current && <Change method={current} done={() => { methods.reload(); catalogue.reload(); }} />}
    </main>
  );
}

function Steps({ method: m }: { method: Method }): JSX.Element {
  return (
    <section class="sheet" aria-labelledby="steps-title">
      <h2 id="steps-title">{t("method.now", { version: m.version })}</h2>
      <p class="method-text">{named(m.text, "")}</p>
      <ol class="method-steps">
        <li><strong>{t("method.normalisation")}</strong><span>{word("method.norm", m.normalisation)}</span></li>
        <li><strong>{t("method.within")}</strong><span>{word("method.agg", m.within)}</span></li>
        <li><strong>{t("method.across")}</strong><span>{word("method.agg", m.across)}</span></li>
        <li><strong>{t("method.floor")}</strong><span>{t("method.floor_text", { percent: number(m.floor * 100, 0) })}</span></li>
        <li><strong>{t("method.band")}</strong><span>{t("method.band_text", { draws: number(m.draws, 0), seed: m.seed })}</span></li>
        <li><strong>{t("method.step")}</strong><span>{word("method.step", m.step)}{m.reference && ` · ${t("method.reference", { from: m.reference.from, to: m.reference.to })}`}</span></li>
      </ol>
    </section>
  );
}

function Indicators({ catalogue, method }: { catalogue: Catalogue; method: Method }): JSX.Element {
  const [query, setQuery] = useState("");
  const words = plain(query);
  const fits = (i: CatalogueIndicator) => words === "" || plain(`${i.name.kk} ${i.name.ru} ${i.name.en} ${i.id}`).includes(words);
  const total = catalogue.blocks.reduce((sum, b) => sum + b.effective_weight, 0) || 1;
  const weight = (i: CatalogueIndicator) => method.indicator_weights[i.id] ?? i.weight;
  return (
    <section class="sheet indicators" aria-labelledby="indicators-title">
      <header class="sheet-head">
        <h2 id="indicators-title">{t("method.catalogue", { version: catalogue.version, count: catalogue.indicators.length })}</h2>
        <label><span class="sr-only">{t("method.search")}</span><input type="search" value={query} placeholder={t("method.search")} onInput={(e) => setQuery(e.currentTarget.value)} /></label>
      </header>
      {catalogue.blocks.map((b) => {
        const list = catalogue.indicators.filter((i) => i.block === b.id && fits(i));
        const sum = catalogue.indicators.filter((i) => i.block === b.id).reduce((s, i) => s + weight(i), 0) || 1;
        if (list.length === 0) return null;
        return (
          <details key={b.id} class="block-details" open={words !== ""}>
            <summary><strong>{named(b.name, b.id)}</strong><span>{t("method.block_sum", { count: b.indicators })} · {b.effective_weight === 0 ? t("tension.weight_zero") : t("tension.weight", { percent: number((b.effective_weight / total) * 100, 0) })}</span></summary>
            <div class="scroll" tabIndex={0} role="region" aria-label={named(b.name, b.id)}>
              <table class="rows">
                <thead><tr><th scope="col">{t("method.indicator")}</th><th scope="col">{t("method.unit")}</th><th scope="col">{t("method.more")}</th><th scope="col">{t("method.source")}</th><th scope="col">{t("method.period")}</th><th scope="col">{t("method.range")}</th><th scope="col">{t("method.in_block")}</th><th scope="col">{t("method.legal")}</th></tr></thead>
                <tbody>
                  {list.map((i) => (
                    <tr key={i.id}>
                      <th scope="row">{named(i.name, i.id)}{i.proposal && <em class="tag">{t("method.proposal")}</em>}<small class="mono">{i.id}</small></th>
                      <td data-label={t("method.unit")}>{named(i.unit, "")}</td>
                      <td data-label={t("method.more")}>{t(i.direction === "more_is_worse" ? "method.worse" : "method.better")}</td>
                      <td data-label={t("method.source")}>{named(i.source, "")}{i.counts && <small>{t("method.k10")}</small>}</td>
                      <td data-label={t("method.period")}>{word("method.step", i.period)}</td>
                      <td data-label={t("method.range")} class="nowrap">{number(i.min, 2)} – {number(i.max, 2)}</td>
                      <td data-label={t("method.in_block")}>{number((weight(i) / sum) * 100, 1)} %</td>
                      <td data-label={t("method.legal")}><small>{named(i.legal_basis, "–")}</small></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        );
      })}
    </section>
  );
}

function Versions({ methods, current }: { methods: readonly Method[]; current: number }): JSX.Element {
  return (
    <section class="sheet" aria-labelledby="versions-title">
      <h2 id="versions-title">{t("method.versions")}</h2>
      <p class="muted">{t("method.versions_text")}</p>
      <ol class="versions">
        {methods.map((m) => (
          <li key={m.version} class={m.version === current ? "now" : ""}>
            <strong>{t("method.version", { version: m.version })}{m.version === current && <em class="tag">{t("method.in_force")}</em>}</strong>
            <span>{m.reason}</span>
            <small>{dateTime(m.made_at)} · {m.made_by} · {word("method.norm", m.normalisation)} · {word("method.agg", m.within)} / {word("method.agg", m.across)}</small>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Change({ method, done }: { method: Method; done: () => void }): JSX.Element {
  const [fields, setFields] = useState({ normalisation: method.normalisation, within: method.within, across: method.across, step: method.step, floor: String(Math.round(method.floor * 100)), reason: "" });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const change = (name: keyof typeof fields) => (e: { currentTarget: { value: string } }) => setFields({ ...fields, [name]: e.currentTarget.value });
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      const made = await tension.addMethod({ normalisation: fields.normalisation, within: fields.within, across: fields.across, step: fields.step, floor: Number(fields.floor) / 100, reason: fields.reason.trim() });
      say(t("method.made", { version: made.version }));
      setFields({ ...fields, reason: "" });
      done();
    } catch (cause) {
      setError(problem(cause));
    } finally {
      setBusy(false);
    }
  };
  const select = (name: "normalisation" | "within" | "across" | "step", label: Parameters<typeof t>[0], prefix: string, options: readonly string[]) => (
    <label>{t(label)}<select value={fields[name]} onChange={change(name)}>{options.map((o) => <option key={o} value={o}>{word(prefix, o)}</option>)}</select></label>
  );
  return (
    <details class="sheet change-method">
      <summary><h2>{t("method.change")}</h2></summary>
      <p class="muted">{t("method.change_text")}</p>
      <form class="form columns" onSubmit={(e) => void send(e)}>
        {select("normalisation", "method.normalisation", "method.norm", ["min_max", "z_score", "percentile", "target"])}
        {select("within", "method.within", "method.agg", ["arithmetic", "geometric"])}
        {select("across", "method.across", "method.agg", ["arithmetic", "geometric"])}
        {select("step", "method.step", "method.step", ["month", "quarter", "year"])}
        <label>{t("method.floor_percent")}<input type="number" min={0} max={100} value={fields.floor} onInput={change("floor")} /></label>
        <label>{t("method.why")}<input type="text" required minLength={10} maxLength={500} value={fields.reason} onInput={change("reason")} /></label>
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <div class="dialog-buttons"><button type="submit" class="primary" disabled={busy || fields.reason.trim().length < 10}>{busy ? t("common.wait") : t("method.make")}</button></div>
      </form>
    </details>
  );
}
