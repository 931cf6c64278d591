// The audible test at the start of a shift. The answer is recorded; until it is "yes" the desk counts as deaf.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api";
import { t } from "../i18n";
import { confirmHeard, playTest } from "../sound";
import { problem } from "../words";
import { Dialog } from "../ui/Dialog";
import { say } from "../ui/toast";
import { Icon } from "../ui/icons";

export function SoundDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const [played, setPlayed] = useState(false);
  const answer = async (heard: boolean) => {
    confirmHeard(heard);
    onClose();
    try {
      await api.soundTest(heard);
    } catch (error) {
      say(problem(error), true);
    }
  };
  return (
    <Dialog title={t("sound.dialog_title")} onClose={onClose}>
      <div class="sound-test">
        <p>{t("sound.dialog_text")}</p>
        <button type="button" class={played ? "big" : "primary big"} data-first onClick={() => { playTest(); setPlayed(true); }}>
          <Icon name="sound" size={24} />{t(played ? "sound.play_again" : "sound.play")}
        </button>
        <p class="question" aria-live="polite">{played ? t("sound.question") : ""}</p>
        <div class="dialog-buttons">
          <button type="button" disabled={!played} onClick={() => void answer(false)}><Icon name="mute" />{t("sound.no")}</button>
          <button type="button" class={played ? "primary" : ""} disabled={!played} onClick={() => void answer(true)}><Icon name="check" />{t("sound.yes")}</button>
        </div>
      </div>
    </Dialog>
  );
}
