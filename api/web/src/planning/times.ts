// Days and times between the hub's wire and the fields of a form. A field's time is the time of this machine. Pure.

const two = (n: number) => String(n).padStart(2, "0");

/** A moment as a field `datetime-local` wants it. */
export function toField(at: number | string): string {
  const d = new Date(at);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`;
}

/** Null for a field that is empty or half filled in. */
export function fromField(text: string): string | null {
  const at = new Date(/^\d{4,}-\d\d-\d\dT\d\d:\d\d/.test(text) ? text : NaN);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

export function dayOf(at: number | string): string {
  return toField(at).slice(0, 10);
}

/** `2026-11-24` as `24.11.2026`. */
export const shortDay = (date: string): string => date.slice(0, 10).split("-").reverse().join(".");

/** `18:00–20:00`, with the day of the end where it is another: `18:00–25.11 02:00`. */
export function when(from: string, until: string): string {
  const end = toField(until).slice(11);
  return `${toField(from).slice(11)}–${dayOf(from) === dayOf(until) ? end : `${shortDay(dayOf(until)).slice(0, 5)} ${end}`}`;
}

/** The weeks that a month shows, Monday first, with the days of its neighbours that fill them. */
export function weeks(year: number, month: number): string[][] {
  const first = new Date(year, month, 1);
  const back = (first.getDay() + 6) % 7;
  const days = new Date(year, month + 1, 0).getDate();
  const rows = Math.ceil((back + days) / 7);
  return Array.from({ length: rows }, (_, r) => Array.from({ length: 7 }, (_, c) => dayOf(new Date(year, month, 1 - back + r * 7 + c, 12).getTime())));
}

/** Whether something from one moment until another touches a day; what ends at midnight does not touch the next. */
export function touches(day: string, from: string, until: string): boolean {
  const begin = new Date(`${day}T00:00:00`);
  const next = new Date(begin.getFullYear(), begin.getMonth(), begin.getDate() + 1);
  return Date.parse(from) < next.getTime() && Date.parse(until) > begin.getTime();
}
