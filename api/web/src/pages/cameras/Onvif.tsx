// A camera by its device: who answers on the network, and which streams it has. What is chosen here fills in the form.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../../api";
import { number, t } from "../../i18n";
import { problem } from "../../words";
import { Empty } from "../../ui/bits";
import { Icon } from "../../ui/icons";
import type { CameraKeys, DeviceReport, FoundDevice } from "./types";

interface Props {
  keys: CameraKeys;
  /** Of the device; empty: the camera's own. */
  password: string;
  setPassword: (password: string) => void;
  change: (keys: CameraKeys) => void;
  /** This hub can ask devices. */
  asks: boolean;
}

export function OnvifFields({ keys, password, setPassword, change, asks }: Props): JSX.Element {
  const [found, setFound] = useState<FoundDevice[] | null>(null);
  const [report, setReport] = useState<DeviceReport | null>(null);
  const [busy, setBusy] = useState<"search" | "ask" | null>(null);
  const [error, setError] = useState<unknown>(null);
  const onvif = keys.onvif;
  const set = (part: Partial<NonNullable<CameraKeys["onvif"]>>) => {
    const next = Object.fromEntries(Object.entries({ address: "", ...onvif, ...part }).filter(([key, value]) => key === "address" || value));
    const { onvif: _, ...rest } = keys;
    change(next["address"] ? { ...rest, onvif: next as NonNullable<CameraKeys["onvif"]> } : rest);
  };
  const run = async (what: "search" | "ask", work: () => Promise<void>) => {
    setBusy(what);
    setError(null);
    try {
      await work();
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(null);
    }
  };
  const search = () => void run("search", async () => { setReport(null); setFound(await api.discoverCameras()); });
  const ask = () => void run("ask", async () => { setFound(null); setReport(await api.askDevice({ address: onvif?.address ?? "", user: onvif?.user ?? "", password })); });
  const use = (main: number, sub: number | null) => {
    const url = (at: number | null) => (at === null ? undefined : report?.streams[at]?.url ?? undefined);
    const { sub: _, ...rest } = keys;
    const next: CameraKeys = { ...rest, ...(url(main) ? { url: url(main)! } : {}), ...(url(sub) ? { sub: url(sub)! } : {}) };
    change({ ...next, ...(onvif?.user && !keys.user ? { user: onvif.user } : {}) });
  };
  return (
    <fieldset class="onvif form full">
      <legend>ONVIF <small>{t("common.optional")}</small></legend>
      <div class="form full columns bare">
        <label>{t("cams.onvif")}<input value={onvif?.address ?? ""} placeholder="192.0.2.7" spellcheck={false} onInput={(e) => set({ address: e.currentTarget.value.trim() })} /></label>
        <label>{t("cams.onvif_user")}<input value={onvif?.user ?? ""} disabled={!onvif} autocomplete="off" onInput={(e) => set({ user: e.currentTarget.value.trim() })} /></label>
        <label><span>{t("cams.onvif_password")} <small>{t("cams.onvif_password_hint")}</small></span><input type="password" value={password} disabled={!onvif} autocomplete="new-password" onInput={(e) => setPassword(e.currentTarget.value)} /></label>
        <label><span>{t("cams.recording")} <small>{t("cams.recording_hint")}</small></span><input value={onvif?.recording ?? ""} disabled={!onvif} list="device-recordings" onInput={(e) => set({ recording: e.currentTarget.value })} /></label>
        <datalist id="device-recordings">{report?.recordings.map((name) => <option key={name} value={name} />)}</datalist>
      </div>
      {asks && (
        <div class="draw-tools">
          <button type="button" disabled={busy !== null} onClick={search}><Icon name="target" size={16} />{t(busy === "search" ? "cams.searching" : "cams.search_network")}</button>
          <button type="button" disabled={busy !== null || !onvif} onClick={ask}><Icon name="link" size={16} />{t(busy === "ask" ? "cams.asking" : "cams.ask_device")}</button>
        </div>
      )}
      <div role="status">
        {error !== null && <p class="callout bad"><Icon name="warning" />{problem(error)}</p>}
        {found && (found.length === 0 ? <Empty icon="camera" title={t("cams.none_found")}><p class="muted">{t("cams.none_found_text")}</p></Empty> : (
          <ul class="found-list">
            {found.map((device) => (
              <li key={device.address}>
                <span class="grow"><strong>{device.name ?? device.hardware ?? device.address}</strong><small class="mono">{device.address}{device.hardware ? ` · ${device.hardware}` : ""}</small></span>
                {device.cameras.length > 0 && <span class="tag"><Icon name="check" size={13} />{device.cameras.join(", ")}</span>}
                <button type="button" onClick={() => { set({ address: device.address }); setFound(null); }}>{t("cams.take_device")}</button>
              </li>
            ))}
          </ul>
        ))}
        {report && (
          <>
            <p class={Math.abs(report.clock_offset_s) > 5 ? "callout bad" : "callout good"}><Icon name="clock" />{t("cams.device_clock", { s: number(report.clock_offset_s) })}</p>
            <ul class="found-list">
              {report.streams.map((stream, i) => (
                <li key={stream.name + i}>
                  <span class="grow"><strong>{stream.name}</strong><small>{(stream.codec ?? t("cams.codec_unknown")).toUpperCase()}{stream.size_px ? ` · ${stream.size_px[0]}×${stream.size_px[1]}` : ""}{stream.fps ? ` · ${number(stream.fps)} ${t("cams.per_s")}` : ""}</small></span>
                  {i === report.main && <span class="tag">{t("cams.stream_main")}</span>}
                  {i === report.sub && <span class="tag">{t("cams.stream_sub")}</span>}
                  {stream.url && <button type="button" onClick={() => use(i, null)}>{t("cams.take_stream")}</button>}
                </li>
              ))}
            </ul>
            {report.main !== null && <button type="button" class="primary" onClick={() => use(report.main!, report.sub)}>{t("cams.take_both")}</button>}
          </>
        )}
      </div>
    </fieldset>
  );
}
