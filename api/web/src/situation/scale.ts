// Classes of colour. One scale serves every period of a series, so that a colour means the same while the time slider moves. Pure.

/** Steps of the palette in situation.css; seven are as many as people tell apart. */
export const CLASSES = 7;

export interface Scale {
  /** Lower bounds of the classes and the upper end: one more than there are classes. */
  bounds: number[];
  /** Class of a value from 1; values beyond the ends take the class of the end. */
  of(value: number): number;
}

/** The index's own scale: 0 to 10 in five equal classes, the same for all blocks, areas and times. */
export const INDEX_SCALE: Scale = steps([0, 2, 4, 6, 8, 10]);

/** Equal classes over what is there, with round bounds: shows differences that the whole scale would hide. */
export function spread(values: readonly number[], classes = 6): Scale {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return INDEX_SCALE;
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const step = round125(Math.max((high - low) / classes, Math.abs(high) * 1e-6, 1e-9));
  const first = Math.floor(low / step + 1e-9) * step;
  const bounds = [first];
  while (bounds.length < 2 || (bounds.at(-1)! < high - step * 1e-9 && bounds.length <= CLASSES)) bounds.push(tidy(first + step * bounds.length));
  return steps(bounds.map(tidy));
}

function steps(bounds: number[]): Scale {
  const n = bounds.length - 1;
  return {
    bounds,
    of: (value) => {
      let i = 1;
      while (i < n && value >= bounds[i]!) i++;
      return i;
    },
  };
}

/** Whole numbers around all that is shown, within the index's scale: bands that a scale of 0 to 10 would hide behind their marks. */
export function spanOf(scores: readonly number[]): [number, number] {
  if (scores.length === 0) return [0, 10];
  const low = Math.max(0, Math.floor(Math.min(...scores)));
  const high = Math.min(10, Math.ceil(Math.max(...scores)));
  return high - low < 1 ? [Math.max(0, low - 1), Math.min(10, high + 1)] : [low, high];
}

/** The palette step of a class, spread over all steps when there are fewer classes. */
export function paletteStep(cls: number, classes: number): number {
  return classes <= 1 ? 4 : Math.round(1 + ((cls - 1) * (CLASSES - 1)) / (classes - 1));
}

/** The next of 1, 2, 2.5, 5 times a power of ten: what people read as a round step. */
function round125(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const nice = [1, 2, 2.5, 5, 10].find((n) => n * power >= step * 0.999) ?? 10;
  return nice * power;
}

const tidy = (n: number) => Number(n.toPrecision(12));

/** Round numbers for an axis from `low` to `high`, at most about `count` of them. */
export function ticks(low: number, high: number, count = 5): number[] {
  if (!(high > low)) return [low];
  const step = round125((high - low) / Math.max(1, count));
  const out: number[] = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-9; v += step) out.push(tidy(v));
  return out;
}
