// Where the names of areas stand on the map. Pure.

export interface Wanted { kato: string; at: [number, number]; name: string; room: [number, number]; figure: string | undefined }
export interface Placed { kato: string; x: number; y: number; lines: string[]; figure: string | undefined }

/** Names where they have room, the widest areas first; one that would lie on another is left out, its area still says it on hover. */
export function lay(wanted: readonly Wanted[], size: number, width: number, height: number): Placed[] {
  const taken: [number, number, number, number][] = [];
  const out: Placed[] = [];
  for (const w of [...wanted].sort((a, b) => b.room[0] * b.room[1] - a.room[0] * a.room[1])) {
    const lines = w.name.length > 11 && w.name.includes(" ") ? halves(w.name) : [w.name];
    const wide = Math.max(...lines.map((l) => l.length), w.figure ? w.figure.length * 1.2 : 0) * size * 0.56 + 6;
    const tall = (lines.length + (w.figure ? 1.2 : 0)) * size * 1.15 + 2;
    const [x, y] = w.at;
    const box: [number, number, number, number] = [x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2];
    if (x < 0 || y < 0 || x > width || y > height) continue;
    // A small area may let its name stand out a little; a very small one has none until the map is enlarged.
    if (wide > w.room[0] * 1.7 + 16 || tall > w.room[1] * 2 + 10) continue;
    if (taken.some((o) => o[0] < box[2] && o[2] > box[0] && o[1] < box[3] && o[3] > box[1])) continue;
    taken.push(box);
    out.push({ kato: w.kato, x, y: box[1] + size * 0.95, lines, figure: w.figure });
  }
  return out;
}

function halves(name: string): string[] {
  const words = name.split(" ");
  let best = [name];
  for (let i = 1; i < words.length; i++) {
    const two = [words.slice(0, i).join(" "), words.slice(i).join(" ")];
    if (Math.max(...two.map((l) => l.length)) < Math.max(...best.map((l) => l.length))) best = two;
  }
  return best;
}
