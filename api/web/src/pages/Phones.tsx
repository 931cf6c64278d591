// Phones of school contacts: who has one, a link for a new one (shown once, as words and as a square code), and whose is lost.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { dateTime, named, t } from "../i18n";
import { now, session, sites } from "../store";
import { problem, siteName } from "../words";
import { Empty, Failed, Loading } from "../ui/bits";
import { Icon } from "../ui/icons";
import type { Enrolment, PhoneLine } from "../types";

export function PhonesPage(): JSX.Element {
  const [phones, setPhones] = useState<readonly PhoneLine[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const load = () => {
    setError(null);
    api.phones().then(setPhones, setError);
  };
  useEffect(load, []);
  return (
    <main class="page">
      <h1>{t("phones.title")}</h1>
      <p class="lead">{t("phones.lead")}</p>
      <Add enrolled={load} />
      <section class="sheet">
        <h2>{t("phones.now")}</h2>
        {error !== null && <Failed text={problem(error)} retry={load} />}
        {!phones ? error === null && <Loading /> : phones.length === 0 ? <Empty icon="phone" title={t("phones.none")} /> : <Table phones={phones} changed={load} />}
      </section>
    </main>
  );
}

function Add({ enrolled }: { enrolled: () => void }): JSX.Element {
  // A school contact has one site; the hub refuses any other.
  const own = session.value?.site ?? null;
  const choice = [...sites.value.values()].filter((s) => own === null || s.id === own);
  const [site, setSite] = useState(own ?? "");
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [made, setMade] = useState<Enrolment | null>(null);
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      setMade(await api.enrolPhone(site, name.trim()));
      setName("");
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="sheet">
      <h2>{t("phones.add")}</h2>
      {made ? <Link made={made} done={() => { setMade(null); enrolled(); }} /> : (
        <form class="form phone-form" onSubmit={(event) => void send(event)}>
          {own === null && (
            <label>{t("phones.site")}
              <select required value={site} onChange={(e) => setSite(e.currentTarget.value)}>
                <option value="" />
                {choice.map((s) => <option key={s.id} value={s.id}>{named(s.name, s.id)}</option>)}
              </select>
            </label>
          )}
          <label>{t("phones.name")}
            <input name="phone-name" required maxLength={60} placeholder={t("phones.name_example")} value={name} onInput={(e) => setName(e.currentTarget.value)} />
          </label>
          {error !== null && <Failed text={problem(error)} />}
          <button type="submit" class="primary" disabled={busy || site === ""}><Icon name="plus" />{busy ? t("common.wait") : t("phones.make")}</button>
        </form>
      )}
    </section>
  );
}

/** The link is good once and for a quarter of an hour: it is shown here and nowhere else. */
function Link({ made, done }: { made: Enrolment; done: () => void }): JSX.Element {
  const left = Math.max(0, Math.ceil((Date.parse(made.expires_at) - now.value) / 60_000));
  const url = made.qr?.url ?? `${location.origin}${made.path}`;
  return (
    <div class="phone-link">
      {made.qr && (
        <svg class="qr" viewBox={`-4 -4 ${made.qr.size + 8} ${made.qr.size + 8}`} role="img" aria-label={t("phones.qr")} shape-rendering="crispEdges">
          <rect x="-4" y="-4" width={made.qr.size + 8} height={made.qr.size + 8} fill="#fff" /><path d={made.qr.path} fill="#000" />
        </svg>
      )}
      <div class="grow">
        <p>{t("phones.scan")}</p>
        <p class="mono phone-url">{url}</p>
        <p>{t("phones.or_code")} <strong class="mono phone-code">{made.code}</strong></p>
        <p class="muted" role="status">{left > 0 ? t("phones.left", { minutes: left }) : t("phones.over")}</p>
        <button type="button" onClick={done}>{t("phones.done")}</button>
      </div>
    </div>
  );
}

function Table({ phones, changed }: { phones: readonly PhoneLine[]; changed: () => void }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("phones.now")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("phones.name")}</th><th scope="col">{t("phones.site")}</th><th scope="col">{t("phones.device")}</th>
            <th scope="col">{t("phones.since")}</th><th scope="col">{t("phones.seen")}</th><th scope="col">{t("phones.state")}</th>
          </tr>
        </thead>
        <tbody>
          {phones.map((p) => (
            <tr key={p.device}>
              <td>{p.name}</td><td>{siteName(p.site)}</td><td class="mono">{p.device}</td><td class="nowrap">{dateTime(p.created_at)}</td>
              <td class="nowrap">{p.seen_at ? dateTime(p.seen_at) : "–"}</td>
              <td>{p.revoked_at ? <span class="tag bad">{t("phones.revoked", { at: dateTime(p.revoked_at) })}</span> : <Revoke phone={p} changed={changed} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Asks once more: a phone that is revoked by mistake has to be enrolled anew. */
function Revoke({ phone, changed }: { phone: PhoneLine; changed: () => void }): JSX.Element {
  const [sure, setSure] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const revoke = () => api.revokePhone(phone.device).then(changed, setError);
  if (error !== null) return <Failed text={problem(error)} retry={() => void revoke()} />;
  if (!sure) return <button type="button" class="danger" onClick={() => setSure(true)}>{t("phones.revoke")}</button>;
  return (
    <span class="phone-sure">
      <button type="button" class="danger" onClick={() => void revoke()}>{t("phones.revoke_sure")}</button>
      <button type="button" class="ghost" onClick={() => setSure(false)}>{t("common.cancel")}</button>
    </span>
  );
}
