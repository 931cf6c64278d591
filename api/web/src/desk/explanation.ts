// The explanation of the open crowd alert, read again as the alert moves. Counts come every second: what is shown stays until the next
// answer is there, and no more is asked than a person can read.

import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import type { Alert, Explanation } from "../types";

/** Shortest time between two questions. */
const PAUSE_MS = 2500;

interface Answer { id: number; said: Explanation | null }

/** Undefined: not there yet. Null: the hub would not say; the alert's own numbers are shown then. */
export function useExplanation(alert: Alert | null): Explanation | null | undefined {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const asked = useRef({ id: 0, at: 0 });
  const id = alert?.id ?? null;
  useEffect(() => {
    if (id === null) return;
    const ask = () => {
      asked.current = { id, at: performance.now() };
      // A late answer about an alert that was left is not taken; one that fails leaves what stands.
      const mine = () => asked.current.id === id;
      api.explanation(id).then(
        (said) => mine() && setAnswer({ id, said }),
        (error: unknown) => {
          console.warn("explanation:", error);
          if (mine()) setAnswer((before) => (before?.id === id ? before : { id, said: null }));
        },
      );
    };
    const rest = asked.current.id === id ? asked.current.at + PAUSE_MS - performance.now() : 0;
    if (rest <= 0) return ask();
    const timer = setTimeout(ask, rest);
    return () => clearTimeout(timer);
  }, [id, alert?.version]);
  return answer?.id === id ? answer.said : undefined;
}
