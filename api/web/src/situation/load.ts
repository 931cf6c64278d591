// Reading something from the hub while its parameters change: the newest question wins, and the last answer stays on the page until
// the next one is there, so that nothing flickers.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Loaded<T> { data: T | null; error: unknown; busy: boolean; reload: () => void; put: (data: T) => void }

export function useLoad<T>(ask: () => Promise<T>, on: readonly unknown[]): Loaded<T> {
  const [data, setData] = useState<T | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(true);
  const turn = useRef(0);
  const reload = useCallback(() => {
    const mine = ++turn.current;
    setBusy(true);
    ask().then(
      (answer) => {
        if (mine !== turn.current) return;
        setData(() => answer);
        setError(null);
        setBusy(false);
      },
      (cause: unknown) => {
        if (mine !== turn.current) return;
        setError(cause);
        setBusy(false);
      },
    );
  }, on);
  useEffect(() => {
    reload();
    return () => void turn.current++;
  }, [reload]);
  return { data, error, busy, reload, put: (next) => setData(() => next) };
}
