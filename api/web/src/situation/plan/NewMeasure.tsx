// A new measure, of its own or as the answer to an issue of a meeting.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { named } from "../../i18n";
import { problem } from "../../words";
import { Dialog } from "../../ui/Dialog";
import { Icon } from "../../ui/icons";
import { AreaSelect } from "../bits";
import { plan as hub } from "../hub";
import { t } from "../t";
import type { Issue, Plan } from "../types";

export function NewMeasure({ plan, issue, close, done }: { plan: Plan; issue: Issue | null; close: () => void; done: (id: number | null) => void }): JSX.Element {
  const [f, setF] = useState({ block: issue?.block ?? plan.blocks[0]?.id ?? "", kk: "", ru: "", en: "", owner: "", area: issue?.area ?? "", deadline: "" });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const set = (name: keyof typeof f) => (e: { currentTarget: { value: string } }) => setF({ ...f, [name]: e.currentTarget.value });
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    const body = { block: f.block, title: { kk: f.kk.trim(), ru: f.ru.trim(), en: f.en.trim() }, owner: f.owner.trim(), area: f.area || null, deadline: f.deadline, expected: null };
    try {
      done(issue ? (await hub.moveIssue(issue.id, { action: "take", new: body })).measure : (await hub.add({ ...body, issue: null })).id);
    } catch (cause) {
      setError(problem(cause));
      setBusy(false);
    }
  };
  return (
    <Dialog title={t(issue ? "plan.take_issue" : "plan.add")} onClose={close} wide>
      {issue && <blockquote>{issue.text}</blockquote>}
      <form class="form" onSubmit={(e) => void send(e)}>
        <label>{t("plan.block")}<select data-first value={f.block} onChange={set("block")}>{plan.blocks.map((b) => <option key={b.id} value={b.id}>{named(b.name, b.id)}</option>)}</select></label>
        <label>{t("shared.kk")}<input type="text" lang="kk" required maxLength={300} value={f.kk} onInput={set("kk")} /></label>
        <label>{t("shared.ru")}<input type="text" lang="ru" required maxLength={300} value={f.ru} onInput={set("ru")} /></label>
        <label>{t("shared.en")}<input type="text" lang="en" required maxLength={300} value={f.en} onInput={set("en")} /></label>
        <label>{t("plan.owner")}<input type="text" required maxLength={200} list="plan-owners" value={f.owner} onInput={set("owner")} /></label>
        <datalist id="plan-owners">{plan.owners.map((o) => <option key={o} value={o} />)}</datalist>
        <div class="form pair">
          <label>{t("shared.area")}<AreaSelect value={f.area} change={(area) => setF({ ...f, area })} all={t("shared.whole_region")} /></label>
          <label>{t("plan.deadline")}<input type="date" required min={plan.today} value={f.deadline} onInput={set("deadline")} /></label>
        </div>
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <div class="dialog-buttons"><button type="button" onClick={close}>{t("common.cancel")}</button><button type="submit" class="primary" disabled={busy}>{busy ? t("common.wait") : t("plan.save_new")}</button></div>
      </form>
    </Dialog>
  );
}
