// A button that acts when it is held for 1.2 s. By finger, by key, and for a screen reader's double tap by two of them.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { say } from "./words";

export const HOLD_MS = 1_200;
/** A second double tap within this time sends. */
const AGAIN_MS = 5_000;

interface Props {
  id: string;
  class: string;
  label: string;
  fire: () => void;
  children: ComponentChildren;
}

export function Hold(props: Props): JSX.Element {
  const [held, setHeld] = useState(false);
  const [armed, setArmed] = useState(false);
  const timer = useRef(0);
  const byHand = useRef(0);

  const begin = () => {
    if (timer.current) return;
    setHeld(true);
    setArmed(false);
    timer.current = window.setTimeout(() => {
      end();
      props.fire();
    }, HOLD_MS);
  };
  const end = () => {
    clearTimeout(timer.current);
    timer.current = 0;
    byHand.current = performance.now();
    setHeld(false);
  };
  useEffect(() => {
    // A page that is put away in the middle of a hold has not been held.
    const hidden = () => document.visibilityState !== "visible" && end();
    document.addEventListener("visibilitychange", hidden);
    return () => {
      document.removeEventListener("visibilitychange", hidden);
      clearTimeout(timer.current);
    };
  }, []);
  useEffect(() => {
    if (!armed) return;
    const over = setTimeout(() => setArmed(false), AGAIN_MS);
    return () => clearTimeout(over);
  }, [armed]);

  const isKey = (e: KeyboardEvent) => e.key === " " || e.key === "Enter";
  return (
    <button type="button" id={props.id} class={`hold ${props.class}${held ? " held" : ""}`} aria-label={armed ? say("hold_again") : props.label}
      onPointerDown={(e) => {
        if (!e.isPrimary || e.button !== 0) return;
        // The finger may tremble; it counts until it is lifted.
        if (e.currentTarget.isConnected) e.currentTarget.setPointerCapture(e.pointerId);
        begin();
      }}
      onPointerUp={end} onPointerCancel={end} onLostPointerCapture={end}
      onContextMenu={(e) => e.preventDefault()}
      onKeyDown={(e) => {
        if (!isKey(e)) return;
        e.preventDefault();
        if (!e.repeat) begin();
      }}
      onKeyUp={(e) => isKey(e) && end()} onBlur={end}
      onClick={() => {
        // A click that neither finger nor key began comes from a screen reader.
        if (performance.now() - byHand.current < 700) return;
        if (armed) props.fire();
        setArmed(!armed);
      }}>
      <svg class="ring" viewBox="0 0 100 100" aria-hidden="true"><circle cx="50" cy="50" r="47" pathLength={100} /></svg>
      <span class="face">{props.children}</span>
    </button>
  );
}
