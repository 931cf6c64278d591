// The site's file inside an alert: whom to call, where exactly, what to know, and the plan. Read once when the alert is opened:
// every reading is written to the audit log.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { dateTime, t } from "../i18n";
import { can, now } from "../store";
import { problem } from "../words";
import { dialog } from "./dialogs";
import { Failed, Loading } from "../ui/bits";
import { Icon } from "../ui/icons";
import type { Contact, SiteFile } from "../types";

/** The file of the alert's site; `undefined` while it is read, `null` when there is none for this role. */
export function useSiteFile(alert: number, site: string | null): { file: SiteFile | null | undefined; error: unknown; load: () => void } {
  const [file, setFile] = useState<SiteFile | null | undefined>(undefined);
  const [error, setError] = useState<unknown>(null);
  const load = () => {
    setError(null);
    if (site === null || !can("sitefile.read")) return setFile(null);
    setFile(undefined);
    let gone = false;
    api.siteFile(site).then((f) => { if (!gone) setFile(f); }, (e: unknown) => { if (!gone) setError(e); });
    return () => { gone = true; };
  };
  useEffect(load, [alert, site]);
  return { file, error, load };
}

export function SiteCard({ file, error, load }: ReturnType<typeof useSiteFile>): JSX.Element | null {
  if (error !== null) return <section class="block"><h3>{t("site.title")}</h3><Failed text={problem(error)} retry={load} /></section>;
  if (file === null) return null;
  if (file === undefined) return <section class="block"><h3>{t("site.title")}</h3><Loading /></section>;
  const contacts = file.contacts.filter((c) => !expired(c, now.peek()));
  const empty = contacts.length === 0 && !file.address && !file.notes && !file.plan;
  return (
    <section class="block site-card">
      <h3>{t("site.title")}</h3>
      {empty && <p class="muted">{t("site.empty")}</p>}
      {file.address && <p class="site-address"><Icon name="place" size={16} />{file.address}</p>}
      {contacts.length > 0 && <ul class="contacts">{contacts.map((c) => <li key={c.id}><ContactLine contact={c} /></li>)}</ul>}
      {file.notes && <p class="callout note-text"><Icon name="note" />{file.notes}</p>}
      {file.plan && (
        <button type="button" class="plan" onClick={() => (dialog.value = { kind: "plan", site: file.site, updated: file.plan!.updated_at })}>
          <img src={api.planUrl(file.site, file.plan.updated_at)} alt={t("site.plan_alt")} loading="lazy" />
          <span><Icon name="map" size={16} />{t("site.plan_open")}<small>{t("site.plan_of", { time: dateTime(file.plan.updated_at) })}</small></span>
        </button>
      )}
    </section>
  );
}

export const expired = (contact: Contact, at: number) => contact.expires_at !== null && Date.parse(contact.expires_at) <= at;

export function ContactLine({ contact }: { contact: Contact }): JSX.Element {
  return (
    <span class="contact">
      <span class="grow"><strong>{contact.name}</strong><small>{contact.post}</small></span>
      <a class="button" href={`tel:${contact.phone.replace(/[^+\d]/g, "")}`}><Icon name="phone" size={16} />{contact.phone}</a>
    </span>
  );
}
