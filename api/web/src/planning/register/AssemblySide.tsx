// One assembly beside the list: how it stands and why, its facts, the answer with its ground and appeal.

import type { JSX } from "preact";
import { dateTime, day, named, number } from "../../i18n";
import { can } from "../../store";
import { Side } from "../../ui/page";
import { Icon } from "../../ui/icons";
import { t } from "../t";
import { dayOf, shortDay, when } from "../times";
import type { AssemblyEntry, PlaceEntry } from "../types";
import { metres } from "../geo";
import { whyStanding } from "./check";
import { STANDING_ICON, StandingTag } from "./StandingTag";

export function AssemblySide({ entry, places, close, edit }: { entry: AssemblyEntry; places: readonly PlaceEntry[]; close: () => void; edit: () => void }): JSX.Element {
  const a = entry.assembly;
  const why = whyStanding(entry.standing, a.answer, entry.answer_by);
  const answer = a.answer;
  return (
    <Side title={t(`form.${a.form}`)} close={close} sub={<><StandingTag standing={entry.standing} /><span>{a.place}</span></>}>
      <p class={`standing-line st-${entry.standing}`}><Icon name={STANDING_ICON[entry.standing]} size={20} /><span>{t(`why_standing.${why.key}`, { day: shortDay(why.day) })}</span></p>
      <Holds people={a.people} at={a.position} places={places} />
      <dl class="facts">
        <div><dt>{t("assembly.procedure")}</dt><dd>{t(`procedure.${entry.procedure}`)}</dd></div>
        <div><dt>{t("assembly.when")}</dt><dd>{day(`${dayOf(a.from)}T12:00:00`)}<br />{when(a.from, a.until)}</dd></div>
        <div><dt>{t("assembly.people")}</dt><dd>{number(a.people, 0)}</dd></div>
        <div><dt>{t("assembly.radius")}</dt><dd>{t("own.metres", { count: number(a.radius_m, 0) })}</dd></div>
        <div><dt>{t("assembly.filed")}</dt><dd>{shortDay(a.filed_on)}</dd></div>
        <div><dt>{t("assembly.answer_by")}</dt><dd>{shortDay(entry.answer_by)}</dd></div>
      </dl>
      {answer && (
        <section class="block">
          <h3>{t("assembly.answer")}</h3>
          <p><strong>{t(`answer.${answer.answer}`)}</strong> · {shortDay(answer.on)}</p>
          {answer.answer === "refused" && <Paper name={t("assembly.ground")} text={answer.ground} />}
          {(answer.answer === "refused" || answer.answer === "moved") && <Paper name={t("assembly.alternative")} text={answer.alternative} />}
          {answer.answer === "refused" && <p class="muted">{t("assembly.appeal")}: <strong>{t(`appeal.${answer.appeal}`)}</strong></p>}
        </section>
      )}
      {can("planning.write") && <button type="button" class="primary" data-edit onClick={edit}><Icon name="edit" size={17} />{t("assembly.edit")}</button>}
      <small>{t("own.updated", { time: dateTime(entry.updated_at).slice(0, 16), who: entry.updated_by })}</small>
    </Side>
  );
}

function Paper({ name, text }: { name: string; text: string }): JSX.Element {
  return <div class="paper"><small>{name}</small><blockquote>{text}</blockquote></div>;
}

/** Room is a matter of safety: said while there is still time to plan for it. */
export function Holds({ people, at, places }: { people: number; at: readonly [number, number] | null; places: readonly PlaceEntry[] }): JSX.Element | null {
  if (!at) return null;
  const here = places.find((p) => p.place.points.some((point) => metres(point, [at[0], at[1]]) <= p.place.radius_m));
  if (!here) return null;
  const tight = people > here.place.max_people;
  const values = { place: named(here.place.name, ""), holds: number(here.place.max_people, 0), people: number(people, 0) };
  return <p class={tight ? "callout tight" : "callout ok"}><Icon name={tight ? "warning" : "check"} />{t(tight ? "assembly.tight" : "assembly.holds", values)}</p>;
}
