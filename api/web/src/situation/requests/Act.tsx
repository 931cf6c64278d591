// The form of one action: only the fields that this action takes.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../../ui/icons";
import { requests } from "../hub";
import { t, type Key } from "../t";
import type { RequestAction, RequestFull, RequestSettings } from "../types";
import { categoryName, serviceName } from "./names";

interface Props {
  action: RequestAction; request: RequestFull; settings: RequestSettings; into: string; done: (next: RequestFull) => void; failed: (error: unknown) => string; cancel: () => void;
}

const WORDS: Partial<Record<RequestAction, { label: Key; needed: boolean }>> = {
  answer: { label: "requests.words.answer", needed: true }, start: { label: "requests.words.start", needed: false }, done: { label: "requests.words.done", needed: true },
  confirm: { label: "requests.words.confirm", needed: true }, not_fixed: { label: "requests.words.not_fixed", needed: true }, close: { label: "requests.words.close", needed: false },
  decline: { label: "requests.words.decline", needed: true }, note: { label: "requests.words.note", needed: true },
};

/** `datetime-local` knows no zone: the value is this machine's time. */
const local = (at: string | null) => {
  if (!at) return "";
  const d = new Date(at);
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

export function Act({ action, request: r, settings, into, done, failed, cancel }: Props): JSX.Element {
  const usual = action === "answer" ? r.default_due : action === "postpone" ? r.promised_at : null;
  const [words, setWords] = useState("");
  const [due, setDue] = useState(local(usual));
  const [reason, setReason] = useState("");
  const [service, setService] = useState(r.service);
  const [category, setCategory] = useState(r.category);
  const [target, setTarget] = useState(into);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>("textarea, input, select")?.focus(), []);
  const given = WORDS[action];
  const later = action === "answer" && due !== "" && r.default_due !== null && new Date(due).getTime() > Date.parse(r.default_due) + 60_000;
  const needsReason = later || action === "postpone" || action === "split";
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    const more: Record<string, unknown> = {};
    if (given) more["words"] = words.trim() || null;
    if (action === "answer" || action === "postpone") more["promised_at"] = due === "" || due === local(usual) ? (action === "postpone" ? new Date(due).toISOString() : null) : new Date(due).toISOString();
    if (needsReason) more["reason"] = reason.trim();
    if (action === "assign") Object.assign(more, { service, category: category === r.category ? null : category });
    if (action === "merge") more["into"] = target.trim();
    try {
      done(await requests.act(r.id, r.version, action, more));
    } catch (cause) {
      setError(failed(cause));
      setBusy(false);
    }
  };
  return (
    <form ref={form} class="form act" aria-label={t(`requests.do.${action}`)} onSubmit={(e) => void send(e)} onKeyDown={(e) => e.key === "Escape" && (e.preventDefault(), e.stopPropagation(), cancel())}>
      {given && <label>{t(given.label)}<textarea rows={action === "answer" ? 4 : 3} maxLength={4000} required={given.needed} value={words} onInput={(e) => setWords(e.currentTarget.value)} /></label>}
      {(action === "answer" || action === "postpone") && <label>{t("requests.promise")}<input type="datetime-local" required={action === "postpone"} value={due} onInput={(e) => setDue(e.currentTarget.value)} />{action === "answer" && <small>{t("requests.promise_help")}</small>}</label>}
      {action === "assign" && (
        <>
          <label>{t("requests.service")}<select value={service} onChange={(e) => setService(e.currentTarget.value)}>{settings.services.map((s) => <option key={s.id} value={s.id}>{serviceName(settings, s.id)}</option>)}</select></label>
          <label>{t("requests.category")}<select value={category} onChange={(e) => setCategory(e.currentTarget.value)}>{settings.categories.map((c) => <option key={c.id} value={c.id}>{categoryName(settings, c.id)}</option>)}</select></label>
        </>
      )}
      {action === "merge" && <label>{t("requests.into")}<input type="text" inputMode="numeric" required value={target} onInput={(e) => setTarget(e.currentTarget.value)} /></label>}
      {needsReason && <label>{t(later ? "requests.why_later" : "shared.reason")}<input type="text" required minLength={5} maxLength={500} value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></label>}
      {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
      <div class="dialog-buttons">
        <button type="button" onClick={cancel}>{t("common.cancel")}</button>
        <button type="submit" class="primary" disabled={busy}>{busy ? t("common.wait") : t(`requests.do.${action}`)}</button>
      </div>
    </form>
  );
}
