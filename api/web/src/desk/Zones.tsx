// Zones of a camera with people, people per m2 and the level of service in words; crossings of its lines.

import type { JSX } from "preact";
import { named, number, t } from "../i18n";
import type { LineFlow, ZoneCount } from "../types";

export function Zones({ zones }: { zones: readonly ZoneCount[] }): JSX.Element | null {
  if (zones.length === 0) return null;
  const dense = zones.some((z) => z.people_per_m2 !== null);
  return (
    <section class="block">
      <h3>{t("camera.zones")}</h3>
      <table class="rows zone-table">
        <thead><tr><th scope="col">{t("cams.zone")}</th><th scope="col">{t("camera.zone_people")}</th>{dense && <th scope="col">{t("camera.zone_density")}</th>}{dense && <th scope="col">{t("camera.zone_level")}</th>}</tr></thead>
        <tbody>{zones.map((z) => <Zone key={z.id} zone={z} dense={dense} />)}</tbody>
      </table>
    </section>
  );
}

function Zone({ zone: z, dense }: { zone: ZoneCount; dense: boolean }): JSX.Element {
  const full = z.capacity !== null && z.people > z.capacity;
  const tight = z.max_people_per_m2 !== null && z.people_per_m2 !== null && z.people_per_m2 > z.max_people_per_m2;
  return (
    <tr>
      <th scope="row">{named(z.name, z.id)}</th>
      <td class={full ? "bad-text" : ""}><strong>{number(z.people)}</strong> <small>{t("count.range", { low: number(z.low), high: number(z.high) })}{z.capacity !== null && <> · {t("camera.zone_capacity", { people: number(z.capacity) })}</>}</small></td>
      {dense && <td class={tight ? "bad-text" : ""}>{z.people_per_m2 === null ? "–" : number(z.people_per_m2)}{z.max_people_per_m2 !== null && <small> {t("camera.zone_limit", { limit: number(z.max_people_per_m2) })}</small>}</td>}
      {dense && <td>{z.level ? <span class={`tag los-${z.level}`}>{t(`los.${z.level}`)}</span> : "–"}</td>}
    </tr>
  );
}

export function Flows({ flows }: { flows: readonly LineFlow[] }): JSX.Element | null {
  if (flows.length === 0) return null;
  return (
    <section class="block">
      <h3>{t("camera.flows")}</h3>
      <dl class="facts">
        {flows.map((f) => (
          <div key={f.id}><dt>{named(f.name, f.id)}</dt><dd>{t("camera.flow", { forward: f.forward, backward: f.backward, seconds: number(f.over_s) })}</dd></div>
        ))}
      </dl>
    </section>
  );
}
