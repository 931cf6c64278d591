// Editor of a site's file: what the desk and the patrol see the moment an alarm of this site is opened.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { dateTime, named, t } from "../i18n";
import { cameras, now, pageSite, session, sites } from "../store";
import { matching } from "../desk/find";
import { expired } from "../desk/SiteCard";
import { shortDay } from "./Register";
import { deviceName, problem, siteName } from "../words";
import { Empty, Failed, Loading } from "../ui/bits";
import { say } from "../ui/toast";
import { Icon } from "../ui/icons";
import type { Contact, SiteFile } from "../types";

export function SiteFilePage(): JSX.Element {
  const own = session.value?.site ?? null;
  const [query, setQuery] = useState("");
  const site = own ?? pageSite.value;
  const all = [...sites.value.values()];
  const found = (query.trim() ? matching(all, query) : all).slice(0, 40);
  return (
    <main class="page">
      <header class="page-head"><div><h1>{t("sitefile.title")}</h1><p class="lead">{t("sitefile.lead")}</p></div></header>
      {own === null && (
        <section class="sheet">
          <label class="file">{t("sitefile.choose")}<input type="search" value={query} placeholder={t("composer.place_hint")} onInput={(e) => setQuery(e.currentTarget.value)} /></label>
          <div class="pick-list">
            {found.map((s) => <button key={s.id} type="button" aria-pressed={site === s.id} onClick={() => (pageSite.value = s.id)}><Icon name={s.kind === "school" ? "school" : "place"} size={16} />{named(s.name, s.id)}</button>)}
            {found.length === 0 && <p class="muted">{t("composer.no_match")}</p>}
          </div>
        </section>
      )}
      {site ? <Editor key={site} site={site} /> : <Empty icon="file" title={t("sitefile.none")} />}
    </main>
  );
}

function Editor({ site }: { site: string }): JSX.Element {
  const [file, setFile] = useState<SiteFile | null>(null);
  const [error, setError] = useState<unknown>(null);
  const load = () => {
    setError(null);
    api.siteFile(site).then(setFile, setError);
  };
  useEffect(load, [site]);
  if (error !== null) return <Failed text={problem(error)} retry={load} />;
  if (!file) return <Loading />;
  return (
    <>
      <h2 class="page-sub">{siteName(site)}{file.updated_at && <small> · {t("sitefile.updated", { time: dateTime(file.updated_at) })}</small>}</h2>
      <Facts file={file} load={load} />
      <Contacts file={file} load={load} />
      <Plan file={file} load={load} />
    </>
  );
}

interface Part { file: SiteFile; load: () => void }

/** Runs one change, says how it went, and reads the file again. */
function useSaving(load: () => void): [boolean, (work: () => Promise<unknown>) => Promise<boolean>] {
  const [busy, setBusy] = useState(false);
  return [busy, async (work) => {
    setBusy(true);
    try {
      await work();
      say(t("sitefile.saved"));
      load();
      return true;
    } catch (cause) {
      say(problem(cause), true);
      return false;
    } finally {
      setBusy(false);
    }
  }];
}

function Facts({ file, load }: Part): JSX.Element {
  const [address, setAddress] = useState(file.address ?? "");
  const [notes, setNotes] = useState(file.notes ?? "");
  const [entrances, setEntrances] = useState<readonly string[]>(file.entrances);
  const [busy, save] = useSaving(load);
  const known = sites.value.get(file.site)?.cameras ?? [...cameras.value.values()].filter((c) => c.site === file.site).map((c) => c.id);
  const turn = (id: string) => setEntrances(entrances.includes(id) ? entrances.filter((e) => e !== id) : [...entrances, id]);
  const send = (event: Event) => {
    event.preventDefault();
    void save(() => api.putSiteFile(file.site, { address: address.trim() || null, notes: notes.trim() || null, entrances: [...entrances] }));
  };
  return (
    <section class="sheet">
      <form class="form full" onSubmit={send}>
        <label>{t("sitefile.address")}<input value={address} maxLength={300} onInput={(e) => setAddress(e.currentTarget.value)} /></label>
        <label><span>{t("sitefile.notes")} <small>{t("sitefile.notes_hint")}</small></span><textarea rows={4} maxLength={2000} value={notes} onInput={(e) => setNotes(e.currentTarget.value)} /></label>
        <fieldset class="choices">
          <legend>{t("sitefile.entrances")}</legend>
          {known.length === 0 && <p class="muted">{t("sitefile.no_cameras")}</p>}
          {known.map((id) => <label key={id} class="choice"><input type="checkbox" checked={entrances.includes(id)} onChange={() => turn(id)} /><Icon name="camera" size={16} /><span>{deviceName(id)}</span></label>)}
        </fieldset>
        <div class="dialog-buttons"><button type="submit" class="primary" disabled={busy}>{busy ? t("common.wait") : t("common.save")}</button></div>
      </form>
    </section>
  );
}

