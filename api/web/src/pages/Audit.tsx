// Auditor: the hash-chained log, newest first, and the check of the whole chain.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { dateTime, t } from "../i18n";
import { problem, roleName } from "../words";
import { Empty, Failed, Loading } from "../ui/bits";
import { Icon } from "../ui/icons";
import type { AuditEntry } from "../types";

const PAGE = 100;

export function AuditPage(): JSX.Element {
  const [entries, setEntries] = useState<AuditEntry[] | null>(null);
  const [more, setMore] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const load = (before?: number) => {
    setError(null);
    api.audit(PAGE, before).then((page) => {
      setEntries((known) => (before === undefined ? page : [...(known ?? []), ...page]));
      setMore(page.length === PAGE);
    }, setError);
  };
  useEffect(() => load(), []);
  return (
    <main class="page">
      <h1>{t("audit.title")}</h1>
      <p class="lead">{t("audit.lead")}</p>
      <Verification />
      <section class="sheet">
        {error !== null && <Failed text={problem(error)} retry={() => load()} />}
        {!entries ? error === null && <Loading /> : entries.length === 0 ? <Empty icon="book" title={t("audit.empty")} /> : <Table entries={entries} />}
        {entries && more && entries.length > 0 && (
          <button type="button" onClick={() => load(entries.at(-1)?.seq)}>{t("audit.older")}</button>
        )}
      </section>
    </main>
  );
}

type Verdict = Awaited<ReturnType<typeof api.verifyAudit>>;

function Verification(): JSX.Element {
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const verify = async () => {
    setBusy(true);
    setError(null);
    try {
      setVerdict(await api.verifyAudit());
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="sheet verify" aria-live="polite">
      <button type="button" class="primary" disabled={busy} onClick={() => void verify()}><Icon name="shield" />{busy ? t("common.wait") : t("audit.verify")}</button>
      {error !== null && <Failed text={problem(error)} />}
      {verdict && (verdict.ok
        ? <p class="callout ok"><Icon name="check" /><span>{t("audit.ok", { count: verdict.entries })}<br /><small class="mono hash">{verdict.head}</small></span></p>
        : <p class="callout bad" role="alert"><Icon name="warning" />{t("audit.broken", { seq: verdict.broken_at ?? "?" })}</p>)}
    </section>
  );
}

function Table({ entries }: { entries: readonly AuditEntry[] }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("audit.title")}>
      <table class="audit">
        <thead>
          <tr>
            <th scope="col">№</th><th scope="col">{t("audit.at")}</th><th scope="col">{t("audit.who")}</th><th scope="col">{t("audit.action")}</th>
            <th scope="col">{t("audit.subject")}</th><th scope="col">{t("audit.purpose")}</th><th scope="col">{t("audit.hash")}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((e) => (
            <tr key={e.seq}>
              <td class="mono">{e.seq}</td><td class="nowrap">{dateTime(e.at)}</td><td>{e.who}<br /><small>{roleName(e.role)}</small></td><td class="mono">{e.action}</td>
              <td class="mono">{e.subject}</td><td>{e.purpose}</td><td class="mono hash" title={e.hash}>{e.hash.slice(0, 12)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
