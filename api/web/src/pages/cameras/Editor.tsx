// Adds or changes one camera: its address and log-in with a trial, what is judged of it, and the drawing. Cameras of the
// configuration file are shown, never changed.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api, ApiError } from "../../api";
import { named, number, t } from "../../i18n";
import { sites } from "../../store";
import { faultWords, problem } from "../../words";
import { Icon } from "../../ui/icons";
import { say } from "../../ui/toast";
import { Drawing, NumberField, optional } from "./Drawing";
import { OnvifFields } from "./Onvif";
import type { AdminCamera, CameraKeys, Complaint, Trial } from "./types";

interface Props { camera: AdminCamera | null; pictures: boolean; done: () => void }
const BLANK: CameraKeys = { id: "", name: { kk: "", ru: "", en: "" } };

export function Editor({ camera, pictures, done }: Props): JSX.Element {
  const [keys, setKeys] = useState<CameraKeys>(camera?.keys ?? BLANK);
  const [site, setSite] = useState(camera?.site ?? [...sites.value.keys()][0] ?? "");
  const [password, setPassword] = useState("");
  const [devicePassword, setDevicePassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [complaints, setComplaints] = useState<Complaint[]>([]);
  const [failed, setFailed] = useState<unknown>(null);
  const fromFile = camera?.origin === "file";
  const set = <K extends keyof CameraKeys>(key: K, value: CameraKeys[K] | undefined) => setKeys(optional(keys, key, value));
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setComplaints([]);
    setFailed(null);
    try {
      await work();
    } catch (cause) {
      const all = cause instanceof ApiError ? cause.body["complaints"] : null;
      if (Array.isArray(all)) setComplaints(all as Complaint[]);
      else setFailed(cause);
    } finally {
      setBusy(false);
    }
  };
  const save = (event: Event) => {
    event.preventDefault();
    void run(async () => {
      await api.putCamera(site, { keys, ...(password ? { password } : {}), ...(devicePassword ? { onvif_password: devicePassword } : {}) });
      say(t("cams.saved"));
      done();
    });
  };
  return (
    <section class="sheet">
      <form class="form full" onSubmit={save}>
        {fromFile && <p class="callout"><Icon name="file" />{t("cams.from_file_text")}</p>}
        <fieldset class="form full columns bare" disabled={fromFile}>
          <label>{t("cams.site")}
            <select value={site} disabled={camera !== null} onChange={(e) => setSite(e.currentTarget.value)}>
              {[...sites.value.values()].map((s) => <option key={s.id} value={s.id}>{named(s.name, s.id)}</option>)}
            </select>
          </label>
          <label>{t("cams.id")}<input required value={keys.id} disabled={camera !== null} pattern="[a-z0-9\-]{1,64}" onInput={(e) => set("id", e.currentTarget.value)} /></label>
          {(["kk", "ru", "en"] as const).map((lang) => (
            <label key={lang}>{t("cams.name", { lang })}<input required lang={lang} maxLength={120} value={keys.name[lang]} onInput={(e) => set("name", { ...keys.name, [lang]: e.currentTarget.value })} /></label>
          ))}
          <label class="wide"><span>{t("cams.url")} <small>{t("cams.url_hint")}</small></span><input value={keys.url ?? ""} placeholder="rtsp://192.0.2.7/stream1" spellcheck={false} onInput={(e) => set("url", e.currentTarget.value.trim())} /></label>
          <label class="wide"><span>{t("cams.sub")} <small>{t("common.optional")}</small></span><input value={keys.sub ?? ""} spellcheck={false} onInput={(e) => set("sub", e.currentTarget.value.trim())} /></label>
          <label>{t("cams.user")}<input value={keys.user ?? ""} autocomplete="off" onInput={(e) => set("user", e.currentTarget.value)} /></label>
          <label><span>{t("cams.password")} <small>{camera?.has_password ? t("cams.password_kept") : ""}</small></span><input type="password" value={password} autocomplete="new-password" onInput={(e) => setPassword(e.currentTarget.value)} /></label>
          <label>{t("cams.transport")}
            <select value={keys.transport ?? "auto"} onChange={(e) => set("transport", e.currentTarget.value as CameraKeys["transport"])}>
              {["auto", "tcp", "udp"].map((one) => <option key={one} value={one}>{one === "auto" ? t("cams.transport_auto") : one.toUpperCase()}</option>)}
            </select>
          </label>
          <NumberField name={t("cams.limit")} value={keys.limit} set={(n) => set("limit", n)} />
          <NumberField name={t("cams.staleness")} value={keys.staleness_s} set={(n) => set("staleness_s", n)} />
          <label class="choice"><input type="checkbox" checked={keys.counts_itself ?? false} onChange={(e) => set("counts_itself", e.currentTarget.checked || undefined)} />{t("cams.counts_itself")}</label>
          <label class="choice"><input type="checkbox" checked={keys.clip !== undefined} onChange={(e) => set("clip", e.currentTarget.checked ? { before_s: 10, after_s: 30, keep_days: 14 } : undefined)} />{t("cams.clip")}</label>
          {keys.url?.match(/^(rtsps|https):/) && <label class="choice"><input type="checkbox" checked={keys.tls_insecure ?? false} onChange={(e) => set("tls_insecure", e.currentTarget.checked || undefined)} />{t("cams.tls_insecure")}</label>}
          <Place keys={keys} set={set} />
          {keys.clip && (["before_s", "after_s", "keep_days"] as const).map((part) => (
            <NumberField key={part} name={t(`cams.clip_${part}`)} value={keys.clip![part]} set={(n) => set("clip", { ...keys.clip!, [part]: n ?? 0 })} />
          ))}
          <label>{t("cams.kind")}
            <select value={keys.kind ?? "camera"} onChange={(e) => set("kind", e.currentTarget.value === "badge" ? "badge" : undefined)}>
              <option value="camera">{t("cams.kind_camera")}</option><option value="badge">{t("cams.kind_badge")}</option>
            </select>
          </label>
          {keys.kind === "badge" && <label><span>{t("cams.unit")} <small>{t("cams.unit_hint")}</small></span><input required value={keys.unit ?? ""} spellcheck={false} onInput={(e) => set("unit", e.currentTarget.value.trim() || undefined)} /></label>}
        </fieldset>
        <fieldset class="bare" disabled={fromFile}><OnvifFields keys={keys} password={devicePassword} setPassword={setDevicePassword} change={setKeys} asks={pictures && !fromFile} /></fieldset>
        {pictures && keys.url && !fromFile && <TryOut site={site} keys={keys} password={password} />}
        {camera ? <Drawing id={camera.id} keys={keys} change={setKeys} canStill={pictures && camera.keys.url !== undefined} fromFile={fromFile} /> : <p class="muted">{t("cams.draw_later")}</p>}
        {complaints.length > 0 && (
          <div class="callout bad" role="alert"><Icon name="warning" /><ul>{complaints.map((c) => <li key={c.key + c.message}><span class="mono">{c.key}</span>: {c.message}</li>)}</ul></div>
        )}
        {failed !== null && <p class="callout bad" role="alert"><Icon name="warning" />{problem(failed)}</p>}
        <div class="dialog-buttons">
          <button type="button" onClick={done}>{t(fromFile ? "common.close" : "common.cancel")}</button>
          {!fromFile && <button type="submit" class="primary" disabled={busy}>{busy ? t("common.wait") : t("common.save")}</button>}
        </div>
      </form>
    </section>
  );
}

