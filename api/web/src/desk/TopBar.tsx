// Top bar: whose hub, how fast the shift answers, is the line up, who listens, what time it is, and the person's own switches.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { clockTime, day, t } from "../i18n";
import { can, desks, link, locked, now, session, shift } from "../store";
import { playing, sound } from "../sound";
import { logOut } from "../wiring";
import { roleName } from "../words";
import { dialog } from "./dialogs";
import { ShiftChip } from "./ShiftDialogs";
import { LangSwitch, ThemeSwitch } from "../ui/bits";
import { Icon, Logo } from "../ui/icons";

export function TopBar(): JSX.Element {
  return (
    <header class="topbar">
      <div class="brand">
        <Logo />
        <span class="brand-name">{session.value!.hub.name}</span>
      </div>
      <span class="grow" />
      {can("shift") && shift.value && <ShiftChip shift={shift.value} />}
      <LinkState />
      <Attended />
      {can("desk.sound") && <SoundState />}
      <time class="clock" dateTime={new Date(now.value).toISOString()}>
        <strong>{clockTime(now.value)}</strong>
        <span>{day(now.value)}</span>
      </time>
      <LangSwitch />
      <ThemeSwitch />
      <button type="button" class="ghost square wide-only" onClick={() => (dialog.value = { kind: "help" })} aria-label={t("help.title")} title={`${t("help.title")} (?)`}>
        <Icon name="help" />
      </button>
      <Person />
    </header>
  );
}

function LinkState(): JSX.Element {
  const state = link.value;
  return (
    <span class={`chip link-${state}`} role="status" title={t(`link.${state}`)}>
      <Icon name={state === "reconnecting" ? "unlink" : "link"} size={16} />
      <span>{t(`link.${state}`)}</span>
    </span>
  );
}

function Attended(): JSX.Element | null {
  const all = desks.value?.attended;
  if (!all) return null;
  const deaf = all.filter((d) => d.sound_ok !== true);
  const names = all.map((d) => `${d.user} · ${roleName(d.role)}${d.sound_ok === true ? "" : ` · ${t("sound.deaf")}`}`).join("\n");
  return (
    <span class="chip wide-only" title={names}>
      <Icon name="user" size={16} /><span>{t("desks.attended", { count: all.length })}</span>
      {deaf.length > 0 && <span class="deaf-count"><Icon name="mute" size={14} />{deaf.length}</span>}
    </span>
  );
}

function SoundState(): JSX.Element {
  const ok = sound.value === "ok";
  const label = playing.value ? t("sound.ringing") : ok ? t("sound.ok") : t("sound.deaf");
  return (
    <button type="button" class={`chip sound ${playing.value ? "ringing" : ok ? "ok" : "bad"}`} onClick={() => (dialog.value = { kind: "sound" })} title={t("sound.test")}>
      <Icon name={ok ? "sound" : "mute"} size={16} /><span>{label}</span>
    </button>
  );
}

function Person(): JSX.Element {
  const [open, setOpen] = useState(false);
  const me = session.value!;
  const shut = (event: FocusEvent) => {
    if (!(event.currentTarget as HTMLElement).contains(event.relatedTarget as Node | null)) setOpen(false);
  };
  return (
    <div class="person" onFocusOut={shut} onKeyDown={(e) => e.key === "Escape" && setOpen(false)}>
      <button type="button" class="ghost person-button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="user" />
        <span class="person-name"><strong>{me.display_name}</strong><small>{roleName(me.role)}</small></span>
      </button>
      {open && (
        <div class="menu">
          <p><strong>{me.display_name}</strong><small>{roleName(me.role)}</small></p>
          <button type="button" onClick={() => { setOpen(false); locked.value = true; }}><Icon name="lock" />{t("session.lock")}</button>
          {can("shift") && <button type="button" onClick={() => { setOpen(false); dialog.value = { kind: "shift" }; }}><Icon name="swap" />{t("shift.menu")}</button>}
          <button type="button" onClick={() => { setOpen(false); dialog.value = { kind: "help" }; }}><Icon name="help" />{t("help.title")}</button>
          <ThemeSwitch words />
          <a href="/public"><Icon name="shield" />{t("login.public_link")}</a>
          <button type="button" onClick={() => void logOut()}><Icon name="exit" />{t("session.log_out")}</button>
        </div>
      )}
    </div>
  );
}
