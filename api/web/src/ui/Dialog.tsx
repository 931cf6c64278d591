// Modal dialogs on the browser's own <dialog>: it traps the focus, gives it back, and makes the rest inert. Since the rest is
// inert, every dialog carries the ringing alarms itself: none may hide behind a form.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../i18n";
import { ringing } from "../store";
import { rescueFocus } from "./focus";
import { RingingList } from "./RingingList";
import { Icon } from "./icons";

interface Props {
  title: string;
  /** Absent: the dialog cannot be dismissed. */
  onClose?: () => void;
  wide?: boolean;
  children: ComponentChildren;
}

export function Dialog({ title, onClose, wide, children }: Props): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current!;
    const before = document.activeElement;
    dialog.showModal();
    (dialog.querySelector<HTMLElement>("[data-first]") ?? dialog).focus();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      rescueFocus();
    };
  }, []);
  return (
    <dialog ref={ref} class={wide ? "dialog wide" : "dialog"} aria-labelledby={id} tabIndex={-1}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}>
      {ringing.value.length > 0 && <RingingList />}
      <header class="dialog-head">
        <h2 id={id}>{title}</h2>
        {onClose && (
          <button type="button" class="ghost square" onClick={onClose} aria-label={t("common.close")}><Icon name="cross" /></button>
        )}
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}