/** Where it stands; a camera without a place of its own stands where its site does. */
function Place({ keys, set }: { keys: CameraKeys; set: (key: "position", value: CameraKeys["position"]) => void }): JSX.Element {
  const [text, setText] = useState(keys.position?.join(", ") ?? "");
  const place = text.split(/[,;\s]+/).filter(Boolean).map(Number);
  const right = text.trim() === "" || (place.length === 2 && Math.abs(place[0]!) <= 90 && Math.abs(place[1]!) <= 180);
  return (
    <label><span>{t("cams.position")} <small>{t("cams.position_hint")}</small></span>
      <input value={text} placeholder="42.9000, 71.3667" inputMode="decimal" spellcheck={false} aria-invalid={!right} onInput={(e) => {
        setText(e.currentTarget.value);
        const [lat, lon, more] = e.currentTarget.value.split(/[,;\s]+/).filter(Boolean).map(Number);
        if (e.currentTarget.value.trim() === "") set("position", undefined);
        else if (lat !== undefined && lon !== undefined && more === undefined && Math.abs(lat) <= 90 && Math.abs(lon) <= 180) set("position", [lat, lon]);
      }} />
      {!right && <small class="bad">{t("cams.position_wrong")}</small>}
    </label>
  );
}

/** Connects once with what stands in the form, kept or not. */
function TryOut({ site, keys, password }: { site: string; keys: CameraKeys; password: string }): JSX.Element {
  const [trial, setTrial] = useState<Trial | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const go = async () => {
    setBusy(true);
    setTrial(null);
    setError(null);
    try {
      setTrial(await api.tryCamera({ site, keys, ...(password ? { password } : {}) }));
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  const fault = trial?.fault ? faultWords(trial.fault) : "";
  return (
    <div class="trial">
      <button type="button" disabled={busy} onClick={() => void go()}><Icon name="link" size={16} />{busy ? t("cams.trying") : t("cams.try")}</button>
      <div role="status">
        {error !== null && <p class="callout bad"><Icon name="warning" />{problem(error)}</p>}
        {trial && (trial.works ? (
          <p class="callout good"><Icon name="check" /><span>{t("cams.works", { codec: (trial.codec ?? "?").toUpperCase(), size: trial.size_px ? `${trial.size_px[0]}×${trial.size_px[1]}` : "?" })}
            {trial.fps !== null && <> · {number(trial.fps)} {t("cams.per_s")}</>}
            {trial.key_frame_interval_s !== null && <> · {t("cams.key_every", { s: number(trial.key_frame_interval_s) })}</>}</span></p>
        ) : <p class="callout bad"><Icon name="warning" /><span>{fault}<br /><small>{trial.detail}</small></span></p>)}
        {trial?.picture && <img class="trial-picture" src={`data:image/jpeg;base64,${trial.picture}`} alt={t("cams.still_alt")} />}
      </div>
    </div>
  );
}
