// Which page is shown: a new request, or one that exists. Addresses are real (/109, /109/REFERENCE), so that a link in an SMS works.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { NewRequest } from "./NewRequest";
import { Follow } from "./Follow";
import { LANGS, say, speak, type Lang } from "./words";

const LANG = "qorgan.lang";
const SHORT: Record<Lang, string> = { kk: "Қаз", ru: "Рус", en: "Eng" };

export function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function firstLang(): Lang {
  const wanted = [stored(LANG), ...navigator.languages.map((l) => l.slice(0, 2))];
  return wanted.find((l): l is Lang => LANGS.includes(l as Lang)) ?? "kk";
}

const referenceOf = (path: string) => decodeURIComponent(path.replace(/^\/109\/?/, "")).replace(/[^0-9]/g, "");

export function Root(): JSX.Element {
  const [lang, setLang] = useState<Lang>(firstLang);
  const [reference, setReference] = useState(referenceOf(location.pathname));
  const [following, setFollowing] = useState(reference !== "");
  speak(lang);
  useEffect(() => {
    document.title = say("title");
  }, [lang]);
  useEffect(() => {
    const back = () => {
      const at = referenceOf(location.pathname);
      setReference(at);
      setFollowing(at !== "");
    };
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, []);
  const choose = (next: Lang) => {
    try {
      localStorage.setItem(LANG, next);
    } catch {
      // The choice then lasts as long as the page.
    }
    setLang(next);
  };
  const go = (next: boolean, to = "") => {
    history.pushState(null, "", to ? `/109/${to}` : "/109");
    setReference(to);
    setFollowing(next);
    scrollTo(0, 0);
  };
  return (
    <>
      <header class="head">
        <a class="mark" href="/109" aria-label={say("title")} onClick={(e) => { e.preventDefault(); go(false); }}>109</a>
        <span class="head-name">{say("title").replace(/^109:\s*/, "")}</span>
        <div class="langs" role="group" aria-label={say("language")}>
          {LANGS.map((l) => <button key={l} type="button" lang={l} aria-pressed={l === lang} onClick={() => choose(l)}>{SHORT[l]}</button>)}
        </div>
      </header>
      <p class="danger"><a href="tel:112">{say("danger")}</a></p>
      {following
        ? <Follow key={reference} reference={reference} open={(to) => go(true, to)} fresh={() => go(false)} />
        : <NewRequest follow={() => go(true)} opened={(to) => go(true, to)} />}
    </>
  );
}
