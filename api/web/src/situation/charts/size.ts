// The size of a box on the screen, as it changes. Charts are drawn in screen pixels, so that letters and lines keep their size.

import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export function useSize<T extends Element>(): [RefObject<T | null>, number, number] {
  const ref = useRef<T>(null);
  const [size, setSize] = useState<[number, number]>([0, 0]);
  useLayoutEffect(() => {
    const box = ref.current!;
    const look = () => setSize(([w, h]) => {
      const next: [number, number] = [Math.round(box.clientWidth), Math.round(box.clientHeight)];
      return next[0] === w && next[1] === h ? [w, h] : next;
    });
    look();
    const observer = new ResizeObserver(look);
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  return [ref, size[0], size[1]];
}
