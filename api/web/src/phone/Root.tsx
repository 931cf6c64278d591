// Which screen is shown: enrolment, the button, cancelling, or why this phone may not press.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { Cancel } from "./Cancel";
import { Enrol } from "./Enrol";
import { ask, type Me } from "./hub";
import { Outbox, shelf } from "./outbox";
import { Press } from "./Press";
import { LANGS, say, speak, type Lang } from "./words";

const LANG = "qorgan.lang";
const ME = "qorgan.phone.me";
/** How often an open page asks whether a drill is on and whether it may still press. */
const LOOK_MS = 30_000;

/** What is known of this phone. The button is there at once from memory; the hub's word comes when the line allows. */
type Standing = "asking" | "none" | "enrolled" | "revoked";

const chosen = (): Lang | null => LANGS.find((l) => l === shelf.get(LANG)) ?? null;

function remembered(): Me | null {
  try {
    const me = JSON.parse(shelf.get(ME) ?? "null") as Me | null;
    // A drill of some other day must not be shown.
    return me?.device && me.site_name ? { ...me, drill: false } : null;
  } catch {
    return null;
  }
}

/** The code of the link stands behind `#`, so that it reaches no server log; it leaves the address at once. */
function codeOfLink(): string {
  const code = decodeURIComponent(location.hash.slice(1));
  if (location.hash) history.replaceState(null, "", location.pathname);
  return /^[A-Za-z0-9]{4}-?[A-Za-z0-9]{4}$/.test(code) ? code.toUpperCase() : "";
}

export function Root(): JSX.Element {
  const [me, setMe] = useState<Me | null>(remembered);
  const [standing, setStanding] = useState<Standing>(me ? "enrolled" : "asking");
  const [link, setLink] = useState(codeOfLink);
  const [cancelling, setCancelling] = useState(false);
  const [lang, setLang] = useState<Lang>(() => chosen() ?? me?.language ?? "kk");
  const [, redraw] = useState(0);
  const outbox = useMemo(() => new Outbox(), []);
  speak(lang);

  const look = async () => {
    outbox.forget();
    const answer = await ask<Me>("GET", "");
    if (answer.body) {
      setMe(answer.body);
      setStanding("enrolled");
      shelf.set(ME, JSON.stringify(answer.body));
      if (!chosen() && LANGS.includes(answer.body.language)) setLang(answer.body.language);
    } else if (answer.status === 401) {
      forget(answer.code);
    } else if (!remembered()) {
      setStanding("asking");
    }
  };
  const forget = (code: string) => {
    shelf.set(ME, "null");
    setMe(null);
    setStanding(code === "revoked" ? "revoked" : "none");
  };

  useEffect(() => {
    outbox.changed = () => redraw((n) => n + 1);
    outbox.lost = forget;
    outbox.resume();
    void look();
    const timer = setInterval(() => document.visibilityState === "visible" && void look(), LOOK_MS);
    const wake = () => {
      if (document.visibilityState !== "visible") return;
      outbox.resume();
      void look();
    };
    const newLink = () => {
      const code = codeOfLink();
      if (code) setLink(code);
    };
    addEventListener("online", wake);
    addEventListener("hashchange", newLink);
    document.addEventListener("visibilitychange", wake);
    return () => {
      clearInterval(timer);
      removeEventListener("online", wake);
      removeEventListener("hashchange", newLink);
      document.removeEventListener("visibilitychange", wake);
    };
  }, []);

  const chooseLang = (next: Lang) => {
    shelf.set(LANG, next);
    setLang(next);
  };
  const enrolled = () => {
    setLink("");
    setStanding("asking");
    void look();
  };
  return (
    <Frame me={me} lang={lang} chooseLang={chooseLang}>
      {link || standing === "none" ? <Enrol code={link} known={me !== null} done={enrolled} stay={() => setLink("")} />
        : standing === "revoked" ? <Revoked />
          : standing === "asking" || !me ? <Asking again={() => void look()} />
            : cancelling ? <Cancel outbox={outbox} back={() => setCancelling(false)} lost={forget} />
              : <Press me={me} outbox={outbox} cancel={() => setCancelling(true)} />}
    </Frame>
  );
}

function Frame({ me, lang, chooseLang, children }: { me: Me | null; lang: Lang; chooseLang: (lang: Lang) => void; children: ComponentChildren }): JSX.Element {
  return (
    <>
      <header>
        <span class="place">{me?.site_name[lang] ?? ""}</span>
        <div class="langs" role="group" aria-label={say("language")}>
          {LANGS.map((l) => (
            <button key={l} type="button" lang={l} aria-pressed={l === lang} onClick={() => chooseLang(l)}>{SHORT[l]}</button>
          ))}
        </div>
      </header>
      {children}
    </>
  );
}

const SHORT: Record<Lang, string> = { kk: "Қаз", ru: "Рус", en: "Eng" };

function Asking({ again }: { again: () => void }): JSX.Element {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 5_000);
    const more = setInterval(again, 6_000);
    return () => {
      clearTimeout(timer);
      clearInterval(more);
    };
  }, []);
  return (
    <main class="middle">
      <p role="status">{say(late ? "no_line_now" : "wait")}</p>
      {late && <Call />}
    </main>
  );
}

function Revoked(): JSX.Element {
  return (
    <main class="middle">
      <h1>{say("revoked_title")}</h1>
      <p>{say("revoked_text")}</p>
      <Call />
    </main>
  );
}

export function Call(): JSX.Element {
  return <a class="call" href="tel:102">{say("call")}</a>;
}
