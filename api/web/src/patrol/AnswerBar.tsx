// The way of the order and the next answer, under the thumb. Each step says when it was given and whether the hub has it.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { clockTime, t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { Icon, type IconName } from "../ui/icons";
import { answer, had, waiting } from "./orders";
import { mayDecline, nextStep, reached, STEPS, type Step } from "./steps";
import type { Order } from "./types";

const ICON: Record<Step, IconName> = { accept: "check", en_route: "send", on_scene: "place", done: "shield" };
const REST_MS = 1200;
const REASONS = ["patrol.reason.busy", "patrol.reason.far", "patrol.reason.vehicle", "patrol.reason.other"] as const;

export function AnswerBar({ order }: { order: Order }): JSX.Element {
  const [asking, setAsking] = useState(false);
  const [resting, setResting] = useState(false);
  const { alert } = order;
  const next = nextStep(alert, waiting.value);
  // The next step takes the place of the one just given: a second tap of the same thumb must not give both.
  const give = (step: Step) => {
    answer(step);
    setResting(true);
    setTimeout(() => setResting(false), REST_MS);
  };
  const declining = waiting.value.find((w) => w.alert === alert.id && w.answer === "decline");
  return (
    <>
      <footer class="answers" aria-label={t("patrol.answers")}>
        <ol class="patrol-steps">{STEPS.map((step, i) => <StepState key={step} order={order} step={step} index={i} />)}</ol>
        {declining && <p class="answers-state" role="status"><Icon name="clock" />{t("patrol.decline_waits", { time: clockTime(declining.at) })}</p>}
        {!declining && next === null && <p class="answers-state" role="status"><Icon name="check" />{t("patrol.all_given")}</p>}
        <div class="answer-buttons">
          {mayDecline(alert, waiting.value) && (
            <button type="button" class="danger big" onClick={() => setAsking(true)}>{t("patrol.decline")}</button>
          )}
          {next && (
            <button type="button" class="primary big grow" disabled={resting} onClick={() => give(next)}>
              <Icon name={ICON[next]} size={24} />{t(`patrol.do.${next}`)}
            </button>
          )}
        </div>
      </footer>
      {asking && <DeclineDialog onClose={() => setAsking(false)} />}
    </>
  );
}

function StepState({ order, step, index }: { order: Order; step: Step; index: number }): JSX.Element {
  const { alert } = order;
  const item = waiting.value.find((w) => w.alert === alert.id && w.answer === step);
  const taken = !item && index < reached(alert);
  const at = item ? clockTime(item.at) : taken ? had.value.get(`${alert.id}/${step}`) : undefined;
  const time = item ? clockTime(item.at) : at ? clockTime(at) : "";
  const state = item ? "waits" : taken ? "taken" : "open";
  return (
    <li class={state}>
      <span class="dot" aria-hidden="true">{item ? <Icon name="clock" size={14} /> : taken ? <Icon name="check" size={14} /> : index + 1}</span>
      <span class="step-name">{t(`patrol.step.${step}`)}</span>
      <span class="step-time">
        {time}
        {state !== "open" && <span class="sr-only"> {t(item ? "patrol.step_waits" : "patrol.step_taken")}</span>}
      </span>
    </li>
  );
}

function DeclineDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const [why, setWhy] = useState<(typeof REASONS)[number]>(REASONS[0]);
  const [words, setWords] = useState("");
  const other = why === "patrol.reason.other";
  const send = (event: Event) => {
    event.preventDefault();
    answer("decline", other ? words.trim() : t(why));
    onClose();
  };
  return (
    <Dialog title={t("patrol.decline_title")} onClose={onClose}>
      <form class="form" onSubmit={send}>
        <fieldset class="choices">
          <legend>{t("patrol.decline_why")}</legend>
          {REASONS.map((reason, i) => (
            <label key={reason} class="choice">
              <input type="radio" name="why" checked={why === reason} data-first={i === 0 ? true : undefined} onChange={() => setWhy(reason)} />
              <span>{t(reason)}</span>
            </label>
          ))}
        </fieldset>
        {other && (
          <label>{t("patrol.reason_words")}
            <textarea rows={2} maxLength={300} value={words} onInput={(e) => setWords(e.currentTarget.value)} />
          </label>
        )}
        <div class="dialog-buttons">
          <button type="button" class="big" onClick={onClose}>{t("common.back")}</button>
          <button type="submit" class="danger big" disabled={other && words.trim() === ""}>{t("patrol.decline")}</button>
        </div>
      </form>
    </Dialog>
  );
}
