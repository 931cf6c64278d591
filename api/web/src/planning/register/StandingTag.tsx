// How an assembly stands, as a tag: by its word and icon, not by colour alone.

import type { JSX } from "preact";
import { Icon, type IconName } from "../../ui/icons";
import { t } from "../t";
import type { Standing } from "../types";

export const STANDING_ICON: Record<Standing, IconName> = { pending: "clock", proceeds: "check", refused: "minus", withdrawn: "cross" };

export function StandingTag({ standing }: { standing: Standing }): JSX.Element {
  return <span class={`tag st-${standing}`}><Icon name={STANDING_ICON[standing]} size={13} />{t(`standing.${standing}`)}</span>;
}
