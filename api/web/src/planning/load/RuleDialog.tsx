// Changes a rule with a reason, under the person's name.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { session } from "../../store";
import { problem } from "../../words";
import { Words } from "../../desk/ActionDialogs";
import { Dialog } from "../../ui/Dialog";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { load as hub } from "../hub";
import { t } from "../t";
import type { RuleValue } from "../types";

interface Props { rule: string; value: RuleValue; title: string; about: ComponentChildren; submit: string; onClose: () => void; done: () => void }

export function RuleDialog({ rule, value, title, about, submit, onClose, done }: Props): JSX.Element {
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      await hub.change(rule, value, reason.trim());
      say(t("rule.changed"));
      done();
      onClose();
    } catch (cause) {
      setError(problem(cause));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <p class="about">{about}</p>
      <p class="callout"><Icon name="book" />{t("rule.logged", { who: session.value?.display_name ?? "" })}</p>
      <form class="form" onSubmit={(e) => void send(e)}>
        <Words label={t("own.why")} value={reason} onChange={setReason} required first />
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>{t("common.cancel")}</button>
          <button type="submit" class="primary" disabled={busy}>{busy ? t("common.wait") : submit}</button>
        </div>
      </form>
    </Dialog>
  );
}
