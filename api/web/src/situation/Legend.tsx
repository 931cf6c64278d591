// What the colours mean, with the unit; and the hatch for "no colour: too little data".

import type { JSX } from "preact";
import { number } from "../i18n";
import { t } from "./t";
import { paletteStep, type Scale } from "./scale";

export function Legend({ scale, unit, byData, toggle, none }: { scale: Scale; unit: string; byData?: boolean; toggle?: () => void; none?: string }): JSX.Element {
  const n = scale.bounds.length - 1;
  return (
    <div class="legend">
      <p class="legend-unit">{unit}</p>
      <div class="legend-steps" role="img" aria-label={`${unit}: ${scale.bounds.map((b) => number(b, 2)).join(", ")}`}>
        {Array.from({ length: n }, (_, i) => <span key={i}><i class={`seq-${paletteStep(i + 1, n)}`} /><small>{number(scale.bounds[i]!, 2)}</small></span>)}
        <span class="legend-end"><small>{number(scale.bounds[n]!, 2)}</small></span>
      </div>
      <p class="legend-none"><i class="hatch-key" aria-hidden="true" />{none ?? t("legend.none")}</p>
      {toggle && <button type="button" class="link-button" aria-pressed={byData} onClick={toggle}>{t(byData ? "legend.by_data" : "legend.fixed")}</button>}
    </div>
  );
}
