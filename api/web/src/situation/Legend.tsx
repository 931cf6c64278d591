// What the colours mean, with the unit; and the hatch for "no colour: too little data".

import type { JSX } from "preact";
import { number } from "../i18n";
import { t } from "./t";
import { paletteStep, type Scale } from "./scale";

interface Props { scale: Scale; unit: string; none?: string; byData?: boolean; choose?: (byData: boolean) => void }

export function Legend({ scale, unit, none, byData = false, choose }: Props): JSX.Element {
  const n = scale.bounds.length - 1;
  return (
    <div class="legend">
      <p class="legend-unit">{unit}</p>
      <div class="legend-steps" role="img" aria-label={`${unit}: ${scale.bounds.map((b) => number(b, 2)).join(", ")}`}>
        {Array.from({ length: n }, (_, i) => <span key={i}><i class={`seq-${paletteStep(i + 1, n)}`} /><small>{number(scale.bounds[i]!, 2)}</small></span>)}
        <span class="legend-end"><small>{number(scale.bounds[n]!, 2)}</small></span>
      </div>
      <p class="legend-none"><i class="hatch-key" aria-hidden="true" />{none ?? t("legend.none")}</p>
      {choose && (
        <div class="seg" role="group" aria-label={t("legend.scale")}>
          <button type="button" aria-pressed={!byData} onClick={() => choose(false)}>{t("legend.fixed")}</button>
          <button type="button" aria-pressed={byData} onClick={() => choose(true)}>{t("legend.by_data")}</button>
        </div>
      )}
    </div>
  );
}
