// Who goes: the units near the place, nearest first. Three keys send one: D opens the list, a digit or an arrow chooses, Enter
// sends. Distances are straight lines and say so; who is not offered stands below with the reason and can still be sent.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { named, t } from "../i18n";
import { units } from "../store";
import { ago, distance, problem } from "../words";
import { About, Buttons, known, Words } from "./ActionDialogs";
import { act } from "./acting";
import { Dialog } from "../ui/Dialog";
import { Loading } from "../ui/bits";
import { Icon, type IconName } from "../ui/icons";
import type { Unit, UnitChoice } from "../types";

export const UNIT_ICON: Record<Unit["kind"], IconName> = { patrol: "shield", ambulance: "medical", city_service: "place" };

interface Line { id: string; name: string; kind: Unit["kind"]; facts: string[]; responsible: boolean; offered: boolean }

export function DispatchDialog({ id, onClose }: { id: number; onClose: () => void }): JSX.Element {
  const [choice, setChoice] = useState<UnitChoice | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [unit, setUnit] = useState("");
  const [reason, setReason] = useState("");
  const alert = known(id);
  useEffect(() => {
    api.unitsFor(id).then(setChoice, setError);
  }, [id]);
  const all = lines(choice, error !== null);
  const chosen = unit || all[0]?.id || "";
  const pick = (next: Line | undefined) => {
    if (!next) return;
    setUnit(next.id);
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`dialog input[name="unit"][value="${CSS.escape(next.id)}"]`)?.focus());
  };
  // The list arrives after the dialog has opened: the first unit takes the focus then, unless the person is already writing.
  useEffect(() => {
    if (all.length > 0 && !(document.activeElement instanceof HTMLTextAreaElement)) pick(all[0]);
  }, [all.length > 0]);
  const keys = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLTextAreaElement || event.ctrlKey || event.altKey || event.metaKey) return;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    if (!digit) return;
    event.preventDefault();
    pick(all[Number(digit[1]) - 1]);
  };
  const send = async (event: Event) => {
    event.preventDefault();
    if (alert && chosen && (await act(alert, "dispatch", { unit: chosen, ...(reason.trim() ? { reason: reason.trim() } : {}) }))) onClose();
  };
  const first = all.findIndex((l) => !l.offered);
  const part = (list: readonly Line[], from: number) => list.map((line, i) => (
    <label key={line.id} class={line.offered ? "choice unit" : "choice unit other"}>
      <input type="radio" name="unit" value={line.id} checked={chosen === line.id} onChange={() => setUnit(line.id)} />
      {from + i < 9 && <kbd>{from + i + 1}</kbd>}
      <Icon name={UNIT_ICON[line.kind]} />
      <span class="unit-text grow">
        <span class="unit-name">{line.name}{line.responsible && <span class="tag ok"><Icon name="check" size={13} />{t("dispatch.responsible")}</span>}</span>
        <small>{[t(`unit.${line.kind}`), ...line.facts.slice(1)].join(" · ")}</small>
      </span>
      <strong class="unit-far">{line.facts[0]}</strong>
    </label>
  ));
  return (
    <Dialog title={t("dispatch.title")} onClose={onClose}>
      <About alert={alert} />
      <form class="form" onSubmit={(e) => void send(e)} onKeyDown={keys}>
        {!choice && error === null ? <Loading /> : (
          <>
            {error !== null && <p class="callout bad"><Icon name="warning" />{t("dispatch.no_distances", { why: problem(error) })}</p>}
            {(first < 0 ? all : all.slice(0, first)).length > 0 && (
              <fieldset class="choices">
                <legend>{t("dispatch.unit")} {choice?.straight_line && <small>{t("dispatch.straight")}</small>}</legend>
                {part(first < 0 ? all : all.slice(0, first), 0)}
              </fieldset>
            )}
            {first === 0 && <p class="callout"><Icon name="clock" />{t("dispatch.none_near")}</p>}
            {first >= 0 && <fieldset class="choices"><legend>{t("dispatch.others")}</legend>{part(all.slice(first), first)}</fieldset>}
            {all.length === 0 && <p class="muted">{t("dispatch.no_units")}</p>}
          </>
        )}
        <Words label={t("dispatch.words")} value={reason} onChange={setReason} />
        <Buttons onClose={onClose} submit={t("action.dispatch")} disabled={chosen === ""} />
      </form>
    </Dialog>
  );
}

/** Without the hub's answer every configured unit is listed: a fault in the distances must not keep help at home. */
function lines(choice: UnitChoice | null, failed: boolean): Line[] {
  if (!choice) return failed ? units.value.map((u) => ({ id: u.id, name: named(u.name, u.id), kind: u.kind, facts: [""], responsible: false, offered: false })) : [];
  const age = (s: number | null) => (s === null ? [] : [t("dispatch.position_age", { age: ago(s * 1000) })]);
  return [
    ...choice.offered.map((u) => ({
      id: u.id, name: named(u.name, u.id), kind: u.kind, responsible: u.responsible, offered: true,
      facts: [u.distance_m === null ? t("dispatch.no_place") : distance(u.distance_m), ...age(u.age_s)],
    })),
    ...choice.not_offered.map((u) => ({
      id: u.id, name: named(u.name, u.id), kind: u.kind, responsible: u.responsible, offered: false, facts: [t(`dispatch.why.${u.why}`), ...age(u.age_s)],
    })),
  ];
}
