// The patrol's phone: one standing order, what is needed there, and the answers as large buttons. Made for 360 pixels and one hand.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { clockTime, named, t } from "../i18n";
import { formatAge } from "../rank";
import { link, linkSince, locked, now, session, sessionEnded, units } from "../store";
import { logOut } from "../wiring";
import { problem } from "../words";
import { Relogin } from "../pages/Login";
import { Empty, Failed, LangSwitch, Loading, ThemeSwitch } from "../ui/bits";
import { Icon, Logo } from "../ui/icons";
import { Toasts } from "../ui/toast";
import { audible, listen } from "./call";
import { AnswerBar } from "./AnswerBar";
import { OrderCard } from "./OrderCard";
import { finished, follow, order, orderError, orderLoaded, refresh, waiting } from "./orders";
import { pause, resume, share, shareFailed, sharedAt, sharing } from "./sharing";

export function PatrolPage(): JSX.Element {
  useEffect(() => {
    const stops = [listen(), follow(), pause];
    resume();
    return () => stops.forEach((stop) => stop());
  }, []);
  const standing = order.value;
  return (
    <div class={standing ? "patrol has-order" : "patrol"}>
      <Head />
      <LineState />
      <main>
        {standing ? <OrderCard order={standing} /> : <Nothing />}
        <Shift />
        {/* Last: it goes with the first touch, and nothing may move under that finger. */}
        {!audible.value && <p class="callout"><Icon name="mute" /><span>{t("patrol.touch_for_sound")}</span></p>}
      </main>
      {standing && <AnswerBar order={standing} />}
      <Toasts />
      {(sessionEnded.value || locked.value) && <Relogin />}
    </div>
  );
}

function Head(): JSX.Element {
  const me = session.value!;
  const unit = units.value.find((u) => u.id === me.unit);
  const [open, setOpen] = useState(false);
  return (
    <header class="patrol-head">
      <Logo size={28} />
      <h1 class="ellipsis">{named(unit?.name, me.unit ?? me.display_name)}</h1>
      <button type="button" class="ghost square" aria-expanded={open} aria-controls="patrol-menu" aria-label={t("patrol.menu")} onClick={() => setOpen(!open)}>
        <Icon name={open ? "cross" : "user"} size={22} />
      </button>
      {open && (
        <div class="patrol-menu" id="patrol-menu">
          <p><strong>{me.display_name}</strong></p>
          <LangSwitch />
          <ThemeSwitch words />
          <button type="button" onClick={() => { pause(); void logOut(); }}><Icon name="exit" />{t("session.log_out")}</button>
        </div>
      )}
    </header>
  );
}

/** Nobody may think that the hub has an answer which still waits here. */
function LineState(): JSX.Element {
  const count = waiting.value.filter((w) => w.answer !== "delivered" && w.answer !== "seen").length;
  const down = link.value === "reconnecting";
  return (
    <div role="status" class="patrol-line">
      {down && (
        <p class="banner warn">
          <Icon name="unlink" />
          <span>{t("patrol.line_down", { age: formatAge(now.value - linkSince.value) })} {count > 0 && <strong>{t("patrol.waiting", { count })}</strong>}</span>
        </p>
      )}
    </div>
  );
}

function Nothing(): JSX.Element {
  if (!orderLoaded.value && orderError.value) return <Failed text={problem(orderError.value)} retry={() => void refresh()} />;
  if (!orderLoaded.value) return <Loading />;
  return (
    <section class="patrol-card">
      <Empty icon="shield" title={t("patrol.no_order")}>
        <p>{t("patrol.no_order_text")}</p>
        {finished.value && <p class="tag"><Icon name="check" size={14} />{t("patrol.finished", { time: clockTime(finished.value.at) })}</p>}
      </Empty>
    </section>
  );
}

function Shift(): JSX.Element {
  const state = sharing.value;
  const on = state === "on" || state === "asking";
  return (
    <section class="patrol-card shift">
      <button type="button" class="shift-switch" role="switch" aria-checked={on} onClick={() => share(!on)}>
        <Icon name="place" size={22} />
        <span class="grow">{t("patrol.share")}</span>
        <span class="knob" aria-hidden="true" />
      </button>
      <p class={state === "denied" || state === "none" ? "shift-state bad" : "shift-state"} role="status">
        {state === "on" && sharedAt.value !== null && !shareFailed.value
          ? t("patrol.share_on", { time: clockTime(sharedAt.value) })
          : state === "on" ? t(shareFailed.value ? "patrol.share_failed" : "patrol.share_asking")
          : state === "asking" ? t("patrol.share_asking")
          : state === "denied" ? t("patrol.share_denied")
          : state === "none" ? t("patrol.share_none")
          : t("patrol.share_off")}
      </p>
    </section>
  );
}
