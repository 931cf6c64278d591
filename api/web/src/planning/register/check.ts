// What an entry of the register needs before it is sent, said in words beside the field instead of by a refusal of the hub. The hub checks
// the same again. Pure.

import type { Answer, Assembly, Form, Standing } from "../types";

export const FORMS: readonly Form[] = ["picket", "meeting", "rally", "march", "demonstration"];
export const procedureOf = (form: Form): "notification" | "approval" => (form === "march" || form === "demonstration" ? "approval" : "notification");

const MAX_TEXT = 1000;
/** Digits in a row that could name somebody: a telephone or identity number. */
const NUMBER_DIGITS = 9;
const DAY_MS = 86_400_000;

export type Problem =
  | "position" | "place" | "place_long" | "number" | "times" | "people" | "radius" | "filed" | "answer_on" | "answer_before" | "ground" | "alternative";

/** The digits of a telephone number, however it is spaced out. */
export function namesSomebody(text: string): boolean {
  let run = 0;
  for (const c of text) {
    if (/\p{N}/u.test(c)) run++;
    else if (!" -()+./\u00a0".includes(c)) run = 0;
    if (run >= NUMBER_DIGITS) return true;
  }
  return false;
}

export function problemOf(a: Omit<Assembly, "position" | "from" | "until"> & { position: Assembly["position"] | null; from: string | null; until: string | null }): Problem | null {
  if (a.place.trim() === "") return "place";
  if ([...a.place].length > MAX_TEXT) return "place_long";
  if (namesSomebody(a.place)) return "number";
  if (a.position === null) return "position";
  if (a.from === null || a.until === null) return "times";
  const lasts = Date.parse(a.until) - Date.parse(a.from);
  if (!(lasts > 0 && lasts <= 7 * DAY_MS)) return "times";
  if (!(a.people >= 1 && a.people <= 1_000_000)) return "people";
  if (!(a.radius_m >= 10 && a.radius_m <= 20_000)) return "radius";
  if (a.filed_on === "") return "filed";
  return a.answer ? answerProblem(a.answer, a.filed_on) : null;
}

function answerProblem(answer: Answer, filed: string): Problem | null {
  if (answer.on === "") return "answer_on";
  if (answer.on < filed) return "answer_before";
  if (answer.answer === "refused" && answer.ground.trim() === "") return "ground";
  if ((answer.answer === "refused" || answer.answer === "moved") && answer.alternative.trim() === "") return "alternative";
  const texts = answer.answer === "refused" ? [answer.ground, answer.alternative] : answer.answer === "moved" ? [answer.alternative] : [];
  return texts.some(namesSomebody) ? "number" : null;
}

/** Why it stands as it does: the text's key and the day it names. */
export function whyStanding(standing: Standing, answer: Answer | null, answerBy: string): { key: "pending" | "silence" | "accepted" | "moved" | "appeal" | "refused" | "withdrawn"; day: string } {
  if (answer === null) return standing === "pending" ? { key: "pending", day: answerBy } : { key: "silence", day: answerBy };
  if (answer.answer === "refused") return { key: answer.appeal === "upheld" ? "appeal" : "refused", day: answer.on };
  return { key: answer.answer, day: answer.on };
}
