// Cameras: how well each works (worst first), where each is configured, and the way to add, change and remove one.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { dateTime, named, t } from "../i18n";
import { can, now } from "../store";
import { ago, cameraReason, faultWords, problem, siteName } from "../words";
import { plain } from "../desk/find";
import { StatusLine } from "../desk/CameraList";
import { Dialog } from "../ui/Dialog";
import { Empty, Failed, Loading } from "../ui/bits";
import { say } from "../ui/toast";
import { Icon } from "../ui/icons";
import { Editor } from "./cameras/Editor";
import type { AdminCamera, Compliance, Criterion } from "./cameras/types";

const REFRESH_MS = 10_000;
const STEP = 100;

export function CamerasPage(): JSX.Element {
  const manage = can("cameras.manage");
  const [meter, setMeter] = useState<Compliance[] | null>(null);
  const [admin, setAdmin] = useState<{ cameras: AdminCamera[]; pictures: boolean } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [query, setQuery] = useState("");
  const [shown, setShown] = useState(STEP);
  const [edited, setEdited] = useState<AdminCamera | "new" | null>(null);
  const [leaving, setLeaving] = useState<string | null>(null);
  const load = () => {
    const both = Promise.all([api.compliance(), manage ? api.cameraAdmin() : null]);
    both.then(([list, all]) => { setMeter(list); setAdmin(all); setError(null); }, setError);
  };
  useEffect(() => {
    load();
    const timer = setInterval(load, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const words = plain(query);
  const found = (meter ?? []).filter((c) => words === "" || plain(`${c.id} ${c.name.kk} ${c.name.ru} ${c.name.en} ${siteName(c.site)}`).includes(words));
  const remove = async (id: string) => {
    setLeaving(null);
    try {
      await api.removeCamera(id);
      say(t("cams.removed"));
      load();
    } catch (cause) {
      say(problem(cause), true);
    }
  };
  if (edited) {
    const title = edited === "new" ? t("cams.add") : named(edited.keys.name, edited.id);
    return (
      <main class="page wide">
        <header class="page-head"><div><h1>{title}</h1></div></header>
        <Editor key={edited === "new" ? "" : edited.id} camera={edited === "new" ? null : edited} pictures={admin?.pictures ?? false} done={() => { setEdited(null); load(); }} />
      </main>
    );
  }
  return (
    <main class="page wide">
      <header class="page-head">
        <div><h1>{t("cams.title")}</h1><p class="lead">{t("cams.lead")}</p></div>
        <div class="draw-tools">
          <a class="button" href="/api/v1/compliance.csv" download="cameras.csv"><Icon name="download" size={16} />CSV</a>
          {manage && <button type="button" class="primary" onClick={() => setEdited("new")}><Icon name="plus" />{t("cams.add")}</button>}
        </div>
      </header>
      {error !== null && <Failed text={problem(error)} retry={load} />}
      {!meter ? error === null && <Loading /> : (
        <>
          <div class="search-row"><label class="grow"><span class="sr-only">{t("cams.search")}</span><input type="search" value={query} placeholder={t("cams.search")} onInput={(e) => { setQuery(e.currentTarget.value); setShown(STEP); }} /></label></div>
          {found.length === 0 ? <section class="sheet"><Empty icon="camera" title={t(meter.length === 0 ? "cameras.empty" : "register.no_match")} /></section> : (
            <ul class="meter-list">
              {found.slice(0, shown).map((c) => (
                <Meter key={c.id} camera={c} admin={admin?.cameras.find((a) => a.id === c.id) ?? null} edit={setEdited} remove={() => setLeaving(c.id)} />
              ))}
            </ul>
          )}
          {found.length > shown && <button type="button" onClick={() => setShown(shown + STEP)}>{t("register.more")}</button>}
        </>
      )}
      {leaving && (
        <Dialog title={t("cams.remove_title")} onClose={() => setLeaving(null)}>
          <p>{t("cams.remove_text", { camera: leaving })}</p>
          <div class="dialog-buttons"><button type="button" data-first onClick={() => setLeaving(null)}>{t("common.cancel")}</button><button type="button" class="danger" onClick={() => void remove(leaving)}>{t("common.remove")}</button></div>
        </Dialog>
      )}
    </main>
  );
}

function Meter({ camera: c, admin, edit, remove }: { camera: Compliance; admin: AdminCamera | null; edit: (a: AdminCamera) => void; remove: () => void }): JSX.Element {
  const foreign = admin?.foreign ?? null;
  const live = admin?.camera ?? null;
  return (
    <li class={c.failed > 0 ? "sheet meter poor" : "sheet meter"}>
      <div class="meter-head">
        <Icon name="camera" />
        <span class="grow"><strong>{named(c.name, c.id)}</strong><small>{siteName(c.site)} · <span class="mono">{c.id}</span>
          {c.codec && <> · {c.codec.toUpperCase()}</>}{c.transport && <> · {c.transport.toUpperCase()}</>}{c.sub_in_use && <> · {t("cams.sub_in_use")}</>}</small></span>
        {live && <StatusLine camera={live} />}
        <span class={c.failed > 0 ? "tag bad" : "tag good"}><Icon name={c.failed > 0 ? "warning" : "check"} size={13} />{c.failed > 0 ? t("cams.failed", { count: c.failed }) : t("cams.all_met")}</span>
        {admin?.origin === "file" && <span class="tag"><Icon name="file" size={13} />{t("cams.from_file")}</span>}
        {admin && <button type="button" onClick={() => edit(admin)}><Icon name="edit" size={16} />{t(admin.origin === "file" ? "cams.show" : "common.change")}</button>}
        {admin?.origin === "run_time" && <button type="button" class="danger" onClick={remove}>{t("common.remove")}</button>}
      </div>
      {live?.reason && live.status !== "live" && <p class="callout bad"><Icon name="warning" /><span>{cameraReason(live)}<br /><small>{live.reason.detail}</small></span></p>}
      <dl class="criteria">{c.criteria.map((one) => <Mark key={one.code} one={one} alive={c.alive_at} />)}</dl>
      {foreign && (
        <p class={foreign.refused > 0 ? "callout bad" : "callout"}><Icon name="swap" /><span>{t("cams.foreign", { taken: foreign.taken, refused: foreign.refused })}
          {foreign.heard_at && <> · {dateTime(foreign.heard_at)}</>}{foreign.refusal && <><br /><small>{foreign.refusal}</small></>}</span></p>
      )}
    </li>
  );
}

const ICON = { pass: "check", fail: "cross", unknown: "notice" } as const;

function Mark({ one, alive }: { one: Criterion; alive: string | null }): JSX.Element {
  const value = one.code === "picture" ? (one.value ? faultWords(one.value) : one.mark === "pass" ? t("cams.picture_good") : null)
    : one.code === "life" && alive ? ago(now.value - Date.parse(alive)) : one.value;
  return (
    <div class={`criterion ${one.mark}`}>
      <dt><Icon name={ICON[one.mark]} size={13} />{t(`cams.criterion.${one.code}`)}<span class="sr-only"> {t(`cams.mark.${one.mark}`)}</span></dt>
      <dd>{value ?? t("cams.mark.unknown")}{one.mark === "fail" && one.limit && <small> ({one.limit})</small>}</dd>
    </div>
  );
}
