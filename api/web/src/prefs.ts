// What a person prefers on this machine: language and theme. Kept in localStorage; a browser that refuses it costs nothing.

import { signal } from "@preact/signals";
import type { Lang } from "./types";

export type Theme = "dark" | "light";

export const LANGS: readonly Lang[] = ["kk", "ru", "en"];

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}

const chosen = read("qorgan.lang");
export const langChosen = signal(LANGS.includes(chosen as Lang));
export const lang = signal<Lang>(langChosen.value ? (chosen as Lang) : "kk");

export function chooseLang(next: Lang): void {
  keep("qorgan.lang", next);
  langChosen.value = true;
  lang.value = next;
}

/** The hub's language counts until a person has chosen one. */
export function suggestLang(next: Lang): void {
  if (!langChosen.value && LANGS.includes(next)) lang.value = next;
}

const storedTheme = read("qorgan.theme");
export const theme = signal<Theme>(storedTheme === "light" ? "light" : "dark");

export function toggleTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  keep("qorgan.theme", theme.value);
}

/** Single-letter keys can be switched off (WCAG 2.1.4). */
export const keysOn = signal(read("qorgan.keys") !== "off");

export function setKeys(on: boolean): void {
  keysOn.value = on;
  keep("qorgan.keys", on ? "on" : "off");
}
