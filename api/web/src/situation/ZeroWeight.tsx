// The block whose weight is zero by rule: why, and the acts by which it might count. One person proposes, another decides.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api";
import { named, number } from "../i18n";
import { can, session } from "../store";
import { problem } from "../words";
import { say } from "../ui/toast";
import { Icon } from "../ui/icons";
import { Notes, shortDay } from "./bits";
import { tension } from "./hub";
import { t, word } from "./t";
import type { Catalogue, WeightAct } from "./types";

interface Props { catalogue: Catalogue; acts: readonly WeightAct[]; changed: () => void }

export function Zero({ catalogue, acts, changed }: Props): JSX.Element {
  const zero = catalogue.blocks.filter((b) => b.zero_by_rule);
  return (
    <section class="sheet zero-sheet" aria-labelledby="zero-title">
      <h2 id="zero-title">{t("method.zero_title")}</h2>
      {zero.map((b) => <p key={b.id} class="zero-line"><span class="tag zero-tag">{b.effective_weight === 0 ? t("tension.weight_zero") : t("method.weight_now", { weight: number(b.effective_weight, 2) })}</span><strong>{named(b.name, b.id)}</strong></p>)}
      <p>{t("method.zero_why")}</p>
      <ul class="reasons"><li>{t("method.zero_basis")}</li><li>{t("method.zero_two")}</li><li>{t("method.zero_year")}</li></ul>
      <Notes notes={catalogue.notes} />
      {acts.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label={t("method.acts")}>
          <table class="plain-table">
            <thead><tr><th scope="col">{t("method.act")}</th><th scope="col">{t("method.weight")}</th><th scope="col">{t("method.published")}</th><th scope="col">{t("method.expires")}</th><th scope="col">{t("method.people")}</th><th scope="col">{t("method.state")}</th></tr></thead>
            <tbody>{acts.map((a) => <Act key={a.id} act={a} changed={changed} />)}</tbody>
          </table>
        </div>
      )}
      {can("tension.manage") && zero[0] && <Propose block={zero[0].id} changed={changed} />}
    </section>
  );
}

function Act({ act: a, changed }: { act: WeightAct; changed: () => void }): JSX.Element {
  const run = async (ask: Promise<unknown>) => {
    try {
      await ask;
      changed();
    } catch (error) {
      say(error instanceof ApiError && error.code === "same_person" ? t("method.zero_two") : problem(error), true);
    }
  };
  const manage = can("tension.manage");
  return (
    <tr>
      <th scope="row">{/^https:\/\//.test(a.basis_url) ? <a href={a.basis_url} rel="noopener noreferrer" target="_blank">{a.basis}</a> : a.basis}</th>
      <td>{number(a.weight, 2)}</td><td>{shortDay(a.published_on)}</td><td>{shortDay(a.expires_on)}</td><td>{a.proposed_by}{a.decided_by && `, ${a.decided_by}`}</td>
      <td>{word("method.act_state", a.state)}
        {manage && a.state === "proposed" && a.proposed_by !== session.value?.user && <span class="phone-sure"><button type="button" onClick={() => void run(tension.decideWeight(a.id, true))}>{t("method.approve")}</button><button type="button" onClick={() => void run(tension.decideWeight(a.id, false))}>{t("method.refuse")}</button></span>}
        {manage && a.state === "in_force" && <button type="button" onClick={() => void run(tension.revokeWeight(a.id, t("method.revoke_reason")))}>{t("method.revoke")}</button>}</td>
    </tr>
  );
}

function Propose({ block, changed }: { block: string; changed: () => void }): JSX.Element {
  const [f, setF] = useState({ weight: "", basis: "", basis_url: "", published_on: "", expires_on: "" });
  const [error, setError] = useState("");
  const set = (name: keyof typeof f) => (e: { currentTarget: { value: string } }) => setF({ ...f, [name]: e.currentTarget.value });
  const send = async (event: Event) => {
    event.preventDefault();
    setError("");
    try {
      await tension.proposeWeight({ ...f, block, weight: Number(f.weight.replace(",", ".")) });
      say(t("method.proposed"));
      changed();
    } catch (cause) {
      setError(problem(cause));
    }
  };
  return (
    <details class="edit-box">
      <summary><Icon name="edit" size={15} />{t("method.propose")}</summary>
      <form class="form columns" onSubmit={(e) => void send(e)}>
        <label>{t("method.weight")}<input type="text" inputMode="decimal" required value={f.weight} onInput={set("weight")} /></label>
        <label>{t("method.act")}<input type="text" required maxLength={300} value={f.basis} onInput={set("basis")} /></label>
        <label>{t("method.act_url")}<input type="url" required pattern="https://.*" placeholder="https://" value={f.basis_url} onInput={set("basis_url")} /></label>
        <label>{t("method.published")}<input type="date" required value={f.published_on} onInput={set("published_on")} /></label>
        <label>{t("method.expires")}<input type="date" required value={f.expires_on} onInput={set("expires_on")} /></label>
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <div class="dialog-buttons"><button type="submit">{t("method.propose")}</button></div>
      </form>
    </details>
  );
}
