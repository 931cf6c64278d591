// A live view in the page: video or single pictures, what it is, how long it still runs, and what to do about it.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import { t, type Key } from "../i18n";
import { formatAge } from "../rank";
import { cameras, now } from "../store";
import { cameraName, siteName } from "../words";
import { Icon } from "../ui/icons";
import { Viewing } from "./viewing";
import type { Opened, Reason } from "../types";

/** From here on the rest of the term is shown as running out. */
const SOON_MS = 60_000;
const ENDS = ["closed", "expired", "session_ended", "alert_closed", "left", "hub_stopped", "finished"] as const;

interface Props {
  camera: string;
  /** Why; asked for by whoever puts the tile there. */
  reason: Reason;
  /** Opens something else than the camera's live view, such as a clip. */
  begin?: () => Promise<Opened>;
  /** What it is, where it is neither live nor a clip. */
  mark?: string;
  onClose?: () => void;
  /** Waits before it opens: who only passes by an alarm opens nothing. */
  after?: number;
}

export function LiveTile({ camera, reason, begin, mark, onClose, after = 0 }: Props): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const [viewing, setViewing] = useState<Viewing | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let made: Viewing | null = null;
    const timer = setTimeout(() => {
      made = new Viewing(begin ?? (() => api.openLive(camera, reason)), () => video.current);
      setViewing(made);
    }, after);
    return () => {
      clearTimeout(timer);
      made?.stop();
    };
  }, [camera, round]);

  const known = cameras.value.get(camera);
  const name = known ? cameraName(known) : camera;
  const look = viewing?.look.value ?? "opening";
  const why = viewing?.why.value ?? "";
  const left = viewing?.until.value == null ? null : viewing.until.value - now.value;
  const shown = look === "video" || look === "pictures";
  return (
    <figure class={`live look-${look}`} data-live={camera} data-look={look}>
      <div class="live-picture">
        <video ref={video} muted playsInline autoPlay disablePictureInPicture hidden={look !== "video" && !(look === "waiting" && !viewing?.picture.value)} aria-label={t("live.alt", { camera: name })} />
        {viewing?.picture.value && <img src={viewing.picture.value} alt={t("live.alt", { camera: name })} />}
        {!shown && <Cover look={look} why={why} retry={() => { setViewing(null); setRound(round + 1); }} />}
        {shown && <span class="live-mark"><span class="live-dot" aria-hidden="true" />{mark ?? t(begin ? "clip.mark" : "live.mark")}</span>}
      </div>
      <figcaption>
        <span class="live-names"><strong>{name}</strong>{known && <small>{siteName(known.site)}</small>}</span>
        {shown && look === "pictures" && <small class="live-note">{t(why === "privacy_masks" ? "live.pictures_privacy" : why === "masked" ? "live.pictures_masked" : "live.pictures_codec")}</small>}
        <span class="live-keys">
          {left !== null && !viewing!.over && (
            <>
              <span class={left < SOON_MS ? "live-left soon" : "live-left"}><Icon name="clock" size={14} /><span class="sr-only">{t("live.left")} </span>{formatAge(Math.max(0, left))}</span>
              <button type="button" aria-keyshortcuts="E" disabled={viewing!.extending.value} onClick={() => void viewing!.extend()}>{t("live.extend")}<kbd>E</kbd></button>
            </>
          )}
          {onClose && <button type="button" class="ghost square" aria-label={t("live.close", { camera: name })} onClick={onClose}><Icon name="cross" /></button>}
        </span>
      </figcaption>
    </figure>
  );
}

function Cover({ look, why, retry }: { look: string; why: string; retry: () => void }): JSX.Element {
  if (look === "opening" || look === "waiting") {
    return <p class="live-cover" role="status"><span class="spinner" aria-hidden="true" />{t(look === "opening" ? "live.opening" : "live.waiting")}</p>;
  }
  if (look === "away") {
    return <p class="live-cover" role="status"><Icon name="unlink" size={26} /><span>{t(why === "withheld" ? "live.withheld" : "live.away")}</span></p>;
  }
  const end = ENDS.find((code) => code === why);
  return (
    <div class="live-cover" role={look === "failed" ? "alert" : "status"}>
      <Icon name={look === "failed" ? "warning" : "clock"} size={26} />
      <span>{end ? t(`live.end.${end}` as Key) : why}</span>
      <button type="button" onClick={retry}><Icon name="watch" />{t("live.again")}</button>
    </div>
  );
}
