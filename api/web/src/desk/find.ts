// Finds things by typed words in any of the three languages. Pure.

import type { Names } from "../types";

/** Letters that people mix up or that one keyboard lacks: Kazakh letters also match their Russian look-alikes. */
const SAME: Record<string, string> = { ә: "а", і: "и", ң: "н", ғ: "г", ү: "у", ұ: "у", қ: "к", ө: "о", һ: "х", ё: "е" };

export function plain(text: string): string {
  return text.toLowerCase().replace(/[әіңғүұқөһё]/g, (c) => SAME[c]!).replace(/[«»"'“”.,№#()/-]/g, " ").replace(/\s+/g, " ").trim();
}

/** Every typed word must begin a word of one name or of the id; names that begin with the query come first. */
export function matching<T extends { id: string; name: Names }>(all: readonly T[], query: string): T[] {
  const words = plain(query).split(" ").filter(Boolean);
  if (words.length === 0) return [...all];
  const score = (item: T): number => {
    let best = Infinity;
    for (const text of [item.name.kk, item.name.ru, item.name.en, item.id]) {
      const name = plain(text);
      const parts = name.split(" ");
      if (!words.every((w) => parts.some((p) => p.startsWith(w)))) continue;
      // A number that stands alone ("17") beats one that only begins so ("170").
      const exact = words.filter((w) => parts.includes(w)).length;
      best = Math.min(best, (name.startsWith(words.join(" ")) ? 0 : 100) - exact * 10 + name.length / 1000);
    }
    return best;
  };
  return all.map((item) => [score(item), item] as const).filter(([s]) => s < Infinity).sort((a, b) => a[0] - b[0]).map(([, item]) => item);
}
