// Pieces of the pages beside the desk: what opens at the side, views of a page, a figure with its name.

import type { ComponentChildren, JSX } from "preact";
import { t } from "../i18n";
import { rescueFocus } from "./focus";
import { Icon, type IconName } from "./icons";

export function Side({ title, sub, close, back, children }: { title: string; sub?: ComponentChildren; close: () => void; back?: string; children: ComponentChildren }): JSX.Element {
  const shut = () => {
    close();
    rescueFocus(back);
  };
  return (
    <aside class="side" aria-labelledby="side-title" onKeyDown={(e) => e.key === "Escape" && !e.defaultPrevented && shut()}>
      <header class="side-head">
        <div class="grow"><h2 id="side-title" tabIndex={-1}>{title}</h2>{sub && <p class="side-sub">{sub}</p>}</div>
        <button type="button" class="ghost square" aria-label={t("common.close")} onClick={shut}><Icon name="cross" /></button>
      </header>
      {children}
    </aside>
  );
}

export interface Tab<T extends string> { id: T; name: string; count?: number | undefined; warn?: boolean }

export function Tabs<T extends string>({ tabs, at, choose, label }: { tabs: readonly Tab<T>[]; at: T; choose: (id: T) => void; label: string }): JSX.Element {
  return (
    <div class="page-tabs" role="group" aria-label={label}>
      {tabs.map((tab) => (
        <button key={tab.id} type="button" aria-pressed={at === tab.id} onClick={() => choose(tab.id)}>
          {tab.name}{tab.count !== undefined && <b class={tab.warn ? "warn" : ""}>{tab.count}</b>}
        </button>
      ))}
    </div>
  );
}

export function Tile({ value, name, warn, icon }: { value: ComponentChildren; name: string; warn?: boolean; icon?: IconName }): JSX.Element {
  return <li class={warn ? "kpi warn" : "kpi"}>{icon && <Icon name={icon} size={18} />}<strong>{value}</strong><span>{name}</span></li>;
}
