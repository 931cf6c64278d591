// Enters or changes an assembly. The form of assembly says its procedure and term; the place is chosen on the map; the answer has what the
// law asks of it. There is no field for who organises or comes.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { named } from "../../i18n";
import { now, sites } from "../../store";
import { problem } from "../../words";
import { Side } from "../../ui/page";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { coordinates } from "../geo";
import { planning as hub } from "../hub";
import { t } from "../t";
import { dayOf, fromField, toField } from "../times";
import type { Answer, Appeal, AssemblyEntry, Form, PlaceEntry } from "../types";
import { FORMS, problemOf, procedureOf, type Problem } from "./check";
import { Holds } from "./AssemblySide";
import type { Spot } from "./Register";

interface Props { entry: AssemblyEntry | null; places: readonly PlaceEntry[]; spot: Spot; place: (spot: Spot) => void; close: () => void; saved: (entry: AssemblyEntry) => void }
const APPEALS: readonly Appeal[] = ["none", "filed", "upheld", "rejected"];
const KINDS = ["none", "accepted", "moved", "refused", "withdrawn"] as const;

interface Fields { form: Form; place: string; from: string; until: string; people: string; filed_on: string; answer: (typeof KINDS)[number]; on: string; ground: string; alternative: string; appeal: Appeal }

function fieldsOf(entry: AssemblyEntry | null): Fields {
  const today = dayOf(now.value);
  if (!entry) return { form: "rally", place: "", from: "", until: "", people: "", filed_on: today, answer: "none", on: today, ground: "", alternative: "", appeal: "none" };
  const a = entry.assembly;
  return {
    form: a.form, place: a.place, from: toField(a.from), until: toField(a.until), people: String(a.people), filed_on: a.filed_on, answer: a.answer?.answer ?? "none", on: a.answer?.on ?? today,
    ground: a.answer?.answer === "refused" ? a.answer.ground : "", alternative: a.answer && "alternative" in a.answer ? a.answer.alternative : "", appeal: a.answer?.answer === "refused" ? a.answer.appeal : "none",
  };
}

function answerOf(f: Fields): Answer | null {
  switch (f.answer) {
    case "none": return null;
    case "accepted": case "withdrawn": return { answer: f.answer, on: f.on };
    case "moved": return { answer: "moved", on: f.on, alternative: f.alternative.trim() };
    case "refused": return { answer: "refused", on: f.on, ground: f.ground.trim(), alternative: f.alternative.trim(), appeal: f.appeal };
  }
}

/** The field that a problem stands beside. */
const FIELD: Record<Problem, string> = {
  position: "position", place: "place", place_long: "place", number: "place", times: "from", people: "people", radius: "radius", filed: "filed_on", answer_on: "on", answer_before: "on", ground: "ground", alternative: "alternative",
};

