// Enters or changes a place or a route: names, how many people it holds, and its points, which are set on the map in order.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { problem } from "../../words";
import { Side } from "../../ui/page";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { coordinates } from "../geo";
import { planning as hub } from "../hub";
import { t } from "../t";
import type { PlaceEntry } from "../types";
import type { Outline } from "./Places";

const MOST_POINTS = 200;

interface Props { entry: PlaceEntry | null; outline: Outline; change: (outline: Outline) => void; close: () => void; saved: (entry: PlaceEntry) => void }

export function PlaceForm({ entry, outline, change, close, saved }: Props): JSX.Element {
  const [f, setF] = useState(() => ({ kk: entry?.place.name.kk ?? "", ru: entry?.place.name.ru ?? "", en: entry?.place.name.en ?? "", people: entry ? String(entry.place.max_people) : "" }));
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const set = (name: keyof typeof f) => (e: { currentTarget: { value: string } }) => setF({ ...f, [name]: e.currentTarget.value });
  const { points } = outline;
  const send = async (event: Event) => {
    event.preventDefault();
    if (points.length === 0) return setError(t("wrong.position"));
    if (points.length > MOST_POINTS) return setError(t("wrong.points", { count: MOST_POINTS }));
    setBusy(true);
    setError("");
    try {
      const name = { kk: f.kk.trim(), ru: f.ru.trim(), en: f.en.trim() };
      const next = await hub.putPlace(entry?.id ?? null, { name, points, radius_m: outline.radius_m, max_people: Number(f.people) });
      say(t("own.was_saved"));
      saved(next);
    } catch (cause) {
      setError(problem(cause));
      setBusy(false);
    }
  };
  const remove = (i: number) => change({ ...outline, points: points.filter((_, k) => k !== i) });
  return (
    <Side title={t(entry ? "places.edit" : "places.new")} close={close}>
      <form class="form planning-form" onSubmit={(e) => void send(e)}>
        <label>{t("own.in_kk")}<input type="text" name="kk" lang="kk" required maxLength={200} pattern=".*\S.*" value={f.kk} onInput={set("kk")} /></label>
        <label>{t("own.in_ru")}<input type="text" name="ru" lang="ru" required maxLength={200} pattern=".*\S.*" value={f.ru} onInput={set("ru")} /></label>
        <label>{t("own.in_en")}<input type="text" name="en" lang="en" required maxLength={200} pattern=".*\S.*" value={f.en} onInput={set("en")} /></label>
        <div class="form pair">
          <label>{t("places.max")}<input type="number" name="people" inputMode="numeric" required min={1} max={1000000} value={f.people} onInput={set("people")} /></label>
          <label>{t("places.radius")}<input type="number" name="radius" inputMode="numeric" required min={1} max={5000} value={outline.radius_m || ""} onInput={(e) => change({ ...outline, radius_m: Number(e.currentTarget.value) })} /></label>
        </div>
        <section class="form">
          <h3>{t("places.points", { count: points.length })}</h3>
          {points.length === 0 ? <p class="callout"><Icon name="target" />{t("places.pick")}</p> : (
            <ol class="point-list">
              {points.map((p, i) => (
                <li key={`${i}.${p}`}><b>{i + 1}</b><span class="grow mono">{coordinates(p)}</span>
                  <button type="button" class="ghost square" aria-label={t("places.remove_point", { n: i + 1 })} onClick={() => remove(i)}><Icon name="cross" size={16} /></button></li>
              ))}
            </ol>
          )}
          {points.length === 1 && <p class="muted small">{t("places.more_points")}</p>}
        </section>
        <div class="dialog-buttons form-foot">
          {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
          <button type="button" onClick={close}>{t("common.cancel")}</button>
          <button type="submit" class="primary" disabled={busy}>{busy ? t("common.wait") : t("common.save")}</button>
        </div>
      </form>
    </Side>
  );
}
