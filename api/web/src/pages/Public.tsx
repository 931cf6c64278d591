// The public page: what is watched, how often alerts were false, how often video was opened, and what the hub never does.
// Anonymous: it calls one address and nothing else.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { day, number, t } from "../i18n";
import { problem } from "../words";
import { Failed, LangSwitch, Loading, ThemeSwitch } from "../ui/bits";
import { Icon, Logo, type IconName } from "../ui/icons";
import type { PublicInfo } from "../types";

export function PublicPage(): JSX.Element {
  const [info, setInfo] = useState<PublicInfo | null>(null);
  const [error, setError] = useState<unknown>(null);
  const load = () => {
    setError(null);
    api.public().then(setInfo, setError);
  };
  useEffect(load, []);
  useEffect(() => { document.title = `${t("public.title")} · ${info?.hub.name ?? "Qorgan"}`; });
  return (
    <div class="public">
      <header class="public-head">
        <Logo size={36} />
        <strong>{info?.hub.name ?? t("app.name")}</strong>
        <span class="grow" />
        <LangSwitch />
        <ThemeSwitch />
        <a class="button" href="/">{t("public.to_desk")}</a>
      </header>
      <main>
        <h1>{t("public.title")}</h1>
        <p class="lead">{t("public.lead")}</p>
        {error ? <Failed text={problem(error)} retry={load} /> : info ? <Body info={info} /> : <Loading />}
      </main>
    </div>
  );
}

function Body({ info }: { info: PublicInfo }): JSX.Element {
  const falseShare = info.alerts_30d.false_percent;
  return (
    <>
      <section aria-labelledby="watched">
        <h2 id="watched">{t("public.watched")}</h2>
        <ul class="figures">
          <Figure icon="school" value={number(info.cameras.school)} name={t("public.cameras_school")} />
          <Figure icon="place" value={number(info.cameras.public_place)} name={t("public.cameras_place")} />
          <Figure icon="button" value={number(info.buttons)} name={t("public.buttons")} />
        </ul>
        <p class="muted">{t("public.since", { date: day(info.since) })}</p>
      </section>
      <section aria-labelledby="month">
        <h2 id="month">{t("public.month")}</h2>
        <ul class="figures">
          <Figure icon="panic" value={number(info.alerts_30d.alarm)} name={t("public.alarms")} />
          <Figure icon="crowd" value={number(info.alerts_30d.crowd)} name={t("public.crowds")} />
          <Figure icon="warning" value={falseShare === null ? "–" : `${number(falseShare)} %`} name={t(falseShare === null ? "public.false_unknown" : "public.false")} />
          <Figure icon="camera" value={number(info.video_opened_30d)} name={t("public.video")} />
        </ul>
      </section>
      <section aria-labelledby="never" class="never">
        <h2 id="never">{t("public.never")}</h2>
        <ul>
          {!info.identifies_people && <Never text={t("public.never_identify")} />}
          <Never text={t("public.never_social")} />
          <Never text={t("public.never_police")} />
          <Never text={t("public.never_assembly")} />
          <Never text={t("public.never_secret")} />
        </ul>
      </section>
      <section aria-labelledby="kept">
        <h2 id="kept">{t("public.kept")}</h2>
        <dl class="facts">
          <div><dt>{t("public.kept_raw")}</dt><dd>{t("public.hours", { count: info.retention.counts_raw_h })}</dd></div>
          <div><dt>{t("public.kept_minute")}</dt><dd>{t("public.days", { count: info.retention.counts_minute_d })}</dd></div>
          <div><dt>{t("public.kept_hour")}</dt><dd>{t("public.years", { count: info.retention.counts_hour_y })}</dd></div>
          <div><dt>{t("public.kept_faces")}</dt><dd>{t("public.not_kept")}</dd></div>
        </dl>
      </section>
    </>
  );
}

function Figure({ icon, value, name }: { icon: IconName; value: string; name: string }): JSX.Element {
  return <li><Icon name={icon} size={24} /><strong>{value}</strong><span>{name}</span></li>;
}

function Never({ text }: { text: string }): JSX.Element {
  return <li><Icon name="cross" size={20} /><span>{text}</span></li>;
}
