// A new request: what, where, in which words, and a contact for whoever wants an answer by telephone. What was written stays on the
// page through every refusal and every lost connection.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, Refusal, type Attribute, type Category, type Form, type LatLon, type Near, type Receipt as Got } from "./hub";
import { Receipt } from "./Receipt";
import { hasWord, say, speaking } from "./words";

interface Place { at: LatLon; name: string; accuracyM: number | null; kato: string }

/** Made once for one form: the same request never arrives twice, however often "Send" is pressed. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}

const refreshed = () => ask<Form>("GET", "/form");

export function NewRequest({ follow, opened }: { follow: () => void; opened: (reference: string) => void }): JSX.Element {
  const [form, setForm] = useState<Form | null>(null);
  const [failed, setFailed] = useState("");
  const [category, setCategory] = useState<Category | null>(null);
  const [text, setText] = useState("");
  const [address, setAddress] = useState("");
  const [place, setPlace] = useState<Place | null>(null);
  const [answers, setAnswers] = useState<Record<string, string>>({});
  const [contact, setContact] = useState({ name: "", phone: "", email: "" });
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const [got, setGot] = useState<Got | null>(null);
  const key = useRef(newKey());
  const lang = speaking();
  const load = () => {
    setFailed("");
    refreshed().then(setForm, (error: unknown) => setFailed(problem(error)));
  };
  useEffect(load, []);
  if (got) return <Receipt got={got} open={() => opened(got.reference.replace(/\D/g, ""))} again={() => { key.current = newKey(); setText(""); setAddress(""); setCategory(null); setGot(null); load(); }} />;

  const send = async (event: Event) => {
    event.preventDefault();
    if (!form || !category) return;
    const limits = form.limits;
    if (text.trim().length < limits.text_min) return setWrong(say("text_short", { count: limits.text_min }));
    const open = (category.attributes ?? []).find((a) => a.required && !answers[a.code]?.trim());
    if (open) return setWrong(say("answer_question", { name: open.name[lang] }));
    if (!place) return setWrong(say("district_pick"));
    if (place.accuracyM === null && !address.trim()) return setWrong(say("address_needed"));
    setBusy(true);
    setWrong("");
    const given = contact.name.trim() || contact.phone.trim() || contact.email.trim();
    const none = (s: string) => s.trim() || null;
    try {
      setGot(await ask<Got>("POST", "", {
        form_token: form.form_token, idempotency_key: key.current, category: category.id, text: text.trim(), position: place.at, place: none(address), language: lang,
        contact: given ? { name: none(contact.name), phone: none(contact.phone), email: none(contact.email) } : null,
        attributes: Object.fromEntries((category.attributes ?? []).flatMap((a) => (answers[a.code]?.trim() ? [[a.code, answers[a.code]!.trim()]] : []))),
      }));
      scrollTo(0, 0);
    } catch (error) {
      setWrong(problem(error));
      if (error instanceof Refusal && error.code === "form_token") refreshed().then(setForm, () => {});
    } finally {
      setBusy(false);
    }
  };
  return (
    <main>
      <h1>{say("new_title")}</h1>
      <p class="lead">{say("new_lead")}</p>
      <button type="button" class="quiet follow" onClick={follow}>{say("check")}</button>
      {form?.demo && <p class="demo">{say("demo")}</p>}
      {failed && <p class="wrong" role="alert">{failed} <button type="button" onClick={load}>↻</button></p>}
      {!form ? !failed && <p class="wait" role="status">{say("wait")}</p> : (
        <form onSubmit={(e) => void send(e)} noValidate>
          {category ? (
            <section class="chosen">
              <div><small>{category.group_name[lang]}</small><strong>{category.name[lang]}</strong><span>{category.hint[lang]}</span></div>
              <button type="button" class="quiet" onClick={() => setCategory(null)}>{say("change")}</button>
            </section>
          ) : <Categories all={form.categories} choose={setCategory} />}
          {category && (
            <>
              <label>{say("text")}
                <textarea rows={5} value={text} maxLength={form.limits.text_max} aria-describedby="text-help" autoFocus onInput={(e) => setText(e.currentTarget.value)} />
                <small id="text-help">{say("text_help")}</small>
              </label>
              {(category.attributes ?? []).map((a) => <Question key={a.code} attribute={a} value={answers[a.code] ?? ""} set={(v) => setAnswers({ ...answers, [a.code]: v })} />)}
              <Where form={form} place={place} take={setPlace} />
              <label>{say("address")}
                <input value={address} maxLength={form.limits.place_max} autocomplete="off" aria-describedby="place-help" onInput={(e) => setAddress(e.currentTarget.value)} />
                <small id="place-help">{say("address_help")}</small>
              </label>
              <details class="contact">
                <summary>{say("add_contact")} <small>({say("optional")})</small></summary>
                <p class="note">{say("contact_kept", { days: form.contact_days })}</p>
                <label>{say("name")}<input value={contact.name} maxLength={120} autocomplete="given-name" onInput={(e) => setContact({ ...contact, name: e.currentTarget.value })} /></label>
                <label>{say("phone")}<input type="tel" inputMode="tel" value={contact.phone} maxLength={40} autocomplete="tel" onInput={(e) => setContact({ ...contact, phone: e.currentTarget.value })} /></label>
                <label>{say("email")}<input type="email" value={contact.email} maxLength={160} autocomplete="email" onInput={(e) => setContact({ ...contact, email: e.currentTarget.value })} /></label>
              </details>
              {wrong && <p class="wrong" role="alert">{wrong}</p>}
              <button type="submit" class="strong" disabled={busy}>{say(busy ? "sending" : "send")}</button>
            </>
          )}
        </form>
      )}
    </main>
  );
}

function Categories({ all, choose }: { all: readonly Category[]; choose: (c: Category) => void }): JSX.Element {
  const [query, setQuery] = useState("");
  const lang = speaking();
  const words = query.trim().toLowerCase();
  const found = all.filter((c) => words === "" || (["kk", "ru", "en"] as const).some((l) => `${c.name[l]} ${c.hint[l]} ${c.group_name[l]}`.toLowerCase().includes(words)));
  const groups = [...new Map(found.map((c) => [c.group, c.group_name[lang]]))];
  return (
    <section class="categories" aria-labelledby="pick">
      <h2 id="pick">{say("pick")}</h2>
      <input type="search" value={query} placeholder={say("search")} aria-label={say("search")} onInput={(e) => setQuery(e.currentTarget.value)} />
      {found.length === 0 && <p class="note">{say("none_found")}</p>}
      {groups.map(([id, name]) => (
        <div key={id} class="group">
          <h3>{name}</h3>
          {found.filter((c) => c.group === id).map((c) => (
            <button key={c.id} type="button" class="category" onClick={() => choose(c)}>
              <strong>{c.name[lang]}</strong>
              <small>{"hours" in c.deadline ? say("deadline_hours", { count: c.deadline.hours }) : say("deadline_days", { count: c.deadline.working_days })}</small>
            </button>
          ))}
        </div>
      ))}
    </section>
  );
}

function Question({ attribute: a, value, set }: { attribute: Attribute; value: string; set: (value: string) => void }): JSX.Element {
  const lang = speaking();
  const change = (e: { currentTarget: { value: string } }) => set(e.currentTarget.value);
  return (
    <label><span>{a.name[lang]}{!a.required && <small> ({say("optional")})</small>}</span>
      {a.values.length > 0 ? <select value={value} onChange={change}><option value="" />{a.values.map((v) => <option key={v.key} value={v.key}>{v.name[lang]}</option>)}</select>
        : a.datatype === "text" ? <textarea rows={3} value={value} onInput={change} />
          : a.datatype === "datetime" ? <input type="datetime-local" value={value} onInput={change} />
            : <input type="text" inputMode={a.datatype === "number" ? "decimal" : "text"} value={value} onInput={change} />}
    </label>
  );
}

function Where({ form, place, take }: { form: Form; place: Place | null; take: (place: Place | null) => void }): JSX.Element {
  const areas = (form.areas ?? []).filter((a) => a.centre !== null);
  const [looking, setLooking] = useState(false);
  const [note, setNote] = useState("");
  const lang = speaking();
  const locate = () => {
    if (!("geolocation" in navigator)) return setNote(say("place_no"));
    setLooking(true);
    setNote("");
    navigator.geolocation.getCurrentPosition((fix) => {
      const at: LatLon = [Number(fix.coords.latitude.toFixed(5)), Number(fix.coords.longitude.toFixed(5))];
      ask<Near>("GET", `/nearest?lat=${at[0]}&lon=${at[1]}`).then(
        (near) => take({ at, name: near.name[lang], accuracyM: Math.round(fix.coords.accuracy), kato: near.area }),
        (error: unknown) => setNote(problem(error)),
      ).finally(() => setLooking(false));
    }, () => {
      setLooking(false);
      setNote(say("place_no"));
    }, { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 });
  };
  return (
    <fieldset class="where">
      <legend>{say("place")}</legend>
      <button type="button" disabled={looking} onClick={locate}>{say(looking ? "wait" : "place_me")}</button>
      {place && place.accuracyM !== null && <p class="found" role="status">{say("place_found", { name: place.name, m: place.accuracyM })}</p>}
      {note && <p class="note" role="status">{note}</p>}
      {areas.length > 0 && (
        <label>{say("district")}
          <select value={place?.kato ?? ""} onChange={(e) => {
            const area = areas.find((a) => a.kato === e.currentTarget.value);
            take(area ? { at: area.centre!, name: area.name[lang], accuracyM: null, kato: area.kato } : null);
          }}>
            <option value="">{say("district_pick")}</option>
            {areas.map((a) => <option key={a.kato} value={a.kato}>{a.name[lang]}</option>)}
          </select>
        </label>
      )}
    </fieldset>
  );
}

/** What went wrong in the resident's words. */
export function problem(error: unknown): string {
  if (!(error instanceof Refusal)) return say("err_other");
  const word = `err_${error.code}`;
  const near = error.body["nearest"] as { name?: Record<string, string> } | undefined;
  return hasWord(word)
    ? say(word, { field: String(error.body["field"] ?? ""), seconds: String(error.body["retry_after_s"] ?? 60), name: near?.name?.[speaking()] ?? "" })
    : say("err_other");
}
