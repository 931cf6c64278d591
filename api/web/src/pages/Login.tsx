// Log-in page, and the dialog that asks again when a session ended or the desk was locked: the desk behind it keeps ringing.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api";
import { t } from "../i18n";
import { ringing, session, sessionEnded } from "../store";
import { logIn, logOut } from "../wiring";
import { problem } from "../words";
import { Dialog } from "../ui/Dialog";
import { LangSwitch, ThemeSwitch } from "../ui/bits";
import { Icon, Logo } from "../ui/icons";

export function Login(): JSX.Element {
  return (
    <main class="login">
      <section class="login-card">
        <div class="login-brand">
          <Logo size={54} />
          <h1>{t("app.name")}</h1>
          <p>{t("app.tagline")}</p>
        </div>
        <LoginForm submit={t("login.submit")} />
        <div class="login-foot">
          <LangSwitch />
          <ThemeSwitch />
          <a href="/public">{t("login.public_link")}</a>
        </div>
      </section>
    </main>
  );
}

export function Relogin(): JSX.Element {
  const ended = sessionEnded.value;
  return (
    <Dialog title={ended ? t("relogin.ended_title") : t("relogin.locked_title")}>
      <p>{ended ? t("relogin.ended_text") : t("relogin.locked_text")}</p>
      <LoginForm submit={ended ? t("login.submit") : t("relogin.unlock")} user={session.value?.user ?? ""} />
      {/* While an alarm rings nobody leaves by this door: it would silence the desk. Another person logs in above. */}
      {ringing.value.length === 0 && (
        <button type="button" class="ghost" onClick={() => void logOut()}><Icon name="exit" />{t("relogin.other_user")}</button>
      )}
    </Dialog>
  );
}

function LoginForm({ submit, user = "" }: { submit: string; user?: string }): JSX.Element {
  const [name, setName] = useState(user);
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      await logIn(name.trim(), password);
    } catch (cause) {
      setPassword("");
      setError(cause instanceof ApiError && cause.status === 401 ? t("login.wrong") : problem(cause));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={(event) => void send(event)}>
      <label>
        {t("login.user")}
        <input name="user" autoComplete="username" autoCapitalize="none" spellcheck={false} required value={name}
          data-first={user === "" ? true : undefined} onInput={(e) => setName(e.currentTarget.value)} />
      </label>
      <label>
        {t("login.password")}
        <input name="password" type="password" autoComplete="current-password" required value={password}
          data-first={user !== "" ? true : undefined} onInput={(e) => setPassword(e.currentTarget.value)} />
      </label>
      {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
      <button type="submit" class="primary big" disabled={busy}>{busy ? t("common.wait") : submit}</button>
    </form>
  );
}