export function AssemblyForm({ entry, places, spot, place, close, saved }: Props): JSX.Element {
  const [f, setF] = useState(() => fieldsOf(entry));
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const set = (name: keyof Fields) => (e: { currentTarget: { value: string } }) => setF({ ...f, [name]: e.currentTarget.value });
  const procedure = procedureOf(f.form);
  const send = async (event: Event) => {
    event.preventDefault();
    const body = { form: f.form, radius_m: spot.radius_m, place: f.place.trim(), people: Number(f.people), filed_on: f.filed_on, answer: answerOf(f), position: spot.position, from: fromField(f.from), until: fromField(f.until) };
    const wrong = problemOf(body);
    if (wrong) {
      setError(t(`wrong.${wrong}`));
      form.current?.querySelector<HTMLElement>(`[name="${FIELD[wrong]}"]`)?.focus();
      return;
    }
    setBusy(true);
    setError("");
    try {
      const next = await hub.putAssembly(entry?.id ?? null, { ...body, position: body.position!, from: body.from!, until: body.until! });
      say(t("own.was_saved"));
      saved(next);
    } catch (cause) {
      setError(problem(cause));
      setBusy(false);
    }
  };
  const known = (value: string) => {
    const [kind, id] = [value.slice(0, 1), value.slice(1)];
    const special = kind === "p" ? places.find((p) => String(p.id) === id)?.place : undefined;
    const site = kind === "s" ? sites.value.get(id) : undefined;
    if (special) place({ position: special.points[0] ?? null, radius_m: special.radius_m });
    if (site) place({ ...spot, position: site.position });
    const name = special ? named(special.name, "") : site ? named(site.name, "") : "";
    if (name && f.place.trim() === "") setF({ ...f, place: name });
  };
  return (
    <Side title={t(entry ? "assembly.edit" : "assembly.new")} close={close}>
      <p class="no-names"><Icon name="shield" size={18} />{t("assemblies.no_names")}</p>
      <form class="form planning-form" ref={form} noValidate onSubmit={(e) => void send(e)}>
        <fieldset class="choices forms-row">
          <legend>{t("assembly.form")}</legend>
          {FORMS.map((one) => <label key={one} class="choice"><input type="radio" name="form" value={one} checked={f.form === one} onChange={() => setF({ ...f, form: one })} /><span>{t(`form.${one}`)}</span></label>)}
        </fieldset>
        <p class={`callout procedure-${procedure}`} data-procedure={procedure}><Icon name="file" /><span><strong>{t(`procedure.${procedure}`)}</strong><br />{t(`procedure.text.${procedure}`)}</span></p>
        <label>{t("assembly.place")}<input type="text" name="place" maxLength={1000} value={f.place} placeholder={t("assembly.place_hint")} onInput={set("place")} /></label>
        <div class="place-field">
          <label>{t("assembly.known")}
            <select name="position" value="" onChange={(e) => known(e.currentTarget.value)}>
              <option value="">{t("assembly.choose_known")}</option>
              {places.length > 0 && <optgroup label={t("places.tab")}>{places.map((p) => <option key={p.id} value={`p${p.id}`}>{named(p.place.name, String(p.id))}</option>)}</optgroup>}
              <optgroup label={t("assembly.sites")}>{[...sites.value.values()].map((s) => <option key={s.id} value={`s${s.id}`}>{named(s.name, s.id)}</option>)}</optgroup>
            </select>
          </label>
          <p class={spot.position ? "callout ok" : "callout"} data-position><Icon name={spot.position ? "place" : "target"} /><span>{spot.position ? coordinates(spot.position) : t("assembly.pick")}</span></p>
        </div>
        <Holds people={Number(f.people)} at={spot.position} places={places} />
        <div class="form pair">
          <label>{t("assembly.from")}<input type="datetime-local" name="from" value={f.from} onInput={set("from")} /></label>
          <label>{t("assembly.until")}<input type="datetime-local" name="until" min={f.from} value={f.until} onInput={set("until")} /></label>
          <label>{t("assembly.people")}<input type="number" name="people" inputMode="numeric" min={1} max={1000000} value={f.people} onInput={set("people")} /></label>
          <label>{t("assembly.radius_m")}<input type="number" name="radius" inputMode="numeric" min={10} max={20000} value={spot.radius_m || ""} onInput={(e) => place({ ...spot, radius_m: Number(e.currentTarget.value) })} /></label>
          <label>{t("assembly.filed")}<input type="date" name="filed_on" value={f.filed_on} onInput={set("filed_on")} /></label>
        </div>
        <AnswerFields f={f} set={set} change={setF} />
        <div class="dialog-buttons form-foot">
          {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
          <button type="button" onClick={close}>{t("common.cancel")}</button>
          <button type="submit" class="primary" disabled={busy}>{busy ? t("common.wait") : t("common.save")}</button>
        </div>
      </form>
    </Side>
  );
}

function AnswerFields({ f, set, change }: { f: Fields; set: (name: keyof Fields) => (e: { currentTarget: { value: string } }) => void; change: (f: Fields) => void }): JSX.Element {
  const moved = f.answer === "moved" || f.answer === "refused";
  return (
    <>
      <fieldset class="choices forms-row">
        <legend>{t("assembly.answer")}</legend>
        {KINDS.map((kind) => <label key={kind} class="choice"><input type="radio" name="answer" value={kind} checked={f.answer === kind} onChange={() => change({ ...f, answer: kind })} /><span>{t(`answer.${kind}`)}</span></label>)}
      </fieldset>
      {f.answer !== "none" && (
        <div class="form act">
          <label>{t("assembly.on")}<input type="date" name="on" min={f.filed_on} value={f.on} onInput={set("on")} /></label>
          {f.answer === "refused" && <label><span>{t("assembly.ground")} <small>{t("common.required")}</small></span><textarea rows={2} name="ground" maxLength={1000} value={f.ground} onInput={set("ground")} /></label>}
          {moved && <label><span>{t("assembly.alternative")} <small>{t("common.required")}</small></span><textarea rows={2} name="alternative" maxLength={1000} value={f.alternative} onInput={set("alternative")} /></label>}
          {f.answer === "refused" && (
            <>
              <label>{t("assembly.appeal")}<select name="appeal" value={f.appeal} onChange={set("appeal")}>{APPEALS.map((a) => <option key={a} value={a}>{t(`appeal.${a}`)}</option>)}</select></label>
              <p class="muted small">{t("assembly.refused_means")}</p>
            </>
          )}
        </div>
      )}
    </>
  );
}