const BLANK: Contact = { id: "", name: "", post: "", phone: "", expires_at: null };

function Contacts({ file, load }: Part): JSX.Element {
  const [edited, setEdited] = useState<Contact | null>(null);
  const [busy, save] = useSaving(load);
  return (
    <section class="sheet">
      <h2>{t("sitefile.contacts")}</h2>
      <p class="muted">{t("sitefile.contacts_text")}</p>
      {file.contacts.length === 0 && <p class="callout bad"><Icon name="warning" />{t("sitefile.no_contacts")}</p>}
      <ul class="drill-list">
        {file.contacts.map((c) => (
          <li key={c.id} class="drill-row">
            <Icon name="user" />
            <span class="grow"><strong>{c.name}</strong><small>{c.post} · {c.phone}</small></span>
            <span class={expired(c, now.peek()) ? "tag bad" : "tag"}>{c.expires_at ? t(expired(c, now.peek()) ? "sitefile.expired" : "sitefile.until", { date: shortDay(c.expires_at) }) : t("sitefile.no_expiry")}</span>
            <button type="button" onClick={() => setEdited(c)}><Icon name="edit" size={16} />{t("common.change")}</button>
            <button type="button" class="danger" disabled={busy} onClick={() => void save(() => api.deleteContact(file.site, c.id))}>{t("common.remove")}</button>
          </li>
        ))}
      </ul>
      {edited ? <ContactForm key={edited.id} contact={edited} busy={busy} cancel={() => setEdited(null)}
        send={async (c) => { if (await save(() => api.putContact(file.site, c))) setEdited(null); }} />
        : <button type="button" onClick={() => setEdited({ ...BLANK, id: freshId(file.contacts) })}><Icon name="plus" />{t("sitefile.add_contact")}</button>}
    </section>
  );
}

const freshId = (all: readonly Contact[]): string => {
  for (let n = all.length + 1; ; n++) if (!all.some((c) => c.id === `contact-${n}`)) return `contact-${n}`;
};

function ContactForm({ contact, busy, send, cancel }: { contact: Contact; busy: boolean; send: (c: Contact) => Promise<void>; cancel: () => void }): JSX.Element {
  const [c, setC] = useState(contact);
  const day = c.expires_at?.slice(0, 10) ?? "";
  return (
    <form class="form full columns" onSubmit={(e) => { e.preventDefault(); void send({ ...c, name: c.name.trim(), post: c.post.trim(), phone: c.phone.trim() }); }}>
      <label>{t("sitefile.name")}<input required maxLength={120} value={c.name} onInput={(e) => setC({ ...c, name: e.currentTarget.value })} /></label>
      <label>{t("sitefile.post")}<input required maxLength={120} value={c.post} onInput={(e) => setC({ ...c, post: e.currentTarget.value })} /></label>
      <label>{t("sitefile.phone")}<input required type="tel" pattern="[+0-9 \-\(\)]{5,24}" maxLength={24} value={c.phone} onInput={(e) => setC({ ...c, phone: e.currentTarget.value })} /></label>
      <label>{t("sitefile.expires")}<input required type="date" value={day} onInput={(e) => setC({ ...c, expires_at: e.currentTarget.value ? `${e.currentTarget.value}T00:00:00.000Z` : null })} /></label>
      <div class="dialog-buttons"><button type="button" onClick={cancel}>{t("common.cancel")}</button><button type="submit" class="primary" disabled={busy}>{t("common.save")}</button></div>
    </form>
  );
}

/** The hub refuses more; saying so before the upload spares a slow line. */
const MAX_PLAN = 8 * 1024 * 1024;

function Plan({ file, load }: Part): JSX.Element {
  const [busy, save] = useSaving(load);
  const choose = (picture: File | undefined) => {
    if (!picture) return;
    if (picture.size > MAX_PLAN) return say(t("sitefile.plan_big"), true);
    if (!/^image\/(png|jpeg)$/.test(picture.type)) return say(t("sitefile.plan_type"), true);
    void save(() => api.putPlan(file.site, picture));
  };
  return (
    <section class="sheet">
      <h2>{t("site.plan")}</h2>
      {file.plan ? <img class="plan-preview" src={api.planUrl(file.site, file.plan.updated_at)} alt={t("site.plan_alt")} /> : <p class="muted">{t("sitefile.no_plan")}</p>}
      <label class="file"><span>{t("sitefile.plan_file")}</span><input type="file" accept="image/png,image/jpeg" disabled={busy} onChange={(e) => choose(e.currentTarget.files?.[0])} /></label>
      {file.plan && <button type="button" class="danger" disabled={busy} onClick={() => void save(() => api.deletePlan(file.site))}>{t("sitefile.plan_remove")}</button>}
    </section>
  );
}
